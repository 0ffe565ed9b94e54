"""The account's own socket: news of our orders and trades, and every stretch of it that was missed.

The exchange (vendor, 2026) sends no snapshot and repeats nothing, closes on wrong
credentials without a word, repeats and reorders freely, and packs frames into arrays. So news is a
head start and nothing more: after every opening, loss or unreadable frame the orders are read over
HTTP, and what this socket says of a trade's end is read by id before it is believed.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import NotFoundError
from polyb0t.core.ids import ConditionId, OrderId
from polyb0t.data.fills import Fill
from polyb0t.data.markets import FeeSchedule
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.parsing import Refused, decode_json
from polyb0t.venue.socket_line import Heard, SocketLine, Speaker, StreamSettings
from polyb0t.venue.trade_parsing import UserOrderFrame, VenueTrade, fills_of, parse_user_frame

_MOST_EVENTS: Final = 10_000
_log = structlog.get_logger(__name__)


class AccountNews(Protocol):
    """Who is told. Every method is called by the socket's thread and must not wait for anything."""

    def traded(self, fills: tuple[Fill, ...], /) -> None:
        """Parts of one trade that are our orders'."""
        ...

    def moved(self, order_id: OrderId, /) -> None:
        """Something happened to this order, ours or not."""
        ...

    def foreign_trade(self, trade_id: str, condition_id: ConditionId, /) -> None:
        """A trade of this account in which none of our orders is named."""
        ...

    def missed(self, reason: str, /) -> None:
        """From the last message until now anything may have happened unseen."""
        ...


@dataclass(frozen=True, slots=True)
class UserStatistics:
    """Counts since the start. `garbage` are frames or parts of one that were not understood."""

    connected: bool
    frames: int = 0
    events: int = 0
    garbage: int = 0
    gaps: int = 0
    last_frame_at: datetime | None = None
    last_gap: str = ""


class UserStream:
    """`fee_of` gives the schedule of an order of ours and raises NotFoundError for any other."""

    def __init__(
        self,
        url: str,
        credentials: ApiCredentials,
        news: AccountNews,
        clock: Clock,
        *,
        fee_of: Callable[[OrderId], FeeSchedule],
        settings: StreamSettings | None = None,
    ) -> None:
        self._credentials = credentials
        self._news = news
        self._clock = clock
        self._fee_of = fee_of
        self._counts = UserStatistics(connected=False)  # replaced, never changed
        self._socket = SocketLine("polyb0t-user", url, clock, settings or StreamSettings(), self)

    def start(self) -> None:
        self._socket.start()

    def close(self) -> None:
        self._socket.close()

    def use(self, credentials: ApiCredentials) -> None:
        """From the next socket on these; the present one is replaced at once, before it is closed on us."""
        self._credentials = credentials
        self._socket.renew()

    def statistics(self) -> UserStatistics:
        return replace(self._counts, connected=self._socket.connected)

    # -- as the socket's channel ---------------------------------------------------------------

    def opened(self, socket: Speaker) -> None:
        who = self._credentials
        auth = {"apiKey": who.api_key, "secret": who.secret, "passphrase": who.passphrase}
        socket.send(json.dumps({"type": "user", "auth": auth}))
        self._news.missed("the account's socket was opened")

    def tend(self, socket: Speaker) -> None:
        """Nothing to subscribe to: without a list of markets it is all of them."""

    def take(self, frame: str | bytes) -> Heard:
        stripped = frame.strip()
        if stripped in ("PONG", b"PONG"):
            return Heard.PONG
        if not stripped:
            return Heard.NOTHING
        understood, garbage = self._events(stripped)
        self._counts = replace(
            self._counts,
            frames=self._counts.frames + 1,
            events=self._counts.events + understood,
            garbage=self._counts.garbage + garbage,
            last_frame_at=self._clock.now() if understood else self._counts.last_frame_at,
        )
        if garbage:
            self._news.missed("a message of the account's socket could not be read")
        return Heard.CONTENT if understood else Heard.NOTHING

    def lost(self, reason: str) -> None:
        self._counts = replace(self._counts, gaps=self._counts.gaps + 1, last_gap=reason)
        _log.warning("user_stream_gap", reason=reason)
        self._news.missed(f"the account's socket was interrupted ({reason})")

    def _events(self, text: str | bytes) -> tuple[int, int]:
        """How many parts of a frame were understood, and how many were not."""
        try:
            raw = decode_json(text)
            parts = raw if isinstance(raw, list) else [raw]
            if len(parts) > _MOST_EVENTS:
                raise Refused("malformed", f"a frame of {len(parts)} events")
        except Refused as refused:
            _log.warning("user_frame_refused", code=refused.code, reason=refused.reason)
            return 0, 1
        refused_parts = sum(not self._event(part) for part in parts)
        return len(parts) - refused_parts, refused_parts

    def _event(self, raw: object) -> bool:
        try:
            event = parse_user_frame(raw)
            if isinstance(event, UserOrderFrame):
                self._news.moved(OrderId(event.order_id))
            else:
                self._trade(event.trade)
        except Refused as refused:
            _log.warning("user_frame_refused", code=refused.code, reason=refused.reason)
            return False
        return True

    def _trade(self, trade: VenueTrade) -> None:
        """Our taker and our maker in one trade are two fills; other people's orders are none."""
        fills: list[Fill] = []
        for order_id in dict.fromkeys((trade.taker_order_id, *(one.order_id for one in trade.makers))):
            try:
                fills.extend(fills_of(trade, order_id, self._fee_of(order_id)))
            except NotFoundError:
                continue
        if fills:
            self._news.traded(tuple(fills))
        else:
            self._news.foreign_trade(trade.trade_id, trade.condition_id)
