"""The account at the exchange: who signs, who may cancel, and which fee an order was proposed under."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from polyb0t.config.settings import Settings
from polyb0t.core.clock import Clock
from polyb0t.core.ids import OrderId
from polyb0t.core.units import ZERO
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.windows import OPEN, Window
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.store import Stores
from polyb0t.runtime.places import scope_dir
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.account_api import AccountApi, TradingWallet
from polyb0t.venue.buckets import Throttle
from polyb0t.venue.call_counts import CallCounts
from polyb0t.venue.credentials import ApiCredentials, load_credentials
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.http import HttpReader
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.signing import SigningKey
from polyb0t.venue.wallets import is_session_key
from polyb0t.venue.windows import VenueWindows

FeeOf = Callable[[OrderId], FeeSchedule]


@dataclass(frozen=True, slots=True)
class Account:
    """The signing side in the live regime; both are None elsewhere and nothing can be sent."""

    api: AccountApi | None = None
    gateway: OrderGateway | None = None
    throttle: Throttle | None = None  # shared by everything that asks the exchange
    windows: VenueWindows | None = None
    calls: CallCounts | None = None  # of everything above
    key: SigningKey | None = None  # shows nothing of itself
    closing: tuple[Callable[[], None], ...] = ()

    def close(self) -> None:
        """Give the connections back."""
        for each in self.closing:
            each()

    def window(self) -> Window:
        """Whether the exchange takes orders, as far as its answers have told."""
        return OPEN if self.windows is None else self.windows.current()


def credentials_file(settings: Settings, around: Surroundings) -> Path:
    """Beside the scope's database; `orders cancel` and `halt` read it, never the signing key."""
    return scope_dir(settings, around.scope) / "credentials.json"


def fee_lookup(stores: Stores) -> FeeOf:
    """The schedule under which an order's intent was proposed. It never changes, so it is read once."""

    @lru_cache(maxsize=10_000)
    def fee_of(order_id: OrderId) -> FeeSchedule:
        intent = stores.intents.get(stores.orders.order(order_id).intent_id).intent
        return FeeSchedule(intent.fee_rate or ZERO, intent.fee_exponent or Decimal(1))

    return fee_of


def build_account(
    around: Surroundings,
    stores: Stores,
    credentials: ApiCredentials,
    key: SigningKey | None,
    clock: Clock,
    *,
    post_budget_seconds: float = 10.0,
    fee_of: FeeOf | None = None,
    calls_seconds: float = 300.0,
) -> Account:
    """The account at the exchange; without `key` it reads and cancels but cannot sign. `fee_of` knows the
    fee of orders that the stores do not; calls are counted over `calls_seconds`."""
    owner = credentials.address
    session = is_session_key(owner, around.wallet, around.signature_type)
    wallet = TradingWallet(around.wallet, owner, around.signature_type, session)
    throttle, windows = Throttle(clock), VenueWindows(clock)
    calls = CallCounts(clock, calls_seconds)
    sandbox = around.environment.is_sandbox
    reader = HttpReader(clock, on_call=calls.counted, sandbox=sandbox, throttle=throttle)
    asking = OneShot(clock, on_call=calls.counted)
    sending = OneShot(clock, budget_seconds=post_budget_seconds, on_call=calls.counted)
    api = AccountApi(
        around.environment.clob_url,
        wallet,
        credentials,
        reader=reader,
        one_shot=asking,
        clock=clock,
        throttle=throttle,
    )
    gateway = PolymarketGateway(
        around.environment,
        api,
        sending,
        fee_of=fee_of or fee_lookup(stores),
        key=key,
        throttle=throttle,
        windows=windows,
    )
    closing = (reader.close, asking.close, sending.close)
    return Account(api, gateway, throttle, windows, calls, key, closing)


def stored_account(
    settings: Settings,
    around: Surroundings,
    stores: Stores,
    clock: Clock,
    fee_of: FeeOf | None = None,
) -> Account:
    """For commands that cancel: with the stored credentials, without any signing key.

    `Account.gateway` is None where no credentials are stored.
    """
    credentials = load_credentials(credentials_file(settings, around))
    if credentials is None:
        return Account()
    return build_account(around, stores, credentials, None, clock, fee_of=fee_of)
