"""The clock, the memory and the determinism of a world."""

import json
from pathlib import Path

import pytest

from polyb0t.core.canonical import canonical_text, sha256_hex
from polyb0t.core.errors import UsageError
from polyb0t.core.practice import is_practice_key
from polyb0t.sandbox.snapshot import SaveFileError
from polyb0t.sandbox.types import MILLION, BookEvent, LastTrade, PriceChange, WorldEvent
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import ALICE, CONDITION, NOON_MS, YES_TOKEN, place, quiet_world


def small(seed: int = 1) -> World:
    return World(start_ms=NOON_MS, seed=seed, markets=12, accounts=2)


def test_practice_accounts_are_funded_and_their_keys_are_known_to_everybody() -> None:
    world = small()
    assert [account.index for account in world.accounts] == [0, 1, 2, 3, 4, 5]
    assert [account.signature_type for account in world.accounts] == [0, 0, 1, 2, 3, 3]
    for account in world.accounts:
        assert is_practice_key(account.key)
        assert (account.wallet == account.address) is (account.signature_type == 0)
        assert world.balance(account.wallet) == world.balance(account.wallet.lower()) == 10_000 * MILLION


def test_equal_seeds_and_steps_give_equal_states_and_the_id_is_no_part_of_it() -> None:
    one, other = small(), small()
    one.step(60_000)
    for _ in range(60):
        other.step(1_000)
    assert one.state_hash() == other.state_hash()
    assert one.world_id != other.world_id
    assert small(seed=2).state_hash() != small().state_hash()


def test_the_hash_is_that_of_the_canonical_text() -> None:
    world = small()
    world.step(20_000)
    assert world.state_hash() == sha256_hex(canonical_text(world.state()))


def test_a_listener_changes_nothing() -> None:
    quiet, watched = small(), small()
    heard: list[WorldEvent] = []
    watched.subscribe(heard.append)
    quiet.step(60_000)
    watched.step(60_000)
    assert quiet.state_hash() == watched.state_hash()
    assert {PriceChange, LastTrade, BookEvent} <= {type(event) for event in heard}


def test_level_changes_add_up_to_the_book() -> None:
    world = small()
    token = world.markets()[0].spec.token_ids[1]
    seen = {("BUY", price): size for price, size in world.book(token).bids}
    seen |= {("SELL", price): size for price, size in world.book(token).asks}

    def apply(event: WorldEvent) -> None:
        if isinstance(event, PriceChange):
            seen.update({(c.side, c.price_e6): c.size_e6 for c in event.changes if c.token_id == token})

    world.subscribe(apply)
    world.step(300_000)
    book = world.book(token)
    expected = {("BUY", price): size for price, size in book.bids}
    expected |= {("SELL", price): size for price, size in book.asks}
    assert {key: size for key, size in seen.items() if size} == expected


def test_a_paused_clock_moves_only_by_steps() -> None:
    world = small()
    world.pause()
    world.advance_to(NOON_MS + 5_000)
    assert world.now_ms == NOON_MS
    world.step(2_000)
    assert world.now_ms == NOON_MS + 2_000
    world.resume()
    world.advance_to(NOON_MS + 5_000)
    assert world.now_ms == NOON_MS + 5_000
    world.advance_to(NOON_MS)
    assert world.now_ms == NOON_MS + 5_000, "the clock does not go back"
    with pytest.raises(UsageError):
        world.step(-1)


def test_after_a_long_absence_the_crowd_does_not_live_through_every_minute() -> None:
    world = small()
    before = world.engine.order_sequence
    world.advance_to(NOON_MS + 36 * 3_600_000)
    assert world.now_ms == NOON_MS + 36 * 3_600_000
    assert world.engine.order_sequence - before < 12 * 12 * 20
    market = world.markets()[-1].spec
    assert world.now_ms - world.book(market.token_ids[0]).timestamp_ms < 20_000


def test_a_saved_world_goes_on_as_the_same_world(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "world.json"
    world = small()
    world.step(45_678)
    world.save(path)
    loaded = World.load(path)
    assert (loaded.world_id, loaded.state_hash()) == (world.world_id, world.state_hash())
    for each in (world, loaded):
        each.step(90_000)
    assert loaded.state_hash() == world.state_hash()
    assert loaded.book(world.markets()[3].spec.token_ids[0]) == world.book(
        world.markets()[3].spec.token_ids[0]
    )
    assert [file.name for file in path.parent.iterdir()] == ["world.json"]


def test_saving_keeps_orders_trades_and_what_is_on_its_way(tmp_path: Path) -> None:
    world = quiet_world()
    resting = place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50).order_id
    place(world, "0x" + "B0" * 20, "BUY", YES_TOKEN, shares=40, price=0.50)
    world.set_allowance(ALICE, "0xSpender", 7)
    world.save(tmp_path / "w.json")
    loaded = World.load(tmp_path / "w.json")
    assert loaded.order(resting) == world.order(resting)
    assert loaded.trades() == world.trades()
    assert loaded.allowance(ALICE, "0xSpender") == 7
    loaded.step(5_000)
    assert loaded.balance(ALICE) == 1_020 * MILLION
    assert loaded.cancel(f"key of {ALICE}", [resting]).canceled == (resting,)
    assert loaded.positions(ALICE)[0].shares_e6 == 960 * MILLION


@pytest.mark.parametrize("damage", ["missing", "empty", "half", "changed", "future"])
def test_a_file_that_is_not_a_world_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "w.json"
    world = quiet_world()
    if damage != "missing":
        world.save(path)
        text = path.read_text()
        content = json.loads(text)
        path.write_text(
            {
                "empty": "",
                "half": text[: len(text) // 2],
                "changed": text.replace('"deposited":6000000000', '"deposited":6000000001'),
                "future": json.dumps(content | {"format": 99}),
            }[damage]
        )
    with pytest.raises(SaveFileError) as caught:
        World.load(path)
    assert "--fresh" in caught.value.do


def test_a_tick_becomes_finer_at_the_edge() -> None:
    world = World(start_ms=NOON_MS, seed=1, markets=1, accounts=0)
    view = world.markets()[0]
    opinion = world.crowd.opinions[view.spec.condition_id]
    opinion.fair_e6 = opinion.belief_e6 = 4_900_000
    world.step(60_000)
    assert world.market(view.spec.condition_id).tick_e6 == 1_000
    assert world.book(view.spec.token_ids[0]).tick_e6 == 1_000


def test_history_and_tape_can_be_read_for_both_outcomes() -> None:
    world = small()
    world.step(1_200_000)
    spec = world.markets()[0].spec
    yes, no = (world.price_history(token) for token in spec.token_ids)
    assert len(yes) >= 3
    assert [(at, MILLION - price) for at, price in yes] == no
    tape = world.tape(spec.condition_id)
    assert [trade.sequence for trade in tape] == sorted((t.sequence for t in tape), reverse=True)
    assert tape


def test_books_are_the_same_object_until_they_change() -> None:
    world = quiet_world()
    first = world.book(YES_TOKEN)
    assert world.book(YES_TOKEN) is first
    place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.4)
    assert world.book(YES_TOKEN).sequence > first.sequence


@pytest.mark.parametrize("speed", [0, -1, 5_000])
def test_an_impossible_speed(speed: float) -> None:
    with pytest.raises(UsageError):
        World(start_ms=NOON_MS, markets=0, accounts=0, speed=speed)


def test_unknown_things() -> None:
    world = quiet_world()
    assert world.condition_of("nothing") is None
    assert world.condition_of(YES_TOKEN) == CONDITION
    with pytest.raises(KeyError):
        world.book("nothing")
    with pytest.raises(KeyError):
        world.market("nothing")
    assert world.order("0x0") is None
    assert world.balance("0xnobody") == 0
