"""Planted bugs for news, cancels, windows and untrue answers; see `plants`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from unittest.mock import patch

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.units import Price, Shares
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.db import fill_book, order_store
from polyb0t.execution import fill_intake, order_truth, reconciler, reconciliation
from polyb0t.execution.cancelling import cancel_orders
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.execution.gateway import CancelAnswer, Found, Unreadable
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.execution.live_executor import LiveExecutor
from polyb0t.execution.order_truth import OrderTruth
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.reconciler import Reconciler
from polyb0t.execution.reconciliation import Correction, correct
from polyb0t.venue import account_parsing, gateway, trade_parsing
from polyb0t.venue.account_parsing import parse_order
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.parsing import decode_json, share_count
from polyb0t.venue.user_stream import UserStream
from polyb0t.venue.windows import VenueWindows
from tests.faults.process import FEE

Plant = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Planted:
    """`bug` in words, for the document."""

    bug: str
    plant: Plant


@contextmanager
def trades_are_not_read() -> Iterator[None]:
    """What traded is known from the socket, if at all."""
    with patch.object(OrderTruth, "_read_fills", lambda *_: ()):
        yield


@contextmanager
def twice_told_counts_twice() -> Iterator[None]:
    """A fill that is told again is added to the order again."""
    right = fill_book.record

    def wrong(unit: Any, order: Any, new: Any) -> Any:
        before = {(fill.trade_id, fill.bucket_index) for fill in fill_book._stored(unit, order)}
        sums = right(unit, order, new)
        again = [fill for fill in new if (fill.trade_id, fill.bucket_index) in before]
        if sums is not None or not again:
            return sums
        shares = order.filled_shares + sum((fill.shares for fill in again), Decimal(0))
        return fill_book.Sums(shares, order.filled_notional, order.fees, order.provisional_shares)

    with patch.object(order_store, "record", wrong):
        yield


@contextmanager
def told_is_enough() -> Iterator[None]:
    """A trade that was told once is not read again."""
    right = OrderTruth._read_fills

    def wrong(self: Any, order: Any, lookup: Any) -> Any:
        stored = {fill.trade_id for fill in self._orders.fills(order_id=order.id)}
        return tuple(fill for fill in right(self, order, lookup) if fill.trade_id not in stored)

    with patch.object(OrderTruth, "_read_fills", wrong):
        yield


@contextmanager
def ends_are_believed() -> Iterator[None]:
    """A trade's end counts when the socket tells it."""

    def wrong(self: Any, fill: Any) -> None:
        order = self.stores.orders.order(fill.order_id)
        self._store(order, fill)

    with (
        patch.object(fill_intake, "_provisional", lambda fill: fill),
        patch.object(FillIntake, "_one", wrong),
    ):
        yield


@contextmanager
def any_trade_is_ours() -> Iterator[None]:
    """A trade of nobody's order is taken for the last order's that the socket told of."""
    moved, trade = UserStream._event, UserStream._trade
    last: list[Any] = []

    def remembering(self: Any, raw: Any) -> bool:
        if isinstance(raw, dict) and raw.get("event_type") == "order":
            last[:] = [raw["id"]]
        return moved(self, raw)

    def wrong(self: Any, told: Any) -> None:
        ids = (told.taker_order_id, *(one.order_id for one in told.makers))
        if last and last[0] not in ids:
            fill = trade_parsing._taken(told, FEE)
            self._news.traded((replace(fill, order_id=last[0], role=Role.MAKER),))
        else:
            trade(self, told)

    with patch.object(UserStream, "_event", remembering), patch.object(UserStream, "_trade", wrong):
        yield


@contextmanager
def signs_are_not_read() -> Iterator[None]:
    """A negative size is read as its amount."""

    def wrong(value: object, name: str) -> Shares:
        return share_count(str(value).lstrip("-"), name)

    with patch.object(trade_parsing, "share_count", wrong):
        yield


@contextmanager
def prices_are_cut() -> Iterator[None]:
    """A price outside (0, 1) is taken for the nearest one inside."""

    def wrong(value: object, _name: str) -> Price:
        return Price(min(max(Decimal(str(value)), Decimal("0.01")), Decimal("0.99")))

    with (
        patch.object(trade_parsing, "price_of", wrong),
        patch.object(fill_intake, "implausible", lambda *_: None),
    ):
        yield


@contextmanager
def any_size_is_believed() -> Iterator[None]:
    """The socket's trades are stored, however much more they are than the order permits."""
    with patch.object(fill_intake, "implausible", lambda *_: None):
        yield


@contextmanager
def a_found_cancel_is_done() -> Iterator[None]:
    """A cancel that a crash left is taken for done."""
    right = LiveExecutor._execute

    def wrong(self: Any, intent_id: Any) -> Any:
        record = self._intents.get(intent_id)
        left = record.status is IntentStatus.EXECUTING
        if left and record.intent.intent_type is IntentType.CANCEL_ORDER:
            return self._intents.finish(intent_id, self._lease, code="cancelled", detail="planted")
        return right(self, intent_id)

    with patch.object(LiveExecutor, "_execute", wrong):
        yield


@contextmanager
def no_answer_is_a_cancel() -> Iterator[None]:
    """A cancel that nobody answered counts as done."""
    right = PolymarketGateway.cancel

    def wrong(self: Any, order_ids: Any) -> CancelAnswer:
        try:
            return right(self, order_ids)
        except VenueUnreachableError:
            return CancelAnswer(tuple(order_ids), {})

    with patch.object(PolymarketGateway, "cancel", wrong):
        yield


@contextmanager
def cancelled_goes_on() -> Iterator[None]:
    """An order that was cancelled at the exchange goes on resting here."""

    def wrong(order: Any, lookup: Any, fills: Any, now: Any) -> Correction:
        found = correct(order, lookup, fills, now)
        return Correction() if found.status is OrderStatus.CANCELLED else found

    with (
        patch.object(order_truth, "correct", wrong),
        patch.object(order_truth, "_nothing_new", lambda *_: False),
    ):
        yield


@contextmanager
def taken_back_once() -> Iterator[None]:
    """A halt cancels what rests one time, whatever came of it."""
    right = Reconciler._take_back_if_halted
    done: set[str] = set()

    def wrong(self: Any, *given: Any) -> None:
        orders = {order.id for order in self._stores.orders.watched()}
        if orders - done:
            right(self, *given)
        if any(state.tripped for state in self._stores.switches.list()):
            done.update(orders)

    with patch.object(Reconciler, "_take_back_if_halted", wrong):
        yield


@contextmanager
def all_on_the_key() -> Iterator[None]:
    """A halt cancels everything that hangs on the key."""

    def wrong(there: Any, engine: Any, order_ids: Any, **given: Any) -> Any:
        others = [order.order_id for order in there.open_on_the_key()]
        return cancel_orders(there, engine, list({*order_ids, *others}), **given)

    with patch.object(reconciler, "cancel_orders", wrong):
        yield


@contextmanager
def windows_are_forgotten() -> Iterator[None]:
    """That the exchange takes no orders is not remembered."""
    with patch.object(VenueWindows, "order_answered", lambda *_, **__: None):
        yield


@contextmanager
def vanished_is_over() -> Iterator[None]:
    """An order that the exchange no longer shows is taken for cancelled."""

    def wrong(order: Any, lookup: Any, fills: Any, now: Any) -> Correction:
        found = correct(order, lookup, fills, now)
        gone = found.status is OrderStatus.VANISHED
        return Correction(OrderStatus.CANCELLED, "cancelled", "planted") if gone else found

    with patch.object(order_truth, "correct", wrong):
        yield


@contextmanager
def answers_are_believed() -> Iterator[None]:
    """Nobody looks whether an answer about an order can be one of ours."""

    def found(answer: Any, order_id: Any) -> Any:
        raw = decode_json(answer.body)
        if answer.status == 404:
            return right(answer, order_id)
        return Found(parse_order(raw))

    right = gateway._found
    with (
        patch.object(gateway, "_found", found),
        patch.object(reconciliation, "_contradiction", lambda *_: None),
        patch.object(account_parsing, "price_of", lambda value, _name: Price(Decimal(str(value)))),
        patch.object(account_parsing, "share_count", lambda value, _name: Shares(Decimal(str(value)))),
    ):
        yield


@contextmanager
def the_sum_is_a_trade() -> Iterator[None]:
    """What the exchange says was matched counts, with or without a trade."""

    def wrong(self: Any, order: Any, lookup: Any) -> tuple[Fill, ...]:
        if not isinstance(lookup, Found) or lookup.order.matched_shares <= order.filled_shares:
            return right(self, order, lookup)
        missing = Shares(lookup.order.matched_shares - order.filled_shares)
        at = order.created_at
        return (
            Fill(
                trade_id="sum",  # type: ignore[arg-type]
                bucket_index=0,
                order_id=order.id,
                condition_id=order.condition_id,
                asset_id=order.asset_id,
                side=order.side,
                role=Role.TAKER,
                price=order.price,
                shares=missing,
                fee=order.fees,
                status=FillStatus.CONFIRMED,
                matched_at=at,
                transaction_hash="",
            ),
        )

    right = OrderTruth._read_fills
    with (
        patch.object(OrderTruth, "_read_fills", wrong),
        patch.object(order_truth, "beyond_belief", lambda *_: None),
    ):
        yield


@contextmanager
def unknown_words_end_orders() -> Iterator[None]:
    """A status that nobody knows is taken for an end."""
    with patch.dict(reconciliation._CANCELLED, {"PONDERING": "cancelled"}):
        yield


@contextmanager
def unreadable_is_over() -> Iterator[None]:
    """An answer that cannot be read is taken for an end."""

    def wrong(order: Any, lookup: Any, fills: Any, now: Any) -> Correction:
        if isinstance(lookup, Unreadable):
            return Correction(OrderStatus.CANCELLED, "cancelled", "planted")
        return correct(order, lookup, fills, now)

    with patch.object(order_truth, "correct", wrong):
        yield


@contextmanager
def strangers_are_cancelled() -> Iterator[None]:
    """An open order that nobody knows is cancelled."""
    right = Reconciler._foreign

    def wrong(self: Any, glance: Any, watched: Any) -> Any:
        foreign = right(self, glance, watched)
        if foreign:
            self._gateway.cancel([order.order_id for order in foreign])
        return foreign

    with patch.object(Reconciler, "_foreign", wrong):
        yield


NOT_READ: Final = Planted("trades are not read, only heard of", trades_are_not_read)
BELIEVED: Final = Planted("an end that the socket tells is believed", ends_are_believed)
CUT: Final = Planted("a price outside (0, 1) is taken for the nearest inside", prices_are_cut)
NO_ANSWER: Final = Planted("a cancel that nobody answered counts as done", no_answer_is_a_cancel)
GOES_ON: Final = Planted("an order that was cancelled there goes on resting here", cancelled_goes_on)
FORGOTTEN: Final = Planted("that the exchange takes no orders is not remembered", windows_are_forgotten)
ANSWERS: Final = Planted("nobody looks whether an answer can be about our order", answers_are_believed)

MORE_PLANTS: Final[Mapping[str, Planted]] = {
    "socket silent around a fill": NOT_READ,
    "socket with a gap around a fill": NOT_READ,
    "socket repeats": Planted("a fill that is told twice counts twice", twice_told_counts_twice),
    "socket reorders": Planted("a trade that was told is not read again", told_is_enough),
    "socket packs arrays, with parts that cannot be read": NOT_READ,
    "socket says CONFIRMED of a trade that fails": BELIEVED,
    "socket says FAILED of a trade that stands": BELIEVED,
    "socket tells trades of unknown orders": Planted(
        "a trade of nobody's order is taken for the last order's", any_trade_is_ours
    ),
    "socket tells a negative size": Planted("a negative size is read as its amount", signs_are_not_read),
    "socket tells a price above one": CUT,
    "socket tells the price zero": CUT,
    "socket tells sizes 10,000 times too large": Planted(
        "a trade beyond what was signed is stored", any_size_is_believed
    ),
    "socket tells trades as another order's": NOT_READ,
    "crash while an order is cancelled": Planted(
        "a cancel that a crash left is taken for done", a_found_cancel_is_done
    ),
    "cancel races a fill": NOT_READ,
    "cancel races a fill, reply lost": NOT_READ,
    "cancel's reply lost": GOES_ON,
    "cancel never arrives": NO_ANSWER,
    "cancel arrives 20 s late": GOES_ON,
    "cancel not sent, connection refused": NO_ANSWER,
    "cancel answered 500 after it was done": GOES_ON,
    "cancel answered 503 before": NO_ANSWER,
    "cancel answered with a page": GOES_ON,
    "cancel refused though it was done": GOES_ON,
    "halted, cancels lost": Planted("a halt cancels what rests only once", taken_back_once),
    "halted, cancels race fills": NOT_READ,
    "exchange restarts (425)": FORGOTTEN,
    "exchange takes post-only orders": FORGOTTEN,
    "exchange takes cancels only": FORGOTTEN,
    "exchange has stopped trading": FORGOTTEN,
    "owner's own order on the same asset": Planted(
        "a halt cancels all that hangs on the key", all_on_the_key
    ),
    "order vanishes and is found again": Planted(
        "an order that is not shown is taken for cancelled", vanished_is_over
    ),
    "order read under another's id": ANSWERS,
    "order read with a negative fill": ANSWERS,
    "order read with more filled than it has": Planted(
        "what is said to be matched counts without a trade", the_sum_is_a_trade
    ),
    "order read with the price 1.2": ANSWERS,
    "order read on another asset": ANSWERS,
    "order read with an unknown status": Planted(
        "a status that nobody knows is taken for an end", unknown_words_end_orders
    ),
    "order read as a number": Planted(
        "an answer that cannot be read is taken for an end", unreadable_is_over
    ),
    "unknown orders listed as ours": Planted(
        "an open order that nobody knows is cancelled", strangers_are_cancelled
    ),
}
