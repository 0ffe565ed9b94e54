"""What holds for any sequence of requests over events of several markets and both protocols."""

from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from polyb0t.core.errors import ConflictError
from polyb0t.sandbox.fees import taker_fee_e6
from polyb0t.sandbox.kinds import KINDS
from polyb0t.sandbox.ledger import PUSD
from polyb0t.sandbox.rules import limit_price
from polyb0t.sandbox.types import MILLION, OrderRequest, OrderType, Refusal, Side, TradeStatus
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import ALICE, BOB, CAROL, NOON_MS, check_books, market_of, request

PEOPLE = (ALICE, BOB, CAROL)
EVENTS = ("neg_risk", "v2_neg_risk")
Step = tuple[object, ...]


@st.composite
def steps(draw: st.DrawFn, markets: int) -> list[Step]:
    """Orders around the middle of any market, and everything else that moves money."""
    who = st.sampled_from(PEOPLE)
    where = st.one_of(st.sampled_from([0, 4]), st.integers(0, markets - 1))  # many meet in two markets
    order = st.tuples(
        st.just("order"),
        who,
        where,
        st.sampled_from(["BUY", "SELL"]),
        st.integers(0, 1),
        st.integers(500, 20_000),
        st.one_of(st.sampled_from([46, 49, 50, 51, 53]), st.integers(1, 99)),
        st.sampled_from(["GTC", "GTC", "GTC", "FAK", "FOK"]),
    )
    others = [
        st.tuples(st.just("step"), st.integers(1, 6_000)),
        st.tuples(st.just("cancel"), who),
        st.tuples(st.just("fail"), st.integers(1, 2)),
        st.tuples(st.just("retry"), st.integers(1, 2)),
        st.tuples(st.just("split"), who, where, st.integers(-300, 300)),
        st.tuples(st.just("tick"), where, st.sampled_from([100_000, 10_000, 2_500, 1_000])),
    ]
    kinds = st.sampled_from([order] * 14 + others)
    return draw(st.lists(kinds.flatmap(lambda kind: kind), min_size=10, max_size=45))


def perform(world: World, step: Step, number: int) -> None:
    specs = [view.spec for view in world.markets()]
    with suppress(Refusal, ConflictError):
        match step:
            case ("step", int(ms)):
                world.step(ms)
            case ("cancel", str(who)):
                world.cancel_all(f"key of {who}")
            case ("fail", int(count)):
                world.fail_next = count
            case ("retry", int(count)):
                world.retry_next = count
            case ("split", str(who), int(where), int(shares)):
                world.split(who, specs[where].condition_id, shares * 12_345)
            case ("tick", int(where), int(tick)):
                world.set_tick(specs[where].condition_id, tick)
            case ("order", str(who), int(where), str(side), int(outcome), int(size), int(cents), str(kind)):
                tick = world.engine.markets[specs[where].condition_id].tick
                price = min(max(cents * 10_000 // tick, 1), MILLION // tick - 1) * tick
                world.place(
                    request(
                        who,
                        side,
                        specs[where].token_ids[outcome],
                        shares=size / 100,
                        pusd=size / 100,
                        price=price / MILLION,
                        kind=kind,
                        order_id=f"0x{number:064x}",
                        tick_e6=tick,
                    )
                )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps(7), winners=st.tuples(st.integers(0, 3), st.integers(0, 2)))
def test_money_and_shares_are_conserved_across_events_and_protocols(
    steps: list[Step], winners: tuple[int, int]
) -> None:
    world = market_of(*EVENTS)
    for number, step in enumerate(steps, start=1):
        perform(world, step, number)
        check_books(world)
        for who in PEOPLE:
            for asset in (PUSD, *world.engine.tokens):
                assert world.ledger.available(who, asset) >= 0
    for kind, winner in zip(EVENTS, winners, strict=True):
        specs = [view.spec for view in world.markets() if view.spec.kind == kind]
        world.resolve_event(specs[0].event_id, specs[winner].condition_id)
    for who in PEOPLE:
        for view in world.markets():
            world.redeem(who, view.spec.condition_id)
    assert sum(world.balance(who) for who in PEOPLE) + world.ledger.balance(
        "0x00000000000000000000000000000000000000Fe"
    ) == (world.ledger.deposited)
    assert not any(world.ledger.locked.values())
    assert not any(amount for held in world.ledger.reserved.values() for amount in held.values())
    assert not any(amount for held in world.ledger.matched.values() for amount in held.values())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps(7))
def test_settled_trades_make_up_every_holding_and_failed_ones_none(steps: list[Step]) -> None:
    world = market_of(*EVENTS)
    for number, step in enumerate(steps, start=1):
        perform(world, step, number)
    world.step(60_000)
    for trade in world.trades():
        assert trade.status in (TradeStatus.CONFIRMED, TradeStatus.FAILED)
        assert sum(fill.matched_e6 for fill in trade.maker_orders) == trade.size_e6
    for who in PEOPLE:
        for position in world.positions(who):
            assert position.shares_e6 == world.balance(who, position.token_id)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps(12), cut=st.integers(0, 30))
def test_equal_requests_give_equal_worlds_of_every_kind_also_across_a_save(
    steps: list[Step], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("world") / "world.json"
    worlds = [crowded_world(), crowded_world()]
    for number, step in enumerate(steps, start=1):
        if number == cut:
            worlds[1].save(path)
            worlds[1] = World.load(path)
        for world in worlds:
            perform(world, step, number)
    assert worlds[0].state_hash() == worlds[1].state_hash()


def test_holders_keep_their_order_across_a_save(tmp_path: Path) -> None:
    """A deposit alone makes nobody a holder: who comes first is who held first."""
    worlds = [crowded_world(), crowded_world()]
    for world in worlds:
        world.split(BOB, world.markets()[0].spec.condition_id, 20 * MILLION)
    worlds[1].save(tmp_path / "w.json")
    worlds[1] = World.load(tmp_path / "w.json")
    for world in worlds:
        world.split(ALICE, world.markets()[0].spec.condition_id, 20 * MILLION)
    assert worlds[0].state_hash() == worlds[1].state_hash()


def crowded_world() -> World:
    """Every kind, with the crowd, a past and a late index."""
    world = World(start_ms=NOON_MS, seed=3, markets=1, accounts=0, kinds=KINDS, archive=20, speed=20)
    world.data_lag_ms = 60_000
    world.pause()
    for who in PEOPLE:
        world.fund(who, 5_000 * MILLION)
    return world


def test_reading_the_past_changes_nothing(tmp_path: Path) -> None:
    world, other = crowded_world(), crowded_world()
    for each in (world, other):
        each.step(30_000)
    for view in world.catalogue(closed=True):
        for token in filter(world.condition_of, view.spec.token_ids):
            world.price_history(token, world.now_ms - 86_400_000)
    world.positions(ALICE, world.indexed_ms)
    assert world.state_hash() == other.state_hash()


@given(
    shares=st.integers(1, 10_000_000 * MILLION),
    price=st.integers(1, 9_999).map(lambda steps: steps * 100),
    rate=st.sampled_from(["0", "0.03", "0.04", "0.05", "0.07"]),
    exponent=st.sampled_from([1, 2]),
)
@example(100 * MILLION, 500_000, "0.04", 1)
def test_the_fee_is_the_formula_to_five_decimals(shares: int, price: int, rate: str, exponent: int) -> None:
    p = Decimal(price) / MILLION
    exact = Decimal(shares) / MILLION * Decimal(rate) * (p * (1 - p)) ** exponent
    rounded = exact.quantize(Decimal("0.00001"), ROUND_HALF_UP)
    expected = max(rounded, Decimal("0.00001")) if exact else Decimal(0)
    assert Decimal(taker_fee_e6(shares, price, rate=rate, exponent=exponent)) / MILLION == expected


@pytest.mark.parametrize(
    ("price", "rate", "fee"),
    [(0.5, "0.04", "1"), (0.5, "0.05", "1.25"), (0.5, "0.07", "1.75"), (0.05, "0.04", "0.19"),
     (0.95, "0.05", "0.2375"), (0.05, "0.07", "0.3325")],
)  # fmt: skip
def test_the_fees_that_the_venue_publishes_for_a_hundred_shares(price: float, rate: str, fee: str) -> None:
    found = taker_fee_e6(100 * MILLION, round(price * MILLION), rate=rate, exponent=1)
    assert Decimal(found) / MILLION == Decimal(fee)


@pytest.mark.parametrize(
    ("kind", "side", "tick_e6", "maker", "taker", "price_e6"),
    [
        ("GTC", "BUY", 10_000, 4_500_000, 10_000_000, 450_000),
        ("GTC", "BUY", 10_000, 4_504_500, 10_010_000, 450_000),
        ("GTC", "BUY", 1_000, 2_587_410, 7_770_000, 333_000),
        ("GTC", "SELL", 10_000, 12_340_000, 7_650_800, 620_000),
        ("FAK", "BUY", 10_000, 10_000_000, 19_230_700, 520_000),
        ("FAK", "BUY", 10_000, 10_000_000, 19_230_800, 520_000),
        ("FAK", "BUY", 1_000, 10_560_000, 31_711_710, 333_000),
        ("FOK", "SELL", 10_000, 19_230_000, 9_999_600, 520_000),
        ("FOK", "BUY", 10_000, 4_990_000, 5_252_600, 950_000),
    ],
)
def test_the_check_values_of_amounts_mean_their_prices(
    kind: str, side: str, tick_e6: int, maker: int, taker: int, price_e6: int
) -> None:
    order = OrderRequest("0x1", "k", ALICE, ALICE, "1", Side(side), maker, taker, OrderType(kind))
    assert limit_price(order, tick_e6) == price_e6


@pytest.mark.parametrize("change", [(1, 0), (0, 1), (0, 10_000)])
def test_amounts_beside_the_check_values_are_refused(change: tuple[int, int]) -> None:
    maker, taker = 4_500_000 + change[0], 10_000_000 + change[1]
    order = OrderRequest("0x1", "k", ALICE, ALICE, "1", Side.BUY, maker, taker, OrderType.GTC)
    with pytest.raises(Refusal, match=r"breaks minimum tick size rule|invalid amounts"):
        limit_price(order, 10_000)
