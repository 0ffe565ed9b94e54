"""A trade is matched, then mined, then confirmed; until it is mined nothing has moved."""

from pathlib import Path

import pytest

from polyb0t.core.errors import ConflictError, NotFoundError, UsageError
from polyb0t.sandbox.settlement import FEE_WALLET, Settling
from polyb0t.sandbox.types import (
    MILLION,
    ActivityType,
    MarketResolved,
    OrderEvent,
    OrderStatus,
    Refusal,
    TradeEvent,
    TradeStatus,
    WorldEvent,
)
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import (
    ALICE,
    BOB,
    CAROL,
    CONDITION,
    NO_TOKEN,
    YES_TOKEN,
    check_books,
    place,
    quiet_world,
)


def test_the_three_stages_and_what_each_moves() -> None:
    world = quiet_world()
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    done = place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    stages = []
    for wait in (0, 1_999, 1, 2_999, 1):
        world.step(wait)
        stages.append((world.trades(trade_id=done.trade_ids[0])[0].status, world.balance(BOB)))
    after = 1_000 * MILLION - 51 * MILLION  # 50 and a fee of 1
    assert stages == [
        (TradeStatus.MATCHED, 1_000 * MILLION),
        (TradeStatus.MATCHED, 1_000 * MILLION),
        (TradeStatus.MINED, after),
        (TradeStatus.MINED, after),
        (TradeStatus.CONFIRMED, after),
    ]
    assert world.balance(ALICE) == 1_050 * MILLION, "the maker pays no fee"
    assert world.balance(FEE_WALLET) == MILLION


def test_a_seller_pays_the_fee_from_the_proceeds() -> None:
    world = quiet_world()
    place(world, ALICE, "BUY", YES_TOKEN, shares=100, price=0.50)
    place(world, BOB, "SELL", YES_TOKEN, shares=100, price=0.50)
    world.step(5_000)
    assert world.balance(BOB) == 1_049 * MILLION


def test_what_was_bought_cannot_be_sold_before_it_is_mined() -> None:
    world = quiet_world()
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    with pytest.raises(Refusal, match="the balance is not enough"):
        place(world, BOB, "SELL", YES_TOKEN, shares=1_050, price=0.60)
    world.step(2_000)
    assert place(world, BOB, "SELL", YES_TOKEN, shares=1_050, price=0.60).status == "live"


def test_a_matched_outflow_is_spoken_for() -> None:
    world = quiet_world()
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    assert world.reserved(BOB) == 51 * MILLION
    assert world.reserved(ALICE, YES_TOKEN) == 100 * MILLION
    with pytest.raises(Refusal, match="sum of matched orders: 51000000"):
        place(world, BOB, "BUY", NO_TOKEN, shares=1_000, price=0.96)
    world.step(5_000)
    assert world.reserved(BOB) == world.reserved(ALICE, YES_TOKEN) == 0


def test_a_failed_trade_moves_nothing() -> None:
    world = quiet_world()
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    world.fail_next = 1
    done = place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    world.step(10_000)
    assert world.trades(trade_id=done.trade_ids[0])[0].status is TradeStatus.FAILED
    assert world.balance(BOB) == 1_000 * MILLION
    assert world.reserved(BOB) == 0
    assert [row.kind for row in world.activity(BOB)] == [ActivityType.SPLIT, ActivityType.DEPOSIT]
    check_books(world)


def statuses(heard: list[WorldEvent]) -> list[tuple[str, str]]:
    return [
        (event.trade.status, event.trade.transaction_hash) for event in heard if isinstance(event, TradeEvent)
    ]


def test_the_hash_comes_with_the_block() -> None:
    world = quiet_world()
    heard: list[WorldEvent] = []
    world.subscribe(heard.append)
    place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.50)
    done = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.50)
    assert (len(done.trade_ids), done.transaction_hashes) == (1, ())
    world.step(5_000)
    (matched, mined, confirmed) = statuses(heard)
    assert matched == ("MATCHED", "")
    assert mined == ("MINED", confirmed[1])
    assert len(confirmed[1]) == 66
    assert world.activity(BOB)[0].transaction_hash == confirmed[1]


def test_a_venue_that_knows_its_hashes_at_once() -> None:
    world = quiet_world()
    world.engine.settling = Settling(hashes_at_once=True)
    place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.50)
    (known,) = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.50).transaction_hashes
    world.step(5_000)
    assert world.trades()[0].transaction_hash == known


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_transaction_that_fails_is_sent_again_under_another_hash(attempts: int) -> None:
    world = quiet_world()
    heard: list[WorldEvent] = []
    world.subscribe(heard.append)
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    world.retry_next = attempts
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    world.step(2_000)
    assert world.trades()[0].status is TradeStatus.RETRYING
    assert (world.balance(BOB), world.reserved(BOB)) == (1_000 * MILLION, 51 * MILLION)
    world.step(3_000 * attempts + 3_000)
    assert [status for status, _ in statuses(heard)] == [
        "MATCHED",
        *["RETRYING"] * attempts,
        "MINED",
        "CONFIRMED",
    ]
    hashes = [tx for _, tx in statuses(heard)[1:]]
    assert len(set(hashes)) == attempts + 1, "the last two are one attempt"
    assert (world.balance(BOB), world.reserved(BOB)) == (949 * MILLION, 0)
    check_books(world)


def test_the_last_attempt_may_fail_too() -> None:
    world = quiet_world()
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    world.retry_next = world.fail_next = 1
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    world.step(5_000)
    assert world.trades()[0].status is TradeStatus.FAILED
    assert (world.balance(BOB), world.reserved(BOB)) == (1_000 * MILLION, 0)
    bought = world.orders(f"key of {BOB}", order_id=world.trades()[0].taker_order_id)[0]
    assert bought.matched_e6 == 100 * MILLION, "size_matched does not go back"


def test_a_resolution_does_not_wait_for_another_attempt() -> None:
    world = quiet_world()
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    world.retry_next = 2
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    world.step(2_000)
    world.resolve(CONDITION, (MILLION, 0))
    assert world.trades()[0].status is TradeStatus.MINED
    assert world.redeem(BOB, CONDITION) == 1_100 * MILLION
    world.step(60_000)
    assert world.trades()[0].status is TradeStatus.CONFIRMED


def test_a_slower_chain() -> None:
    world = quiet_world()
    world.engine.settling = Settling(mined_ms=40_000, confirmed_ms=90_000)
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    seen = []
    for wait in (39_999, 1, 49_999, 1):
        world.step(wait)
        seen.append(world.trades()[0].status)
    assert seen == ["MATCHED", "MINED", "MINED", "CONFIRMED"]


def test_what_is_on_its_way_survives_a_restart(tmp_path: Path) -> None:
    world = quiet_world()
    world.engine.settling = Settling(retry_ms=7_000, confirmed_ms=9_000)
    world.data_lag_ms = 60_000
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    world.retry_next = 1
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
    world.step(3_000)
    world.save(tmp_path / "w.json")
    loaded = World.load(tmp_path / "w.json")
    for wait, status in ((10_000, TradeStatus.MINED), (10_000, TradeStatus.CONFIRMED)):
        for each in (world, loaded):
            each.step(wait)
        assert loaded.trades() == world.trades()
        assert loaded.trades()[0].status is status
    assert loaded.state_hash() == world.state_hash()


class TestIndex:
    """The Data API knows later than the chain."""

    def test_holdings_and_activity_of_the_past(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
        place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
        before = world.now_ms
        world.step(5_000)
        assert world.positions(BOB)[0].shares_e6 == 1_100 * MILLION
        assert world.positions(BOB, before)[0].shares_e6 == 1_000 * MILLION
        assert world.positions(BOB, before - 1) == []
        assert len(world.activity(BOB)) == len(world.activity(BOB, before)) + 1

    def test_a_holding_is_what_its_activity_adds_up_to(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.40)
        place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
        place(world, ALICE, "BUY", YES_TOKEN, shares=60, price=0.55)
        world.step(5_000)
        place(world, BOB, "SELL", YES_TOKEN, shares=60, price=0.55)
        world.step(5_000)
        world.split(BOB, CONDITION, -10 * MILLION)
        world.resolve(CONDITION, (MILLION, 0))
        world.redeem(BOB, CONDITION)
        kept = world.portfolio.holdings[BOB]
        again = dict(world.portfolio.holdings_at(BOB, world.now_ms - 1))
        world.step(1)
        world.fund(BOB, MILLION)
        assert world.portfolio.holdings_at(BOB, world.now_ms - 1) == kept
        assert again[YES_TOKEN].shares == 1_040 * MILLION
        assert kept[YES_TOKEN].shares == kept[NO_TOKEN].shares == 0


def test_a_trade_names_its_makers_and_their_own_side() -> None:
    world = quiet_world()
    mint = place(world, ALICE, "BUY", NO_TOKEN, shares=10, price=0.55)
    done = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.45)
    trade = world.trades(f"key of {BOB}")[0]
    assert (trade.trade_id,) == done.trade_ids
    assert (trade.transaction_hash, done.transaction_hashes) == ("", ()), "no block, no hash"
    (maker,) = trade.maker_orders
    assert (maker.order_id, maker.owner, maker.side, maker.token_id, maker.price_e6, maker.matched_e6) == (
        mint.order_id,
        f"key of {ALICE}",
        "BUY",
        NO_TOKEN,
        550_000,
        10_000_000,
    )
    assert world.trades(f"key of {ALICE}") == world.trades(maker=ALICE) == [trade]
    assert world.trades(f"key of {CAROL}") == []
    assert world.trades(asset_id=NO_TOKEN) == [trade]
    assert world.trades(after_s=world.now_ms // 1_000 + 1) == []


def test_positions_and_activity_follow_what_is_mined() -> None:
    world = quiet_world()
    place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
    place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.60)
    assert world.positions(BOB)[0].shares_e6 == 1_000 * MILLION
    world.step(5_000)
    yes, no = world.positions(BOB)
    assert (yes.shares_e6, yes.cost_e6, yes.fees_e6) == (1_100 * MILLION, 550 * MILLION, MILLION)
    assert (no.outcome_index, no.shares_e6) == (1, 1_000 * MILLION)
    newest = world.activity(BOB)[0]
    assert (newest.kind, newest.side, newest.pusd_e6, newest.fee_e6) == (
        ActivityType.TRADE,
        "BUY",
        50 * MILLION,
        MILLION,
    )


class TestResolution:
    def test_orders_are_cancelled_trades_settle_and_winners_redeem(self) -> None:
        world = quiet_world()
        resting = place(world, CAROL, "BUY", YES_TOKEN, shares=10, price=0.10).order_id
        place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.50)
        place(world, BOB, "BUY", YES_TOKEN, shares=100, price=0.50)
        world.resolve(CONDITION, (MILLION, 0))
        assert world.order(resting).status is OrderStatus.CANCELED_MARKET_RESOLVED  # type: ignore[union-attr]
        assert world.reserved(CAROL) == 0
        view = world.market(CONDITION)
        assert (view.closed, view.accepting, view.payouts_e6) == (True, False, (MILLION, 0))
        assert world.redeem(BOB, CONDITION) == 1_100 * MILLION
        assert world.redeem(ALICE, CONDITION) == 900 * MILLION
        assert world.balance(BOB) == 949 * MILLION + 1_100 * MILLION
        assert world.activity(BOB)[0].kind is ActivityType.REDEEM
        assert world.ledger.total_pusd() == world.ledger.deposited

    def test_a_split_payout(self) -> None:
        world = quiet_world()
        world.resolve(CONDITION, (MILLION // 2, MILLION // 2))
        assert world.redeem(ALICE, CONDITION) == 1_000 * MILLION
        assert world.positions(ALICE)[0].shares_e6 == 0

    def test_what_is_refused(self) -> None:
        world = quiet_world()
        with pytest.raises(NotFoundError):
            world.resolve("0xnone", (MILLION, 0))
        with pytest.raises(UsageError):
            world.resolve(CONDITION, (MILLION, 1))
        with pytest.raises(ConflictError):
            world.redeem(ALICE, CONDITION)
        world.resolve(CONDITION, (0, MILLION))
        with pytest.raises(ConflictError):
            world.resolve(CONDITION, (0, MILLION))
        with pytest.raises(ConflictError):
            world.split(ALICE, CONDITION, MILLION)


def test_owners_hear_of_their_orders_and_trades_in_order() -> None:
    world = quiet_world()
    heard: list[WorldEvent] = []
    stop = world.subscribe(heard.append)
    sold = place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.50).order_id
    bought = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.50).order_id
    world.step(5_000)
    place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.10)
    world.resolve(CONDITION, (MILLION, 0))
    stop()
    place_after = [event for event in heard if isinstance(event, OrderEvent)]
    assert [(event.kind, event.order.order_id) for event in place_after[:3]] == [
        ("PLACEMENT", sold),
        ("PLACEMENT", bought),
        ("UPDATE", sold),
    ]
    assert place_after[-1].kind == "CANCELLATION"
    trades = [event for event in heard if isinstance(event, TradeEvent)]
    assert [event.trade.status for event in trades] == ["MATCHED", "MINED", "CONFIRMED"]
    assert trades[0].owners == (f"key of {ALICE}", f"key of {BOB}")
    assert [event.winning_token_id for event in heard if isinstance(event, MarketResolved)] == [YES_TOKEN]
