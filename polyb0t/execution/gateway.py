"""The port to the exchange's orders, and the classes of answers that a send can have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from polyb0t.core.ids import AssetId, ConditionId, OrderId
from polyb0t.core.units import Price, Shares
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import TradeIntent


@dataclass(frozen=True, slots=True)
class PreparedOrder:
    """Signed, with request headers made; nothing has left. Never stored whole: headers are secrets.

    What authorises is left out of the repr, so that no log or traceback carries it.
    """

    order_id: OrderId
    signed_order: str = field(repr=False)  # JSON of the signed struct, no owner
    l2_timestamp: int
    credential_id: str
    body: bytes = field(repr=False)  # the exact bytes of the request
    headers: Mapping[str, str] = field(repr=False)
    post_only: bool = False


class AcceptedStatus(StrEnum):
    """The statuses with which the exchange accepts."""

    LIVE = "live"
    MATCHED = "matched"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Accepted:
    """Success, empty error, our id, a status that is known."""

    status: AcceptedStatus
    trade_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoFill:
    """A FOK or FAK that found nothing: normal life, not an error."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Proof that the exchange did not take it: code of ours, text of the exchange."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No proof either way. `foreign_id`: the answer named an order that is not ours."""

    reason: str
    foreign_id: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """No connection came about, so no byte left: the same call may be made again."""

    reason: str


SendOutcome = Accepted | NoFill | Refused | Unknown | NotSent


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the exchange tells it when asked by id."""

    order_id: OrderId
    status: str  # LIVE, MATCHED, CANCELED, ..., without the ORDER_STATUS_ prefix
    condition_id: ConditionId
    asset_id: AssetId
    side: Side
    price: Price
    original_size: Shares  # for a taker BUY observers report pUSD here: never compared as shares
    matched_shares: Shares
    trade_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Positive evidence."""

    order: VenueOrder


@dataclass(frozen=True, slots=True)
class NotFound:
    """The exchange says that it does not know the id: evidence only together with others."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The read failed: evidence of nothing."""

    reason: str


Lookup = Found | NotFound | Unreadable


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What the exchange says of each id that it was asked to cancel."""

    cancelled: tuple[OrderId, ...]
    not_cancelled: Mapping[OrderId, str]


class OrderGateway(Protocol):
    """Builds, signs, sends, asks and cancels. Only `prepare` reads the signing key."""

    def prepare(self, intent: TradeIntent, at: datetime) -> PreparedOrder:
        """Sign the intent's order and make the request's headers for the instant `at`. Sends nothing.

        Raises:
            PolybotError: the intent cannot be built as an order of this wallet.
        """
        ...

    @property
    def credential_id(self) -> str:
        """Whose orders the reads can see: an order is visible only to the credential that placed it."""
        ...

    def order_id(self, intent: TradeIntent) -> OrderId:
        """The identity that the intent has or would have; needs no key."""
        ...

    def send(self, prepared: PreparedOrder) -> SendOutcome:
        """One copy, once. Never raises for an answer of the exchange, whatever it is."""
        ...

    def lookup(self, order_id: OrderId) -> Lookup: ...

    def fills(self, order_id: OrderId, trade_ids: Sequence[str]) -> tuple[Fill, ...]:
        """The fills of our order among these trades, read by id.

        Raises:
            VenueUnreachableError: the read failed; that is not an absence of fills.
        """
        ...

    def market_fills(self, order_id: OrderId, condition_id: ConditionId, since: datetime) -> tuple[Fill, ...]:
        """The fills of our order among all our trades on one market since then.

        Raises:
            VenueUnreachableError: the read failed; that is not an absence of fills.
        """
        ...

    def control_read(self) -> None:
        """A read of this account whose answer cannot be empty: it shows that the exchange answers, and to us.

        Raises:
            VenueUnreachableError: it did not; then no empty answer beside it proves anything.
        """
        ...

    def open_orders(self) -> tuple[AccountOrder, ...]:
        """All open orders of this wallet that the credential can see.

        Raises:
            VenueUnreachableError: the read failed; that is not an empty list.
        """
        ...

    def open_on_the_key(self) -> tuple[AccountOrder, ...]:
        """All open orders that hang on this credential, those of other wallets with the same key included.

        Raises:
            VenueUnreachableError: the read failed; that is not an empty list.
        """
        ...

    def cancel(self, order_ids: Sequence[OrderId]) -> CancelAnswer:
        """Cancel by id.

        Raises:
            VenueUnreachableError: no answer; the orders may be cancelled or not.
        """
        ...
