"""The market socket over as many connections as the watched assets need."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.venue.books import BookCache
from polyb0t.venue.frames import LastTrade
from polyb0t.venue.market_connection import Gap, Line, MarketConnection, StreamSettings, Tally

__all__ = ["Gap", "MarketStream", "StreamSettings", "StreamStatistics"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """Counts since the start, over all connections."""

    connections: int
    connected: int
    watched: int
    frames: int
    events: int
    garbage: int  # frames or events that were not understood
    gaps: int
    last_frame_at: datetime | None  # PONG does not count
    last_gap: Gap | None

    def age_seconds(self, now: datetime) -> float | None:
        """Seconds since the last frame with content; None before the first."""
        return None if self.last_frame_at is None else (now - self.last_frame_at).total_seconds()


class MarketStream:
    """Keeps `cache` filled for the assets that are watched. Threads end with `close`."""

    def __init__(
        self,
        url: str,
        cache: BookCache,
        clock: Clock,
        *,
        settings: StreamSettings | None = None,
        on_gap: Callable[[Gap], None] | None = None,
        on_trade: Callable[[LastTrade], None] = lambda _trade: None,
    ) -> None:
        """`on_trade` is called by the connections' threads and must not wait for anything."""
        self._line = Line(url, cache, clock, settings or StreamSettings(), self._gap, on_trade)
        self._on_gap = on_gap
        self._lock = threading.Lock()
        self._connections: list[MarketConnection] = []
        self._number = 0
        self._gaps = 0
        self._last_gap: Gap | None = None
        self._past = Tally()

    def watch(self, asset_ids: Iterable[AssetId]) -> None:
        """From now on exactly these: new ones are subscribed, others unsubscribed and forgotten."""
        wanted = dict.fromkeys(asset_ids)
        with self._lock:
            dropped = [
                asset_id for connection in self._connections for asset_id in connection.keep_only(wanted)
            ]
            taken = {asset_id for connection in self._connections for asset_id in connection.wanted()}
            self._assign([asset_id for asset_id in wanted if asset_id not in taken])
            empty = [connection for connection in self._connections if not connection.wanted()]
            self._connections = [connection for connection in self._connections if connection.wanted()]
        for connection in empty:
            connection.close()
            self._bury(connection)
        self._line.cache.forget(dropped)

    def close(self) -> None:
        """Ends every thread, waits for it a few seconds, and leaves no book trusted."""
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            connection.ask_to_end()
        for connection in connections:
            connection.close()
            self._line.cache.mark_stale(connection.wanted(), "the stream was closed")
            self._bury(connection)

    def statistics(self) -> StreamStatistics:
        with self._lock:
            tallies = [self._past, *(connection.tally for connection in self._connections)]
            heard = [tally.last_frame_at for tally in tallies if tally.last_frame_at is not None]
            return StreamStatistics(
                connections=len(self._connections),
                connected=sum(connection.connected for connection in self._connections),
                watched=sum(len(connection.wanted()) for connection in self._connections),
                frames=sum(tally.frames for tally in tallies),
                events=sum(tally.events for tally in tallies),
                garbage=sum(tally.garbage for tally in tallies),
                gaps=self._gaps,
                last_frame_at=max(heard, default=None),
                last_gap=self._last_gap,
            )

    def _assign(self, asset_ids: Sequence[AssetId]) -> None:
        waiting = list(asset_ids)
        for connection in self._connections:
            room = self._line.settings.ids_per_connection - len(connection.wanted())
            connection.add(waiting[:room])
            waiting = waiting[room:]
        while waiting:
            size = self._line.settings.ids_per_connection
            self._number += 1
            name = f"polyb0t-market-{self._number}"
            connection = MarketConnection(name, self._line)
            connection.add(waiting[:size])
            waiting = waiting[size:]
            self._connections.append(connection)
            connection.start()

    def _bury(self, connection: MarketConnection) -> None:
        """Counts of ended connections stay in the sums."""
        with self._lock:
            past, ended = self._past, connection.tally
            times = [time for time in (past.last_frame_at, ended.last_frame_at) if time is not None]
            self._past = Tally(
                past.frames + ended.frames,
                past.events + ended.events,
                past.garbage + ended.garbage,
                max(times, default=None),
            )

    def _gap(self, gap: Gap) -> None:
        with self._lock:
            self._gaps += 1
            self._last_gap = gap
        _log.warning("stream_gap", connection=gap.connection, reason=gap.reason, assets=gap.assets)
        if self._on_gap is not None:
            self._on_gap(gap)
