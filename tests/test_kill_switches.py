"""Kill switches: which stance they ask for, what each stance permits, and who may lift them."""

from itertools import product

import pytest

from polyb0t.core.errors import UsageError
from polyb0t.models.kill_switches import (
    PERMITTED,
    STANCE_WHEN_TRIPPED,
    KillSwitchManager,
    KillSwitchType,
    Stance,
    SwitchState,
    permits,
    stance_of,
    tripped,
)
from tests.support.decisions import SwitchesInMemory

CLEAR = [SwitchState(switch, tripped=False) for switch in KillSwitchType]


def with_tripped(*switches: KillSwitchType) -> list[SwitchState]:
    return [SwitchState(switch, tripped=switch in switches) for switch in KillSwitchType]


class TestStance:
    def test_seven_clear_rows_let_trading_go_on(self) -> None:
        assert stance_of(CLEAR) is Stance.ACTIVE

    @pytest.mark.parametrize("switch", list(KillSwitchType))
    def test_a_missing_row_halts(self, switch: KillSwitchType) -> None:
        assert stance_of([row for row in CLEAR if row.type is not switch]) is Stance.HALTED

    def test_no_rows_at_all_halt(self) -> None:
        assert stance_of([]) is Stance.HALTED

    @pytest.mark.parametrize(
        ("switch", "stance"),
        [
            (KillSwitchType.DRAWDOWN, Stance.REDUCING),
            (KillSwitchType.DAILY_LOSS, Stance.REDUCING),
            (KillSwitchType.STALE_DATA, Stance.REDUCING),
            (KillSwitchType.SPREAD_ANOMALY, Stance.REDUCING),
            (KillSwitchType.API_ERROR_RATE, Stance.HALTED),
            (KillSwitchType.RECONCILIATION, Stance.HALTED),
            (KillSwitchType.MANUAL, Stance.HALTED),
        ],
    )
    def test_each_switch_has_its_stance(self, switch: KillSwitchType, stance: Stance) -> None:
        assert stance_of(with_tripped(switch)) is stance

    @pytest.mark.parametrize(("one", "other"), list(product(KillSwitchType, repeat=2)))
    def test_the_strictest_of_two_wins(self, one: KillSwitchType, other: KillSwitchType) -> None:
        strictness = list(Stance)
        wanted = max((STANCE_WHEN_TRIPPED[one], STANCE_WHEN_TRIPPED[other]), key=strictness.index)
        assert stance_of(with_tripped(one, other)) is wanted

    def test_every_member_has_a_stance(self) -> None:
        assert set(STANCE_WHEN_TRIPPED) == set(KillSwitchType)

    def test_a_missing_row_is_named_among_the_tripped(self) -> None:
        rows = [row for row in with_tripped(KillSwitchType.DRAWDOWN) if row.type is not KillSwitchType.MANUAL]
        assert [state.type for state in tripped(rows)] == [KillSwitchType.DRAWDOWN, KillSwitchType.MANUAL]
        assert "missing" in tripped(rows)[-1].reason


class TestWhatMayGoOn:
    @pytest.mark.parametrize(
        ("kind", "stances"),
        [
            ("OPEN_POSITION", {Stance.ACTIVE}),
            ("CLOSE_POSITION", {Stance.ACTIVE, Stance.REDUCING}),
            ("CLAIM_SETTLEMENT", {Stance.ACTIVE, Stance.REDUCING}),
            ("CANCEL_ORDER", {Stance.ACTIVE, Stance.REDUCING, Stance.HALTED}),
        ],
    )
    def test_each_kind_in_each_stance(self, kind: str, stances: set[Stance]) -> None:
        assert {stance for stance in Stance if permits(stance, kind)} == stances

    @pytest.mark.parametrize("stance", list(Stance))
    def test_an_unknown_kind_may_not(self, stance: Stance) -> None:
        assert not permits(stance, "TRANSFER")

    def test_every_stance_is_decided(self) -> None:
        assert set(PERMITTED) == set(Stance)


class TestByHand:
    def test_halt_stops_everything_but_cancels(self) -> None:
        switches = KillSwitchManager(SwitchesInMemory())
        assert switches.halt(actor="user:anna", reason="odd prices")
        assert switches.stance() is Stance.HALTED
        assert tripped(switches.states())[0].reason == "odd prices"

    def test_a_second_halt_keeps_the_first_reason(self) -> None:
        switches = KillSwitchManager(SwitchesInMemory())
        switches.halt(actor="user:anna", reason="odd prices")
        assert not switches.halt(actor="user:bob", reason="me too")
        assert tripped(switches.states())[0].by == "user:anna"

    def test_halt_needs_no_reason(self) -> None:
        switches = KillSwitchManager(SwitchesInMemory())
        switches.halt(actor="user:anna", reason="")
        assert tripped(switches.states())[0].reason == "halted by hand"

    def test_resume_lifts_the_halt(self) -> None:
        switches = KillSwitchManager(SwitchesInMemory())
        switches.halt(actor="user:anna", reason="odd prices")
        assert switches.resume(actor="user:anna", reason="prices are fine")
        assert switches.stance() is Stance.ACTIVE

    def test_resume_lifts_nothing_else(self) -> None:
        store = SwitchesInMemory()
        store.trip(KillSwitchType.RECONCILIATION, actor="engine", reason="0.7 share unexplained")
        switches = KillSwitchManager(store)
        switches.halt(actor="user:anna", reason="odd prices")
        switches.resume(actor="user:anna", reason="prices are fine")
        assert switches.stance() is Stance.HALTED

    def test_resume_without_a_reason_is_refused(self) -> None:
        switches = KillSwitchManager(SwitchesInMemory())
        switches.halt(actor="user:anna", reason="")
        with pytest.raises(UsageError, match="No reason"):
            switches.resume(actor="user:anna", reason="  ")
        assert switches.stance() is Stance.HALTED

    @pytest.mark.parametrize("actor", ["", "engine", "engine:paper"])
    def test_only_a_person_clears(self, actor: str) -> None:
        switches = KillSwitchManager(SwitchesInMemory())
        switches.halt(actor="user:anna", reason="")
        with pytest.raises(UsageError, match="Only a person"):
            switches.resume(actor=actor, reason="fine again")
        assert switches.stance() is Stance.HALTED

    def test_a_deleted_row_reads_as_halted_until_somebody_writes_it(self) -> None:
        switches = KillSwitchManager(SwitchesInMemory(missing=frozenset({KillSwitchType.DRAWDOWN})))
        assert switches.stance() is Stance.HALTED
