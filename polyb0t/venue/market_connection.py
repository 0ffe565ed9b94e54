"""One connection of the market socket in a named thread, and every gap visible.

What the exchange does (vendor's documentation and field notes, 2026): no sequence numbers, so after
any gap only a new snapshot counts; text `PING` every 10 s, answered by text `PONG`; connections
with more than about 250 ids stall silently, and a connection can stay open and say nothing.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.venue.books import BookCache
from polyb0t.venue.frames import BookSnapshot, parse_frame

IDS_PER_CONNECTION: Final = 200
_IDS_PER_FRAME: Final = 200
_LONGEST_GOODBYE_SECONDS: Final = 3.0  # a thread that is still connecting then ends by itself
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Durations in seconds. `silence` is how long a connection may bring nothing but PONG."""

    ping_every: float = 10.0
    pong_within: float = 30.0
    silence: float = 600.0
    poll: float = 0.25  # how often a quiet connection looks at its duties
    first_wait: float = 0.25  # before the second try to connect; doubles up to `longest_wait`
    longest_wait: float = 30.0
    open_within: float = 10.0
    ids_per_connection: int = IDS_PER_CONNECTION
    most_frame_bytes: int = 16 * 1024 * 1024


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


@dataclass(slots=True)
class _Session:
    """One open socket: when its duties were last done, on the clock that counts suspension."""

    socket: ClientConnection
    opened: float
    pinged: float
    ponged: float
    heard: float
    subscribed: set[AssetId] = field(default_factory=set)


class _Lost(Exception):
    """The connection is no longer worth keeping; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """What all connections of a stream share."""

    url: str
    cache: BookCache
    clock: Clock
    settings: StreamSettings
    on_gap: Callable[[Gap], None]


class MarketConnection:
    """One socket after another, for one share of the assets."""

    def __init__(self, name: str, line: Line) -> None:
        self.name = name
        self.tally = Tally()
        self.connected = False
        self._line = line
        self._clock = line.clock
        self._settings = line.settings
        self._lock = threading.Lock()
        self._wanted: frozenset[AssetId] = frozenset()  # replaced, never changed: read without the lock
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

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
        self._end.set()

    def close(self) -> None:
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=_LONGEST_GOODBYE_SECONDS)

    def _run(self) -> None:
        wait = self._settings.first_wait
        while not self._end.is_set():
            heard_before = self.tally.frames
            reason = self._one_socket()
            self.connected = False
            if self._end.is_set():
                return
            if self.tally.frames > heard_before:
                wait = self._settings.first_wait  # it worked for a while: start patiently anew
            self._missed(reason)
            self._end.wait(wait * (0.5 + secrets.randbelow(1_000) / 2_000))
            wait = min(wait * 2, self._settings.longest_wait)

    def _one_socket(self) -> str:
        """Serves one socket to its end and returns the reason of the end."""
        try:
            with connect(
                self._line.url,
                proxy=None,
                ping_interval=None,  # the exchange wants its own text PING
                open_timeout=self._settings.open_within,
                close_timeout=1,
                max_size=self._settings.most_frame_bytes,
                user_agent_header="polyb0t",
            ) as socket:
                assert isinstance(socket, ClientConnection)
                self._serve(socket)
        except _Lost as lost:
            return str(lost)
        except (WebSocketException, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"[:200]
        except Exception as error:  # noqa: BLE001 - this thread's outermost line: its loss would be silence
            _log.exception("stream_failed", connection=self.name)
            return f"unexpected {type(error).__name__}"
        return "closed"

    def _serve(self, socket: ClientConnection) -> None:
        now = self._clock.boot_seconds()
        session = _Session(socket, opened=now, pinged=now, ponged=now, heard=now)
        self._subscribe(session)
        self.connected = True
        while not self._end.is_set():
            try:
                frame = socket.recv(timeout=self._settings.poll)
            except TimeoutError:
                pass
            else:
                self._take(session, frame)
            self._keep_alive(session)
            self._subscribe(session)

    def _take(self, session: _Session, text: str | bytes) -> None:
        frame = parse_frame(text, self._clock.now())
        if frame.pong:
            session.ponged = self._clock.boot_seconds()
            return
        for event in frame.events:
            # The last snapshots of what nobody watches any more would never be corrected.
            if not isinstance(event, BookSnapshot) or event.book.asset_id in self._wanted:
                self._line.cache.apply(event)
        self.tally.frames += 1
        self.tally.events += len(frame.events)
        self.tally.garbage += len(frame.refused)
        for refused in frame.refused:
            _log.warning("frame_refused", connection=self.name, code=refused.code, reason=refused.reason)
            # What could not be read may have been a change: those books are only as good as a new snapshot.
            assets = self._wanted if refused.assets is None else refused.assets
            self._line.cache.mark_stale(assets, f"a message could not be read ({refused.reason})")
        if frame.events:
            session.heard = self._clock.boot_seconds()
            self.tally.last_frame_at = self._clock.now()

    def _keep_alive(self, session: _Session) -> None:
        now = self._clock.boot_seconds()
        if now - session.ponged > self._settings.pong_within:
            raise _Lost(f"no PONG for {self._settings.pong_within:g} s")
        if now - session.heard > self._settings.silence:
            raise _Lost(f"connected, but silent for {self._settings.silence:g} s")
        if now - session.pinged >= self._settings.ping_every:
            session.socket.send("PING")
            session.pinged = now

    def _subscribe(self, session: _Session) -> None:
        """Brings the socket's subscriptions to what is wanted; the first frame names the channel."""
        wanted = self.wanted()
        for ids in _parts(wanted - session.subscribed):
            first = {"type": "market"} if not session.subscribed else {"operation": "subscribe"}
            session.socket.send(json.dumps({**first, "assets_ids": ids}))
            session.subscribed.update(ids)
        for ids in _parts(session.subscribed - wanted):
            session.socket.send(json.dumps({"operation": "unsubscribe", "assets_ids": ids}))
            session.subscribed.difference_update(ids)

    def _missed(self, reason: str) -> None:
        assets = self.wanted()
        self._line.cache.mark_stale(assets, f"the stream was interrupted ({reason})")
        self._line.on_gap(Gap(self._clock.now(), self.name, reason, len(assets)))


def _parts(asset_ids: Iterable[AssetId]) -> list[list[AssetId]]:
    ordered = sorted(asset_ids)
    return [ordered[start : start + _IDS_PER_FRAME] for start in range(0, len(ordered), _IDS_PER_FRAME)]
