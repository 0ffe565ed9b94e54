"""The taker delay of crypto markets: a marketable order waits inside its own request.

The venue holds such an order for about 150 ms, the call waits, and the answer is the final one; until
then there is nothing to cancel. So here the request waits before it is looked at. Whether the order is
good is none of this module's business: what it cannot read waits for nothing.
"""

from typing import Final, Literal

import msgspec

from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.wire import UNREADABLE
from polyb0t.sandbox.world import World

_ONE: Final = "/clob/order"
_MANY: Final = "/clob/orders"


class _Order(msgspec.Struct, frozen=True, rename="camel"):
    token_id: str
    maker_amount: str
    taker_amount: str
    side: Literal["BUY", "SELL"]


class _Leg(msgspec.Struct, frozen=True):
    order: _Order


def hold_ms(world: World, method: str, path: str, body: bytes | None) -> int:
    """Milliseconds that this request waits."""
    if method != "POST" or path not in (_ONE, _MANY) or body is None:
        return 0
    try:
        legs = msgspec.json.decode(body, type=list[_Leg]) if path == _MANY else [_leg(body)]
    except UNREADABLE:
        return 0
    return max((_wait(world, leg.order) for leg in legs), default=0)


def _leg(body: bytes) -> _Leg:
    return msgspec.json.decode(body, type=_Leg)


def _wait(world: World, order: _Order) -> int:
    place = world.engine.tokens.get(order.token_id)
    if place is None:
        return 0
    market = world.engine.markets[place[0]]
    return market.spec.hold_ms if market.spec.hold_ms and _crosses(world, order) else 0


def _crosses(world: World, order: _Order) -> bool:
    """Whether the order's worst price reaches the best one of the other side."""
    amounts = (order.maker_amount, order.taker_amount)
    if not all(text.isascii() and text.isdigit() and len(text) < 25 for text in amounts):
        return False
    maker, taker = map(int, amounts)
    book = world.book(order.token_id)
    if order.side == "BUY":
        return bool(book.asks) and maker * MILLION >= book.asks[-1][0] * taker
    return bool(book.bids) and taker * MILLION <= book.bids[-1][0] * maker
