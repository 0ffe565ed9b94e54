"""One request, once: the only way in which an order, a cancel or a new credential leaves.

What matters is not the answer but what is known without one. Bytes can only have left after a
connection came about, so a call ends in one of three ways: an answer, proof that nothing left, or no
proof either way. Nothing is ever repeated here.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from polyb0t.core.clock import Clock
from polyb0t.venue.http import Call
from polyb0t.venue.tls import trust

MOST_BYTES: Final = 1_000_000
_LINGER_ZERO: Final = struct.pack("ii", 1, 0)  # close with a reset: what is still queued is thrown away


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NeverLeft(Exception):
    """No connection came about, so no byte of the request left this machine."""


class NoAnswer(Exception):
    """The request or a part of it may have arrived; what became of it is not known."""


class _TooLate(Exception):
    """The budget was over before the first byte: the process was suspended, or connecting took long."""


class OneShot:
    """Sends requests, each on a connection of its own. Safe to share between threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        budget_seconds: float = 10.0,
        connect_seconds: float = 5.0,
        on_call: Callable[[Call], None] = lambda _call: None,
    ) -> None:
        """`budget_seconds` bounds one call in all, also against a server that drips."""
        self._clock = clock
        self._on_call = on_call
        self._budget = budget_seconds
        self._client = httpx.Client(
            verify=trust(),
            http2=False,
            trust_env=False,  # a proxy from the environment would see headers, and might repeat requests
            follow_redirects=False,
            # An idle connection that dies while it is used again leaves the outcome unknown.
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "polyb0t"},
            timeout=httpx.Timeout(budget_seconds + 5, connect=min(connect_seconds, budget_seconds)),
        )

    def close(self) -> None:
        self._client.close()

    def call(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Send once and read the answer.

        Raises:
            NeverLeft: proof that nothing left; the same call may be made again.
            NoAnswer: no proof either way.
        """
        attempt = _Attempt(self._clock, self._budget)
        request = self._client.build_request(
            method,
            url,
            headers={**headers, "Accept": "application/json", "Accept-Encoding": "identity"},
            content=body or None,
            extensions={"trace": attempt.trace},
        )
        timer = threading.Timer(self._budget, attempt.abort)
        timer.daemon = True
        timer.start()
        started, host = self._clock.boot_seconds(), request.url.host
        try:
            reply = self._exchange(request)
        except _TooLate as late:
            raise NeverLeft("the time for sending was over before anything was sent") from late
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            self._on_call(Call(host, False, self._clock.boot_seconds() - started, None, "no_answer"))
            reason = attempt.reason(error)
            raise (NoAnswer if attempt.left else NeverLeft)(reason) from error
        finally:
            timer.cancel()
        answered = reply.status < 400
        error_code = "" if answered else "venue_status"
        seconds = self._clock.boot_seconds() - started
        self._on_call(Call(host, answered, seconds, reply.status, error_code))
        return reply

    def _exchange(self, request: httpx.Request) -> Reply:
        response = self._client.send(request, stream=True)
        try:
            parts = bytearray()
            for part in response.iter_raw():
                parts += part
                if len(parts) > MOST_BYTES:
                    raise NoAnswer(f"the answer is larger than {MOST_BYTES} bytes")
        finally:
            response.close()
        names = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, names, bytes(parts))


class _Attempt:
    """What has happened so far to one request, told by the transport's own trace."""

    def __init__(self, clock: Clock, budget: float) -> None:
        self._clock = clock
        self._budget = budget
        self._deadline = clock.boot_seconds() + budget
        self._socket: socket.socket | None = None
        self._aborted = False
        self.left = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            # A TLS socket takes over this one's descriptor; both are looked up through the stream.
            self._socket = info["return_value"].get_extra_info("socket")
        elif event == "connection.start_tls.complete":
            self._socket = info["return_value"].get_extra_info("socket")
        elif event.endswith("send_request_headers.started"):
            if self._aborted or self._clock.boot_seconds() >= self._deadline:
                raise _TooLate
            self.left = True

    def abort(self) -> None:
        """Called by the timer. The thread that waits wakes up and closes; what is queued is dropped."""
        self._aborted = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
                # Not SSLSocket's own method, which would pull the session from under the waiting thread.
                socket.socket.shutdown(self._socket, socket.SHUT_RD)

    def reason(self, error: Exception) -> str:
        """Why there is no answer, without anything of the request."""
        if self._aborted:
            return f"no answer within {self._budget:g} s"
        return f"{type(error).__name__}: {error!s:.200}"
