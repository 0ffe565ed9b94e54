"""Orders: the one identity that an intent may have at the exchange, and where it stands."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId, IntentId, OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Side
from polyb0t.execution.scope import Regime

SALT_BITS: Final = 53  # it travels as a JSON number


class OrderType(StrEnum):
    """How an order meets the book."""

    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"

    @property
    def takes(self) -> bool:
        """Fill now or die: priced by the market recipe, money bounds a BUY."""
        return self in (OrderType.FOK, OrderType.FAK)


# As the exchange's word on an absent order: its market has resolved, so it is looked for no longer.
MARKET_RESOLVED: Final = "MARKET_RESOLVED"


class OrderStatus(StrEnum):
    """What is known of an identity. Only proof moves it to an end."""

    SIGNED = "SIGNED"  # permitted; seen by anyone but the thread that submits it is UNKNOWN
    UNKNOWN = "UNKNOWN"  # it may exist or not; its money stays reserved
    LIVE = "LIVE"
    DELAYED = "DELAYED"  # accepted, held by the exchange; cannot be cancelled
    MATCHED = "MATCHED"  # accepted, fills not yet final
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REFUSED = "REFUSED"
    ABSENT = "ABSENT"  # proven never accepted
    VANISHED = "VANISHED"  # was LIVE, now not found


_O = OrderStatus
_ENDS = frozenset({_O.FILLED, _O.CANCELLED, _O.EXPIRED})
ORDER_TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = MappingProxyType(
    {
        _O.SIGNED: frozenset({_O.UNKNOWN, _O.LIVE, _O.DELAYED, _O.MATCHED, _O.REFUSED}) | _ENDS,
        _O.UNKNOWN: frozenset({_O.LIVE, _O.DELAYED, _O.MATCHED, _O.ABSENT}) | _ENDS,
        _O.LIVE: frozenset({_O.MATCHED, _O.VANISHED}) | _ENDS,
        _O.DELAYED: frozenset({_O.LIVE, _O.MATCHED, _O.VANISHED}) | _ENDS,
        _O.MATCHED: frozenset({_O.LIVE}) | _ENDS,
        _O.VANISHED: frozenset({_O.LIVE, _O.MATCHED, _O.ABSENT}) | _ENDS,
        # Positive evidence beats every inference, so these ends can be left for a better-proven one.
        _O.REFUSED: frozenset({_O.LIVE, _O.MATCHED}) | _ENDS,
        _O.ABSENT: frozenset({_O.LIVE, _O.MATCHED}) | _ENDS,
        _O.CANCELLED: frozenset({_O.FILLED, _O.MATCHED}),
        _O.EXPIRED: frozenset({_O.FILLED, _O.MATCHED}),
        _O.FILLED: frozenset({_O.CANCELLED}),  # a failed trade took its last fill back
    }
)
TERMINAL_ORDER: Final = frozenset({_O.FILLED, _O.CANCELLED, _O.EXPIRED, _O.REFUSED, _O.ABSENT})
UNRESOLVED_ORDER: Final = frozenset(OrderStatus) - TERMINAL_ORDER
OPEN_ORDER: Final = frozenset({_O.LIVE, _O.DELAYED})  # known to stay at the exchange
DOUBTFUL_ORDER: Final = frozenset({_O.SIGNED, _O.UNKNOWN, _O.VANISHED})  # nobody knows whether they exist


@dataclass(frozen=True, slots=True)
class Identity:
    """The parts of a signed order that are a pure function of the intent."""

    salt: int
    timestamp_ms: int
    maker_amount_e6: int
    taker_amount_e6: int


def salt_of(digest: str) -> int:
    """53 bits of SHA-256 of the intent's digest: signing again gives the same order id."""
    whole = int.from_bytes(hashlib.sha256(bytes.fromhex(digest)).digest()[:8], "big")
    return whole >> (64 - SALT_BITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order as stored before it was sent, and what is known of it now.

    `signed_order` is the exact signed JSON without owner; it is a bearer instrument and is erased
    (None) once the order's end is proven. `price` is the intent's worst price.
    """

    id: OrderId
    intent_id: IntentId
    scope: str
    regime: Regime
    status: OrderStatus
    condition_id: ConditionId
    asset_id: AssetId
    side: Side
    order_type: OrderType
    price: Price
    shares: Shares  # what is bounded: shares of a SELL or resting order, least shares of a taker BUY
    amount: Pusd | None  # taker BUY: the pUSD that it may spend
    signed_order: str | None = field(repr=False)
    l2_timestamp: int  # unix seconds, also the permit's time
    credential_id: str
    copies: int
    created_at: datetime
    updated_at: datetime
    filled_shares: Shares
    filled_notional: Pusd
    fees: Pusd
    provisional_shares: Shares  # part of filled_shares that is not yet CONFIRMED
    venue_status: str
    detail: str  # the exchange's text, or why it is unknown
    lookups: int
    looked_up_at: datetime | None

    @property
    def average_price(self) -> Price | None:
        return Price(self.filled_notional / self.filled_shares) if self.filled_shares else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What the permit stores before anything leaves."""

    id: OrderId
    intent_id: IntentId
    signed_order: str = field(repr=False)  # a bearer instrument
    l2_timestamp: int
    credential_id: str
