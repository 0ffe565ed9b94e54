"""A paper engine on simulated time: the same parts as `runtime.wiring` joins, without anything that calls.

Nothing here knows an exchange, a key or the user's database. What it can reach is a history, a database of
its own that is made for this run, and the files of fitted models.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from polyb0t.config.settings import Settings
from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId, IntentId, Wallet
from polyb0t.core.units import Price, Pusd, Shares, from_e6
from polyb0t.data.account_state import AccountStateProvider
from polyb0t.execution.dispatcher import Dispatcher
from polyb0t.execution.executor import Executor, Preparing
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import PAPER_WALLET, REPLAY_WORLD, Lease, Regime, Scope
from polyb0t.execution.store import Stores
from polyb0t.models.opening import Openings
from polyb0t.models.signals import ProbabilityModel, model_id
from polyb0t.research.replay.events import Traded
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.books import AccountBooks
from polyb0t.runtime.choices import (
    declared_links,
    desk_settings,
    remembering,
    switch_thresholds,
    universe_rules,
)
from polyb0t.runtime.cycle import Cycle, CycleParts
from polyb0t.runtime.desk import AccountDesk, DeskSettings
from polyb0t.runtime.paper import PaperSide, build_paper, open_account
from polyb0t.runtime.price_histories import shown_to
from polyb0t.runtime.proposals_side import Ground, build_proposals
from polyb0t.runtime.replay.clock import SimulatedClock
from polyb0t.runtime.replay.ids import seeded_ids
from polyb0t.runtime.replay.inline import Inline
from polyb0t.runtime.replay.past_markets import PastMarkets
from polyb0t.runtime.snapshots import Snapshots
from polyb0t.runtime.switch_watch import Gauges, SwitchWatch, accord_of, by_present_marks, under_peak
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from polyb0t.venue.environment import POLYMARKET

REGIME = Regime.PAPER


def replay_scope(venue: str) -> Scope:
    """A database of a replay belongs to nobody's wallet."""
    return Scope(venue, POLYMARKET.chain_id, Wallet(PAPER_WALLET), REPLAY_WORLD)


@dataclass(frozen=True, slots=True)
class ReplayEngine:
    """What the loop drives."""

    cycle: Cycle
    dispatcher: Dispatcher
    crashes: "Crashes"
    agreement: Agreement
    books: AccountBooks
    desk: AccountDesk
    paper: PaperSide
    watch: MarketWatch
    stores: Stores
    lease: Lease


@dataclass
class Crashes:
    """An executor that keeps what goes wrong in it: a dispatcher logs that and tries again, as it should
    with an exchange, and a result of which nobody knew would be none."""

    executor: Executor
    errors: list[Exception] = field(default_factory=list)

    @property
    def stopped(self) -> str | None:
        return self.executor.stopped

    def execute(self, intent_id: IntentId) -> IntentRecord:
        try:
            return self.executor.execute(intent_id)
        except Exception as error:
            self.errors.append(error)
            raise


def build_replay(
    settings: Settings,
    stores: Stores,
    past: PastMarkets,
    clock: SimulatedClock,
    model: ProbabilityModel,
    *,
    seed: int,
    tell_openings: Callable[[Openings], None],
) -> ReplayEngine:
    """Join everything and open the account. Calls nobody."""
    lease = _lease(stores)
    open_account(settings, stores, lease)
    watch = MarketWatch(past, past, past, clock, _watch_settings(settings), outside=lambda: past)
    books = AccountBooks(stores, lease, REGIME, watch, clock)
    desk = AccountDesk(
        stores,
        watch,
        clock,
        _desk_settings(settings, model),
        outside=lambda: books.outside_pusd,
        usual_spread=lambda condition: switches.usual_spread(condition),  # noqa: PLW0108 - made below
        drawdown=lambda: under_peak(books.health, stores.books.marks(REGIME)),
    )
    in_flight = InFlight()
    paper = build_paper(
        settings,
        stores,
        lease,
        watch,
        clock=clock,
        in_flight=in_flight,
        resolutions=past,
        halt_file=lambda: False,
    )
    past.timeline.heard = partial(_heard, paper)
    agreement = Agreement(paper.keeper, clock, settings.reconcile_seconds)
    preparing = Preparing(stores, lease, REGIME, watch, desk, lambda: False)
    executor = Crashes(paper.executor(preparing, in_flight, clock))
    dispatcher = Dispatcher(executor, stores.intents, clock, pool=Inline)
    ground = Ground(
        settings=settings,
        regime=REGIME,
        stores=stores,
        lease=lease,
        clock=clock,
        watch=watch,
        desk=desk,
        model=model,
        lookup=past,
        ask=past.books,
        resolutions=past,
        may_propose=lambda: agreement.agreed,
        take_back=paper.take_back,
        new_id=seeded_ids(seed).__next__,
    )
    switches = SwitchWatch(
        stores.switches,
        clock,
        switch_thresholds(settings),
        Gauges(
            newest_price=past.newest_price,
            watched=lambda: watch.states(clock.now()),
            health=lambda: by_present_marks(books.health, stores.books.marks(REGIME)),
            accord=lambda: accord_of(agreement.last, agreement.age_seconds),
        ),
        clock.awake_seconds,
    )
    cycle = Cycle(
        replace(
            _cycle_parts(ground, agreement, paper.account),
            refresh_books=books.refresh,
            remember=shown_to(remembering(model), watch, clock),
            watch_switches=switches.look,
            tell_openings=tell_openings,
        )
    )
    return ReplayEngine(cycle, dispatcher, executor, agreement, books, desk, paper, watch, stores, lease)


def _cycle_parts(ground: Ground, agreement: Agreement, account: AccountStateProvider) -> CycleParts:
    """What proposes. The loop begins what is due after each cycle, so nobody is woken."""
    proposals = build_proposals(ground)
    return CycleParts(
        stores=ground.stores,
        lease=ground.lease,
        clock=ground.clock,
        watch=ground.watch,
        account=account,
        desk=ground.desk,
        model=ground.model,
        manager=proposals.manager,
        frame=ground.frame,
        agreement=agreement,
        snapshots=Snapshots(ground.stores.engine, ground.lease, ground.clock),
        wake_executor=lambda: None,
        propose_exits=proposals.exits.propose,
        propose_cancels=proposals.cancel,
        price_proposals=proposals.prices.look,
    )


def _watch_settings(settings: Settings) -> WatchSettings:
    return WatchSettings(universe_rules(settings), settings.market_refresh_seconds, declared_links(settings))


def _desk_settings(settings: Settings, model: ProbabilityModel) -> DeskSettings:
    """The limits of the settings, and the model of this replay in place of the engine's."""
    known = desk_settings(settings, REGIME, POLYMARKET)
    return replace(known, book=replace(known.book, active_model=model_id(model.name, model.version)))


def _lease(stores: Stores) -> Lease:
    taken = stores.engine.acquire(
        "engine", holder="replay", boot_id="replay", process_started="replay", regime=REGIME
    )
    assert isinstance(taken, Lease), "a new database has no other engine"
    return taken


def _heard(paper: PaperSide, trade: Traded) -> None:
    """A trade of others, at its own instant: an order that came to rest after it is not filled by it."""
    paper.exchange.traded(
        AssetId(trade.asset),
        Price(from_e6(trade.price_e6)),
        Shares(from_e6(trade.shares_e6)),
        from_microseconds(trade.at_us),
    )


def cash_of(engine: ReplayEngine) -> Pusd:
    """The account's cash now."""
    return engine.paper.account.portfolio().cash
