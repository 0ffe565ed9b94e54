"""What a claim costs and brings: gas beside the books, the result in them, to the millionth."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.execution.scope import Regime
from polyb0t.execution.settlement.ports import ClaimCall, ClaimRoute, Simulation
from polyb0t.models.gas import gas_of, gas_words
from polyb0t.models.portfolio import NO_MONEY, Portfolio, portfolio_of
from polyb0t.research.reports import ReportFacts, report
from polyb0t.runtime.claims_view import by_hand, find_claim
from tests.support.builders import NOW
from tests.support.claim_room import ClaimRoom
from tests.support.pretend_chain import GAS
from tests.support.settling_room import ASSETS, CONDITION, R, SettlingRoom
from tests.test_reports import facts

OPENING = Pusd(Decimal(1000))


@pytest.fixture
def room(tmp_path: Path) -> SettlingRoom:
    return SettlingRoom(ClaimRoom(tmp_path))


# -- gas ---------------------------------------------------------------------------------------


def test_gas_is_counted_where_somebody_paid_it() -> None:
    gas = gas_of([10**15, 0, 2 * 10**15 + 1], Decimal("0.2"))
    assert (gas.transactions, gas.pol) == (2, Decimal("0.003000000000000001"))
    assert gas.pusd == Decimal("0.0006")
    assert gas_words(gas) == "0.003000 POL, about 0.0006 pUSD"
    assert gas_words(gas_of([10**15], None)) == "0.001000 POL"


def test_before_the_approval_it_is_said_what_gas_may_cost_now(room: SettlingRoom) -> None:
    room.ends(R.RESOLVED)
    assert room.cycle() == 1
    record = room.claim()
    assert record is not None
    most = gas_of([GAS * 40], None)
    assert f"paid by your own wallet, now at most {gas_words(most)}." in record.intent.reason


def test_a_deposit_wallets_gas_is_the_relayers(tmp_path: Path) -> None:
    room = SettlingRoom(ClaimRoom(tmp_path, ClaimRoute.RELAYER))
    room.ends(R.RESOLVED)
    assert room.cycle() == 1
    record = room.claim()
    assert record is not None
    assert record.intent.reason.endswith("The relayer pays the gas.")


def test_what_costs_more_than_it_brings_is_not_proposed_and_a_person_is_told(tmp_path: Path) -> None:
    price = Decimal(20) / Decimal(GAS * 40) * 10**18  # so that the gas costs what it brings
    room = SettlingRoom(ClaimRoom(tmp_path), pol_price_pusd=price)
    room.ends(R.RESOLVED)
    assert room.cycle() == 0
    assert room.claim() is None
    (told,) = by_hand(room.claims.world.stores)
    assert told.why == "Its gas may cost more now than it brings, 20.00 pUSD."


def test_what_the_chain_would_refuse_is_not_proposed_and_a_person_is_told_why(room: SettlingRoom) -> None:
    room.ends(R.RESOLVED)
    room.claims.chain.reverting = True
    assert room.cycle() == 0
    (told,) = by_hand(room.claims.world.stores)
    assert told.why == "The chain would refuse the claim: need operator approval."
    assert "polyb0t doctor" in told.do
    room.claims.chain.reverting = False  # the wallet permits it now
    room.cycle(31)
    assert room.cycle(31) == 1
    assert by_hand(room.claims.world.stores) == ()


def test_what_somebody_redeems_at_this_moment_is_no_instruction(room: SettlingRoom) -> None:
    room.ends(R.RESOLVED)
    shares = room.claims.chain.shares

    def just_before(*args: object, **named: object) -> object:
        held = shares(*args, **named)  # type: ignore[arg-type]
        room.claims.chain.held["1001"] = Decimal(0)  # type: ignore[index, assignment]
        return held

    room.claims.chain.shares = just_before  # type: ignore[assignment, method-assign]
    assert room.cycle() == 0
    assert room.claim() is None
    assert by_hand(room.claims.world.stores) == ()


def test_gas_of_a_block_that_was_taken_back_was_not_spent(tmp_path: Path) -> None:
    room = ClaimRoom(tmp_path, recheck_seconds=0)
    claim = room.won(1)
    room.until_over()
    assert find_claim(room.world.stores, claim).gas.pol == gas_of([GAS * 30], None).pol
    room.chain.reorganise()
    room.chain.pool.clear()
    room.claimer.step()
    seen = find_claim(room.world.stores, claim)
    assert (seen.gas.transactions, seen.paid) == (0, ZERO)
    assert seen.stands == "was paid, and the chain took it back"


# -- results -----------------------------------------------------------------------------------


def books(room: ClaimRoom) -> Portfolio:
    return portfolio_of(
        room.world.orders.fills(), starting_cash=NO_MONEY, booked=room.world.stores.books.movements()
    )


def day(room: ClaimRoom) -> ReportFacts:
    """The report's facts of a live account that opened with 1,000 pUSD on this day."""
    return replace(
        facts(),
        regime=Regime.LIVE,
        until=room.clock.now().replace(hour=23),
        opened_at=NOW.replace(hour=0),
        fills=room.world.orders.fills(),
        booked=room.world.stores.books.movements(),
        gas=gas_of((send.gas_cost_wei for send in room.sends()), Decimal(10) ** 12),  # so that it would show
    )


@pytest.mark.parametrize(
    ("shares", "payouts", "brings"),
    [
        ("20", ("1", "0"), "20"),
        ("20", ("0.5", "0.5"), "10"),
        ("15.000001", ("0.5", "0.5"), "7.5"),  # the half of a millionth is cut off by the contract
        ("15.000001", ("1", "0"), "15.000001"),
    ],
)
def test_capital_is_bound_until_the_payment_and_then_the_result_is_settled(
    tmp_path: Path, shares: str, payouts: tuple[str, str], brings: str
) -> None:
    room = ClaimRoom(tmp_path)
    claim = room.won(1, shares=shares, payouts=payouts)
    fill = room.world.orders.fills()[0]
    cost = fill.notional + fill.fee
    before = books(room)
    assert (before.held_cost, before.realised) == (cost, ZERO)  # resolved, and not paid yet

    room.until_over()

    after = books(room)
    assert (after.held_cost, after.held()) == (ZERO, ())
    assert after.realised == Decimal(brings) - cost
    assert after.cash - before.cash == Decimal(brings) == room.chain.money - room.opening
    made = report(day(room))
    (row,) = made.markets
    assert made.results.settled_pusd == row.settled_pusd == Decimal(brings) - cost
    assert made.results.payouts_pusd == row.paid_out_pusd == Decimal(brings)
    assert made.equity.equity_pusd == OPENING + Decimal(brings) - cost  # gas is no part of it
    assert made.gas.pol == find_claim(room.world.stores, claim).gas.pol > 0
    assert made.gas.pusd == Decimal(6)


def test_what_is_lost_is_settled_at_the_resolution_without_a_transaction(room: SettlingRoom) -> None:
    cost = books(room.claims).held_cost
    room.ends(R.RESOLVED, "0", "1")
    assert room.cycle() == 0
    after = books(room.claims)
    assert (after.held_cost, after.realised, after.held()) == (ZERO, -cost, ())
    made = report(day(room.claims))
    assert made.results.settled_pusd == -cost
    assert made.equity.equity_pusd == OPENING - cost
    assert (room.claims.sends(), made.gas.transactions) == ((), 0)


def test_neither_a_proposal_nor_a_result_releases_anything(room: SettlingRoom) -> None:
    cost = books(room.claims).held_cost
    room.ends(R.PROPOSED)
    room.cycle(31)
    room.ends(R.RESOLVED)
    room.cycle(31)
    assert room.claim() is not None
    assert (books(room.claims).held_cost, books(room.claims).realised) == (cost, ZERO)


# -- what is under way -------------------------------------------------------------------------


def test_while_a_claim_is_under_way_the_chain_is_not_asked_about_it_again(room: SettlingRoom) -> None:
    room.ends(R.RESOLVED)
    assert room.cycle(31) == 1
    asked = []

    def simulate(calls: Sequence[ClaimCall]) -> Simulation:
        asked.append(calls)
        return Simulation(None)

    room.claims.chain.simulate = simulate  # type: ignore[method-assign]
    assert [room.cycle(31) for _ in range(3)] == [0, 0, 0]
    assert asked == []


def test_both_outcomes_of_a_split_pot_are_one_claim(tmp_path: Path) -> None:
    claims = ClaimRoom(tmp_path)
    room = SettlingRoom(claims, shares=("20", "3"))
    claims._bought(CONDITION, ASSETS[1], Shares(Decimal(3)))
    cost = books(claims).held_cost
    room.ends(R.RESOLVED, "0.5", "0.5")
    assert room.cycle(31) == 1
    record = room.claim()
    assert record is not None
    claims.world.approve(record.id)
    claims.until_over()
    assert claims.record(record.id).result == "claimed"
    after = books(claims)
    assert (after.held(), after.realised) == ((), Decimal("11.5") - cost)
    assert [room.cycle(31), room.cycle(31)] == [0, 0]
    assert claims.judge() == []


def test_what_is_not_held_any_more_freezes_nothing(room: SettlingRoom) -> None:
    room.ends(R.DISPUTED)
    room.cycle(31)
    assert room.settling.frozen
    fill = room.claims.world.orders.fills()[0]
    sold = Movement(
        MovementKind.MERGE.value,
        NOW,
        "0xgone",
        Pusd(fill.shares),
        fill.shares,
        condition_id=CONDITION,
        asset_id=ASSETS[0],
    )
    taken = (Taken(ASSETS[0], fill.shares, None),)
    room.claims.world.stores.books.record_movements((Booked(sold, taken),), room.claims.world.lease)
    room.cycle(31)
    assert room.settling.frozen == frozenset()


def test_an_instruction_is_said_once_and_anew_when_it_is_another(room: SettlingRoom) -> None:
    room.ends(R.RESOLVED)
    room.claims.chain.reverting = True
    for _ in range(3):
        room.cycle(31)
    kinds = room.claims.world.kinds(f"claim:{CONDITION}")
    assert kinds == ["claim.by_hand"]
    room.claims.route = ClaimRoute.WEBSITE
    for _ in range(3):
        room.cycle(31)
    assert room.claims.world.kinds(f"claim:{CONDITION}") == ["claim.by_hand", "claim.by_hand"]
    assert len(by_hand(room.claims.world.stores)) == 1
