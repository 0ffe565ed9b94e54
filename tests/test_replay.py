"""A replay is a paper run of the real engine on simulated time: what it may know, when, and what it pays."""

import json
import socket
import sqlite3
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.clock import SystemClock, from_iso, iso
from polyb0t.core.errors import UsageError
from polyb0t.db.scratch import scratch_stores
from polyb0t.models.signals import Abstain, ProbabilityModel
from polyb0t.research.analytics.runs import grade_words
from polyb0t.research.replay.events import BookShown, Event, Resolved
from polyb0t.research.replay.human import APPROVES_ALL, NOBODY, HumanModel
from polyb0t.research.replay.mixed import mixed
from polyb0t.research.replay.tape import Fidelity, Tape
from polyb0t.runtime.cycle import CycleParts
from polyb0t.runtime.replay.clock import SimulatedClock
from polyb0t.runtime.replay.past_markets import PastMarkets
from polyb0t.runtime.replay.request import Request
from polyb0t.runtime.replay.running import Past, run_into
from polyb0t.runtime.replay.settings import replay_settings
from polyb0t.runtime.replay.speakers import Speaker
from polyb0t.runtime.replay.timeline import Timeline
from polyb0t.runtime.replay.wiring import build_replay, replay_scope
from tests.support.hand_tape import (
    START,
    HandTape,
    Sure,
    a_market,
    books,
    level,
    lost,
    resolved,
    said,
    told,
    traded,
    us,
)

SLOW = HumanModel("slow", 1.0, 0.0, median_seconds=30.0, sd_log=0.01)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@dataclass
class Replayed:
    told: dict[str, Any]
    same: bool | None
    folder: Path

    @property
    def text(self) -> str:
        return (self.folder / "decisions.jsonl").read_text("utf-8")

    def lines(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.text.splitlines()) if line["kind"] == kind]

    def money(self, name: str) -> Decimal:
        return Decimal(self.told["money"][name])

    def until(self, minutes: float) -> list[str]:
        """The lines of what was decided up to then."""
        end = iso(START + timedelta(minutes=minutes))
        return [line for line in self.text.splitlines() if json.loads(line)["at"] <= end]


def replay(
    folder: Path,
    tape: Tape,
    model: ProbabilityModel | None = None,
    *,
    human: HumanModel = APPROVES_ALL,
    seed: int = 1,
    every: float | None = None,
    **settings: str,
) -> Replayed:
    request = Request(tapes=("by hand",), seed=seed, every_seconds=every, settings=settings)
    past = Past(
        request,
        replay_settings({"data_dir": folder}, settings),
        tape,
        Speaker(model or Sure()),
        human,
    )
    made, same = run_into(past, folder, SystemClock())
    return Replayed(made, same, folder / made["id"])


def one_market(*happening: Sequence[Event], minutes: float = 13) -> HandTape:
    """Market 1 at 49 to 50 cents from the start, and what else happens."""
    beginning = [*told(0, a_market("1")), *books(0, "1", "0.49", "0.50")]
    happens = [event for events in happening for event in events]
    return HandTape([*beginning, *happens], minutes)


class TestFills:
    def test_an_order_meets_the_book_of_its_arrival_and_not_that_of_the_decision(self, tmp_path):
        """The offer falls by a cent while the person thinks, and rises again later."""
        tape = one_market(books(0.3, "1", "0.48", "0.49"), books(2, "1", "0.49", "0.50"))
        made = replay(tmp_path, tape, human=SLOW)
        first = made.lines("fill")[0]
        assert first["price"] == "0.49"
        said = from_iso(made.lines("word")[0]["at"])
        assert timedelta(seconds=29) < said - START < timedelta(seconds=31)  # between two cycles
        assert from_iso(first["at"]) == said + timedelta(seconds=1)

    def test_what_moved_away_while_the_person_thought_is_not_bought(self, tmp_path):
        made = replay(tmp_path, one_market(books(0.3, "1", "0.57", "0.58"), minutes=2), human=SLOW)
        assert made.lines("intent")
        assert not made.lines("fill")

    def test_what_was_taken_is_not_there_again(self, tmp_path):
        """20 shares are offered at the best price, and nobody refills them."""
        tape = HandTape(
            [
                *told(0, a_market("1")),
                BookShown(
                    us(0),
                    "11",
                    "0x1",
                    [(490_000, 5_000_000_000)],
                    [(500_000, 9_000_000), (510_000, 5_000_000_000)],
                ),
                *books(0, "1", "0.49", "0.50")[1:],
            ],
            34,
        )
        made = replay(tmp_path, tape, min_edge="0.01")
        at_best = [line for line in made.lines("fill") if line["price"] == "0.5"]
        assert sum(Decimal(line["shares"]) for line in at_best) == 9

    def test_a_book_that_nobody_looks_at_any_more_is_not_traded(self, tmp_path):
        made = replay(tmp_path, one_market([lost(0.3, "11"), lost(0.3, "12")]), human=SLOW)
        assert made.lines("intent")
        assert not made.lines("fill")
        assert made.told["counts"]["silences"] == 1

    def test_a_changed_level_is_the_book(self, tmp_path):
        changes = [
            level(0.2, "11", "0.50", "0"),
            level(0.2, "11", "0.49", "0", bid=True),
            level(0.2, "11", "0.48", "5000", bid=True),
            level(0.2, "11", "0.49", "5000"),
        ]
        tape = one_market(changes)
        assert replay(tmp_path, tape, human=SLOW).lines("fill")[0]["price"] == "0.49"

    def test_a_book_whose_sides_cross_is_none(self, tmp_path):
        tape = one_market([level(0.2, "11", "0.52", "5000", bid=True)], minutes=2)
        made = replay(tmp_path, tape, human=SLOW)
        assert not made.lines("fill")
        assert made.told["counts"]["books whose sides crossed, not used"]


class TestEnds:
    def test_money_is_locked_until_it_is_paid(self, tmp_path):
        """The market ends after five minutes and pays after eight: in between there is no cash of it."""
        other = [
            *told(0, a_market("2", end_date=START + timedelta(days=500))),
            *books(0, "2", "0.10", "0.11"),
        ]
        tape = one_market(other, [resolved(5, "1", "1", paid=8)])
        made = replay(tmp_path, tape)
        paid = made.lines("paid")
        assert [line["at"] for line in paid] == [iso(START + timedelta(minutes=8))]
        cost = sum(Decimal(line["shares"]) * Decimal(line["price"]) for line in made.lines("fill"))
        assert made.money("cash_pusd") == 1000 - cost + Decimal(paid[0]["pusd"])

    def test_a_market_that_is_over_is_not_proposed_although_its_money_is_not_paid(self, tmp_path):
        tape = one_market([resolved(0.2, "1", "1", paid=25)])
        made = replay(tmp_path, tape, human=SLOW)
        assert not made.lines("fill")

    def test_a_void_pays_half(self, tmp_path):
        made = replay(tmp_path, one_market([resolved(10, "1", "0.5", paid=11)]))
        shares = sum(Decimal(line["shares"]) for line in made.lines("fill"))
        assert Decimal(made.lines("paid")[0]["pusd"]) == shares / 2

    def test_what_lost_pays_nothing(self, tmp_path):
        made = replay(tmp_path, one_market([resolved(10, "1", "0", paid=11)]))
        assert made.lines("paid")[0]["pusd"] == "0"
        assert made.money("equity_pusd") < 1000

    def test_what_is_due_after_the_end_of_the_history_is_paid_and_nothing_else_is_done(self, tmp_path):
        made = replay(tmp_path, one_market([resolved(10, "1", "1", paid=4_000)]))
        assert made.lines("paid")
        assert made.money("held_pusd") == 0
        assert [line for line in made.lines("cycle") if line["at"] > iso(START + timedelta(minutes=13))] == []

    def test_in_the_last_instant_nothing_is_begun_and_what_is_held_is_worth_what_it_shows(self, tmp_path):
        """Nobody could decide any more what is proposed then. A new market comes, and the price has risen."""
        new = [*told(4, a_market("2")), *books(4, "2", "0.49", "0.50")]
        made = replay(tmp_path, one_market(books(4, "1", "0.53", "0.54"), new, minutes=4), every=60)
        assert [line["at"] for line in made.lines("cycle")] == [
            iso(START + timedelta(minutes=n)) for n in range(4)
        ]
        assert "21" not in made.text
        shares = sum(Decimal(line["shares"]) for line in made.lines("fill"))
        assert made.money("held_pusd") == shares * Decimal("0.53")

    def test_the_end_is_not_known_before_it_comes(self, tmp_path):
        ends = replay(tmp_path / "a", one_market([resolved(10, "1", "0", paid=11)]))
        goes_on = replay(tmp_path / "b", one_market())
        assert ends.until(9.9) == goes_on.until(9.9)
        assert ends.until(12) != goes_on.until(12)


class TestLimits:
    def test_the_prompts_of_an_hour_hold(self, tmp_path):
        many = [
            event
            for n in range(3, 13)
            for event in (*told(0, a_market(f"{n}")), *books(0, f"{n}", "0.49", "0.50"))
        ]
        made = replay(
            tmp_path, one_market(many, minutes=59), every=300, prompts_per_hour="4", orders_per_hour="100"
        )
        assert len(made.lines("intent")) == 4

    def test_a_loss_trips_the_drawdown_and_nothing_is_opened_any_more(self, tmp_path):
        """All that is held loses all its worth; then a new market comes."""
        new = [*told(60, a_market("9")), *books(60, "9", "0.49", "0.50")]
        tape = one_market(books(30, "1", "0.01", "0.02"), new, minutes=120)
        made = replay(
            tmp_path,
            tape,
            every=300,
            drawdown_fraction="0.004",
            daily_loss_fraction="0.004",
            exit_stop_loss="false",
            exit_liquidity="false",
        )
        assert "DRAWDOWN" in [line["name"] for line in made.lines("switch")]
        assert Decimal("0.018") < made.money("worst_drawdown") < Decimal("0.02")  # two hundredths, gone
        assert {line["asset"] for line in made.lines("intent") if line["type"] == "OPEN_POSITION"} == {"11"}

    def test_nobody_approves_so_nothing_is_bought(self, tmp_path):
        made = replay(tmp_path, one_market(), human=NOBODY)
        assert made.lines("intent")
        assert not made.lines("fill")
        assert made.money("equity_pusd") == 1000

    def test_a_rejected_idea_rests(self, tmp_path):
        made = replay(tmp_path, one_market(minutes=14), human=HumanModel("no", 0.0, 1.0))
        assert [line["came"] for line in made.lines("word")] == ["rejected"]
        assert len(made.lines("intent")) == 1


class TestResting:
    """A purchase that rests at 50 cents: it is placed after the market was watched for two hours."""

    def replay(self, folder: Path, *happening: Event) -> Replayed:
        calm = [books(60 * n, "1", *(("0.50", "0.53") if n % 2 else ("0.51", "0.54"))) for n in range(4)]
        tape = HandTape([*told(0, a_market("1")), *(each for few in calm for each in few), *happening], 240)
        return replay(
            folder,
            tape,
            Sure("0.55"),
            human=SLOW,
            every=300,
            execution="auto",
            resting_seconds="21600",
        )

    def test_it_is_filled_by_what_trades_through_it_and_pays_no_fee(self, tmp_path):
        made = self.replay(tmp_path, traded(200, "11", "0.49", "100"))
        (fill,) = made.lines("fill")
        assert (fill["role"], fill["price"], fill["fee"]) == ("MAKER", "0.5", "0")

    def test_it_rests_as_long_as_was_approved_and_nothing_else_takes_it_back(self, tmp_path):
        """Two hours after it was placed it still rests; its time is six hours."""
        made = self.replay(tmp_path)
        with sqlite3.connect(made.folder / "book.db") as book:
            assert {status for (status,) in book.execute("SELECT status FROM orders")} == {"LIVE"}

    def test_what_traded_before_it_rested_does_not_fill_it(self, tmp_path):
        made = self.replay(tmp_path, traded(100, "11", "0.49", "100"))
        assert made.lines("word")
        assert not made.lines("fill")


class TestTheSameAgain:
    def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(self, tmp_path):
        tape = one_market()
        first = replay(tmp_path / "a", tape)
        assert first.text == replay(tmp_path / "b", tape).text
        assert first.text != replay(tmp_path / "c", tape, seed=2).text

    def test_a_run_that_is_made_again_says_whether_it_is_the_same(self, tmp_path):
        tape = one_market()
        assert replay(tmp_path, tape).same is None
        again = replay(tmp_path, tape)
        assert again.same is True
        (again.folder / "decisions.jsonl").write_text("other\n")
        assert replay(tmp_path, tape).same is False

    def test_what_comes_after_an_instant_changes_nothing_before_it(self, tmp_path):
        """Everything after eight minutes is poisoned: prices, ends, markets, all of it."""
        moving = [
            event for n in range(1, 30) for event in books(n / 2, "1", f"0.{45 + n % 5}", f"0.{46 + n % 5}")
        ]
        more = [*told(3, a_market("2")), *books(3, "2", "0.40", "0.41"), resolved(12, "2", "1", paid=12.5)]
        honest = one_market(moving, more)
        cut = us(8)
        poisoned = honest.with_events([_poisoned(event, cut) for event in honest.told])
        made, other = replay(tmp_path / "a", honest), replay(tmp_path / "b", poisoned)
        assert made.until(8) == other.until(8)
        assert len(made.until(8)) > 8
        assert made.text != other.text

    def test_stores_that_remember_decide_as_stores_that_ask_each_time(self, tmp_path, monkeypatch):
        """With proposals, rejections, exits, fills, an end and its payment."""
        moving = [
            event
            for n in range(1, 25)
            for event in books(n, "1", f"0.{49 - n % 3}", f"0.{50 - n % 3}", shares="40")
        ]
        tape = one_market(moving, [resolved(25, "1", "1", paid=26)], minutes=30)
        often = {"cooldown_seconds": "60", "prompts_per_hour": "60", "orders_per_hour": "60"}
        human = HumanModel("some", 0.7, 0.2)
        remembering = replay(tmp_path / "a", tape, human=human, **often)  # type: ignore[arg-type]
        monkeypatch.setattr("polyb0t.db.scratch.remembering", lambda stores, *_memory: stores)
        asking = replay(tmp_path / "b", tape, human=human, **often)  # type: ignore[arg-type]
        assert remembering.text == asking.text
        kinds = {line["kind"] for line in map(json.loads, asking.text.splitlines())}
        assert kinds == {"cycle", "intent", "word", "fill", "paid"}
        assert {line["came"] for line in asking.lines("word")} >= {"approved", "rejected"}

    def test_a_run_that_fails_leaves_nothing_behind(self, tmp_path):
        class Breaks(Sure):
            def predict(self, state):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            replay(tmp_path, one_market(), Breaks())
        assert [path.name for path in tmp_path.iterdir()] == []

    def test_a_time_in_which_the_history_has_nothing_is_refused(self, tmp_path):
        tape = one_market()
        request = Request(tapes=("x",), since=START + timedelta(days=9))
        past = Past(request, replay_settings({}, {}), tape, Speaker(Sure()), APPROVES_ALL)
        with pytest.raises(UsageError, match="has nothing"):
            run_into(past, tmp_path, SystemClock())


def _poisoned(event: Event, cut: int) -> Event:
    if event.at_us <= cut:
        return event
    if isinstance(event, BookShown):
        return event._replace(bids=[(10_000, 1)], asks=[(20_000, 10**12)])
    return event._replace(pays_e6=(0, 10**6)) if isinstance(event, Resolved) else event


def test_a_stage_of_the_cycle_is_replayed_or_named_here(tmp_path):
    """What is added to the engine belongs into `runtime/replay/wiring.py` too, or on this list."""
    settings, clock = replay_settings({}, {}), SimulatedClock(START)
    past = PastMarkets(Timeline(one_market().events(START, START)), clock, 10)
    stores = scratch_stores(
        tmp_path / "book.db", replay_scope("polymarket"), clock, opening_cooldown_seconds=1
    )
    parts = build_replay(
        settings, stores, past, clock, Sure(), seed=1, tell_openings=lambda _openings: None
    ).cycle._parts
    left = {
        part.name
        for part in fields(CycleParts)
        if part.default is not MISSING and getattr(parts, part.name) is part.default
    }
    assert left == {
        *("takes_orders", "compare_fees", "read_movements", "propose_claims"),  # of an exchange, or a wallet
        *("record", "watch_coherence"),  # told to people, and nothing is decided by it
        "watch_outside",  # notes for screens of another process; what others think is told by the history
        "decide_by_itself",  # the person of the replay does
    }


class Listener(Sure):
    """Writes down what it hears of others, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[float, tuple[str, ...]]] = []  # minutes, what was said

    def predict(self, state):
        minutes = (state.now - START).total_seconds() / 60
        self.heard.append((minutes, tuple(f"{view.source} {view.probability}" for view in state.outside)))
        return Abstain("listens", "It only listens.")


class TestWhatOthersThink:
    """Views from outside that were recorded are heard from when they were known here."""

    def heard(self, folder: Path, *views: Event, minutes: float = 9, **settings: Any) -> Listener:
        listener = Listener()
        replay(folder, one_market(views, minutes=minutes), listener, every=60, **settings)
        return listener

    def test_a_view_is_heard_from_when_it_was_known_and_not_before(self, tmp_path):
        """It was made after a minute and reached us after four."""
        heard = self.heard(tmp_path, said(4, "1", "0.7", of=1)).heard
        assert {said for minutes, said in heard if minutes < 4} == {()}
        assert {said for minutes, said in heard if minutes >= 4} == {("crowd 0.7",)}
        assert {minutes for minutes, _ in heard} == {*map(float, range(9))}

    def test_of_each_source_the_newest_is_heard_whenever_it_came(self, tmp_path):
        """What was thought earlier and came later is old news."""
        views = (said(2, "1", "0.7"), said(3, "1", "0.2", source="expert"), said(4, "1", "0.6", of=1))
        assert self.heard(tmp_path, *views).heard[-1][1] == ("crowd 0.7", "expert 0.2")

    def test_one_that_is_too_old_is_not_heard_any_more(self, tmp_path):
        heard = self.heard(tmp_path, said(0, "1", "0.7"), minutes=62, independent_max_age_hours="1").heard
        assert {said for minutes, said in heard if minutes <= 60} == {("crowd 0.7",)}
        assert {said for minutes, said in heard if minutes > 60} == {()}


class TestGrades:
    """A result is as good as its worst fill."""

    def made(self, folder: Path, *, filled: str, human: HumanModel = APPROVES_ALL) -> dict[str, Any]:
        """Market 1 is told by our own books, market 2 by prices alone; one of them is cheap."""
        cheap, dear = ("0.49", "0.50"), ("0.55", "0.56")
        ours = HandTape([*told(0, a_market("1")), *books(0, "1", *(cheap if filled == "1" else dear))], 5)
        prices = HandTape(
            [*told(0, a_market("2")), *books(0, "2", *(cheap if filled == "2" else dear))],
            5,
            fidelity=Fidelity.PRICES,
            kind="price_series",
        )
        made = replay(folder, mixed([ours, prices]), human=human, every=60)
        assert {line["asset"] for line in made.lines("fill")} == ({f"{filled}1"} if human.approves else set())
        return made.told

    def test_the_grade_is_the_worst_of_what_was_filled_and_the_historys_is_told_too(self, tmp_path):
        told = self.made(tmp_path, filled="1")
        assert (told["fidelity"], told["history_fidelity"]) == ("A", "D")
        assert grade_words(told).endswith("The history goes down to D; nothing was filled there")

    def test_one_fill_at_prices_alone_makes_it_a_d(self, tmp_path):
        told = self.made(tmp_path, filled="2")
        assert (told["fidelity"], told["history_fidelity"]) == ("D", "D")
        assert "goes down" not in grade_words(told)

    def test_without_a_fill_it_is_the_historys_worst(self, tmp_path):
        assert self.made(tmp_path, filled="1", human=NOBODY)["fidelity"] == "D"


class TestWhyNoMore:
    """What became of every decision, so that a replay without trades says why."""

    def test_every_decision_ends_somewhere_and_they_add_up(self, tmp_path):
        dear = [*told(0, a_market("2")), *books(0, "2", "0.549", "0.55")]
        soon = [*told(0, a_market("3", end_date=START + timedelta(hours=5))), *books(0, "3", "0.49", "0.50")]
        made = replay(tmp_path, one_market(dear, soon, minutes=5))
        found, counts = made.told["funnel"], made.told["counts"]
        passed = {each["code"]: each["count"] for each in found["passed"]}
        assert (
            found["worth_proposing"] + found["too_little_edge"] + sum(passed.values()) == counts["decisions"]
        )
        assert found["worth_proposing"] == counts["openings_proposed"] > 0
        assert found["too_little_edge"] == counts["cycles"]
        assert found["left_out"] == [{"code": "ends_too_soon", "count": counts["cycles"]}]

    def test_the_nearest_misses_are_told_with_what_they_lacked(self, tmp_path):
        """It comes a cent nearer and goes far away again: the nearest is kept, neither the first nor the last."""
        moving = (books(1, "1", "0.48", "0.49"), books(2, "1", "0.53", "0.54"))
        made = replay(tmp_path, one_market(*moving, minutes=4), Sure("0.545"), min_edge="0.06")
        (miss,) = made.told["funnel"]["misses"]
        assert (miss["question"], miss["outcome"], miss["needed"]) == ("Will 1 happen?", "Yes", "0.06")
        assert Decimal("0.045") < Decimal(miss["edge"]) < Decimal("0.06")

    def test_a_reason_in_many_wordings_is_one_reason(self, tmp_path):
        class Silent(Sure):
            def predict(self, state):
                return Abstain("says_nothing", f"Nothing at {state.now}.")

        made = replay(tmp_path, one_market(minutes=5), Silent())
        (reason,) = made.told["funnel"]["passed"]
        assert (reason["code"], reason["count"]) == ("says_nothing", made.told["counts"]["decisions"])
        assert reason["wordings"] == made.told["counts"]["cycles"] > 1


class TestTroubles:
    def test_a_stage_that_fails_is_told_with_the_result(self, tmp_path):
        class Breaks(Sure):
            def predict(self, state):
                raise ZeroDivisionError

        made = replay(tmp_path, one_market(minutes=4), Breaks())
        assert made.told["problems"] == [
            "4 cycles could not do a stage (decide: An error of the program; the log has it.)."
        ]

    def test_an_order_that_cannot_be_carried_out_ends_the_replay(self, tmp_path, monkeypatch):
        def breaks(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("polyb0t.execution.paper_exchange.PaperExchange.receive", breaks)
        with pytest.raises(ZeroDivisionError):
            replay(tmp_path, one_market())
        assert not list(tmp_path.iterdir())


class TestNothingReal:
    def test_a_replay_reads_no_key_and_opens_no_socket(self, tmp_path, monkeypatch):
        def refused(*args: object, **kwargs: object) -> None:
            raise AssertionError("a replay reached for the network")

        monkeypatch.setenv("POLYBOT_PRIVATE_KEY", "not a key, and whoever reads it fails")
        monkeypatch.setattr(socket, "socket", refused)
        monkeypatch.setattr(socket, "create_connection", refused)
        assert replay(tmp_path, one_market()).lines("fill")

    def test_its_orders_are_of_paper_and_carry_no_signature(self, tmp_path):
        made = replay(tmp_path, one_market())
        with sqlite3.connect(made.folder / "book.db") as book:
            assert book.execute("SELECT DISTINCT scope FROM orders").fetchall() == [
                ("polymarket:137:paper:replay",)
            ]
            assert book.execute("SELECT DISTINCT signed_order FROM orders").fetchall() == [(None,)]

    @pytest.mark.parametrize("name", ["mode", "dry_run", "database_url", "api_port"])
    def test_what_would_make_it_real_cannot_be_set(self, name):
        with pytest.raises(UsageError):
            replay_settings({}, {name: "x"})
