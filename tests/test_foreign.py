"""What somebody else did with the wallet: shown, counted as money at risk, never touched, never taken for ours."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.cli.render_orders import foreign_orders
from polyb0t.core.ids import AssetId, ConditionId, OrderId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.account_state import AccountOrder, AccountPosition, AccountState
from polyb0t.data.fills import FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.foreign import foreign_in
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.runtime.foreign import CONFIRMED_FOR_SECONDS, READS_AT_ONCE, ConfirmedAccount
from polyb0t.runtime.holdings import read_holdings
from tests.support.builders import NOW, WALLET, a_fill, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.test_cycle import Desk

THEIRS = AssetId("9")
OURS = AssetId("1")


def D(text: str) -> Decimal:
    return Decimal(text)


def a_position(asset: AssetId = THEIRS, shares: str = "100", **changes: Any) -> AccountPosition:
    position = AccountPosition(
        asset_id=asset,
        condition_id=ConditionId("0x9"),
        outcome_label="Yes",
        question="Will it rain?",
        shares=Shares(D(shares)),
        average_price=Price(D("0.4")),
        current_price=Price(D("0.5")),
        redeemable=False,
    )
    return replace(position, **changes)


def an_order(asset: AssetId = THEIRS, **changes: Any) -> AccountOrder:
    order = AccountOrder(
        order_id=OrderId("0x" + "77" * 32),
        condition_id=ConditionId("0x9"),
        asset_id=asset,
        side=Side.BUY,
        price=Price(D("0.2")),
        original_shares=Shares(D("50")),
        matched_shares=Shares(D("10")),
        status="LIVE",
    )
    return replace(order, **changes)


def an_account(*positions: AccountPosition, orders: tuple[AccountOrder, ...] = ()) -> AccountState:
    return AccountState(Wallet(WALLET), NOW, positions, Pusd(D("10000")), {}, orders, {})


def found(account: AccountState, **ours: Any) -> Any:
    return foreign_in(account, **{"ours": (), "held": {}, "unresolved": (), **ours})


class TestWhatIsForeign:
    def test_a_position_that_no_fill_of_ours_made_is(self) -> None:
        assert found(an_account(a_position())).positions == (a_position(),)

    def test_of_an_asset_that_we_hold_too_only_what_is_beyond_ours(self) -> None:
        foreign = found(an_account(a_position(shares="100")), held={THEIRS: Shares(D("60"))})
        assert [position.shares for position in foreign.positions] == [D("40")]

    @pytest.mark.parametrize("shares", ["60", "60.5", "12"])
    def test_rounding_and_lag_beside_our_own_lots_are_nobodys(self, shares: str) -> None:
        assert not found(an_account(a_position(shares=shares)), held={THEIRS: Shares(D("60"))}).positions

    def test_what_we_sold_is_not_foreign_because_the_index_is_late_within_dust(self) -> None:
        assert not found(an_account(a_position(shares="0.4")), held={THEIRS: Shares(D("0"))}).positions

    def test_an_order_of_ours_is_not(self) -> None:
        account = an_account(orders=(an_order(),))
        assert found(account).orders == (an_order(),)
        assert not found(account, ours={an_order().order_id}).orders

    def test_nothing_is_on_an_asset_where_an_order_of_ours_has_no_proven_end(self) -> None:
        foreign = found(an_account(a_position(), orders=(an_order(),)), unresolved={THEIRS})
        assert (foreign.orders, foreign.positions) == ((), ())

    def test_nothing_is_known_without_an_account(self) -> None:
        assert foreign_in(None, ours=(), held={}, unresolved=()).cost_pusd == 0


class TestWhatItRisks:
    @pytest.mark.parametrize(
        ("changes", "cost"),
        [
            ({}, "40"),
            ({"average_price": None}, "50"),
            ({"average_price": None, "current_price": None}, "100"),
            ({"redeemable": True}, "0"),
        ],
        ids=["its cost", "its price", "one pUSD a share", "nothing more"],
    )
    def test_a_position(self, changes: dict[str, Any], cost: str) -> None:
        assert found(an_account(a_position(**changes))).cost_pusd == D(cost)

    def test_an_order_to_buy_risks_what_it_may_still_pay(self) -> None:
        assert found(an_account(orders=(an_order(),))).cost_pusd == D("8")

    def test_an_order_to_sell_risks_nothing(self) -> None:
        assert found(an_account(orders=(an_order(side=Side.SELL),))).cost_pusd == 0


class Ledger:
    """The index and the exchange's ledger behind it, with what was asked."""

    def __init__(self, *positions: AccountPosition, held: dict[str, str] | None = None) -> None:
        self.state = an_account(*positions)
        self.held = held or {}
        self.asked: list[str] = []

    def read(self) -> AccountState:
        return self.state

    def held_shares(self, asset_id: AssetId) -> Shares | None:
        self.asked.append(asset_id)
        return Shares(D(self.held[asset_id])) if asset_id in self.held else None


class TestConfirming:
    """The public index is minutes late: it says what to ask about, the exchange's ledger says how much."""

    def confirmed(
        self, ledger: Ledger, own: dict[AssetId, Shares] | None = None, clock: FakeClock | None = None
    ) -> ConfirmedAccount:
        return ConfirmedAccount(ledger, lambda: own or {}, clock or FakeClock())

    def shares(self, account: ConfirmedAccount) -> list[Decimal]:
        return [position.shares for position in account.read().positions or ()]

    def test_the_ledgers_figure_counts(self) -> None:
        assert self.shares(self.confirmed(Ledger(a_position(), held={THEIRS: "70"}))) == [D("70")]

    def test_what_the_ledger_does_not_have_is_not_there(self) -> None:
        assert self.shares(self.confirmed(Ledger(a_position(), held={THEIRS: "0"}))) == []

    def test_a_ledger_that_cannot_be_read_proves_nothing(self) -> None:
        assert self.shares(self.confirmed(Ledger(a_position()))) == [D("100")]

    def test_our_own_lots_are_not_asked_about_here(self) -> None:
        ledger = Ledger(a_position(), held={THEIRS: "70"})
        assert self.shares(self.confirmed(ledger, own={THEIRS: Shares(D("100"))})) == [D("100")]
        assert ledger.asked == []

    def test_it_is_asked_again_after_a_while_or_when_the_index_changes(self) -> None:
        ledger, clock = Ledger(a_position(), held={THEIRS: "70"}), FakeClock()
        account = self.confirmed(ledger, clock=clock)
        account.read()
        account.read()
        assert ledger.asked == [THEIRS]
        ledger.state, ledger.held = an_account(a_position(shares="90")), {THEIRS: "90"}
        assert self.shares(account) == [D("90")]
        clock.advance(seconds=CONFIRMED_FOR_SECONDS)
        account.read()
        assert ledger.asked == [THEIRS] * 3

    def test_a_wallet_full_of_positions_is_confirmed_little_by_little(self) -> None:
        many = [a_position(AssetId(str(number))) for number in range(READS_AT_ONCE + 2)]
        ledger = Ledger(*many, held={position.asset_id: "70" for position in many})
        account = self.confirmed(ledger)
        assert self.shares(account).count(D("70")) == READS_AT_ONCE
        assert self.shares(account).count(D("70")) == READS_AT_ONCE + 2

    def test_outside_the_live_regime_nothing_is_asked(self) -> None:
        ledger = Ledger(a_position(), held={THEIRS: "70"})
        ledger.state = replace(ledger.state, open_orders=None)
        assert self.shares(self.confirmed(ledger)) == [D("100")]
        assert ledger.asked == []


class TestInTheEngine:
    def test_it_counts_as_exposure_and_under_the_claims_locks(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, regime=Regime.LIVE).desk
        desk.observe(an_account(), frozenset())
        assert desk.desk().exposure.total == 0  # type: ignore[union-attr]
        assert desk.claim_limits(an_intent()).held_cost_pusd == 0
        desk.observe(an_account(a_position(), orders=(an_order(),)), frozenset())
        assert desk.desk().exposure.total == D("48")  # type: ignore[union-attr]
        assert desk.claim_limits(an_intent()).held_cost_pusd == D("48")

    def test_a_dry_runs_money_is_pretended_so_the_wallets_real_positions_are_not_counted(
        self, tmp_path: Path
    ) -> None:
        desk = Desk(tmp_path).desk
        desk.observe(an_account(a_position()), frozenset())
        assert desk.desk().exposure.total == 0  # type: ignore[union-attr]

    def test_our_own_purchase_is_never_foreign_while_it_is_under_way(self, tmp_path: Path) -> None:
        """Its answer was lost: that the index shows 20 shares is the first sign that it was filled."""
        room = Desk(tmp_path, regime=Regime.LIVE)
        order = self.sent(room, status=OrderStatus.UNKNOWN)
        seen = an_account(a_position(order.asset_id, shares="20"))
        room.stores.engine.save_account_state(seen, room.lease)
        assert read_holdings(room.stores).foreign == ()

    def test_a_purchase_of_ours_that_is_over_leaves_only_the_rest_foreign(self, tmp_path: Path) -> None:
        room = Desk(tmp_path, regime=Regime.LIVE)
        order = self.sent(room, status=OrderStatus.MATCHED)
        fill = a_fill(order.id, asset_id=OURS, status=FillStatus.CONFIRMED)
        room.stores.orders.record_fills(order.id, [fill], room.lease)
        room.stores.orders.settle(order.id, room.lease, status=OrderStatus.FILLED, code="accepted", detail="")
        room.stores.engine.save_account_state(an_account(a_position(OURS, shares="25")), room.lease)
        holdings = read_holdings(room.stores)
        assert [holding.position.shares for holding in holdings.ours] == [D("20")]
        assert [position.shares for position in holdings.foreign] == [D("5")]

    def sent(self, room: Desk, *, status: OrderStatus) -> OrderRecord:
        """An order of ours on OURS that stands so."""
        intent = an_intent(asset_id=OURS)
        stores = room.stores
        assert isinstance(stores.intents.propose(intent, room.lease), IntentRecord)
        stores.intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
        claimed = stores.intents.claim(intent.id, room.lease, Regime.LIVE, wide_limits())
        assert isinstance(claimed, IntentRecord), claimed
        order = stores.intents.permit(an_order_for(intent), room.lease, post_budget_seconds=10)
        assert isinstance(order, OrderRecord), order
        return stores.orders.settle(order.id, room.lease, status=status, code="x", detail="")


class TestOnTheScreen:
    def test_orders_of_somebody_else_stand_under_a_heading_of_their_own(self) -> None:
        lines = foreign_orders([an_order()], 80)
        assert lines[1] == "Not from polyb0t: counted, never touched"
        assert "BUY 50.00 sh at 20.0¢, 10.00 matched" in lines[2]

    def test_without_any_there_is_no_heading(self) -> None:
        assert foreign_orders([], 80) == []
