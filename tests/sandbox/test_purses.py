"""Money that comes without a trade, and how the activity of a wallet tells of it."""

import json

import pytest

from polyb0t.core.errors import ConflictError, UsageError
from polyb0t.sandbox.data_api import DataApi
from polyb0t.sandbox.treasury import CREDITS
from polyb0t.sandbox.types import MILLION, NO, YES, ActivityType
from polyb0t.sandbox.wire import Request
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import ALICE, BOB, CONDITION, market_of, quiet_world


def told(world: World, wallet: str, query: str = "") -> list[dict[str, object]]:
    """Rows of `/v2/activity` as a client gets them."""
    world.data_lag_ms = 0
    asked = f"user={wallet}{query or '&exclude_deposits_withdrawals=false'}"
    reply = DataApi(world).activity(Request("GET", "/data/v2/activity", asked, {}, b""))
    rows: list[dict[str, object]] = json.loads(reply.body)["data"]
    return rows


def in_order(world: World) -> None:
    """No money and no share came from nowhere."""
    world.ledger.check((view.spec.condition_id, view.spec.token_ids) for view in world.markets())


class TestCredits:
    @pytest.mark.parametrize("kind", CREDITS)
    def test_it_comes_and_is_told_under_its_word(self, kind: ActivityType) -> None:
        world = quiet_world()
        before = world.balance(ALICE)
        world.credit(ALICE, kind, 3 * MILLION)
        assert world.balance(ALICE) - before == 3 * MILLION
        assert world.activity(ALICE)[0].kind is kind
        in_order(world)

    def test_a_trade_is_no_credit(self) -> None:
        with pytest.raises(UsageError):
            quiet_world().credit(ALICE, ActivityType.TRADE, MILLION)


class TestConversions:
    def test_no_of_some_markets_becomes_yes_of_the_others_and_money(self) -> None:
        world = market_of("neg_risk")
        specs = [view.spec for view in world.markets()]
        before = world.balance(ALICE)
        received = world.convert(ALICE, [specs[0].condition_id, specs[1].condition_id], 10 * MILLION)
        assert received == 10 * MILLION == world.balance(ALICE) - before
        held = [[world.balance(ALICE, token) // MILLION for token in spec.token_ids] for spec in specs]
        assert held == [[1_000, 990], [1_000, 990], [1_010, 1_000], [1_010, 1_000]]
        in_order(world)

    def test_whatever_comes_true_it_is_worth_what_it_was(self) -> None:
        for true in range(4):
            with_it, without = market_of("neg_risk"), market_of("neg_risk")
            ids = [view.spec.condition_id for view in with_it.markets()]
            with_it.convert(ALICE, ids[:3], 10 * MILLION)
            for world in (with_it, without):
                for number, condition in enumerate(ids):
                    world.resolve(condition, (MILLION, 0) if number == true else (0, MILLION))
                    world.redeem(ALICE, condition)
            assert with_it.balance(ALICE) == without.balance(ALICE)

    def test_one_row_tells_of_it_and_the_holdings_add_up_at_every_instant(self) -> None:
        world = market_of("neg_risk")
        specs = [view.spec for view in world.markets()]
        world.convert(ALICE, [specs[0].condition_id], 10 * MILLION)
        (row,) = [row for row in told(world, ALICE) if row["type"] == "CONVERSION"]
        assert (row["size"], row["usdc_size"]) == (10, 0)
        held = world.portfolio.holdings[ALICE]
        assert held[specs[0].token_ids[NO]].shares == 990 * MILLION
        assert held[specs[1].token_ids[YES]].shares == 1_010 * MILLION

    def test_a_market_that_is_no_part_of_an_event_cannot_be_converted(self) -> None:
        with pytest.raises(ConflictError):
            quiet_world().convert(ALICE, [CONDITION], MILLION)

    def test_nobody_converts_what_he_has_not(self) -> None:
        world = market_of("neg_risk")
        first = next(iter(world.markets())).spec.condition_id
        with pytest.raises(ConflictError):
            world.convert(BOB, [first], 1_001 * MILLION)


class TestActivity:
    def test_deposits_are_left_out_unless_they_are_asked_for(self) -> None:
        world = quiet_world()
        assert [row["type"] for row in told(world, ALICE)] == ["SPLIT", "DEPOSIT"]
        assert [row["type"] for row in told(world, ALICE, "&limit=9")] == ["SPLIT"]

    def test_a_redemption_names_its_outcome(self) -> None:
        world = quiet_world()
        world.resolve(CONDITION, (0, MILLION))
        world.redeem(ALICE, CONDITION)
        rows = [row for row in told(world, ALICE) if row["type"] == "REDEEM"]
        assert {(row["outcome"], row["usdc_size"]) for row in rows} == {("Yes", 0), ("No", 1000)}

    def test_only_what_happened_since_is_told(self) -> None:
        world = quiet_world()
        world.advance_to(world.now_ms + 10_000)
        world.split(ALICE, CONDITION, -MILLION)
        since = world.now_ms // 1000
        assert [row["type"] for row in told(world, ALICE, f"&start={since}")] == ["MERGE"]
        assert [row["type"] for row in told(world, ALICE, f"&end={since - 1}")] == ["SPLIT"]
