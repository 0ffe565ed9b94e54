"""An engine as it runs: the product's executor and reconciler over one slot and one line."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId, ConditionId, IntentId
from polyb0t.core.units import Price, Pusd, Shares, floor_to, from_e6
from polyb0t.data.markets import FeeSchedule, Outcome
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.anchor import AnchorFile
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentStatus, IntentType, OrderType, TradeIntent
from polyb0t.execution.live_executor import ExecutorSettings, LiveExecutor
from polyb0t.execution.reconciler import Reconciler, ReconcileReport
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.spool import AnswerSpool
from polyb0t.models.limits import RiskLimits
from polyb0t.venue.account_api import AccountApi, TradingWallet
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.windows import VenueWindows
from tests.faults.exchange import ASK, BID, Exchange, credentials, known_environment, signing_key
from tests.faults.line import Line, LineOneShot, LineReader
from tests.faults.machine import Slot
from tests.support.builders import a_close, an_intent
from tests.support.trading import FakeSituation, a_market

FEE = FeeSchedule(Decimal("0.04"), Decimal(1))
TOLERANT = RiskLimits(
    collar_pusd=Decimal(1), collar_fraction=Decimal(1), spread_max=Decimal(1), edge_suspicious=Decimal(1)
)
S = IntentStatus


@dataclass
class Books:
    """The exchange's book as this process sees it; somebody may have moved since."""

    exchange: Exchange
    clock: Clock
    stale: OrderBook | None = None

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        if self.stale is not None and self.stale.asset_id == asset_id:
            return self.stale
        return self.exchange.book(self.clock, asset_id)  # type: ignore[arg-type]


@dataclass
class Process:
    """One engine. What it holds in memory dies with it."""

    slot: Slot
    line: Line
    clock: Clock
    name: str
    folder: Path  # where anchor and spool of this scope lie
    halted: bool = False
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        self.stores = self.slot.stores
        self.lease = self._acquire()
        self.in_flight = InFlight()
        self.spool = AnswerSpool(self.folder / "spool")
        self.anchor = AnchorFile(self.folder / "anchor.json", self.stores.engine)
        self.windows = VenueWindows(self.clock)
        self.gateway = gateway_over(self.line, self.clock, self.windows)
        self.books = Books(self.line.exchange, self.clock)
        situation = FakeSituation(self.stores, self.clock)
        spec = self.line.exchange.spec
        end = self.clock.now() + timedelta(days=20)
        situation.market = a_market(
            end_date=end, outcomes=(Outcome("Yes", AssetId(spec.token_ids[0])), Outcome("No", AssetId("2")))
        )
        situation.changes = {"limits": TOLERANT}
        self.reconciler = Reconciler(
            self.stores,
            self.lease,
            self.gateway,
            held_shares=self._held,
            clock=self.clock,
            in_flight=self.in_flight,
            cash=self._cash,
            halt_file=lambda: self.halted,
            spool=self.spool,
        )
        self.executor = LiveExecutor(
            self.stores,
            self.lease,
            gateway=self.gateway,
            books=self.books,
            situation=situation,
            clock=self.clock,
            settings=ExecutorSettings(Regime.LIVE),
            halt_file=lambda: self.halted,
            in_flight=self.in_flight,
            spool=self.spool,
            anchor=self._advance,
            follow=self.reconciler.follow,
        )

    def execute(self, intent_id: IntentId) -> None:
        self.executor.execute(intent_id)

    def turn(self) -> ReconcileReport:
        """One turn of the loop: beat, expire, execute what waits, reconcile."""
        waiting = self.stores.intents.list(statuses=(S.PENDING, S.APPROVED, S.EXECUTING))
        if waiting:
            self.stores.engine.beat(self.lease, cycle=1)
            self.stores.intents.expire_due(self.lease)
        for record in waiting:
            cancels = record.intent.intent_type is IntentType.CANCEL_ORDER
            if cancels or (record.status is S.APPROVED and self.windows.current().takes_orders):
                self.executor.execute(record.id)
        return self.reconciler.run()

    def _advance(self) -> None:
        self.slot.points.reach("before the anchor")
        self.anchor.advance()
        self.slot.points.reach("after the anchor")

    def _cash(self) -> Pusd | None:
        exchange = self.line.exchange
        return Pusd(from_e6(exchange.world.balance(exchange.wallet)))

    def _held(self, asset_id: AssetId) -> Shares | None:
        exchange = self.line.exchange
        return Shares(from_e6(exchange.world.balance(exchange.wallet, asset_id)))

    def _acquire(self) -> Lease:
        """The lease, from whoever held it: the caller knows that it is gone or silent."""
        info = self.stores.engine.lease_info("engine")
        lease = self.stores.engine.acquire(
            "engine",
            holder=f"host:{self.name}",
            boot_id="boot",
            process_started=self.name,
            regime=Regime.LIVE,
            take_over_from=info.token if info is not None else None,
        )
        assert isinstance(lease, Lease), lease
        return lease


def gateway_over(line: Line, clock: Clock, windows: VenueWindows | None = None) -> PolymarketGateway:
    key, there = signing_key(), known_environment()
    wallet = TradingWallet(key.address, key.address, 0)
    ours = credentials()
    keys = ApiCredentials(key.address, ours.api_key, ours.secret, ours.passphrase)
    one_shot = LineOneShot(line)
    api = AccountApi(there.clob_url, wallet, keys, reader=LineReader(line), one_shot=one_shot, clock=clock)
    return PolymarketGateway(there, api, one_shot, fee_of=lambda _order: FEE, key=key, windows=windows)


def buying(exchange: Exchange, clock: Clock, scope: str, **changes: object) -> TradeIntent:
    """A taker BUY of 10 pUSD at two cents over the offer."""
    worst = from_e6(ASK) + Decimal("0.02")
    base: dict[str, object] = {
        **_common(exchange, clock, scope),
        "worst_price": Price(worst),
        "least_shares": Shares(floor_to(Decimal(10) / worst, Decimal("0.01"))),
        "max_cost": Pusd(Decimal("10.4")),
    }
    return an_intent(**{**base, **changes})


def resting(exchange: Exchange, clock: Clock, scope: str, **changes: object) -> TradeIntent:
    """A BUY of 20 shares below the house's bid: it rests."""
    base: dict[str, object] = {
        "order_type": OrderType.GTC,
        "amount": None,
        "least_shares": None,
        "shares": Shares(Decimal(20)),
        "worst_price": Price(from_e6(BID) - Decimal("0.01")),
        "max_cost": Pusd(Decimal("9.4")),
    }
    return buying(exchange, clock, scope, **{**base, **changes})


def selling(exchange: Exchange, clock: Clock, scope: str, **changes: object) -> TradeIntent:
    """A taker SELL of 15 shares at two cents under the bid."""
    worst = Price(from_e6(BID) - Decimal("0.02"))
    base = {**_common(exchange, clock, scope), "worst_price": worst, "shares": Shares(Decimal(15))}
    return a_close(**{**base, **changes})


def _common(exchange: Exchange, clock: Clock, scope: str) -> dict[str, object]:
    return {
        "scope": scope,
        "condition_id": ConditionId(exchange.spec.condition_id),
        "asset_id": AssetId(exchange.token),
        "fee_rate": FEE.rate,
        "fee_exponent": FEE.exponent,
        "created_at": clock.now(),
    }


__all__ = ["Process", "Side", "buying", "gateway_over", "resting", "selling"]
