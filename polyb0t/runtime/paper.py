"""What a paper run has in place of an account at the exchange."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import AssetId, IntentId, OrderId
from polyb0t.core.units import Pusd
from polyb0t.data.resolutions import ResolutionSource
from polyb0t.db.decisions import PAPER_ENGINE
from polyb0t.execution.executor import Preparing
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.paper import PaperExecutor
from polyb0t.execution.paper_account import PaperAccount, PaperKeeper
from polyb0t.execution.paper_exchange import PaperExchange
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.store import Stores
from polyb0t.runtime.choices import decides_itself
from polyb0t.runtime.watching import MarketWatch
from polyb0t.venue.frames import LastTrade

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PaperSide:
    """The simulated account, its exchange and who looks after both."""

    account: PaperAccount
    exchange: PaperExchange
    keeper: PaperKeeper
    delay_of: Callable[[TradeIntent], float]

    def seen(self, trade: LastTrade) -> None:
        """A trade of others on the market's socket."""
        if trade.shares is not None:  # of unknown size it fills nothing
            self.exchange.traded(trade.asset_id, trade.price, trade.shares, self.keeper.clock.now())

    def take_back(self, order_id: OrderId, why: str) -> None:
        """A resting order leaves the simulated book; one that is not in it any more has ended already."""
        self.exchange.cancel(order_id, code="taken_back", detail=why)

    def executor(self, preparing: Preparing, in_flight: InFlight, clock: Clock) -> PaperExecutor:
        return PaperExecutor(preparing, in_flight, self.exchange, clock, delay_of=self.delay_of)


def build_paper(
    settings: Settings,
    stores: Stores,
    lease: Lease,
    watch: MarketWatch,
    *,
    clock: Clock,
    in_flight: InFlight,
    resolutions: ResolutionSource,
    halt_file: Callable[[], bool],
) -> PaperSide:
    """Join it. Starts nothing and writes nothing."""

    def opposite(intent: TradeIntent) -> AssetId | None:
        market = watch.market(intent.condition_id)
        return None if market is None else market.opposite(intent.asset_id).asset_id

    def delay_of(intent: TradeIntent) -> float:
        terms = watch.terms(intent.condition_id)
        held = terms.taker_delay_seconds if terms is not None and not intent.post_only else 0
        return settings.paper_delay_seconds + held

    account = PaperAccount(stores, clock)
    exchange = PaperExchange(stores, lease, in_flight, opposite)
    keeper = PaperKeeper(
        stores,
        lease,
        account,
        exchange,
        in_flight,
        clock,
        resolutions,
        watch.book,
        halt_file,
        settings.reconcile_seconds,
        settings.cancel_on_halt,
    )
    return PaperSide(account, exchange, keeper, delay_of)


def open_account(settings: Settings, stores: Stores, lease: Lease) -> Pusd:
    """Open the account with the bankroll at its first start; what it was opened with.

    The setting of a later start changes nothing: money that comes from nowhere would be a result.
    """
    return stores.books.open_books(Regime.PAPER, Pusd(settings.bankroll_pusd), lease).pusd


def own_decisions(settings: Settings, stores: Stores, regime: Regime) -> Callable[[], object]:
    """What decides in place of a person: in paper, unless it is switched off; nowhere else."""
    if regime is not Regime.PAPER or not decides_itself(settings):
        return lambda: None
    return PaperDecisions(stores, settings.execution_grace_seconds).decide


@dataclass(frozen=True, slots=True)
class PaperDecisions:
    """Approves what a paper run proposed, as `engine:paper`. The store refuses that actor elsewhere."""

    stores: Stores
    grace_seconds: float

    def decide(self) -> int:
        """Approve everything that waits; how many were. Raises DatabaseError."""
        waiting = self.stores.intents.list(statuses=(IntentStatus.PENDING,), limit=None)
        return sum(self._approve(record.id, record.digest) for record in reversed(waiting))

    def _approve(self, intent_id: IntentId, digest: str) -> bool:
        try:
            self.stores.intents.approve(
                intent_id, digest=digest, actor=PAPER_ENGINE, grace_seconds=self.grace_seconds
            )
        except ConflictError as error:  # decided meanwhile, too late, or trading is halted
            log.info("paper.not_approved", intent_id=intent_id, code=error.code, why=error.why)
            return False
        return True
