"""The screens, line by line, with figures that agree with each other."""

from dataclasses import replace
from datetime import timedelta

import pytest

from polyb0t.cli import words
from polyb0t.cli.positions_read import positions_screen
from polyb0t.cli.render_intents import history_table, nothing_waits, waiting_table
from polyb0t.cli.render_orders import order_screen, orders_table
from polyb0t.cli.render_result import Result, result_lines
from polyb0t.cli.render_show import ShowOptions, dialog, question, show_screen
from polyb0t.cli.scene import context_line
from polyb0t.cli.terminal import PLAIN, Paint
from polyb0t.core.errors import AmbiguousError, NotFoundError
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.account_state import AccountPosition
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime, Scope
from polyb0t.models.kill_switches import Stance
from polyb0t.models.portfolio import Position
from polyb0t.runtime.holdings import Holding, Holdings, find_holding
from polyb0t.runtime.resting import Resting
from tests.cli.scenes import (
    NOW,
    ORDER,
    WALLET,
    D,
    claim,
    item,
    mayor,
    record,
    scene,
    tram,
    tram_order,
    tram_resting,
)
from tests.support.builders import a_fill

ALL_THREE = [item(tram()), item(mayor()), item(claim())]


def test_the_context_line_says_where_one_is() -> None:
    assert context_line(scene(), PLAIN, 100) == (
        "SANDBOX, practice money   wallet ..91c4   trading allowed   engine ok, 4 s ago        12:41:07 UTC"
    )


def test_with_real_money_the_wallet_has_its_beginning_and_the_mode_is_red() -> None:
    real = scene(scope=Scope("polymarket", 137, WALLET))
    assert context_line(real, PLAIN, 100).startswith("POLYMARKET, REAL MONEY   wallet 0x52ab..91c4")
    assert "\x1b[31mPOLYMARKET, REAL MONEY\x1b[0m" in context_line(real, Paint(on=True), 100)


def test_the_mode_is_the_engines_and_a_halt_is_said() -> None:
    halted = scene(stance=Stance.HALTED, regime=Regime.DRY_RUN)
    assert context_line(halted, PLAIN, 100).startswith(
        "SANDBOX, dry run   wallet ..91c4   halted: cancels only   engine ok"
    )


def test_a_dead_engine_is_not_ok_however_fresh_its_row_is() -> None:
    assert scene(alive=False).engine_words == "no engine"
    assert scene(alive=False).no_engine("Then nothing.") == (
        "No engine has run here since 12:41:03 (4 s). Then nothing."
    )


@pytest.mark.parametrize(
    ("scope", "regime", "command"),
    [
        (Scope("sandbox", 137, WALLET, "w0rld"), Regime.LIVE, "make practice"),
        (Scope("sandbox", 137, WALLET, "w0rld"), Regime.DRY_RUN, "make run"),
        (Scope("polymarket", 137, WALLET), Regime.DRY_RUN, "polyb0t run --live"),
        (Scope("polymarket", 137, WALLET), Regime.LIVE, "polyb0t run --live --no-dry-run"),
    ],
)
def test_a_dead_engine_is_started_by_the_command_of_its_regime(
    scope: Scope, regime: Regime, command: str
) -> None:
    assert scene(scope=scope, regime=regime, alive=False).start == command


def test_the_list() -> None:
    assert waiting_table(ALL_THREE, scene(), PLAIN, 100) == [
        "ID    LEFT   TRADE                   WORST PRICE  WORST CASE      EDGE  MARKET",
        "k7m2  38 s   BUY YES 150.00+ sh          61¢ max  pay 95.16 max  +2.9¢  Will Harbor City approve..",
        "q9rt  7 min  SELL NO 120.00 sh exit      67¢ min  get 79.34 min      -  Northmark mayor: Alva Berg",
        "c4xd  22 h   CLAIM 40.00 sh                    -  get 40.00          -  Rain in Eastport, 22 Nov",
        "",
        "3 waiting. Cents per share; money in pUSD, fees included; edge at the worst price, after costs.",
        "Closer look: polyb0t intents show k7m2      Decide as they come: polyb0t intents watch",
    ]


def test_one_intent_with_the_seven_facts_of_a_decision() -> None:
    assert show_screen(item(tram()), scene(), PLAIN, 100, ShowOptions()) == [
        "SANDBOX, practice money   wallet ..91c4   trading allowed   engine ok, 4 s ago        12:41:07 UTC",
        "",
        "k7m2  PENDING, 38 s left                                        digest 9f3a 61c2   sent: at once",
        "",
        "  BUY YES, 150 shares or more, at 61¢ or less. Takes what is offered now, leaves no order behind.",
        "  Will Harbor City approve the tram line by 22 January?                  politics, ends in 60 d",
        "",
        "  You pay      at most 95.16 pUSD; 92.96 at the present price (fee 1.46 in it)",
        "  If YES       150.00 pUSD or more comes back: a gain of 57.07 or more",
        "  If NO        nothing comes back",
        "  Break-even   YES has to be at least 62.0% likely",
        "  Why          The model says 66% (63% to 69%), the offer is 60¢: +3.9¢ a share now, +2.9¢ at the",
        "               worst price. Politics one to three months out is priced too close to the middle.",
        "  Model        market calibration v3, UNVALIDATED: published figures, not yet tested on own data",
        "  Book         bid 59¢ | ask 60¢, seen 0.8 s before it was proposed",
        "  Limits       order 95.16 of 100.00   market 95.16 of 200.00   politics 180.17 of 2,000.00",
        "  Checks       18 of 18 passed                                            all of them: --checks",
        "  Decided by   the city council's vote in its minutes; no vote by then is NO  full text: --rules",
        "",
        "Approve: polyb0t intents approve k7m2    Less: --shares 50    Reject: polyb0t intents reject k7m2",
    ]


def test_the_dialog_of_an_approval() -> None:
    at = scene(now=NOW + timedelta(seconds=5))
    assert dialog(item(tram()), at, PLAIN, 100) == [
        "SANDBOX, practice money   wallet ..91c4                                           digest 9f3a 61c2",
        "  BUY YES, 150 shares or more, at 61¢ or less: pay at most 95.16 pUSD, lose it all if NO",
        "  Will Harbor City approve the tram line by 22 January?",
        "  Why: the model says 66%, the offer is 60¢. UNVALIDATED model.                          33 s left",
    ]
    assert question(item(tram()), at) == "Approve? [y/N]"


def test_an_opening_that_rests_says_for_how_long_what_is_reserved_and_for_what_it_is_taken_back() -> None:
    screen = show_screen(item(tram_resting()), scene(), PLAIN, 100, ShowOptions())
    assert screen[4:7] == [
        "  BUY YES, 150 shares, at 59¢ or less. Takes nothing: it rests in the book, post-only, for 2 h",
        "  from when it is sent. What has not filled by then ends by itself; 88.50 pUSD stay reserved until",
        "  then.",
    ]
    facts = "\n".join(screen)
    assert "You pay      at most 88.50 pUSD\n" in facts
    assert "Break-even   YES has to be at least 59.0% likely" in facts
    assert (
        "Taken back by the engine, while it runs, if the middle falls from 60¢ to under 58¢, the spread "
        "reaches 4¢, the rules change, a result is proposed or trading pauses, or if the model sees no edge "
        "in it any more or its book is not seen for a minute Model"
    ) in " ".join(facts.split())


def test_the_dialog_of_an_opening_that_rests_has_all_that_is_approved() -> None:
    lines = " ".join(line.strip() for line in dialog(item(tram_resting()), scene(), PLAIN, 100))
    assert "BUY YES, 150 shares, at 59¢ or less: pay at most 88.50 pUSD, lose it all if NO" in lines
    assert "it rests in the book, post-only, for 2 h from when it is sent" in lines
    assert "88.50 pUSD stay reserved until then." in lines
    assert "Taken back by the engine, while it runs, if the middle falls from 60¢ to under 58¢" in lines


def test_the_question_names_the_sum_where_money_is_real() -> None:
    real = scene(scope=Scope("polymarket", 137, WALLET))
    assert question(item(tram()), real) == "Send a REAL order, at most 95.16 pUSD? [y/N]"


def test_what_came_of_an_approval() -> None:
    done = record(
        tram(), status=IntentStatus.EXECUTED, decided_at=NOW, decided_by="user:anna", order_id=ORDER
    )
    assert result_lines(Result(done, tram_order(), "k7m2"), PLAIN, 100, 5) == [
        "Accepted after 0.2 s. Bought 152.50 YES at 60¢, fee 1.46, paid 92.96 pUSD (2.20 under the ceiling).",
        "Provisional: final on chain in about 10 s. Follow: polyb0t orders show 0x7c1e",
    ]


def test_an_unknown_outcome_is_neither_success_nor_failure() -> None:
    sent = record(tram(), status=IntentStatus.EXECUTING, order_id=ORDER)
    asked = tram_order(status=OrderStatus.UNKNOWN, lookups=2, filled_shares=Shares(D("0")))
    result = Result(sent, asked, "k7m2")
    assert result.not_done
    assert result_lines(result, PLAIN, 100, 5) == [
        "SENT, OUTCOME UNKNOWN. The exchange did not answer; it may have the order or not.",
        "  Up to 95.16 pUSD may be spent and is counted as spent. Do not place it again by hand.",
        "  polyb0t asks for order 0x7c1e..e09b until it knows and never makes a second one (asked twice).",
        "  Follow: polyb0t orders show 0x7c1e",
    ]


def test_a_price_that_moved_away_moved_no_money() -> None:
    failed = record(
        tram(),
        status=IntentStatus.FAILED,
        result="price_worse",
        result_detail="You allowed 61¢ or less; the best offer is 63¢.",
    )
    assert result_lines(Result(failed, None, "k7m2"), PLAIN, 100, 5) == [
        "Approved, but not sent: the price moved away. Nothing was signed, no money moved.",
        "  You allowed 61¢ or less; the best offer is 63¢.",
        "  k7m2 is FAILED (price_worse). If the edge is still there, a new proposal comes by itself.",
    ]


def test_executed_never_stands_alone() -> None:
    noted = item(tram(), "dry run, nothing sent", status=IntentStatus.EXECUTED, result="dry_run")
    assert noted.standing == "EXECUTED, dry run, nothing sent"
    assert "EXECUTED, dry run, nothing sent" in "\n".join(history_table([noted], scene(), 100))


def test_silence_is_explained_and_the_nearest_miss_is_named() -> None:
    universe = {
        "watched": 512,
        "tradable": 214,
        "misses": [{"question": "Lower house vote in Tavia by March?", "edge": "0.009", "needed": "0.015"}],
    }
    assert nothing_waits(scene(), universe, PLAIN) == [
        "Nothing is waiting for you. The engine works: last heard 4 s ago.",
        "512 markets watched, 214 tradable.",
        'Nearest miss: "Lower house vote in Tavia by March?" +0.9¢, needs +1.5¢.',
        "Why: polyb0t universe --why      What you let pass: polyb0t intents list --all",
    ]


def test_a_sale_promises_a_floor_and_no_break_even() -> None:
    text = "\n".join(show_screen(item(mayor()), scene(), PLAIN, 100, ShowOptions()))
    assert "  You get      at least 79.34 pUSD for what fills" in text
    assert "  You give     120 shares of NO at most" in text
    assert "Break-even" not in text


@pytest.mark.parametrize("columns", [100, 80, 60])
def test_no_line_is_wider_than_the_screen(columns: int) -> None:
    question_ = "Will the " + "very " * 60 + "long question end?"
    long_ = item(replace(tram(), question=question_, resolution_source=question_))
    lines = [
        *context_line(scene(), PLAIN, columns).split("\n"),
        *waiting_table([long_, item(mayor())], scene(), PLAIN, columns),
        *show_screen(long_, scene(), PLAIN, columns, ShowOptions(checks=True, rules=True)),
        *dialog(long_, scene(), PLAIN, columns),
        *show_screen(item(tram_resting()), scene(), PLAIN, columns, ShowOptions()),
        *dialog(item(tram_resting()), scene(), PLAIN, columns),
        *history_table([long_], scene(), columns),
    ]
    assert [line for line in lines if words.width(line) > columns] == []


def test_text_of_the_venue_is_one_harmless_line() -> None:
    evil = "Will\x1b[2J it\r\nrain\u202e?\u200b [red]no[/red]\x07 e\u0301\u0301\u0301\u0301"
    hostile = item(replace(tram(), question=evil, outcome_label="\x1b]0;owned\x07Yes", category="a\nb"))
    lines = [
        *waiting_table([hostile], scene(), PLAIN, 100),
        *show_screen(hostile, scene(), PLAIN, 100, ShowOptions()),
        *dialog(hostile, scene(), PLAIN, 100),
    ]
    assert not any(ord(char) < 32 or char in "\u202e\u200b" for line in lines for char in line)
    assert any("[red]no[/red]" in line for line in lines), "markup is text like any other"


def test_colours_change_no_letter() -> None:
    import re

    plain = show_screen(item(tram()), scene(), PLAIN, 100, ShowOptions())
    coloured = show_screen(item(tram()), scene(), Paint(on=True), 100, ShowOptions())
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in coloured] == plain


def test_a_finer_tick_shows_its_decimals() -> None:
    fine = item(
        replace(tram(), tick=Price(D("0.001")), worst_price=Price(D("0.405")), max_cost=Pusd(D("95.1601")))
    )
    row = waiting_table([fine], scene(), PLAIN, 100)[1]
    assert "40.5¢ max" in row
    assert "pay 95.17 max" in row, "a ceiling is never shown smaller than it is"


def test_orders_and_one_order_with_its_fills() -> None:
    rows = [
        (tram_order(), tram()),
        (tram_order(status=OrderStatus.UNKNOWN, filled_shares=Shares(D("0"))), tram()),
    ]
    table_ = orders_table(rows, scene(now=NOW + timedelta(seconds=5)), 100)
    assert "MATCHED 152.50 of 150.00+, provisional" in table_[1]
    assert "UNKNOWN, sent, outcome unknown" in table_[2]
    assert all(words.width(line) <= 100 for line in table_)
    done = record(tram(), status=IntentStatus.EXECUTED, order_id=ORDER)
    fill = a_fill(ORDER, price=Price(D("0.6")), shares=Shares(D("152.5")), fee=Pusd(D("1.464")))
    text = "\n".join(order_screen(tram_order(), done, [fill], scene(), PLAIN, 100))
    assert f"Order {ORDER}" in text, "in full where somebody copies it"
    assert "Bought 152.50 YES at 60¢, fee 1.46, paid 92.96 pUSD (2.20 under the ceiling)." in text
    assert "152.50 shares are provisional: not yet final on chain." in text
    assert "MATCHED, provisional" in text


def test_positions_show_what_was_paid_and_what_the_bid_brings() -> None:
    position = Position(
        tram().asset_id, tram().condition_id, confirmed=Shares(D("152.5")), cost=Pusd(D("92.964"))
    )
    ours = Holding(position, tram(), Price(D("0.62")), redeemable=False)
    screen = positions_screen(Holdings((ours,), (), None), scene(), PLAIN, 100)
    assert screen[2:] == [
        "ID    HOLDING     MARKET                       PAID  BID  VALUE   GAIN         EXIT",
        f"{ours.id[:4]}  152.50 YES  Will Harbor City approve..  61.0¢  62¢  94.55  +1.59  +1.7%",
        "Total at bid 94.55   paid 92.96   gain +1.59 pUSD. PAID has the fee in it; 0.00 provisional.",
        f"Sell now: polyb0t positions close {ours.id[:4]}",
    ]
    waits = replace(ours, exit="waits for you")
    wide, narrow = (
        positions_screen(Holdings((waits,), (), None), scene(), PLAIN, room) for room in (100, 80)
    )
    ways = [f"Sell now: polyb0t positions close {ours.id[:4]}"]
    ways.append(f"Approve its exits: polyb0t positions protect {ours.id[:4]}")
    assert wide[-1:] == ["      ".join(ways)]
    assert narrow[-2:] == ways, "a command is never cut in two"
    unknown = Holding(position, tram(), None, redeemable=False)
    assert "Total at bid -   paid 92.96   gain - pUSD" in "\n".join(
        positions_screen(Holdings((unknown,), (), None), scene(), PLAIN, 100)
    ), "an unknown bid is not a bid of zero"


def test_a_price_that_is_not_fresh_is_said_with_its_age() -> None:
    position = Position(
        tram().asset_id, tram().condition_id, confirmed=Shares(D("152.5")), cost=Pusd(D("92.964"))
    )
    old = Holding(position, tram(), Price(D("0.62")), redeemable=False, age_seconds=250.0)
    screen = positions_screen(Holdings((old,), (), None), scene(), PLAIN, 100)
    assert screen[-2] == f"The bid of {old.id[:4]} is 4 min 10 s old."
    never = Holding(position, tram(), None, redeemable=False)
    screen = positions_screen(Holdings((never,), (), None), scene(), PLAIN, 100)
    assert screen[-2] == f"{never.id[:4]} has no bid and counts at cost."
    won = Holding(position, tram(), Price(D("1")), redeemable=True, age_seconds=9_000.0)
    assert "old" not in "\n".join(positions_screen(Holdings((won,), (), None), scene(), PLAIN, 100))


def test_the_exit_has_its_column() -> None:
    position = Position(
        tram().asset_id, tram().condition_id, confirmed=Shares(D("152.5")), cost=Pusd(D("92.964"))
    )
    ours = Holding(position, tram(), Price(D("0.62")), redeemable=False, exit="waits for you")
    assert positions_screen(Holdings((ours,), (), None), scene(), PLAIN, 100)[3].endswith(" waits for you")


def test_a_position_is_named_by_the_beginning_of_its_id() -> None:
    position = Position(tram().asset_id, tram().condition_id, confirmed=Shares(D("1")))
    ours = Holding(position, tram(), None, redeemable=False)
    assert find_holding((ours,), ours.id[:4]) is ours
    with pytest.raises(NotFoundError):
        find_holding((ours,), "pzzz")
    with pytest.raises(AmbiguousError):
        find_holding((ours, ours), "p")


def test_what_is_held_from_elsewhere_is_named_and_left_alone() -> None:
    other = AccountPosition(
        tram().asset_id, tram().condition_id, "No", "Rain?", Shares(D("7")), None, None, redeemable=False
    )
    screen = positions_screen(Holdings((), (other,), None), scene(), PLAIN, 100)
    assert screen[-2:] == ["Not from polyb0t: counted, never touched", "  7.00 NO  Rain?"]


def test_without_a_source_the_first_sentence_of_the_rules_decides() -> None:
    rules = "It is YES if the council votes for it by 22 January. Otherwise it is NO."
    shown = show_screen(
        item(tram(resolution_source="", rules_text=rules)), scene(), PLAIN, 100, ShowOptions()
    )
    (decided,) = [line for line in shown if "Decided by" in line]
    assert "It is YES if the council votes for it by 22 January." in decided
    assert "Otherwise" not in decided


def test_a_hint_is_gone_once_it_was_followed() -> None:
    shown = "\n".join(show_screen(item(tram()), scene(), PLAIN, 100, ShowOptions(checks=True, rules=True)))
    assert "--checks" not in shown
    assert "--rules" not in shown


def test_an_address_is_never_broken_and_invented_markets_have_none() -> None:
    url = "https://polymarket.com/event/will-harbor-city-approve-the-tram-line-by-22-january/yes"
    real = str(Scope("polymarket", 137, WALLET))
    shown = show_screen(item(tram(page_url=url, scope=real)), scene(), PLAIN, 80, ShowOptions())
    assert f"  {url}" in shown, "on a line of its own"
    assert "Page" not in "\n".join(show_screen(item(tram(page_url=url)), scene(), PLAIN, 80, ShowOptions()))


def test_what_rests_is_said_where_nothing_waits() -> None:
    rest = Resting(3, NOW + timedelta(minutes=15))
    assert (
        nothing_waits(scene(), None, PLAIN, rest)[1]
        == "3 ideas rest after their end; the last of them may come back at 12:56:07 UTC."
    )


def test_a_problem_of_the_engine_takes_the_place_of_its_ok() -> None:
    ill = scene(trouble="The exchange does not answer.")
    assert "engine has a problem" in context_line(ill, PLAIN, 100)
    assert nothing_waits(ill, None, PLAIN)[:2] == [
        "Nothing is waiting for you. The engine runs, but:",
        "  The exchange does not answer.",
    ]
    assert not scene(trouble="The exchange does not answer.", alive=False).problem
    real = scene(scope=Scope("polymarket", 137, WALLET), trouble="No.", stance=Stance.HALTED)
    assert all(words.width(line) <= 100 for line in context_line(real, PLAIN, 100).split("\n"))
