"""Every kind of market that the venue has: what it is on the wire and how it behaves."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from polyb0t.core.errors import UsageError
from polyb0t.sandbox.contracts import EXCHANGE_V3
from polyb0t.sandbox.identifiers import (
    Module,
    condition_of_position,
    event_of_position,
    long,
    position_id,
    short,
)
from polyb0t.sandbox.kinds import ANNOUNCED_MS, KINDS, cast
from polyb0t.sandbox.types import (
    MILLION,
    MarketSpec,
    NewMarket,
    OrderStatus,
    Refusal,
    TickSizeChange,
    WorldEvent,
)
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import (
    ALICE,
    BOB,
    CONDITION,
    NO_TOKEN,
    NOON_MS,
    YES_TOKEN,
    check_books,
    market_of,
    place,
    quiet_world,
)
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    world = World(start_ms=NOON_MS, seed=7, markets=2, kinds=KINDS, accounts=2)
    with running_sandbox(world=world) as running:
        yield running


def of_kind(sandbox: RunningSandbox, kind: str, place: int = 0) -> MarketSpec:
    return [view.spec for view in sandbox.world.markets() if view.spec.kind == kind][place]


def gamma(sandbox: RunningSandbox, spec: MarketSpec) -> dict[str, Any]:
    answer = httpx.get(f"{sandbox.url}/gamma/markets/{spec.gamma_id}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


class TestIdentifiers:
    def test_the_example_that_was_observed(self) -> None:
        yes = 663574927012476832975694178961957910328055987427402067619466963999000625152
        assert condition_of_position(yes) == f"0x{yes:064x}"
        assert condition_of_position(yes + 1) == condition_of_position(yes)
        assert len(short(condition_of_position(yes))) == 64
        assert long(short(condition_of_position(yes))) == condition_of_position(yes)

    def test_the_fields_lie_where_the_venue_puts_them(self) -> None:
        position = position_id(Module.NEG_RISK, (1 << 128) - 1, arity=3, index=2, outcome=1)
        assert f"{position:064x}" == "02" + "f" * 32 + "0003" + "0" * 16 + "0000" + "0002" + "01"
        assert position & (((1 << 64) - 1) << 40) == 0, "by these bits the vendor's client knows V2"
        assert event_of_position(position).endswith("000000")


def test_a_kind_that_does_not_exist_is_named() -> None:
    with pytest.raises(UsageError, match="no kind of market"):
        cast(1, NOON_MS, ["v9"])


def test_equal_seeds_cast_equal_markets() -> None:
    assert cast(3, NOON_MS) == cast(3, NOON_MS)
    assert cast(3, NOON_MS) != cast(4, NOON_MS)
    ids = [token for born in cast(3, NOON_MS) for token in born.spec.token_ids]
    assert len(set(ids)) == len(ids)


class TestProtocolV2:
    def test_the_catalogue_shows_position_ids_and_the_short_condition(self, sandbox: RunningSandbox) -> None:
        spec = of_kind(sandbox, "v2")
        row = gamma(sandbox, spec)
        assert (row["version"], row["clobTokenIds"]) == ("v2", None)
        assert row["positionIds"] == list(spec.token_ids)
        assert (len(row["conditionId"]), len(row["requestId"])) == (64, 66)
        assert row["requestId"] == f"0x{int(spec.token_ids[0]):064x}"
        assert (row["resolutionStatus"], "umaResolutionStatus" in row) == ("inactive", False)

    @pytest.mark.parametrize(
        ("path", "width", "status"),
        [
            ("/clob/clob-markets/{}", 62, 404),
            ("/clob/clob-markets/{}", 64, 200),
            ("/data/v2/resolutions?condition={}", 62, 400),
            ("/data/v2/resolutions?condition={}", 64, 200),
            ("/data/v2/trades?condition={}", 62, 200),
            ("/data/v2/trades?condition={}", 64, 200),
        ],
    )
    def test_each_door_wants_its_width(
        self, sandbox: RunningSandbox, path: str, width: int, status: int
    ) -> None:
        condition = of_kind(sandbox, "v2").condition_id[: width + 2]
        assert httpx.get(sandbox.url + path.format(condition)).status_code == status

    @pytest.mark.parametrize("width", [62, 64])
    def test_the_catalogue_finds_it_by_either_width_and_by_position(
        self, sandbox: RunningSandbox, width: int
    ) -> None:
        spec = of_kind(sandbox, "v2")
        for query in (
            f"condition_ids={spec.condition_id[: width + 2]}",
            f"position_ids={spec.token_ids[1]}",
            f"request_ids={spec.condition_id}",
        ):
            (row,) = httpx.get(f"{sandbox.url}/gamma/markets/keyset?{query}").json()["markets"]
            assert row["id"] == spec.gamma_id
        query = f"clob_token_ids={spec.token_ids[0]}"
        assert httpx.get(f"{sandbox.url}/gamma/markets/keyset?{query}").json()["markets"] == []

    def test_its_book_says_so_and_others_do_not(self, sandbox: RunningSandbox) -> None:
        asked = f"{sandbox.url}/clob/book?token_id="
        assert httpx.get(asked + of_kind(sandbox, "v2").token_ids[0]).json()["version"] == "v2"
        assert "version" not in httpx.get(asked + of_kind(sandbox, "neg_risk").token_ids[0]).json()

    def test_an_approval_of_the_older_exchanges_does_not_carry_over(self) -> None:
        (born,) = cast(1, NOON_MS, ["v2"])
        world = market_of("v2")
        world.set_allowance(ALICE, EXCHANGE_V3, 0)
        with pytest.raises(Refusal, match=EXCHANGE_V3):
            place(world, ALICE, "BUY", born.spec.token_ids[0], shares=10, price=0.4)

    def test_markets_of_one_event_share_its_id(self, sandbox: RunningSandbox) -> None:
        rows = [gamma(sandbox, of_kind(sandbox, "v2_neg_risk", place)) for place in range(3)]
        assert len({row["onchainEventId"] for row in rows}) == 1
        assert len({row["conditionId"] for row in rows}) == 3
        query = f"onchain_event_ids={rows[0]['onchainEventId']}"
        found = httpx.get(f"{sandbox.url}/gamma/markets/keyset?{query}").json()["markets"]
        assert len(found) == 3


class TestNegRisk:
    def test_an_event_has_several_markets_and_one_exchange(self, sandbox: RunningSandbox) -> None:
        spec = of_kind(sandbox, "neg_risk")
        event = httpx.get(f"{sandbox.url}/gamma/events/{spec.event_id}").json()
        assert (event["negRisk"], event["negRiskAugmented"], len(event["markets"])) == (True, False, 4)
        assert {row["negRiskMarketID"] for row in event["markets"]} == {spec.neg_risk_market_id}
        assert httpx.get(f"{sandbox.url}/clob/clob-markets/{spec.condition_id}").json()["nr"] is True

    def test_an_augmented_event_has_placeholders_that_nobody_quotes(self, sandbox: RunningSandbox) -> None:
        spec = of_kind(sandbox, "augmented")
        event = httpx.get(f"{sandbox.url}/gamma/events/{spec.event_id}").json()
        assert event["negRiskAugmented"] is True
        liquidity = {row["groupItemTitle"]: row["liquidityNum"] for row in event["markets"]}
        assert liquidity["Person A"] == liquidity["Person B"] == 0
        assert liquidity["Other"] > 0

    def test_one_outcome_of_an_event_comes_true(self) -> None:
        world = World(start_ms=NOON_MS, seed=1, markets=0, kinds=["neg_risk"], accounts=0)
        end_ms = world.markets()[0].spec.end_ms
        world.advance_to(end_ms + 1_000)
        payouts = [view.payouts_e6 for view in world.markets() if view.spec.kind]
        assert sorted(payouts, reverse=True) == [(MILLION, 0)] + [(0, MILLION)] * 3  # type: ignore[type-var]

    def test_the_prices_of_an_event_make_about_one(self, sandbox: RunningSandbox) -> None:
        mids = [
            view.best_bid_e6 + view.best_ask_e6
            for view in sandbox.world.markets()
            if view.spec.kind == "neg_risk" and view.best_bid_e6 and view.best_ask_e6
        ]
        assert 0.9 * MILLION < sum(mids) / 2 < 1.1 * MILLION


class TestTicks:
    @pytest.mark.parametrize("tick", ["0.1", "0.005", "0.0025", "0.001", "0.0001"])
    def test_every_grid_is_quoted(self, sandbox: RunningSandbox, tick: str) -> None:
        spec = of_kind(sandbox, f"tick_{tick}")
        book = httpx.get(f"{sandbox.url}/clob/book?token_id={spec.token_ids[0]}").json()
        assert book["tick_size"] == tick
        step = round(float(tick) * MILLION)
        assert all(round(float(level["price"]) * MILLION) % step == 0 for level in book["bids"])
        assert book["bids"] and book["asks"]

    def test_a_price_beyond_the_edge_makes_the_grid_finer_at_once(self) -> None:
        world = quiet_world()
        heard: list[WorldEvent] = []
        world.subscribe(heard.append)
        place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.96)
        assert world.market(CONDITION).tick_e6 == 10_000
        place(world, BOB, "SELL", YES_TOKEN, shares=10, price=0.98)
        assert world.market(CONDITION).tick_e6 == 1_000
        changes = [event for event in heard if isinstance(event, TickSizeChange)]
        assert [(one.old_tick_e6, one.new_tick_e6) for one in changes] == [(10_000, 1_000)]
        finer = place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.971, tick_e6=1_000)
        assert finer.status == "live"

    def test_orders_between_the_steps_of_a_new_grid_are_cancelled_and_paid_back(self) -> None:
        world = quiet_world(tick_e6=2_500)
        off = place(world, ALICE, "BUY", NO_TOKEN, shares=10, price=0.0275, tick_e6=2_500).order_id
        on = place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.965, tick_e6=2_500).order_id
        assert world.market(CONDITION).tick_e6 == 1_000
        assert world.order(off).status is OrderStatus.CANCELED  # type: ignore[union-attr]
        assert world.order(on).status is OrderStatus.LIVE  # type: ignore[union-attr]
        assert world.reserved(ALICE) == 9_650_000
        check_books(world)

    def test_a_coarser_grid_by_hand(self) -> None:
        world = quiet_world(tick_e6=1_000)
        off = place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.455, tick_e6=1_000).order_id
        world.set_tick(CONDITION, 10_000)
        assert world.order(off).status is OrderStatus.CANCELED  # type: ignore[union-attr]
        with pytest.raises(UsageError):
            world.set_tick(CONDITION, 30_000)

    def test_the_grid_changes_once(self) -> None:
        world = World(start_ms=NOON_MS, seed=1, markets=0, kinds=["edge"], accounts=0)
        world.step(60_000)
        assert world.markets()[0].tick_e6 == 1_000


class TestStates:
    def test_a_paused_market_refuses_orders_and_keeps_its_book(self, sandbox: RunningSandbox) -> None:
        spec = of_kind(sandbox, "paused")
        row = gamma(sandbox, spec)
        assert (row["acceptingOrders"], row["closed"]) == (False, False)
        assert sandbox.world.book(spec.token_ids[0]).bids
        with pytest.raises(Refusal, match="not yet ready"):
            place(sandbox.world, sandbox.account().wallet, "BUY", spec.token_ids[0], shares=10, price=0.1)

    def test_pausing_by_hand_leaves_orders_that_can_be_cancelled(self) -> None:
        world = quiet_world()
        resting = place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.4).order_id
        world.set_accepting(CONDITION, False)
        with pytest.raises(Refusal, match="not yet ready"):
            place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.4)
        assert world.cancel(f"key of {ALICE}", [resting]).canceled == (resting,)
        world.set_accepting(CONDITION, True)
        assert place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.4).status == "live"

    def test_resolved_markets_are_found_among_the_closed(self, sandbox: RunningSandbox) -> None:
        for kind, prices in (("resolved", '["1", "0"]'), ("resolved_half", '["0.5", "0.5"]')):
            row = gamma(sandbox, of_kind(sandbox, kind))
            assert (row["closed"], row["outcomePrices"]) == (True, prices)
            assert row["closedTime"] == row["endDate"]
        asked = (
            f"{sandbox.url}/data/v2/resolutions?condition={of_kind(sandbox, 'resolved_half').condition_id}"
        )
        (found,) = httpx.get(asked).json()["data"]
        assert (found["status"], found["payouts"]) == ("resolved", [500_000, 500_000])

    def test_a_zombie_is_active_and_long_over(self, sandbox: RunningSandbox) -> None:
        row = gamma(sandbox, of_kind(sandbox, "zombie"))
        assert (row["active"], row["closed"], row["acceptingOrders"]) == (True, False, True)
        assert (row["liquidityNum"], row["endDate"] < "2026-11-22") == (0, True)

    def test_a_new_market_is_in_the_catalogue_before_the_exchange_knows_it(self) -> None:
        world = World(start_ms=NOON_MS, seed=7, markets=0, kinds=["announced"], accounts=0)
        heard: list[WorldEvent] = []
        world.subscribe(heard.append)
        spec = world.markets()[0].spec
        assert (world.condition_of(spec.token_ids[0]), world.markets()[0].accepting) == (None, False)
        world.step(ANNOUNCED_MS)
        assert world.condition_of(spec.token_ids[0]) == spec.condition_id
        assert world.book(spec.token_ids[0]).bids
        assert [event.condition_id for event in heard if isinstance(event, NewMarket)] == [spec.condition_id]

    def test_and_until_then_its_ids_and_books_are_missing(self, sandbox: RunningSandbox) -> None:
        spec = of_kind(sandbox, "announced")
        assert gamma(sandbox, spec)["clobTokenIds"] == "[]"
        for path in (f"book?token_id={spec.token_ids[0]}", f"clob-markets/{spec.condition_id}"):
            assert httpx.get(f"{sandbox.url}/clob/{path}").status_code == 404

    def test_delays_are_told_in_the_terms(self, sandbox: RunningSandbox) -> None:
        terms = {
            kind: httpx.get(f"{sandbox.url}/clob/clob-markets/{of_kind(sandbox, kind).condition_id}").json()
            for kind in ("itode", "delayed", "v2")
        }
        assert (terms["itode"]["itode"], terms["itode"]["sd"]) == (True, 0)
        assert (terms["delayed"].get("itode"), terms["delayed"]["sd"]) == (None, 3)
        assert terms["v2"]["v"] == "v2"
