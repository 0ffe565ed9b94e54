"""The only place that joins ports to adapters: settings in, a working engine out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import OrderId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.universe import UniverseRules
from polyb0t.data.windows import OPEN, Window
from polyb0t.execution.anchor import AnchorFile
from polyb0t.execution.dispatcher import Dispatcher
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentManager, ProposingRules
from polyb0t.execution.live_executor import ExecutorSettings, LiveExecutor
from polyb0t.execution.proposing import Frame
from polyb0t.execution.reconciler import Reconciler
from polyb0t.execution.scope import Regime
from polyb0t.execution.spool import AnswerSpool
from polyb0t.execution.store import Lease, Stores
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients, parse_coefficients
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import ProbabilityModel
from polyb0t.research.observing import SeenTrade
from polyb0t.research.recorder import Recorder
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.cycle import Cycle, CycleParts
from polyb0t.runtime.desk import AccountDesk, DeskSettings
from polyb0t.runtime.executor_thread import ExecutorThread
from polyb0t.runtime.fee_watch import FeeWatch
from polyb0t.runtime.halt_file import HaltFile
from polyb0t.runtime.places import anchor_path, scope_dir
from polyb0t.runtime.resting_orders import RestingOrders
from polyb0t.runtime.snapshots import Snapshots
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.runtime.user_feed import UserFeed
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from polyb0t.venue.account import PolymarketAccount
from polyb0t.venue.account_api import AccountApi, TradingWallet
from polyb0t.venue.books import BookCache
from polyb0t.venue.buckets import Throttle
from polyb0t.venue.credentials import ApiCredentials, load_credentials
from polyb0t.venue.environment import VenueEnvironment
from polyb0t.venue.frames import LastTrade
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.http import HttpReader
from polyb0t.venue.live_books import LiveBooks
from polyb0t.venue.market_stream import MarketStream
from polyb0t.venue.markets import PolymarketMarkets, PublicAddresses
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.query import CatalogueQuery
from polyb0t.venue.signing import SigningKey
from polyb0t.venue.user_stream import UserStream
from polyb0t.venue.windows import VenueWindows

DRIFT_FRACTION = Decimal("0.02")  # a fill elsewhere moves the bankroll while a proposal waits
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
    live_executor: LiveExecutor
    agreement: Agreement
    desk: AccountDesk
    watch: MarketWatch
    stream: MarketStream
    listening: Listening | None  # to the account's socket; live only
    recorder: Recorder | None
    window: Callable[[], Window]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Account:
    """The signing side in the live regime; both are None elsewhere and nothing can be sent."""

    api: AccountApi | None = None
    gateway: OrderGateway | None = None
    throttle: Throttle | None = None  # shared by everything that asks the exchange
    windows: VenueWindows | None = None

    def window(self) -> Window:
        """Whether the exchange takes orders, as far as its answers have told."""
        return OPEN if self.windows is None else self.windows.current()


def credentials_file(settings: Settings, around: Surroundings) -> Path:
    """Beside the scope's database; `orders cancel` and `halt` read it, never the signing key."""
    return scope_dir(settings, around.scope) / "credentials.json"


def regime_of(settings: Settings) -> Regime:
    """What the settings ask for."""
    if settings.mode == "paper":
        return Regime.PAPER
    return Regime.DRY_RUN if settings.dry_run else Regime.LIVE


def risk_limits(settings: Settings) -> RiskLimits:
    """The settings' share of the limits; the rest stands at its default."""
    return replace(
        RiskLimits(),
        order_fraction=settings.max_order_fraction,
        order_max_pusd=settings.max_order_pusd,
        market_fraction=settings.max_market_fraction,
        total_fraction=settings.max_exposure_fraction,
        edge_min=settings.min_edge,
        spread_max=settings.max_spread,
        hours_to_end_min=Decimal(settings.min_hours_to_end),
        drift_fraction=DRIFT_FRACTION,
    )


def universe_rules(settings: Settings) -> UniverseRules:
    """Which markets are watched."""
    denied = frozenset(settings.deny)
    return UniverseRules(
        least_liquidity_pusd=settings.min_liquidity_pusd,
        most_spread=settings.max_spread,
        least_hours_to_end=Decimal(settings.min_hours_to_end),
        most_days_to_end=Decimal(settings.max_days_to_end),
        categories=frozenset(settings.categories),
        denied_slugs=denied,
        denied_tags=denied,
        denied_patterns=tuple(f"*{part}*" for part in settings.deny),
    )


def probability_model(settings: Settings) -> ProbabilityModel:
    """The one model of this version: published coefficients, or a file of the user's own.

    Raises:
        ConfigurationError: the file cannot be read or is not what it should be.
    """
    path = settings.model_file
    if path is None:
        return MarketCalibrationModel(packaged_coefficients())
    try:
        coefficients = parse_coefficients(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError, ConfigurationError) as error:
        raise ConfigurationError(
            f"Not started: POLYBOT_MODEL_FILE names {path}, which cannot be used.",
            why=error.why if isinstance(error, ConfigurationError) else f"{error}.",
            do="Correct it, or leave the setting out to use the published coefficients.",
            code="model_file",
        ) from None
    # Only a test on own data validates; what a file says of itself does not count.
    return MarketCalibrationModel(replace(coefficients, validated=False))


def fee_lookup(stores: Stores) -> Callable[[OrderId], FeeSchedule]:
    """The schedule under which an order's intent was proposed. It never changes, so it is read once."""

    @lru_cache(maxsize=10_000)
    def fee_of(order_id: OrderId) -> FeeSchedule:
        intent = stores.intents.get(stores.orders.order(order_id).intent_id).intent
        return FeeSchedule(intent.fee_rate or ZERO, intent.fee_exponent or Decimal(1))

    return fee_of


def build_account(
    around: Surroundings, stores: Stores, credentials: ApiCredentials, key: SigningKey | None, clock: Clock
) -> Account:
    """The account at the exchange; without `key` it reads and cancels but cannot sign."""
    owner = credentials.address
    wallet = TradingWallet(around.wallet, owner, around.signature_type)
    throttle, windows = Throttle(clock), VenueWindows(clock)
    reader = HttpReader(clock, sandbox=around.environment.is_sandbox, throttle=throttle)
    api = AccountApi(
        around.environment.clob_url,
        wallet,
        credentials,
        reader=reader,
        one_shot=OneShot(clock),
        clock=clock,
        throttle=throttle,
    )
    gateway = PolymarketGateway(
        around.environment,
        api,
        OneShot(clock),
        fee_of=fee_lookup(stores),
        key=key,
        throttle=throttle,
        windows=windows,
    )
    return Account(api, gateway, throttle, windows)


def stored_account(settings: Settings, around: Surroundings, stores: Stores, clock: Clock) -> Account:
    """For commands that cancel: with the stored credentials, without any signing key.

    `Account.gateway` is None where no credentials are stored.
    """
    credentials = load_credentials(credentials_file(settings, around))
    if credentials is None:
        return Account()
    return build_account(around, stores, credentials, None, clock)


def trade_recording(recorder: Recorder | None, clock: Clock) -> Callable[[LastTrade], None]:
    """What a trade on the market socket becomes."""

    def traded(trade: LastTrade) -> None:
        if recorder is not None:
            recorder.traded(
                SeenTrade(
                    trade.asset_id,
                    trade.price,
                    trade.shares,
                    trade.taker_side,
                    trade.venue_time,
                    clock.now(),
                )
            )

    return traded


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
    reader = HttpReader(clock, sandbox=environment.is_sandbox, throttle=account.throttle or Throttle(clock))
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
    on_trade = trade_recording(recorder, clock)
    stream = MarketStream(environment.market_ws_url, cache, clock, on_trade=on_trade)
    books = LiveBooks(cache, markets, clock, max_age_seconds=BOOK_AGE_SECONDS)
    watch = MarketWatch(
        markets,
        books,
        stream,
        clock,
        WatchSettings(universe_rules(settings), settings.market_refresh_seconds),
    )
    provider = PolymarketAccount(environment, around.wallet, reader=reader, clock=clock, api=account.api)
    desk = AccountDesk(stores, watch, clock, _desk_settings(settings, regime, environment))
    in_flight = InFlight()
    folder = scope_dir(settings, around.scope)
    halt_file = HaltFile(folder / "HALT").present
    spool = AnswerSpool(folder / "spool")
    reconciler = Reconciler(
        stores,
        lease,
        account.gateway,
        held_shares=provider.held_shares,
        clock=clock,
        in_flight=in_flight,
        cash=provider.cash_pusd,
        halt_file=halt_file,
        spool=spool,
    )
    agreement = Agreement(reconciler, clock, settings.reconcile_seconds)
    live_executor = LiveExecutor(
        stores,
        lease,
        gateway=account.gateway,
        books=watch,
        situation=desk,
        clock=clock,
        settings=ExecutorSettings(regime),
        halt_file=halt_file,
        in_flight=in_flight,
        spool=spool,
        anchor=AnchorFile(anchor_path(settings, around.scope), stores.engine).advance,
        follow=agreement.follow,
    )
    thread = ExecutorThread(
        Dispatcher(live_executor, stores.intents, clock),
        agreement,
        settings.execution_poll_seconds,
        takes_orders=lambda: account.window().takes_orders,
    )
    manager = IntentManager(
        stores.intents,
        ProposingRules(edge_min=settings.min_edge, grace_seconds=settings.execution_grace_seconds),
    )

    def frame() -> Frame:
        return Frame(around.scope, regime, stores.intents.now(), settings.intent_expiry_seconds)

    cancels = RestingOrders(stores, lease, watch, manager, frame, settings.cancel_expiry_seconds)
    cycle = Cycle(
        CycleParts(
            stores=stores,
            lease=lease,
            clock=clock,
            watch=watch,
            account=provider,
            desk=desk,
            model=probability_model(settings),
            manager=manager,
            frame=frame,
            agreement=agreement,
            takes_orders=lambda: account.window().takes_orders,
            snapshots=Snapshots(stores.engine, lease, clock),
            wake_executor=thread.wake,
            propose_cancels=cancels.propose,
            compare_fees=FeeWatch(stores, lease).observe,
            record=lambda: recorder.observe(watch.observation()) if recorder is not None else None,
        )
    )

    listening = None
    if account.api is not None:
        feed = UserFeed(partial(FillIntake, stores, lease, in_flight), agreement)
        user_stream = UserStream(
            environment.user_ws_url, account.api.credentials, feed, clock, fee_of=fee_lookup(stores)
        )
        listening = Listening(user_stream, feed)

    def close() -> None:
        if listening is not None:
            listening.close()
        if recorder is not None:
            recorder.close()
        stream.close()
        reader.close()

    return Engine(
        cycle,
        thread,
        live_executor,
        agreement,
        desk,
        watch,
        stream,
        listening,
        recorder,
        account.window,
        close,
    )


def _desk_settings(settings: Settings, regime: Regime, environment: VenueEnvironment) -> DeskSettings:
    return DeskSettings(
        limits=risk_limits(settings),
        regime=regime,
        pretend_cash_pusd=Pusd(settings.bankroll_pusd),
        allow_unvalidated=settings.allow_unvalidated_model or regime is not Regime.LIVE,
        identity_proven=environment.is_sandbox,  # the real venue's proof comes with `doctor`
        prompts_per_hour=settings.prompts_per_hour,
        orders_per_hour=settings.orders_per_hour,
        most_waiting=settings.most_waiting,
        cooldown_seconds=settings.cooldown_seconds,
        spender_of=lambda market: environment.exchange(market.version, neg_risk=market.neg_risk).contract,
    )
