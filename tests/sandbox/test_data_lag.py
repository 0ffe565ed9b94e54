"""Data API v2 some minutes behind the chain, and what it hides."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from polyb0t.sandbox.signatures import checksum
from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import ALICE, BOB, CONDITION, NO_TOKEN, YES_TOKEN, market_of, place, quiet_world
from tests.support.sandbox import RunningSandbox, running_sandbox

LAG_MS = 120_000
ANNE, BEN = checksum(ALICE), checksum(BOB)


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    world = quiet_world()
    world.data_lag_ms = LAG_MS
    for wallet in (ANNE, BEN):
        world.fund(wallet, 3_000 * MILLION)
        world.split(wallet, CONDITION, 1_000 * MILLION)
    world.step(LAG_MS)
    with running_sandbox(world=world) as running:
        yield running


def rows(sandbox: RunningSandbox, path: str) -> Any:
    answer = httpx.get(f"{sandbox.url}/data/v2/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def sizes(sandbox: RunningSandbox, wallet: str, more: str = "") -> dict[str, float]:
    found = rows(sandbox, f"positions?user={wallet}{more}")
    return {row["token_id"]: row["current_size"] for row in found}


def trade(world: World, shares: float) -> None:
    place(world, ANNE, "SELL", YES_TOKEN, shares=shares, price=0.5)
    place(world, BEN, "BUY", YES_TOKEN, shares=shares, price=0.5)


def test_what_the_chain_did_is_told_after_the_lag(sandbox: RunningSandbox) -> None:
    sandbox.call(lambda: trade(sandbox.world, 100))
    sandbox.step(2_000)
    assert sandbox.world.positions(BEN)[0].shares_e6 == 2_100 * MILLION
    assert sizes(sandbox, BEN)[YES_TOKEN] == 2_000
    assert rows(sandbox, f"trades?user={BEN}") == []
    assert rows(sandbox, f"trades?condition={CONDITION}") == []
    sandbox.step(LAG_MS - 1)
    assert sizes(sandbox, BEN)[YES_TOKEN] == 2_000
    sandbox.step(1)
    assert sizes(sandbox, BEN)[YES_TOKEN] == 2_100
    (mine,) = rows(sandbox, f"trades?user={ANNE}")
    assert (mine["side"], mine["size"], mine["price"]) == ("SELL", 100, 0.5), "the maker's own part"
    (tape,) = rows(sandbox, f"trades?condition={CONDITION}")
    assert (tape["side"], tape["proxy_wallet"].lower()) == ("BUY", BEN.lower())


def test_a_failed_trade_is_never_told(sandbox: RunningSandbox) -> None:
    sandbox.world.fail_next = 1
    sandbox.call(lambda: trade(sandbox.world, 100))
    sandbox.step(2 * LAG_MS)
    assert rows(sandbox, f"trades?user={BEN}") == []
    assert rows(sandbox, f"trades?condition={CONDITION}") == []
    assert sizes(sandbox, BEN)[YES_TOKEN] == 2_000


def test_a_resolution_is_told_after_the_lag(sandbox: RunningSandbox) -> None:
    sandbox.call(lambda: sandbox.world.resolve(CONDITION, (0, MILLION)))
    asked = f"resolutions?condition={CONDITION}"
    assert (rows(sandbox, asked)[0]["status"], rows(sandbox, asked)[0]["payouts"]) == ("initialized", None)
    assert {row["status"] for row in rows(sandbox, f"positions?user={BEN}")} == {"OPEN"}
    sandbox.step(LAG_MS)
    assert rows(sandbox, asked)[0]["payouts"] == [0, MILLION]
    found = rows(sandbox, f"positions?user={BEN}&status=REDEEMABLE")
    assert {row["token_id"]: row["current_value"] for row in found} == {YES_TOKEN: 0, NO_TOKEN: 2_000}
    (lost,) = rows(sandbox, f"positions?user={BEN}&status=REDEEMABLE_LOST")
    assert (lost["token_id"], lost["redeemable"]) == (YES_TOKEN, True)


def test_dust_is_hidden_unless_asked_for(sandbox: RunningSandbox) -> None:
    def leave_dust() -> None:
        sandbox.world.split(BEN, CONDITION, -1_999_950_000)

    sandbox.call(leave_dust)
    sandbox.step(LAG_MS)
    assert sizes(sandbox, BEN) == {}
    assert sizes(sandbox, BEN, "&filter_amount=0") == {YES_TOKEN: 0.05, NO_TOKEN: 0.05}
    sandbox.call(lambda: sandbox.world.split(BEN, CONDITION, 50_000))
    sandbox.step(LAG_MS)
    assert sizes(sandbox, BEN) == {YES_TOKEN: 0.1, NO_TOKEN: 0.1}, "a tenth of a share is no dust"


def test_both_outcomes_can_be_merged_and_everybody_in_a_market_is_listed(sandbox: RunningSandbox) -> None:
    found = rows(sandbox, f"positions?user={BEN}&status=MERGEABLE")
    assert [row["mergeable"] for row in found] == [True, True]
    everybody = rows(sandbox, f"positions?condition={CONDITION}")
    assert {row["proxy_wallet"].lower() for row in everybody} >= {ANNE.lower(), BEN.lower()}
    assert httpx.get(f"{sandbox.url}/data/v2/positions").status_code == 400


def test_a_holding_of_v2_is_told_by_its_position_id() -> None:
    world = market_of("v2")
    spec = world.markets()[0].spec
    with running_sandbox(world=world) as sandbox:
        assert sizes(sandbox, BEN) == dict.fromkeys(spec.token_ids, 1_000)
        short_too = sizes(sandbox, BEN, f"&condition={spec.condition_id[:64]}")
        assert short_too == dict.fromkeys(spec.token_ids, 1_000)
        (token,) = rows(sandbox, f"tokens?token_id={spec.token_ids[1]}")
        assert (token["module"], len(token["structural_condition_id"])) == ("binary", 64)
