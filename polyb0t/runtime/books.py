"""The account's books while an engine runs: what is held is marked, and the equity with it."""

from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.account_state import AccountState
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import FINAL_FILL, Fill
from polyb0t.execution.books import Opening
from polyb0t.execution.orders import UNRESOLVED_ORDER
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.store import Stores
from polyb0t.models.bookkeeping import Ledger, ledger_of, opening_of, unexplained
from polyb0t.models.equity import AccountHealth, health
from polyb0t.models.marks import Mark, Marks
from polyb0t.models.portfolio import FillKey, Position, portfolio_of
from polyb0t.models.reckoning import Reckoning
from polyb0t.runtime.movements import MovementReader
from polyb0t.runtime.watching import MarketWatch

NOTHING: Final = Pusd(ZERO)


class AccountBooks:
    """Refreshed each cycle and after each fill; others read what that left, which is replaced whole."""

    def __init__(
        self,
        stores: Stores,
        lease: Lease,
        regime: Regime,
        watch: MarketWatch,
        clock: Clock,
        *,
        reader: MovementReader | None = None,
        pretend_pusd: Pusd = NOTHING,
    ) -> None:
        """`reader` only where a wallet is traded; `pretend_pusd` is the cash of a dry run."""
        self._stores, self._lease, self._regime = stores, lease, regime
        self._watch, self._clock = watch, clock
        self._reader, self._pretend = reader, pretend_pusd
        self._unexplained = NOTHING
        self._lock = Lock()
        self._reckoning = Reckoning()
        self.marks = Marks()
        self.health: AccountHealth | None = None  # None: not known yet
        self.outside_pusd = NOTHING  # cash that came in unexplained: no bankroll of ours

    def start_with(self, marks: Mapping[AssetId, Mark]) -> None:
        """What the engine before this one saw last is older now and still a price."""
        self.marks = Marks(dict(marks))

    @property
    def problem(self) -> str:
        """Why cash may stay unexplained, in one sentence; empty where nothing is in the way."""
        return "" if self._reader is None else self._reader.problem

    def refresh(self, account: AccountState | None, settled: Collection[FillKey]) -> None:
        """See how the account stands. `settled` are the fills that were known to be on chain before
        `account` was read.

        Raises:
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        with self._lock:
            fills = self._stores.orders.fills()
            opening = self._opening(account, fills)
            if opening is None:
                self.health = None
                return
            booked = self._stores.books.movements()
            self._compare(account, opening, fills, booked, settled)
            self.health = self._look(account, self._ledger(opening, fills, booked))

    def read_movements(self) -> None:
        """Ask what moved the wallet, when it is due; the cycle alone calls it.

        Raises:
            DatabaseError, LeaseLostError: our own rows could not be read or written.
        """
        opening = self._stores.books.opening(self._regime)
        if self._reader is not None and opening is not None:
            fills = self._stores.orders.fills()
            self._reader.read_when_due(opening, fills, wondering=bool(self._unexplained))

    def _opening(self, account: AccountState | None, fills: Sequence[Fill]) -> Opening | None:
        known = self._stores.books.opening(self._regime)
        if known is not None:
            return known
        pusd: Pusd | None = self._pretend
        if self._regime is not Regime.DRY_RUN:
            cash = None if account is None else account.cash_pusd
            pusd = None if cash is None else opening_of(cash, fills)
        return None if pusd is None else self._stores.books.open_books(self._regime, pusd, self._lease)

    def _ledger(self, opening: Opening, fills: Sequence[Fill], booked: Sequence[Booked]) -> Ledger:
        """In a dry run the cash is pretended; another bankroll than before is money that was moved."""
        if self._regime is not Regime.DRY_RUN:
            return ledger_of(opening.pusd, fills, booked, self._reckoning)
        portfolio = portfolio_of(fills, starting_cash=NOTHING, booked=booked)
        return Ledger(self._pretend, Pusd(self._pretend - opening.pusd), portfolio)

    def _compare(
        self,
        account: AccountState | None,
        opening: Opening,
        fills: Sequence[Fill],
        booked: Sequence[Booked],
        settled: Collection[FillKey],
    ) -> None:
        """The balance against the books, where something of ours under way does not blur it."""
        if self._regime is not Regime.LIVE or account is None or account.cash_pusd is None:
            return
        apart = unexplained(account.cash_pusd, opening.pusd, fills, booked, settled)
        self.outside_pusd = Pusd(max(ZERO, apart))
        under_way = any(fill.status not in FINAL_FILL for fill in fills)
        if not under_way and not self._stores.orders.orders(statuses=tuple(UNRESOLVED_ORDER), limit=1):
            self._unexplained = apart

    def _look(self, account: AccountState | None, ledger: Ledger) -> AccountHealth:
        held = ledger.portfolio.held()
        assets = [position.asset_id for position in held]
        self._watch.hold(assets)
        self.marks = self.marks.after(self._seen(account, held), assets)
        stale = self.marks.stale(assets, self._clock.now())
        equity = Pusd(ledger.cash + self.marks.value(held))
        marks = self._stores.books.mark(self._regime, equity, ledger.flows, self._lease, sure=not stale)
        return health(marks, equity, self._clock.now(), unexplained=self._unexplained, stale_seconds=stale)

    def _seen(self, account: AccountState | None, held: Sequence[Position]) -> dict[AssetId, Mark]:
        """Bids of now; where a market was resolved, what it pays."""
        seen: dict[AssetId, Mark] = {}
        for position in held:
            book = self._watch.book(position.asset_id)
            if book is not None and book.best_bid is not None:
                seen[position.asset_id] = Mark(book.best_bid, book.observed_at)
        for each in (account.positions or ()) if account is not None else ():
            if each.redeemable and each.current_price is not None:
                seen[each.asset_id] = Mark(each.current_price, self._clock.now(), final=True)
        return seen
