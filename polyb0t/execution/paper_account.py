"""The simulated account: opened once with the bankroll, and from then on what its rows say.

Nothing of it lives in memory only. Cash is the opening, what fills paid and brought, and what resolved
markets paid; a restart reads the same rows and has the same account.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, OrderId, Wallet
from polyb0t.core.units import ZERO, Price, Pusd, Shares, floor_e6
from polyb0t.data.account_state import AccountOrder, AccountPosition, AccountState
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.data.order_book import OrderBook
from polyb0t.data.resolutions import ResolutionSource
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.interrupted import end_interrupted
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.paper_exchange import PaperExchange
from polyb0t.execution.reconciler import ReconcileReport
from polyb0t.execution.scope import PAPER_WALLET, Lease, Regime
from polyb0t.execution.store import Stores
from polyb0t.models.kill_switches import Stance, stance_of
from polyb0t.models.portfolio import Portfolio, Position
from polyb0t.models.reckoning import Reckoning

log = structlog.get_logger(__name__)

NOT_ASKED: Final = "A simulated account has none."


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """`data.account_state.AccountStateProvider` of a paper scope. Reads rows, asks no exchange."""

    stores: Stores
    clock: Clock
    _reckoning: Reckoning = field(default_factory=Reckoning)
    _names: dict[AssetId, tuple[str, str]] = field(default_factory=dict)  # what an asset is called stays so

    def read(self) -> AccountState:
        """Raises DatabaseError."""
        portfolio = self.portfolio()
        orders = self.stores.orders.orders(statuses=(OrderStatus.LIVE,), limit=None)
        return AccountState(
            wallet=Wallet(PAPER_WALLET),
            observed_at=self.clock.now(),
            positions=tuple(self._position(position) for position in portfolio.held()),
            cash_pusd=portfolio.cash,
            allowances_pusd=None,
            open_orders=tuple(_open(order) for order in orders),
            missing={"allowances_pusd": NOT_ASKED},
        )

    def portfolio(self) -> Portfolio:
        """All of the account, from its rows. Raises DatabaseError."""
        booked = self.stores.books.movements()  # first: a payout that comes meanwhile is seen next time
        opening = self.stores.books.opening(Regime.PAPER)
        fills = self.stores.orders.fills()
        return self._reckoning.of(fills, opening.pusd if opening else Pusd(ZERO), booked)

    def cash_pusd(self) -> Pusd | None:
        return self.portfolio().cash

    def held_shares(self, asset_id: AssetId) -> Shares | None:
        position = self.portfolio().positions.get(asset_id)
        return Shares(ZERO) if position is None else position.shares

    def _position(self, position: Position) -> AccountPosition:
        label, question = self._name(position.asset_id)
        return AccountPosition(
            asset_id=position.asset_id,
            condition_id=position.condition_id,
            outcome_label=label,
            question=question,
            shares=position.shares,
            average_price=position.average_cost,
            current_price=None,
            redeemable=False,
        )

    def _name(self, asset_id: AssetId) -> tuple[str, str]:
        """Its outcome and its question, as the intent behind its first fill has them."""
        known = self._names.get(asset_id)
        if known is not None:
            return known
        first = next((fill for fill in self.stores.orders.fills() if fill.asset_id == asset_id), None)
        if first is None:
            return "", ""
        intent = self.stores.intents.get(self.stores.orders.order(first.order_id).intent_id).intent
        return self._names.setdefault(asset_id, (intent.outcome_label, intent.question))


@dataclass
class PaperKeeper:
    """What reconciliation is to a real account: interrupted steps are ended, resting orders meet the
    market, and resolved markets pay."""

    stores: Stores
    lease: Lease
    account: PaperAccount
    exchange: PaperExchange
    in_flight: InFlight
    clock: Clock
    resolutions: ResolutionSource
    book_of: Callable[[AssetId], OrderBook | None]
    halt_file: Callable[[], bool]
    ask_seconds: float  # between two questions for results
    cancel_on_halt: bool = True
    _asked_at: float | None = None

    def run(self) -> ReconcileReport:
        """One pass. Results that cannot be read are alerts: they stop nothing, and are asked for again.

        Raises:
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        interrupted = end_interrupted(self.stores, self.lease, self.in_flight)
        self.exchange.finish_interrupted()
        if self.cancel_on_halt and self._halted():
            self._cancel_all("Trading is halted.")
        resting = self.exchange.tend(self.book_of)
        return ReconcileReport(
            alerts=tuple(self._pay_when_due()), open_orders=resting, interrupted=interrupted
        )

    def follow(self, order_id: OrderId) -> None:
        """Nothing: what became of an order was written by the thread that placed it."""

    def _halted(self) -> bool:
        return self.halt_file() or stance_of(self.stores.switches.list()) is Stance.HALTED

    def _cancel_all(self, why: str, *, of: frozenset[AssetId] | None = None) -> None:
        for order in self.stores.orders.orders(statuses=(OrderStatus.LIVE,), limit=None):
            if of is None or order.asset_id in of:
                self.exchange.cancel(order.id, detail=why)

    def _pay_when_due(self) -> Iterable[str]:
        now = self.clock.boot_seconds()
        if self._asked_at is not None and now - self._asked_at < self.ask_seconds:
            return ()
        self._asked_at = now
        try:
            self.pay_out()
        except VenueUnreachableError as error:
            return (f"Which markets are resolved could not be read. {error.what}",)
        return ()

    def pay_out(self) -> int:
        """Book what resolved markets pay for what is held; how many positions were paid.

        Raises:
            VenueUnreachableError: results could not be read. DatabaseError, LeaseLostError: not written.
        """
        live = self.stores.orders.orders(statuses=(OrderStatus.LIVE,), limit=None)
        held = self.account.portfolio().held()
        asked = sorted({*(order.asset_id for order in live), *(position.asset_id for position in held)})
        pays = self.resolutions.resolved(asked) if asked else {}
        self._cancel_all("The market is resolved.", of=frozenset(pays))
        held = self.account.portfolio().held()  # again: an order may have filled meanwhile
        paid = [
            self._payout(position, pays[position.asset_id]) for position in held if position.asset_id in pays
        ]
        for booked in paid:
            log.info("paper.paid", asset_id=booked.movement.asset_id, pusd=str(booked.movement.pusd))
        if paid:
            self.stores.books.record_movements(paid, self.lease)
        return len(paid)

    def _payout(self, position: Position, pays: Price) -> Booked:
        """All shares of one outcome, at once; less than a millionth is lost, as on the chain."""
        pusd = Pusd(floor_e6(position.shares * pays))
        movement = Movement(
            kind=MovementKind.REDEEM.value,
            at=self.stores.intents.now(),
            transaction_hash=f"paper-{position.asset_id}",
            pusd=pusd,
            shares=position.shares,
            condition_id=position.condition_id,
            asset_id=position.asset_id,
        )
        return Booked(movement, (Taken(position.asset_id, position.shares, pusd),))


def _open(order: OrderRecord) -> AccountOrder:
    return AccountOrder(
        order_id=order.id,
        condition_id=order.condition_id,
        asset_id=order.asset_id,
        side=order.side,
        price=order.price,
        original_shares=order.shares,
        matched_shares=order.filled_shares,
        status="LIVE",
    )
