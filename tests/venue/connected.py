"""A gateway connected to a running sandbox as its first practice account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import Price, Pusd, Shares, from_e6
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.sandbox.types import BookView
from polyb0t.venue.account_api import AccountApi, TradingWallet
from polyb0t.venue.credentials import ApiCredentials, obtain_credentials
from polyb0t.venue.environment import VenueEnvironment, fetch_sandbox_environment
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.signing import SigningKey
from tests.support.sandbox import RunningSandbox
from tests.support.trader import tradable_book
from tests.venue.intents import an_intent

FEE = FeeSchedule(Decimal("0.05"), Decimal(1))


@dataclass
class Connected:
    sandbox: RunningSandbox
    environment: VenueEnvironment
    credentials: ApiCredentials
    api: AccountApi
    one_shot: OneShot
    reader: HttpReader
    gateway: PolymarketGateway
    clock: Clock
    wallet: Wallet
    fee: FeeSchedule

    def now(self) -> datetime:
        return self.clock.now()

    def book(self) -> BookView:
        return tradable_book(self.sandbox)

    def intent(self, **changes: object) -> TradeIntent:
        """A taker BUY of 10 pUSD three cents above the best ask of a tradable book."""
        book = self.book()
        market = self.sandbox.world.market(self.sandbox.world.condition_of(book.token_id) or "")
        tick = Price(from_e6(market.spec.tick_e6))
        worst = Price(from_e6(book.asks[-1][0]) + Decimal("0.03"))
        wanted = {
            "scope": f"sandbox:137:{self.wallet}:{self.environment.world_id}",
            "condition_id": ConditionId(market.spec.condition_id),
            "asset_id": AssetId(book.token_id),
            "tick": tick,
            "worst_price": worst,
            "least_shares": None,
            "amount": Pusd(Decimal(10)),
            "neg_risk": market.spec.neg_risk,
            "created_at": self.now(),
        }
        return an_intent(**(wanted | changes))

    def resting(self, **changes: object) -> TradeIntent:
        """A GTC BUY of 10 shares far below the market."""
        low = Price(Decimal("0.05"))
        base = {
            "order_type": OrderType.GTC,
            "amount": None,
            "shares": Shares(Decimal(10)),
            "worst_price": low,
        }
        return self.intent(**(base | changes))

    def selling(self, shares: str, **changes: object) -> TradeIntent:
        """A taker SELL at three cents or better: it fills."""
        base = {
            "side": Side.SELL,
            "amount": None,
            "shares": Shares(Decimal(shares)),
            "worst_price": Price(Decimal("0.03")),
        }
        return self.intent(**(base | changes))


def _fee_of(sandbox: RunningSandbox) -> FeeSchedule:
    """The schedule of the market that the tests trade on."""
    condition = sandbox.world.condition_of(tradable_book(sandbox).token_id) or ""
    spec = sandbox.world.market(condition).spec
    return FeeSchedule(Decimal(spec.fee_rate), Decimal(spec.fee_exponent))


@contextmanager
def connected(sandbox: RunningSandbox, *, account: int = 0, budget: float = 10.0) -> Iterator[Connected]:
    clock = SystemClock()
    environment = fetch_sandbox_environment(sandbox.url, clock)
    practice = environment.accounts[account]
    key = SigningKey(practice.key)
    wallet = TradingWallet(practice.wallet, key.address, practice.signature_type)
    one_shot = OneShot(clock, budget_seconds=budget)
    credentials = obtain_credentials(one_shot, environment.clob_url, key, chain_id=137, at=clock.now())
    with HttpReader(clock, limits=ReadLimits(attempts=1), sandbox=True) as reader:
        api = AccountApi(
            environment.clob_url, wallet, credentials, reader=reader, one_shot=one_shot, clock=clock
        )
        fee = _fee_of(sandbox)
        gateway = PolymarketGateway(environment, api, one_shot, fee_of=lambda _order: fee, key=key)
        yield Connected(
            sandbox, environment, credentials, api, one_shot, reader, gateway, clock, practice.wallet, fee
        )
    one_shot.close()
