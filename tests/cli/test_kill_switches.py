"""Seeing what holds trading back, tripping and lifting it: a person's word, a reason, the journal."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.units import Pusd
from polyb0t.execution.scope import Regime
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.switch_rules import Measures, Thresholds, read_switches
from polyb0t.runtime.switch_facts import SWITCHES, SWITCHES_AT, SwitchFact
from tests.cli.conftest import Place

RECONCILIATION = KillSwitchType.RECONCILIATION
STALE_DATA = KillSwitchType.STALE_DATA
DRAWDOWN = KillSwitchType.DRAWDOWN


@pytest.fixture
def tripped(place: Place) -> Place:
    place.stores.switches.trip(RECONCILIATION, actor="engine", reason="more shares than were signed for")
    return place


def measured(place: Place, measures: Measures, *, seconds_ago: float = 1, **more: Any) -> None:
    """An engine runs and has published these readings."""
    place.runs()
    facts = {
        switch.value: SwitchFact(
            reading.now, reading.trips_at, reading.trip.sentence if reading.trip else ""
        ).as_dict()
        for switch, reading in read_switches(measures, Thresholds()).items()
    }
    at = SystemClock().now() - timedelta(seconds=seconds_ago)
    place.stores.engine.beat(place.lease, cycle=1, facts={SWITCHES: facts, SWITCHES_AT: at, **more})


def stale(place: Place, age: str) -> None:
    place.stores.switches.trip(
        STALE_DATA, actor="engine", reason="the newest price is 74 s old", value="74 s", limit="60 s"
    )
    measured(place, Measures(prices_age_seconds=Decimal(age), prices_missed=9))


class TestList:
    def test_all_seven_are_listed_with_what_holds_and_why(self, tripped: Place) -> None:
        shown = tripped.type("kill-switches", "list")
        assert shown.code == 0
        for switch in KillSwitchType:
            assert switch.value in shown.out
        assert "more shares than were signed for" in shown.out
        assert 'polyb0t kill-switches clear RECONCILIATION --reason "..."' in shown.out
        rows = tripped.type("kill-switches", "list", "--json").json
        assert [row["type"] for row in rows if row["tripped"]] == ["RECONCILIATION"]

    def test_a_trip_says_when_at_what_and_what_it_ended(self, place: Place) -> None:
        place.propose()
        stale(place, "0.4")
        lines = place.type("kill-switches", "list").out.splitlines()
        row = next(number for number, line in enumerate(lines) if line.startswith("STALE_DATA"))
        assert lines[row].split("  ")[0] == "STALE_DATA"
        assert "TRIPPED" in lines[row]
        assert "newest price 0.4 s old" in lines[row]
        assert lines[row].endswith("closes only")
        assert lines[row + 1].startswith(" " * 16)
        assert lines[row + 1].endswith("at 74 s. Rejected 1 proposal.")
        assert lines[-1].startswith("The cause of STALE_DATA is gone. Trade again: ")
        assert 'clear STALE_DATA --reason "..."' in lines[-1]

    def test_while_the_cause_holds_it_says_so_and_what_can_be_done_meanwhile(self, place: Place) -> None:
        stale(place, "74")
        out = " ".join(place.type("kill-switches", "list").out.split())
        assert "STALE_DATA still holds: the newest price is 74 s old, limit 60 s." in out
        assert 'polyb0t kill-switches override --for 2h STALE_DATA --reason "..."' in out

    def test_as_data_it_has_what_is_measured_and_what_was_known(self, place: Place) -> None:
        stale(place, "74")
        rows = {row["type"]: row for row in place.type("kill-switches", "list", "--json").json}
        row = rows["STALE_DATA"]
        assert (row["now"], row["trips_at"], row["cause_holds"]) == ("newest price 74 s old", "60 s", True)
        assert row["known"] == {"rejected": 0, "stopped": 0}
        assert rows["MANUAL"]["stance"] == "HALTED"

    def test_without_an_engine_nothing_is_known_of_now(self, place: Place) -> None:
        rows = place.type("kill-switches", "list", "--json").json
        assert {row["now"] for row in rows} == {None}

    def test_what_an_engine_measured_long_ago_is_not_now(self, place: Place) -> None:
        measured(place, Measures(), seconds_ago=600)
        rows = place.type("kill-switches", "list", "--json").json
        assert {row["now"] for row in rows} == {None}

    @pytest.mark.parametrize("columns", ["60", "80", "100"])
    def test_no_line_is_wider_than_the_screen(
        self, place: Place, columns: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", columns)
        stale(place, "74")
        place.type("kill-switches", "override", "STALE_DATA", "--for", "2h", "--reason", "a long one " * 9)
        lines = place.type("kill-switches", "list").out.splitlines()
        assert max(map(len, lines)) <= int(columns)


class TestTrip:
    def test_it_stops_what_it_stops_and_is_journalled(self, place: Place) -> None:
        record = place.propose()
        shown = place.type("kill-switches", "trip", "daily_loss", "--reason", "enough for today")
        assert shown.code == 0
        assert shown.out.startswith("DAILY_LOSS is tripped: closes only.")
        assert place.stores.intents.get(record.id).result == "halted"
        assert "closes only" in place.type("intents", "list").out

    def test_it_needs_a_reason(self, place: Place) -> None:
        refused = place.type("kill-switches", "trip", "DAILY_LOSS")
        assert refused.code == 2
        assert not any(state.tripped for state in place.stores.switches.list())

    def test_tripping_manual_is_the_halt_with_its_file(self, place: Place) -> None:
        place.type("kill-switches", "trip", "MANUAL", "--reason", "odd prices")
        assert "halted: cancels only" in place.type("status").out
        assert place.type("status", "--json").json["halt_file"]


class TestClear:
    def test_it_needs_a_reason_and_is_journalled(self, tripped: Place) -> None:
        refused = tripped.type("kill-switches", "clear", "RECONCILIATION")
        assert refused.code == 2
        assert any(state.tripped for state in tripped.stores.switches.list())

        cleared = tripped.type(
            "kill-switches", "clear", "reconciliation", "--reason", "compared on the website"
        )

        assert cleared.code == 0
        assert cleared.out.startswith("RECONCILIATION is clear: trading allowed.")
        assert not any(state.tripped for state in tripped.stores.switches.list())
        last = tripped.stores.engine.journal()[-1]
        assert (last.kind, last.subject) == ("switch.cleared", "RECONCILIATION")
        assert last.actor.startswith("user:")

    def test_a_halt_of_a_person_is_lifted_by_resume_only(self, place: Place) -> None:
        place.type("halt", "--reason", "lunch")
        refused = place.type("kill-switches", "clear", "MANUAL", "--reason", "back")
        assert refused.code == 2
        assert "resume" in refused.err
        assert any(state.tripped for state in place.stores.switches.list())

    def test_an_unknown_switch_is_named(self, place: Place) -> None:
        refused = place.type("kill-switches", "clear", "DRAWDWN", "--reason", "x")
        assert refused.code == 3
        assert "DRAWDOWN" in refused.err

    def test_while_the_cause_holds_it_is_refused_with_value_and_limit(self, place: Place) -> None:
        stale(place, "74")
        refused = place.type("kill-switches", "clear", "STALE_DATA", "--reason", "let me", "--json")
        assert refused.code == 4
        assert refused.problem["code"] == "cause_holds"
        assert refused.problem["title"] == (
            "Not cleared: the newest price is 74 s old, limit 60 s. It would trip again at once."
        )
        assert any(state.tripped for state in place.stores.switches.list())

    def test_once_it_is_gone_it_is_not(self, place: Place) -> None:
        stale(place, "0.4")
        assert place.type("kill-switches", "clear", "STALE_DATA", "--reason", "the line is back").code == 0

    @pytest.mark.parametrize("seconds_ago", [600])
    def test_what_was_measured_long_ago_refuses_nothing(self, place: Place, seconds_ago: float) -> None:
        place.stores.switches.trip(STALE_DATA, actor="engine", reason="74 s")
        old = Measures(prices_age_seconds=Decimal(74), prices_missed=9)
        measured(place, old, seconds_ago=seconds_ago)
        assert place.type("kill-switches", "clear", "STALE_DATA", "--reason", "restarted").code == 0


class TestOverride:
    def test_it_lasts_as_long_as_was_said_and_every_screen_shows_it(self, place: Place) -> None:
        stale(place, "74")
        shown = place.type(
            "kill-switches",
            "override",
            "STALE_DATA",
            "--for",
            "1h30m",
            "--reason",
            "the feed is known to lag",
        )
        assert shown.code == 0
        assert shown.out.startswith("STALE_DATA is overridden until ")
        [state] = [row for row in place.stores.switches.list() if row.tripped]
        assert state.override is not None
        left = state.override.until - SystemClock().now()
        assert timedelta(minutes=89) < left <= timedelta(minutes=90)
        until = f"{state.override.until:%H:%M}"
        for command in (("intents", "list"), ("orders", "list"), ("positions",), ("status",)):
            out = " ".join(place.type(*command).out.split())
            assert f"trading allowed, STALE_DATA overridden until {until}" in out, command
        assert "the feed is known to lag" in " ".join(place.type("status").out.split())
        assert place.type("status", "--json").json["switches"]
        assert "OVERRIDDEN" in place.type("kill-switches", "list").out

    @pytest.mark.parametrize("name", ["MANUAL", "RECONCILIATION"])
    def test_a_halt_and_an_unexplained_difference_are_not_looked_away_from(
        self, place: Place, name: str
    ) -> None:
        place.stores.switches.trip(KillSwitchType(name), actor="user:anna", reason="odd")
        refused = place.type("kill-switches", "override", name, "--for", "2h", "--reason", "x", "--json")
        assert refused.problem["code"] == "not_overridable"
        assert "trading allowed" not in place.type("status").out

    @pytest.mark.parametrize("lasting", ["", "0h", "25h", "soon", "-2h", "2"])
    def test_it_has_an_end_within_a_day(self, place: Place, lasting: str) -> None:
        stale(place, "74")
        given = ("--for", lasting) if lasting else ()
        refused = place.type("kill-switches", "override", "STALE_DATA", *given, "--reason", "x")
        assert refused.code == 2
        assert not any(state.override for state in place.stores.switches.list())

    def test_it_needs_a_reason_and_something_to_override(self, place: Place) -> None:
        refused = place.type(
            "kill-switches", "override", "DAILY_LOSS", "--for", "2h", "--reason", "x", "--json"
        )
        assert refused.problem["code"] == "not_tripped"
        stale(place, "74")
        assert place.type("kill-switches", "override", "STALE_DATA", "--for", "2h").code == 2


class TestAcceptingALoss:
    @pytest.fixture
    def lost(self, place: Place) -> Place:
        place.runs()
        books = place.stores.books
        books.open_books(Regime.DRY_RUN, Pusd(Decimal(1_000)), place.lease)
        books.mark(Regime.DRY_RUN, Pusd(Decimal(1_000)), Pusd(Decimal(0)), place.lease)
        place.stores.switches.trip(DRAWDOWN, actor="engine", reason="16% under", value="16.0%", limit="15%")
        fact = SwitchFact("16.0% under peak 1,000.00", "15%", "equity is 16.0% under its peak, limit 15%")
        place.stores.engine.beat(
            place.lease,
            cycle=1,
            facts={
                SWITCHES: {"DRAWDOWN": fact.as_dict()},
                SWITCHES_AT: SystemClock().now(),
                "equity_pusd": Decimal(840),
            },
        )
        return place

    def accept(self, place: Place, *more: str) -> Any:
        return place.type(
            "kill-switches", "clear", "DRAWDOWN", "--accept-loss", "--reason", "sold out", *more
        )

    def test_the_refusal_names_the_way(self, lost: Place) -> None:
        refused = lost.type("kill-switches", "clear", "DRAWDOWN", "--reason", "x")
        assert refused.code == 4
        assert "--accept-loss" in refused.err

    def test_todays_equity_becomes_the_peak_and_the_switch_is_clear(self, lost: Place) -> None:
        done = self.accept(lost, "--yes")
        assert done.code == 0
        assert done.out.startswith("DRAWDOWN is clear: trading allowed.")
        marks = lost.stores.books.marks(Regime.DRY_RUN)
        assert marks is not None
        assert marks.peak_pusd == Decimal(840)
        kinds = [entry.kind for entry in lost.stores.engine.journal()]
        assert kinds[-2:] == ["peak.rebased", "switch.cleared"]

    def test_it_asks_twice_and_once_is_not_enough(self, lost: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("polyb0t.cli.terminal.Terminal.somebody_sits_here", True)
        for answers in (["y", "y"], ["accept", "n"], [""]):
            self.typed(monkeypatch, answers)
            assert self.accept(lost).code == 0
            assert any(state.tripped for state in lost.stores.switches.list()), answers
        self.typed(monkeypatch, ["accept", "y"])
        shown = self.accept(lost)
        assert "Equity is 840.00 pUSD, 16.0% under peak 1,000.00." in shown.err
        assert not any(state.tripped for state in lost.stores.switches.list())

    def typed(self, monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> None:
        from io import StringIO

        monkeypatch.setattr("sys.stdin", StringIO("\n".join(answers) + "\n"))

    def test_where_nobody_can_be_asked_it_is_refused(self, lost: Place) -> None:
        refused = self.accept(lost)
        assert refused.code == 4
        assert any(state.tripped for state in lost.stores.switches.list())
        marks = lost.stores.books.marks(Regime.DRY_RUN)
        assert marks is not None
        assert marks.peak_pusd == Decimal(1_000)

    def test_without_a_fresh_figure_there_is_nothing_to_accept(self, lost: Place) -> None:
        lost.stores.engine.beat(lost.lease, cycle=2, facts={"equity_pusd": Decimal(840)})
        refused = self.accept(lost, "--yes", "--json")
        assert refused.problem["code"] == "equity_unknown"

    def test_another_switch_has_no_peak(self, lost: Place) -> None:
        stale(lost, "74")
        refused = lost.type("kill-switches", "clear", "STALE_DATA", "--accept-loss", "--yes", "--reason", "x")
        assert refused.code == 2
