"""One socket after another in a named thread: kept alive, reopened, and every gap told.

What the exchange's sockets have in common (vendor's documentation and field notes, 2026): text `PING`
every 10 s, answered by text `PONG`; no sequence numbers and no replay; a connection can stay open,
answer pings and say nothing for hours.
"""

import secrets
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import structlog
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from polyb0t.core.clock import Clock

IDS_PER_CONNECTION: Final = 200
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


class Heard(StrEnum):
    """What a frame was, as far as keeping the connection is concerned."""

    PONG = "pong"
    CONTENT = "content"
    NOTHING = "nothing"  # blank, or not understood: no sign that the channel works


class Speaker(Protocol):
    """Where a channel sends its own frames."""

    def send(self, message: str, /) -> None: ...


class Channel(Protocol):
    """What is said and heard on a socket. Every method is called by the socket's own thread."""

    def opened(self, socket: Speaker) -> None:
        """A new socket: nothing is subscribed on it yet."""
        ...

    def tend(self, socket: Speaker) -> None:
        """Now and then: bring the subscriptions to what is wanted."""
        ...

    def take(self, frame: str | bytes) -> Heard: ...

    def lost(self, reason: str) -> None:
        """The socket is gone, or never came about: whatever was said meanwhile is missed."""
        ...


@dataclass(slots=True)
class _Duties:
    """When the duties of one open socket were last done, on the clock that counts suspension."""

    pinged: float
    ponged: float
    heard: float


class _Lost(Exception):
    """The connection is no longer worth keeping; the text says why."""


class SocketLine:
    """Serves `channel` over one socket after another until it is closed."""

    def __init__(self, name: str, url: str, clock: Clock, settings: StreamSettings, channel: Channel) -> None:
        self.name = name
        self.connected = False
        self._url = url
        self._clock = clock
        self._settings = settings
        self._channel = channel
        self._works = False  # whether the present socket has brought anything
        self._end = threading.Event()
        self._renew = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def renew(self) -> None:
        """Give the present socket up and open another."""
        self._renew.set()

    def ask_to_end(self) -> None:
        self._end.set()

    def close(self) -> None:
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=_LONGEST_GOODBYE_SECONDS)

    def _run(self) -> None:
        wait = self._settings.first_wait
        while not self._end.is_set():
            self._works = False
            reason = self._one_socket()
            self.connected = False
            if self._end.is_set():
                return
            if self._works:
                wait = self._settings.first_wait  # it worked for a while: start patiently anew
            self._channel.lost(reason)
            self._end.wait(wait * (0.5 + secrets.randbelow(1_000) / 2_000))
            wait = min(wait * 2, self._settings.longest_wait)

    def _one_socket(self) -> str:
        """Serves one socket to its end and returns the reason of the end."""
        try:
            with connect(
                self._url,
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
        duties = _Duties(pinged=now, ponged=now, heard=now)
        self._renew.clear()
        self._channel.opened(socket)
        self.connected = True
        while not self._end.is_set():
            if self._renew.is_set():
                raise _Lost("another socket was asked for")
            try:
                frame = socket.recv(timeout=self._settings.poll)
            except TimeoutError:
                pass
            else:
                self._heard(duties, self._channel.take(frame))
            self._keep_alive(socket, duties)
            self._channel.tend(socket)

    def _heard(self, duties: _Duties, what: Heard) -> None:
        if what is Heard.PONG:
            duties.ponged = self._clock.boot_seconds()
            return
        self._works = True
        if what is Heard.CONTENT:
            duties.heard = self._clock.boot_seconds()

    def _keep_alive(self, socket: ClientConnection, duties: _Duties) -> None:
        now = self._clock.boot_seconds()
        if now - duties.ponged > self._settings.pong_within:
            raise _Lost(f"no PONG for {self._settings.pong_within:g} s")
        if now - duties.heard > self._settings.silence:
            raise _Lost(f"connected, but silent for {self._settings.silence:g} s")
        if now - duties.pinged >= self._settings.ping_every:
            socket.send("PING")
            duties.pinged = now
