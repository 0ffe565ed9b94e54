"""The only place that joins ports to adapters: settings in, a working engine out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.data.account_state import AccountStateProvider
from polyb0t.data.order_book import OrderBook
from polyb0t.data.windows import Window
from polyb0t.execution.absence import ProofTimes
from polyb0t.execution.anchor import AnchorFile
from polyb0t.execution.dispatcher import Dispatcher
from polyb0t.execution.executor import Executor, Preparing
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.live_executor import ExecutorSettings
from polyb0t.execution.reconciler import Reconciler
from polyb0t.execution.scope import Regime
from polyb0t.execution.skew import Clocks, VenueSkew
from polyb0t.execution.spool import AnswerSpool
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.coherence import CoherenceModel
from polyb0t.research.recorder import Recorder
from polyb0t.runtime.account import Account, fee_lookup
from polyb0t.runtime.agreement import Agreement, Comparing
from polyb0t.runtime.bookkeeping import account_books
from polyb0t.runtime.books import AccountBooks
from polyb0t.runtime.choices import (
    declared_links,
    desk_settings,
    probability_model,
    regime_of,
    remembering,
    switch_thresholds,
    universe_rules,
)
from polyb0t.runtime.clock_alarm import ClockAlarm
from polyb0t.runtime.coherence_watch import CoherenceWatch
from polyb0t.runtime.cycle import Cycle, CycleParts
from polyb0t.runtime.desk import AccountDesk
from polyb0t.runtime.executor_thread import ExecutorThread
from polyb0t.runtime.executors import Sending, build_executor
from polyb0t.runtime.feature_watch import FeatureWatch
from polyb0t.runtime.fee_watch import FeeWatch
from polyb0t.runtime.foreign import ConfirmedAccount, own_shares
from polyb0t.runtime.halt_file import HaltFile
from polyb0t.runtime.outside_source import OutsideNotes, OutsideSource, most_age, places_of
from polyb0t.runtime.own_voices import OwnVoices
from polyb0t.runtime.paper import build_paper, own_decisions
from polyb0t.runtime.places import anchor_path, scope_dir
from polyb0t.runtime.price_histories import PriceHistories, shown_to
from polyb0t.runtime.proposals_side import Ground, build_proposals
from polyb0t.runtime.rotating import Rotation, rotation_of
from polyb0t.runtime.settling_door import build_settling
from polyb0t.runtime.snapshots import Snapshots
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.runtime.switch_watch import Gauges, SwitchWatch, accord_of, by_present_marks, under_peak
from polyb0t.runtime.user_feed import UserFeed
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from polyb0t.runtime.withdrawing import cancelling_at
from polyb0t.venue.account import PolymarketAccount
from polyb0t.venue.activity import PolymarketActivity
from polyb0t.venue.books import BookCache
from polyb0t.venue.buckets import Throttle
from polyb0t.venue.call_counts import CallCounts
from polyb0t.venue.frames import LastTrade
from polyb0t.venue.http import HttpReader
from polyb0t.venue.live_books import LiveBooks
from polyb0t.venue.market_stream import MarketStream
from polyb0t.venue.markets import PolymarketMarkets, PublicAddresses
from polyb0t.venue.past_markets import PolymarketPrices
from polyb0t.venue.query import CatalogueQuery
from polyb0t.venue.resolutions import PolymarketResolutions
from polyb0t.venue.user_stream import UserStream
from polyb0t.venue.venue_time import TIME_LIMITS, venue_second

BOOK_AGE_SECONDS = 12.0  # younger than the 15 s that a signal trusts, so that a cycle finds them fresh


@dataclass(frozen=True, slots=True)
class Listening:
    """The account's socket and what stores its news; polling stays the truth."""

    stream: UserStream
    feed: UserFeed

    def start(self) -> None:
        self.feed.start()
        self.stream.start()

    def close(self) -> None:
        self.stream.close()
        self.feed.close()


@dataclass(frozen=True, slots=True)
class Engine:
    """What a running engine consists of; `service` starts and stops it."""

    cycle: Cycle
    executor: ExecutorThread
    trader: Executor
    agreement: Agreement
    desk: AccountDesk
    watch: MarketWatch
    stream: MarketStream
    listening: Listening | None  # to the account's socket; live only
    recorder: Recorder | None
    window: Callable[[], Window]
    close: Callable[[], None]
    switches: SwitchWatch
    books: AccountBooks
    live_book: Callable[[AssetId], OrderBook | None]  # as the stream tells it, else as last read
    rotation: Rotation | None = None  # of the API credentials; live only
    outside: OutsideSource | None = None  # probabilities of others
    histories: PriceHistories | None = None  # for a model that needs the past of prices


def to_all(listeners: Sequence[Callable[[LastTrade], None]]) -> Callable[[LastTrade], None]:
    """Tells each of them in turn, also those that come later."""

    def told(trade: LastTrade) -> None:
        for listener in listeners:
            listener(trade)

    return told


def build_engine(
    settings: Settings,
    around: Surroundings,
    stores: Stores,
    lease: Lease,
    *,
    account: Account,
    clock: Clock,
) -> Engine:
    """Join everything. Starts no thread and makes no call."""
    regime = regime_of(settings)
    environment = around.environment
    thresholds = switch_thresholds(settings)
    calls = account.calls or CallCounts(clock, float(thresholds.api_window_seconds))
    throttle = account.throttle or Throttle(clock)
    reader = HttpReader(clock, on_call=calls.counted, sandbox=environment.is_sandbox, throttle=throttle)
    markets = PolymarketMarkets(
        reader,
        clock,
        addresses=PublicAddresses(environment.gamma_url, environment.clob_url),
        query=CatalogueQuery(
            least_liquidity_pusd=settings.min_liquidity_pusd,
            most_days_to_end=settings.max_days_to_end,
            most_markets=settings.max_markets,
        ),
    )
    cache = BookCache(clock)
    recorder = None
    if settings.record:
        folder = scope_dir(settings, around.scope) / "record"
        recorder = Recorder(folder, clock, retention_days=settings.record_retention_days)
    on_trade: list[Callable[[LastTrade], None]] = []
    stream = MarketStream(environment.market_ws_url, cache, clock, on_trade=to_all(on_trade))
    books = LiveBooks(cache, markets, clock, max_age_seconds=BOOK_AGE_SECONDS)
    outside = OutsideSource(
        places_of(settings, clock), clock, most_age(settings), settings.independent_read_seconds
    )
    watch = MarketWatch(
        markets,
        books,
        stream,
        clock,
        WatchSettings(universe_rules(settings), settings.market_refresh_seconds, declared_links(settings)),
        outside=lambda: outside.views,
    )
    said = OwnVoices(CoherenceModel(declared_links(settings)))
    recording = None if recorder is None else FeatureWatch(watch, recorder, clock, said)
    if recording is not None:
        on_trade.append(recording.traded)
    resolutions = PolymarketResolutions(environment.data_url, reader)
    provider: AccountStateProvider
    real = PolymarketAccount(environment, around.wallet, reader=reader, clock=clock, api=account.api)
    kept = account_books(
        settings,
        stores,
        lease,
        watch,
        clock,
        movements=PolymarketActivity(environment, around.wallet, reader),
        held_shares=real.held_shares,
    )
    time_reader = HttpReader(
        clock, limits=TIME_LIMITS, on_call=calls.counted, sandbox=environment.is_sandbox, throttle=throttle
    )
    clocks = Clocks(clock)
    if regime is Regime.LIVE:  # the others send nothing that the exchange's clock could refuse
        theirs = VenueSkew(clock, lambda: venue_second(time_reader, environment.clob_url))
        clocks = Clocks(clock, theirs, ClockAlarm(stores, lease).heard)
    desk = AccountDesk(
        stores,
        watch,
        clock,
        desk_settings(settings, regime, environment, signature_type=around.signature_type),
        outside=lambda: kept.outside_pusd,
        shares_allowed=real.share_allowances,
        usual_spread=lambda condition: switches.usual_spread(condition),  # noqa: PLW0108 - made below
        clocks=clocks,
        drawdown=lambda: under_peak(kept.health, stores.books.marks(regime)),
    )
    provider = ConfirmedAccount(real, lambda: own_shares(desk.portfolio()), clock)
    in_flight = InFlight()
    folder = scope_dir(settings, around.scope)
    halt_file = HaltFile(folder / "HALT").present
    spool = AnswerSpool(folder / "spool")
    comparing: Comparing
    comparing = Reconciler(
        stores,
        lease,
        account.gateway,
        held_shares=real.held_shares,
        clock=clock,
        in_flight=in_flight,
        cash=real.cash_pusd,
        halt_file=halt_file,
        spool=spool,
        cancel_on_halt=settings.cancel_on_halt,
        times=ProofTimes(settings.proof_delay_seconds, settings.proof_apart_seconds),
        resolved=resolutions.resolved,
    )
    paper = None
    if regime is Regime.PAPER:
        paper = build_paper(
            settings,
            stores,
            lease,
            watch,
            clock=clock,
            in_flight=in_flight,
            resolutions=resolutions,
            halt_file=halt_file,
        )
        provider, comparing = paper.account, paper.keeper
        on_trade.append(paper.seen)
    agreement = Agreement(comparing, clock, settings.reconcile_seconds)
    permits = Lock()
    executor = build_executor(
        Preparing(stores, lease, regime, watch, desk, halt_file, permits),
        in_flight,
        clock,
        Sending(
            account.gateway,
            ExecutorSettings(regime, settings.post_budget_seconds),
            spool,
            AnchorFile(anchor_path(settings, around.scope), stores.engine).advance,
            agreement.follow,
        ),
        paper,
    )
    thread = ExecutorThread(
        Dispatcher(executor, stores.intents, clock),
        agreement,
        settings.execution_poll_seconds,
        window=account.window,
        ready=lambda: desk.account is not None,
    )
    ground = Ground(
        settings=settings,
        regime=regime,
        stores=stores,
        lease=lease,
        clock=clock,
        watch=watch,
        desk=desk,
        model=probability_model(settings),
        lookup=markets,
        ask=markets.books,
        resolutions=resolutions,
        may_propose=lambda: agreement.agreed and account.window().takes_orders,
        take_back=paper.take_back if paper else cancelling_at(account.gateway, stores, agreement.follow),
    )
    proposals = build_proposals(ground)
    settling = build_settling(
        settings, around, stores, lease, watch=watch, lookup=markets, frame=ground.frame, clock=clock
    )
    desk.frozen_events = lambda: settling.frozen
    switches = SwitchWatch(
        stores.switches,
        clock,
        thresholds,
        Gauges(
            newest_price=lambda: cache.statistics().newest_confirmation,
            watched=lambda: watch.states(clock.now()),
            hosts=calls.hosts,
            health=lambda: by_present_marks(kept.health, stores.books.marks(regime)),
            accord=lambda: accord_of(agreement.last, agreement.age_seconds),
        ),
    )
    heard = OutsideNotes(outside, stores.engine, lease)
    remembers, histories = remembering(ground.model), None
    readers = [reader, time_reader]
    if remembers is not None:
        # Its calls are not counted: a history that cannot be read silences that model and stops no trading.
        readers.append(HttpReader(clock, sandbox=environment.is_sandbox, throttle=throttle))
        prices = PolymarketPrices(environment.data_url, readers[-1])
        histories = PriceHistories(remembers, prices, clock, watch.note_again)
    coherence = CoherenceWatch(CoherenceModel(declared_links(settings)), stores.engine, lease, clock)
    cycle = Cycle(
        CycleParts(
            stores=stores,
            lease=lease,
            clock=clock,
            watch=watch,
            account=provider,
            desk=desk,
            model=ground.model,
            manager=proposals.manager,
            frame=ground.frame,
            agreement=agreement,
            takes_orders=lambda: account.window().takes_orders,
            snapshots=Snapshots(stores.engine, lease, clock),
            wake_executor=thread.wake,
            propose_exits=proposals.exits.propose,
            propose_cancels=proposals.cancel,
            propose_claims=settling.propose if regime is Regime.LIVE else int,
            refresh_books=kept.refresh,
            read_movements=kept.read_movements,
            watch_switches=switches.look,
            watch_coherence=lambda: coherence.look(watch.states(clock.now())),
            watch_outside=lambda: heard.look(watch.listed(), clock.now()),
            price_proposals=proposals.prices.look,
            compare_fees=FeeWatch(stores, lease).observe if paper is None else lambda _state: None,
            decide_by_itself=own_decisions(settings, stores, regime),
            remember=shown_to(remembers, watch, clock),
            record=recording.record if recording is not None else lambda: None,
        )
    )

    listening, rotation = None, None
    if account.api is not None:
        feed = UserFeed(partial(FillIntake, stores, lease, in_flight), agreement)
        user_stream = UserStream(
            environment.user_ws_url, account.api.credentials, feed, clock, fee_of=fee_lookup(stores)
        )
        listening = Listening(user_stream, feed)
        rotation = rotation_of(
            settings, around, stores, account, clock=clock, permits=permits, swapped=user_stream.use
        )

    settling.parts.hints.wake = lambda: cycle.begin_now()  # noqa: PLW0108 - who runs it says how, later

    def close() -> None:
        settling.close()
        outside.close()
        if histories is not None:
            histories.close()
        if listening is not None:
            listening.close()
        if recorder is not None:
            recorder.close()
        stream.close()
        for each in readers:
            each.close()

    return Engine(
        cycle,
        thread,
        executor,
        agreement,
        desk,
        watch,
        stream,
        listening,
        recorder,
        account.window,
        close,
        switches,
        kept,
        lambda asset_id: cache.get(asset_id) or watch.book(asset_id),
        rotation=rotation,
        outside=outside,
        histories=histories,
    )
