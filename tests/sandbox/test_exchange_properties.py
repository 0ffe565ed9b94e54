"""What holds for any sequence of requests."""

from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyb0t.sandbox.exchange import exact_unit
from polyb0t.sandbox.ledger import PUSD
from polyb0t.sandbox.types import MILLION, OrderStatus, Refusal
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import (
    ALICE,
    BOB,
    CAROL,
    CONDITION,
    NO_TOKEN,
    NOON_MS,
    YES_TOKEN,
    check_books,
    quiet_world,
    request,
)

PEOPLE = st.sampled_from([ALICE, BOB, CAROL])
TICK = st.sampled_from([100_000, 10_000, 5_000, 2_500, 1_000, 100])


@st.composite
def actions(draw: st.DrawFn) -> list[tuple[object, ...]]:
    """Orders of every kind around the middle, cancels, and time passing."""
    order = st.tuples(
        st.just("order"),
        PEOPLE,
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from([YES_TOKEN, NO_TOKEN]),
        st.one_of(st.integers(500, 20_000), st.sampled_from([777, 1_000, 3_333])),  # 1/100 share, or cents
        # steps of 0.0001, put on the grid below; near the middle, so that they meet
        st.one_of(st.sampled_from([4_670, 4_900, 5_000, 5_100, 5_330]), st.integers(1, 9_999)),
        st.sampled_from(["GTC", "GTC", "GTC", "FAK", "FOK", "GTD"]),
        st.sampled_from([False, False, False, False, True]),
    )
    step = st.tuples(st.just("step"), st.integers(1, 4_000))
    cancel = st.tuples(st.just("cancel"), PEOPLE)
    kinds = st.sampled_from([order] * 12 + [step] * 2 + [cancel])  # one_of would not weigh them
    return draw(st.lists(kinds.flatmap(lambda kind: kind), min_size=15, max_size=60))


def perform(world: World, action: tuple[object, ...], number: int) -> None:
    tick = world.engine.markets[CONDITION].tick
    match action:
        case ("step", int(ms)):
            world.step(ms)
        case ("cancel", str(who)):
            world.cancel_all(f"key of {who}")
        case ("order", str(who), str(side), str(token), int(amount), int(raw), str(kind), bool(post)):
            on_grid = min(max(raw * 100 // tick, 1), MILLION // tick - 1) * tick
            order = request(
                who,
                side,
                token,
                shares=amount / 100,
                pusd=amount / 100,
                price=on_grid / MILLION,
                kind=kind,
                post_only=post and kind in ("GTC", "GTD"),
                expiration_s=world.now_ms // 1_000 + 200 if kind == "GTD" else 0,
                order_id=f"0x{number:064x}",
                tick_e6=tick,
            )
            with suppress(Refusal):
                world.place(order)


def check_reservations(world: World) -> None:
    """Every reservation belongs to an order that rests, and nobody spends what is not there."""
    live = [o for o in world.engine.orders.values() if o.status in (OrderStatus.LIVE, OrderStatus.DELAYED)]
    for who in (ALICE, BOB, CAROL):
        for asset in (PUSD, YES_TOKEN, NO_TOKEN):
            held = sum(o.held for o in live if o.maker == who and world.engine.funds.asset_of(o) == asset)
            assert world.ledger.active(who, asset) == held
            assert world.ledger.available(who, asset) >= 0


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tick=TICK, steps=actions())
def test_money_and_shares_are_conserved_and_no_book_is_left_crossed(
    tick: int, steps: list[tuple[object, ...]]
) -> None:
    world = quiet_world(tick_e6=tick)
    for number, action in enumerate(steps, start=1):
        perform(world, action, number)
        check_books(world)
        check_reservations(world)
    world.step(10_000)
    check_books(world)
    world.cancel_all(f"key of {ALICE}")
    world.resolve(CONDITION, (MILLION, 0))
    for who in (ALICE, BOB, CAROL):
        world.redeem(who, CONDITION)
    assert world.ledger.total_pusd() == world.ledger.deposited
    assert world.ledger.locked[CONDITION] == 0
    assert not any(amount for held in world.ledger.reserved.values() for amount in held.values())
    assert not any(amount for held in world.ledger.matched.values() for amount in held.values())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=actions())
def test_nobody_pays_more_or_gets_less_than_was_signed(steps: list[tuple[object, ...]]) -> None:
    world = quiet_world()
    for number, action in enumerate(steps, start=1):
        perform(world, action, number)
    for trade in world.trades():
        taker = world.engine.orders[trade.taker_order_id]
        better = trade.price_e6 <= taker.price if taker.side == "BUY" else trade.price_e6 >= taker.price
        assert better
        for fill in trade.maker_orders:
            assert fill.price_e6 == world.engine.orders[fill.order_id].price
            assert fill.pusd_e6 * MILLION == fill.matched_e6 * fill.price_e6, "nothing is rounded"
    for order in world.engine.orders.values():
        assert order.market_buy or order.filled <= order.size


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=actions())
def test_among_equal_prices_the_earlier_order_is_filled_first(steps: list[tuple[object, ...]]) -> None:
    world = quiet_world()
    for number, action in enumerate(steps, start=1):
        perform(world, action, number)
        book = world.engine.markets[CONDITION].book
        for ladder in (book.bids, book.asks):
            assert ladder.prices == sorted(ladder.levels)
            for price, level in ladder.levels.items():
                queue = list(level.values())
                assert [o.sequence for o in queue] == sorted(o.sequence for o in queue)
                assert all(o.filled == 0 for o in queue[1:]), "one behind was filled before the first"
                assert ladder.totals[price] == sum(o.left for o in queue)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=actions(), cut=st.integers(0, 40))
def test_equal_requests_give_equal_states_also_across_a_save(
    steps: list[tuple[object, ...]], cut: int, tmp_path_factory: object
) -> None:
    path = Path(str(tmp_path_factory.mktemp("world"))) / "world.json"  # type: ignore[attr-defined]
    worlds = [busy_world(), busy_world()]
    for number, action in enumerate(steps, start=1):
        if number == cut:
            worlds[1].save(path)
            worlds[1] = World.load(path)
        for world in worlds:
            perform(world, action, number)
    assert worlds[0].state_hash() == worlds[1].state_hash()


def busy_world() -> World:
    """Alice, Bob and Carol among a crowd."""
    spec = quiet_world().market(CONDITION).spec
    world = World(start_ms=NOON_MS, seed=3, markets=[spec], accounts=0, speed=20)
    for wallet in (ALICE, BOB, CAROL):
        world.fund(wallet, 2_000 * MILLION)
        world.split(wallet, CONDITION, 500 * MILLION)
    return world


@given(price=st.integers(1, 9_999).map(lambda steps: steps * 100))
def test_a_unit_is_worth_whole_millionths_and_no_smaller_one_is(price: int) -> None:
    unit = exact_unit(price)
    assert unit * price % MILLION == 0
    assert all(part * price % MILLION for part in range(1, unit, max(unit // 50, 1)))
