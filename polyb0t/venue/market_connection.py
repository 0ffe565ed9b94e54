"""One share of the market socket's assets on one connection, and every gap visible.

What the exchange does (vendor's documentation and field notes, 2026): no sequence numbers, so after
any gap only a new snapshot counts; connections with more than about 250 ids stall silently.
"""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.venue.books import BookCache
from polyb0t.venue.frames import BookSnapshot, LastTrade, parse_frame
from polyb0t.venue.socket_line import Heard, SocketLine, Speaker, StreamSettings

__all__ = ["Gap", "Line", "MarketConnection", "StreamSettings", "Tally"]

_IDS_PER_FRAME: Final = 200
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of stream that was missed: these books are in doubt until they are read anew."""

    at: datetime
    connection: str
    reason: str
    assets: int


@dataclass(slots=True)
class Tally:
    """Written by one connection's thread."""

    frames: int = 0
    events: int = 0
    garbage: int = 0
    last_frame_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """What all connections of a stream share."""

    url: str
    cache: BookCache
    clock: Clock
    settings: StreamSettings
    on_gap: Callable[[Gap], None]
    on_trade: Callable[[LastTrade], None] = lambda _trade: None


class MarketConnection:
    """One socket after another, for one share of the assets."""

    def __init__(self, name: str, line: Line) -> None:
        self.name = name
        self.tally = Tally()
        self._line = line
        self._clock = line.clock
        self._lock = threading.Lock()
        self._wanted: frozenset[AssetId] = frozenset()  # replaced, never changed: read without the lock
        self._subscribed: set[AssetId] = set()  # on the present socket; used by its thread alone
        self._socket = SocketLine(name, line.url, line.clock, line.settings, self)

    @property
    def connected(self) -> bool:
        return self._socket.connected

    def start(self) -> None:
        self._socket.start()

    def wanted(self) -> frozenset[AssetId]:
        return self._wanted

    def add(self, asset_ids: Iterable[AssetId]) -> None:
        with self._lock:
            self._wanted = self._wanted.union(asset_ids)

    def keep_only(self, asset_ids: Iterable[AssetId]) -> frozenset[AssetId]:
        """Gives up all others and returns them."""
        with self._lock:
            dropped = self._wanted.difference(asset_ids)
            self._wanted -= dropped
            return dropped

    def ask_to_end(self) -> None:
        self._socket.ask_to_end()

    def close(self) -> None:
        self._socket.close()

    # -- as the socket's channel ---------------------------------------------------------------

    def opened(self, socket: Speaker) -> None:
        self._subscribed = set()
        self.tend(socket)

    def tend(self, socket: Speaker) -> None:
        """Brings the socket's subscriptions to what is wanted; the first frame names the channel."""
        wanted = self.wanted()
        for ids in _parts(wanted - self._subscribed):
            first = {"type": "market"} if not self._subscribed else {"operation": "subscribe"}
            socket.send(json.dumps({**first, "assets_ids": ids}))
            self._subscribed.update(ids)
        for ids in _parts(self._subscribed - wanted):
            socket.send(json.dumps({"operation": "unsubscribe", "assets_ids": ids}))
            self._subscribed.difference_update(ids)

    def take(self, frame: str | bytes) -> Heard:
        read = parse_frame(frame, self._clock.now())
        if read.pong:
            return Heard.PONG
        for event in read.events:
            # The last snapshots of what nobody watches any more would never be corrected.
            if not isinstance(event, BookSnapshot) or event.book.asset_id in self._wanted:
                self._line.cache.apply(event)
            if isinstance(event, LastTrade):
                self._line.on_trade(event)
        self.tally.frames += 1
        self.tally.events += len(read.events)
        self.tally.garbage += len(read.refused)
        for refused in read.refused:
            _log.warning("frame_refused", connection=self.name, code=refused.code, reason=refused.reason)
            # What could not be read may have been a change: those books are only as good as a new snapshot.
            assets = self._wanted if refused.assets is None else refused.assets
            self._line.cache.mark_stale(assets, f"a message could not be read ({refused.reason})")
        if not read.events:
            return Heard.NOTHING
        self.tally.last_frame_at = self._clock.now()
        return Heard.CONTENT

    def lost(self, reason: str) -> None:
        assets = self.wanted()
        self._line.cache.mark_stale(assets, f"the stream was interrupted ({reason})")
        self._line.on_gap(Gap(self._clock.now(), self.name, reason, len(assets)))


def _parts(asset_ids: Iterable[AssetId]) -> list[list[AssetId]]:
    ordered = sorted(asset_ids)
    return [ordered[start : start + _IDS_PER_FRAME] for start in range(0, len(ordered), _IDS_PER_FRAME)]
