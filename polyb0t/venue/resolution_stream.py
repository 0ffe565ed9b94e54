"""The market socket's word that a market has ended, for markets of which something is held.

The exchange tells it only to connections that ask for its newer kinds of message, and then tells them of
every market that is born as well; so this is a connection of its own, apart from the books. What it says
is a reason to read the result at once and never a result: it may be missed, early or wrong.
"""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.venue.frames import RESOLVED, MarketResolved, parse_frame
from polyb0t.venue.socket_line import Heard, SocketLine, Speaker, StreamSettings

_NAME: Final = "polyb0t-resolutions"
_log = structlog.get_logger(__name__)


class ResolutionStream:
    """Open while something is held. Safe to share between threads; its thread ends with `close`."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        heard: Callable[[ConditionId], None],
        *,
        settings: StreamSettings | None = None,
    ) -> None:
        """`heard` is called by the connection's thread and must not wait for anything."""
        self._url, self._clock, self._heard = url, clock, heard
        self._settings = settings or StreamSettings()
        self._lock = threading.Lock()
        self._wanted: frozenset[AssetId] = frozenset()
        self._subscribed: frozenset[AssetId] = frozenset()  # used by the connection's thread alone
        self._line: SocketLine | None = None

    @property
    def connected(self) -> bool:
        return self._line is not None and self._line.connected

    def watch(self, asset_ids: Iterable[AssetId]) -> None:
        """From now on these, as many as one connection bears; without any it is closed."""
        wanted = frozenset(sorted(set(asset_ids))[: self._settings.ids_per_connection])
        with self._lock:
            self._wanted = wanted
            line = self._line
            if wanted and line is None:
                self._line = SocketLine(_NAME, self._url, self._clock, self._settings, self)
                self._line.start()
            elif not wanted:
                self._line = None
        if line is not None and not wanted:
            line.close()

    def close(self) -> None:
        self.watch(())

    # -- as the socket's channel ---------------------------------------------------------------

    def opened(self, socket: Speaker) -> None:
        self._subscribed = frozenset()
        self.tend(socket)

    def tend(self, socket: Speaker) -> None:
        wanted = self._wanted
        new, old = wanted - self._subscribed, self._subscribed - wanted
        if new:
            first = {"operation": "subscribe"} if self._subscribed else {"type": "market"}
            asked = {**first, "assets_ids": sorted(new), "custom_feature_enabled": True}
            socket.send(json.dumps(asked))
        if old:
            socket.send(json.dumps({"operation": "unsubscribe", "assets_ids": sorted(old)}))
        self._subscribed = wanted

    def take(self, frame: str | bytes) -> Heard:
        """Books come here as well and are not looked at."""
        text = frame.decode(errors="replace") if isinstance(frame, bytes) else frame
        if text.strip() in ("", "PONG"):
            return Heard.PONG if text.strip() else Heard.NOTHING
        if RESOLVED in text:
            for event in parse_frame(text, self._clock.now()).events:
                if isinstance(event, MarketResolved):
                    self._heard(event.condition_id)
        return Heard.CONTENT

    def lost(self, reason: str) -> None:
        """What was said meanwhile is missed; results are read every half minute anyway."""
        _log.info("resolutions.interrupted", reason=reason)
