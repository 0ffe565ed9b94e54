"""The books of a run, joined: what it is asked about, and the prices of the engine before it."""

from collections.abc import Callable

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.cash_flows import MovementSource
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.store import Stores
from polyb0t.runtime.books import AccountBooks
from polyb0t.runtime.choices import regime_of
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.movements import MovementReader, WalletSources
from polyb0t.runtime.watching import MarketWatch


def account_books(
    settings: Settings,
    stores: Stores,
    lease: Lease,
    watch: MarketWatch,
    clock: Clock,
    *,
    movements: MovementSource,
    held_shares: Callable[[AssetId], Shares | None],
) -> AccountBooks:
    """The books of this run; the wallet's movements are read where a wallet is traded."""
    regime = regime_of(settings)

    def event_of(condition: ConditionId) -> str | None:
        market = watch.market(condition)
        return None if market is None else market.event_id

    sources = WalletSources(movements, held_shares, event_of)
    reader = MovementReader(stores, lease, clock, sources) if regime is Regime.LIVE else None
    pretend = Pusd(settings.bankroll_pusd)
    books = AccountBooks(stores, lease, regime, watch, clock, reader=reader, pretend_pusd=pretend)
    books.start_with(read_facts(stores.engine.lease_info("engine")).last_marks())
    return books
