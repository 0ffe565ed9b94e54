"""The watch screen as it stands in the guide, at 100, 80 and 60 columns, to the letter."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from polyb0t.cli.render_watch import View, waiting_rows, watch_screen
from polyb0t.cli.terminal import PLAIN, Paint
from polyb0t.cli.watch_offer import Offer, as_it_is, smaller
from polyb0t.cli.watch_source import listed
from polyb0t.cli.watch_state import WatchState
from polyb0t.cli.words import width
from polyb0t.core.ids import AssetId, IntentId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Level
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.onlookers import Onlooker, ShownBook
from polyb0t.execution.scope import Regime
from polyb0t.models.kill_switches import KillSwitchType, SwitchState
from polyb0t.runtime.watch_look import Miss, News, Nothing, Purse, Row, WatchLook
from tests.cli.scenes import NOW, D, claim, mayor, record, scene, tram, tram_resting

TRAM = tram().id
SWITCHES = tuple(SwitchState(switch, tripped=False) for switch in KillSwitchType)
PURSE = Purse(Pusd(D("9879.2")), Pusd(D("102.01")), Pusd(D("5000")), Pusd(D("0.8")), 4, 6)


def row(intent: TradeIntent, outcome: str = "", **state: Any) -> Row:
    return Row(record(intent, **state), intent.id[:4], outcome)


def book(ask: str = "0.60", *, age: float = 0.3) -> ShownBook:
    bids = (Level(Price(D("0.59")), Shares(D("410"))),)
    asks = (Level(Price(D(ask)), Shares(D("320"))), Level(Price(D("0.61")), Shares(D("900"))))
    return ShownBook(tram().asset_id, bids, asks, NOW - timedelta(seconds=age))


NEWS = (
    News(9, NOW - timedelta(seconds=55), "intent.rejected", "t", "tz6w", "user:bob", "", True),
    News(8, NOW - timedelta(seconds=77), "intent.expired", "r", "r5tn", "engine", "expired", False),
)
BOB = Onlooker("b", "user:bob", mayor().id, NOW)


def a_look(*rows: Row, books: Mapping[AssetId, ShownBook] | None = None, **more: Any) -> WatchLook:
    here = scene()
    content: dict[str, Any] = {
        "mark": "1",
        "now": NOW,
        "scope": here.scope,
        "regime": Regime.LIVE,
        "switches": SWITCHES,
        "engine": here.engine,
        "alive": True,
        "halt_file": False,
        "problem": "",
        "decides_itself": False,
        "too_small": "",
        "rows": rows,
        "news": NEWS,
        "purse": PURSE,
        "nothing": None,
        "onlookers": (BOB,),
        "books": {tram().asset_id: book()} if books is None else books,
    }
    return WatchLook(**{**content, **more})


GUIDE = (row(tram()), row(mayor()), row(claim()))


def screen(
    look: WatchLook,
    columns: int = 100,
    *,
    rows: int = 40,
    keys: Sequence[str] = (),
    offer: Offer | None = None,
    paint: Paint = PLAIN,
    selected: IntentId | None = None,
) -> list[str]:
    state = WatchState()
    state.look([each.record.id for each in waiting_rows(look)], 0)
    state.selected = selected or state.selected
    for key in keys:
        state.key(key, 1)
    known = {each.record.id: each for each in look.rows}
    return watch_screen(View(look, state, columns, rows, 1, "user:anna", offer, known), paint)


GOLDEN_100 = """\
SANDBOX, practice money   wallet ..91c4   trading allowed   engine ok, 4 s ago        12:41:07 UTC
cash 9,879.20   at risk 102.01 of 5,000.00   today +0.80 pUSD   proposals this hour 4 of 6
----------------------------------------------------------------------------------------------------
  ID    LEFT         TRADE                   WORST PRICE  WORST CASE      EDGE  MARKET
> k7m2  38 s   ===-  BUY YES 150.00+ sh          61¢ max  pay 95.16 max  +2.9¢  Will Harbor City..
  q9rt  7 min  ====  SELL NO 120.00 sh exit      67¢ min  get 79.34 min      -  Northmark mayor:..
  c4xd  22 h   ====  CLAIM 40.00 sh                    -  get 40.00          -  Rain in Eastport,..
----------------------------------------------------------------------------------------------------
BUY YES, 150 shares or more, at 61¢ or less                                         digest 9f3a 61c2
Will Harbor City approve the tram line by 22 January?                         politics, ends in 60 d
  pay at most 95.16, likely 92.96     YES: +57.07 or more     NO: all of it lost
  model 66% (63% to 69%), offer 60¢, break-even 62.0%       UNVALIDATED model
  bid 59¢ x 410 | ask 60¢ x 320, 61¢ x 900   0.3 s ago      offer unchanged since proposed
  decided by the city council's vote in its minutes; no vote by then is NO
  18 of 18 checks passed; order 95.16 of 100.00             exits: none approved
----------------------------------------------------------------------------------------------------
bob is looking at q9rt       12:40:12 tz6w rejected by bob       12:39:50 r5tn expired, unseen
a approve  e approve with exits  s smaller  r reject  m mute 24 h  d rules  o page  H halt  ? help
"""

GOLDEN_80 = """\
SANDBOX, practice money  wallet ..91c4
trading allowed  engine ok, 4 s ago  12:41:07 UTC
cash 9,879.20   at risk 102.01 of 5,000.00   today +0.80 pUSD
proposals this hour 4 of 6
--------------------------------------------------------------------------------
  ID    LEFT   TRADE                     WORST  WORST CASE      EDGE  MARKET
> k7m2  38 s   BUY YES 150.00+ sh      61¢ max  pay 95.16 max  +2.9¢  Will Har..
  q9rt  7 min  SELL NO 120.00 sh exit  67¢ min  get 79.34 min      -  Northmar..
  c4xd  22 h   CLAIM 40.00 sh                -  get 40.00          -  Rain in..
--------------------------------------------------------------------------------
BUY YES, 150 shares or more, at 61¢ or less                     digest 9f3a 61c2
Will Harbor City approve the tram line by 22 January?     politics, ends in 60 d
  pay at most 95.16, likely 92.96     YES: +57.07 or more     NO: all of it lost
  model 66% (63% to 69%), offer 60¢, break-even 62.0%       UNVALIDATED model
  bid 59¢ x 410 | ask 60¢ x 320, 61¢ x 900   0.3 s ago
  offer unchanged since proposed
  decided by the city council's vote in its minutes; no vote by then is NO
  18 of 18 checks passed; order 95.16 of 100.00             exits: none approved
--------------------------------------------------------------------------------
bob is looking at q9rt       12:40:12 tz6w rejected by bob
a approve  e approve with exits  s smaller  r reject  m mute 24 h  d rules
o page  H halt  ? help
"""

GOLDEN_60 = """\
SANDBOX, practice money  wallet ..91c4
trading allowed  engine ok, 4 s ago  12:41:07 UTC
cash 9,879.20   at risk 102.01 of 5,000.00
today +0.80 pUSD   proposals this hour 4 of 6
------------------------------------------------------------
  ID    LEFT   TRADE                   WORST CASE
> k7m2  38 s   BUY YES 150.00+ sh      pay 95.16 max
  q9rt  7 min  SELL NO 120.00 sh exit  get 79.34 min
  c4xd  22 h   CLAIM 40.00 sh          get 40.00
------------------------------------------------------------
BUY YES, 150 shares or more, at 61¢ or less
Will Harbor City approve the tram line by 22 January?
politics, ends in 60 d                      digest 9f3a 61c2
  pay at most 95.16, likely 92.96; YES: +57.07 or more; NO:
  all of it lost
  model 66% (63% to 69%), offer 60¢, break-even 62.0%
  UNVALIDATED model
  bid 59¢ x 410 | ask 60¢ x 320, 61¢ x 900   0.3 s ago
  offer unchanged since proposed
  decided by the city council's vote in its minutes; no vote
  by then is NO
  18 of 18 checks passed; order 95.16 of 100.00
  exits: none approved
------------------------------------------------------------
bob is looking at q9rt       12:40:12 tz6w rejected by bob
a approve  e approve with exits  s smaller  r reject
m mute 24 h  d rules  o page  H halt  ? help
"""


class TestTheGuide:
    @pytest.mark.parametrize(("columns", "golden"), [(100, GOLDEN_100), (80, GOLDEN_80), (60, GOLDEN_60)])
    def test_the_screen_is_the_one_of_the_guide(self, columns: int, golden: str) -> None:
        assert screen(a_look(*GUIDE), columns) == golden.splitlines()

    @pytest.mark.parametrize("columns", [100, 80, 60])
    def test_colour_changes_no_letter(self, columns: int) -> None:
        import re

        painted = screen(a_look(*GUIDE), columns, paint=Paint(on=True))
        assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in painted] == screen(a_look(*GUIDE), columns)
        assert any("\x1b[" in line for line in painted)

    def test_the_question_stands_in_the_place_of_the_keys(self) -> None:
        asked = screen(a_look(*GUIDE), keys="a", offer=as_it_is(listed(GUIDE[0])))
        assert asked[-1] == "BUY YES, pay at most 95.16 pUSD, 38 s left. y = approve, any other key = no"

    def test_a_real_order_is_called_one(self) -> None:
        real = a_look(row(tram()), scope=replace(scene().scope, venue="polymarket", world=""))
        asked = screen(real, keys="a", offer=as_it_is(listed(real.rows[0])))
        assert asked[-1].startswith("REAL ORDER: BUY YES, pay at most 95.16 pUSD")
        assert asked[0].startswith("POLYMARKET, REAL MONEY")

    def test_half_of_half_of_it_is_what_is_asked(self) -> None:
        less = smaller(listed(GUIDE[0]), 2, NOW)
        assert less.shape.smaller is not None
        assert less.shape.smaller.least_shares == D("37.49")
        asked = screen(a_look(*GUIDE), keys="s", offer=less)
        assert asked[-1].startswith(
            "BUY YES, pay at most 23.79 pUSD, 38 s left. y = approve, s = half of that"
        )


class TestTheBookBesideIt:
    @pytest.mark.parametrize(
        ("ask", "words"),
        [
            ("0.60", "offer unchanged since proposed"),
            ("0.59", "offer 59¢, 1¢ better"),
            ("0.61", "offer 61¢, 1¢ worse"),
            ("0.62", "offer 62¢, 2¢ worse: past your worst price"),
        ],
    )
    def test_what_has_become_of_the_offer(self, ask: str, words: str) -> None:
        look = a_look(row(tram()), books={tram().asset_id: book(ask)})
        assert any(line.endswith(words) for line in screen(look))

    @pytest.mark.parametrize(
        ("bid", "ask", "words"),
        [
            ("0.59", "0.61", "it would rest"),
            ("0.58", "0.59", "nothing to rest for: it would trade at once"),
            ("0.56", "0.595", "nothing to rest for: The middle is 57.75¢; it was 60¢ when it was proposed."),
            ("0.59", "0.63", "nothing to rest for: The spread is 4¢; it was 2¢."),
        ],
    )
    def test_of_a_purchase_that_rests_it_is_whether_it_still_would(
        self, bid: str, ask: str, words: str
    ) -> None:
        seen = replace(book(ask), bids=(Level(Price(D(bid)), Shares(D("9"))),))
        lines = screen(a_look(row(tram_resting()), books={tram().asset_id: seen}))
        assert any(line.endswith(words) for line in lines)
        text = " ".join(line.strip() for line in lines)
        assert "rests in the book, post-only, for 2 h from when it is sent" in text
        assert "Taken back by the engine, while it runs, if the middle falls from 60¢ to under 58¢" in text

    def test_of_a_sale_it_is_the_bid(self) -> None:
        sale = replace(mayor(), asset_id=AssetId("7"))
        lower = replace(book(), asset_id=AssetId("7"), bids=(Level(Price(D("0.55")), Shares(D("9"))),))
        look = a_look(row(sale), books={AssetId("7"): lower})
        assert any("bid 55¢, 4¢ worse: past your worst price" in line for line in screen(look))

    def test_an_empty_side_is_said(self) -> None:
        look = a_look(row(tram()), books={tram().asset_id: replace(book(), asks=())})
        assert any("ask -" in line and "nothing is offered now" in line for line in screen(look))

    def test_an_old_book_says_its_age_and_nothing_of_now(self) -> None:
        lines = screen(a_look(row(tram()), books={tram().asset_id: book(age=75)}))
        assert any("75 s ago" in line and "an old book" in line for line in lines)
        assert not any("unchanged" in line for line in lines)

    def test_without_one_it_is_said_that_there_is_none(self) -> None:
        lines = screen(a_look(row(tram()), books={}))
        assert any("bid 59¢ | ask 60¢ when proposed" in line and "live book" in line for line in lines)


class TestWhatEnded:
    @pytest.mark.parametrize(
        ("state", "outcome", "words"),
        [
            (
                {"status": IntentStatus.EXECUTED, "result": "dry_run"},
                "dry run, nothing sent",
                "EXECUTED, dry run",
            ),
            ({"status": IntentStatus.EXECUTED}, "filled 152.50 of 150+", "EXECUTED, filled 152.50 of 150+"),
            ({"status": IntentStatus.REJECTED, "decided_by": "user:bob"}, "rejected", "REJECTED by bob"),
            ({"status": IntentStatus.FAILED, "result": "price_worse"}, "price worse", "FAILED, price worse"),
            ({"status": IntentStatus.EXECUTING}, "sent, outcome unknown", "EXECUTING, sent, outcome unknown"),
        ],
    )
    def test_it_stays_for_ten_seconds_with_its_outcome(
        self, state: dict[str, Any], outcome: str, words: str
    ) -> None:
        ended = row(replace(tram(), id=IntentId("tz6w000000000000")), outcome, **{**state, "updated_at": NOW})
        line = f"  tz6w  {words}"
        assert any(each.startswith(line) for each in screen(a_look(*GUIDE, ended)))
        late = replace(ended, record=replace(ended.record, updated_at=NOW - timedelta(seconds=10.1)))
        shown = any(each.startswith(line) for each in screen(a_look(*GUIDE, late)))
        assert shown is (state["status"] is IntentStatus.EXECUTING), "what is under way stays"

    def test_a_list_that_is_held_keeps_it_in_its_place(self) -> None:
        look, state = a_look(*GUIDE), WatchState()
        ids = [each.record.id for each in waiting_rows(look)]
        state.look(ids, 0)
        state.key("space", 1)
        state.look([ids[0], ids[2]], 2)
        gone = row(mayor(), status=IntentStatus.REJECTED, decided_by="user:bob", updated_at=NOW)
        known = {each.record.id: each for each in (GUIDE[0], gone, GUIDE[2])}
        lines = watch_screen(View(look, state, 100, 40, 2, known=known), PLAIN)
        assert lines[5].startswith("  q9rt  REJECTED by bob")
        assert lines[6].startswith("  c4xd  22 h")
        assert lines[7] == "  The list stands still. space lets it go on."


class TestSmallScreens:
    @pytest.mark.parametrize(("rows", "columns"), [(23, 80), (30, 100), (18, 80), (24, 60)])
    @pytest.mark.parametrize("asks", [False, True])
    def test_keys_question_and_selection_stay(self, rows: int, columns: int, asks: bool) -> None:
        many = [
            row(tram(id=IntentId(f"{number:016x}"), rules_text="word " * 900, question=f"Rain {number}?"))
            for number in range(12)
        ]
        look = a_look(*many)
        for chosen in many:
            offer = as_it_is(listed(chosen)) if asks else None
            keys = ["d", "a"] if asks else ["d"]
            lines = screen(look, columns, rows=rows, keys=keys, offer=offer, selected=chosen.record.id)
            assert len(lines) <= rows
            assert [line for line in lines if width(line) > columns] == []
            assert sum(line.startswith("> ") for line in lines) == 1
            assert ("y = approve" if asks else "? help") in " ".join(lines[-2:])
            assert any("pay at most" in line for line in lines)

    @pytest.mark.parametrize("columns", [100, 80, 60])
    def test_no_line_is_wider_than_the_screen(self, columns: int) -> None:
        long_ = "Will the " + "very " * 60 + "long question end?"
        looks = [
            a_look(row(tram(question=long_, resolution_source=long_, rules_text=long_)), *GUIDE[1:]),
            a_look(row(tram(question="word" * 99, outcome_label="x" * 90))),
            a_look(row(mayor()), nothing=None),
            a_look(nothing=Nothing(512, 214, Miss(long_, D("0.009"), None), 3, NOW), news=()),
        ]
        for look in looks:
            for keys in ("", "d", "a", ["?"], ["space"]):
                offer = as_it_is(listed(look.rows[0])) if keys == "a" and look.rows else None
                lines = screen(look, columns, rows=24, keys=keys, offer=offer)
                assert [line for line in lines if width(line) > columns] == []
                assert len(lines) <= 24

    def test_a_window_that_is_too_small_says_so(self) -> None:
        assert screen(a_look(*GUIDE), 30, rows=10)[0].startswith("Too small")

    def test_the_rules_turn_page_by_page_and_begin_again(self) -> None:
        long = a_look(row(tram(rules_text=" ".join(f"word{number}" for number in range(150)))))
        first, second = screen(long, keys="d"), screen(long, keys="dd")
        assert any("Rules, page 1 of 2: d turns it, Esc ends them" in line for line in first)
        assert any("word0 " in line for line in first)
        assert any("word149" in line for line in second)
        assert screen(long, keys="ddd") == first


class TestNothingWaits:
    def test_it_says_why_and_how_close_the_nearest_miss_was(self) -> None:
        miss = Miss("Lower house vote in Tavia by March?", D("0.009"), D("0.015"))
        look = a_look(nothing=Nothing(512, 214, miss, 0, None), news=(), onlookers=())
        assert screen(look)[3:] == [
            "Nothing is waiting for you. The engine works: last heard 4 s ago.",
            "512 markets watched, 214 tradable.",
            'Nearest miss: "Lower house vote in Tavia by March?" +0.9¢, needs +1.5¢.',
            "Why: polyb0t universe --why      What you let pass: polyb0t intents list --all",
            "-" * 100,
            "H halt  ? help  q quit",
        ]

    def test_without_an_engine_it_says_that(self) -> None:
        look = a_look(nothing=Nothing(None, None, None, 0, None), alive=False, engine=None)
        assert any("No engine has run here yet" in line for line in screen(look))

    def test_a_halt_is_said(self) -> None:
        halted = (SwitchState(KillSwitchType.MANUAL, tripped=True), *SWITCHES[1:])
        look = a_look(nothing=Nothing(1, 1, None, 0, None), switches=halted)
        assert any("Openings are stopped" in line for line in screen(look))


class TestHonesty:
    def test_while_no_engine_runs_an_approval_is_said_to_wait_for_one(self) -> None:
        lines = screen(a_look(*GUIDE, engine=None, alive=False))
        assert (
            "  No engine has run here yet. An approval now is sent only if one starts before the time is up."
            in lines
        )

    def test_the_cash_of_a_dry_run_is_called_pretend(self) -> None:
        assert screen(a_look(*GUIDE, regime=Regime.DRY_RUN))[1].startswith("pretend cash 9,879.20")

    def test_a_shell_that_says_something_else_than_the_engine_is_told_so(self) -> None:
        look, state = a_look(*GUIDE), WatchState()
        lines = watch_screen(
            View(look, state, 100, 30, 1, note="This shell has POLYBOT_DRY_RUN=true."), PLAIN
        )
        assert lines[1] == "This shell has POLYBOT_DRY_RUN=true."

    def test_a_look_that_is_an_old_one_says_so_and_why(self) -> None:
        look, state = a_look(*GUIDE), WatchState()
        state.look([each.record.id for each in waiting_rows(look)], 0)
        known = {each.record.id: each for each in look.rows}
        lines = watch_screen(View(look, state, 100, 30, 1, known=known, trouble="The disk is full."), PLAIN)
        assert lines[1] == "Not read since 12:41:07 UTC. The disk is full."

    def test_a_trade_for_two_says_who_has_approved(self) -> None:
        large = Row(record(tram(approvals_required=2)), "k7m2", "", ("token:anna",))
        assert any("1 of 2 approvals; anna approved" in line for line in screen(a_look(large)))

    def test_text_of_the_venue_cannot_draw(self) -> None:
        nasty = "Rain?\x1b[2J\x1b]0;owned\x07\u202e [red]x[/red] \n> fake"
        lines = screen(a_look(row(tram(question=nasty, resolution_source=nasty))))
        assert not any("\x1b" in line or "\u202e" in line or "\n" in line for line in lines)
        assert sum(line.startswith("> ") for line in lines) == 1

    def test_nobody_is_told_that_he_looks_himself(self) -> None:
        me = Onlooker("x", "user:anna", mayor().id, NOW)
        assert not any("looking" in line for line in screen(a_look(*GUIDE, onlookers=(me,), news=())))
