"""The venue's own operator pays winnings by itself: when it is switched on, to whom let it, exactly once."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from polyb0t.sandbox.contracts import CONTRACTS
from polyb0t.sandbox.relayed import AutoRedeem
from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import NOON_MS, SPEC
from tests.support.sandbox import RunningSandbox, running_sandbox

SHARES = 40_000_001
FIRST, SECOND = SPEC.token_ids


@pytest.fixture
def world() -> World:
    """Two practice accounts with shares of both outcomes of one market."""
    made = World(start_ms=NOON_MS, markets=[SPEC], crowd=False, accounts=2)
    for account in made.accounts[:2]:
        made.split(account.wallet, SPEC.condition_id, SHARES)
    return made


def money(world: World) -> list[int]:
    return [world.balance(account.wallet) - 10_000 * MILLION + SHARES for account in world.accounts[:2]]


def test_nobody_is_paid_while_it_is_off(world: World) -> None:
    world.resolve(SPEC.condition_id, (MILLION, 0))
    world.step(3_600_000)
    assert money(world) == [0, 0]


def test_a_result_is_paid_to_everybody_after_its_time_and_once(world: World) -> None:
    world.set_auto_redeem(AutoRedeem(on=True, after_ms=60_000))
    world.resolve(SPEC.condition_id, (MILLION, 0))
    world.step(59_999)
    assert money(world) == [0, 0]
    world.step(1)
    assert money(world) == [SHARES, SHARES]
    world.step(600_000)
    assert money(world) == [SHARES, SHARES]
    world.ledger.check(())


def test_switched_off_before_its_time_it_pays_nothing(world: World) -> None:
    world.set_auto_redeem(AutoRedeem(on=True, after_ms=60_000))
    world.resolve(SPEC.condition_id, (MILLION, 0))
    world.step(1_000)
    world.set_auto_redeem(AutoRedeem(on=False))
    world.step(3_600_000)
    assert money(world) == [0, 0]


def test_switched_on_later_it_pays_what_has_a_result_already(world: World) -> None:
    world.resolve(SPEC.condition_id, (MILLION // 2, MILLION // 2))
    world.step(1_000)
    world.set_auto_redeem(AutoRedeem(on=True))
    world.step(1)
    assert money(world) == [2 * (SHARES // 2)] * 2  # each outcome is cut down to a millionth by itself


def test_a_wallet_that_took_its_approval_back_is_left_alone(world: World) -> None:
    mine, other = world.accounts[:2]
    world.set_allowance(mine.wallet, CONTRACTS["auto_redeemer"], 0, FIRST)
    world.set_auto_redeem(AutoRedeem(on=True))
    world.resolve(SPEC.condition_id, (MILLION, 0))
    world.step(1)
    assert money(world) == [0, SHARES]
    assert world.balance(other.wallet, FIRST) == 0


def test_a_saved_world_still_pays(world: World, tmp_path: Path) -> None:
    world.set_auto_redeem(AutoRedeem(on=True, after_ms=60_000))
    world.resolve(SPEC.condition_id, (MILLION, 0))
    world.save(tmp_path / "world.json")
    again = World.load(tmp_path / "world.json")
    again.step(60_000)
    assert money(again) == [SHARES, SHARES]


@pytest.fixture
def sandbox(world: World) -> Iterator[RunningSandbox]:
    with running_sandbox(world=world) as running:
        yield running


def put(sandbox: RunningSandbox, body: dict[str, object]) -> tuple[int, object]:
    with httpx.Client(trust_env=False) as client:
        answer = client.put(f"{sandbox.url}/sandbox/auto-redeem", json=body)
        return answer.status_code, answer.json()


def positions(sandbox: RunningSandbox, status: str) -> list[dict[str, object]]:
    with httpx.Client(trust_env=False) as client:
        wallet = sandbox.account().wallet
        answer = client.get(f"{sandbox.url}/data/v2/positions?user={wallet}&status={status}&filter_amount=0")
        found: list[dict[str, object]] = answer.json()["data"]
        return found


def test_over_http(sandbox: RunningSandbox) -> None:
    assert put(sandbox, {"on": True, "after_ms": 5}) == (200, {"on": True, "after_ms": 5})
    assert put(sandbox, {"on": True, "after_ms": -1})[0] == 400
    assert put(sandbox, {"often": True})[0] == 400


def test_what_was_paid_is_closed_for_the_data_api(sandbox: RunningSandbox) -> None:
    sandbox.call(lambda: sandbox.world.resolve(SPEC.condition_id, (MILLION, 0)))
    assert {row["token_id"] for row in positions(sandbox, "REDEEMABLE")} == {FIRST, SECOND}
    assert [row["token_id"] for row in positions(sandbox, "REDEEMABLE_LOST")] == [SECOND]

    put(sandbox, {"on": True})
    sandbox.step(10)

    assert positions(sandbox, "REDEEMABLE") == []
    assert positions(sandbox, "REDEEMABLE_LOST") == []
    closed = positions(sandbox, "CLOSED")
    assert {(row["token_id"], row["status"], row["redeemable"]) for row in closed} == {
        (FIRST, "CLOSED", False),
        (SECOND, "CLOSED", False),
    }
