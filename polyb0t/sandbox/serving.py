"""uvicorn on a port of our own: bound before anything is said, and with connections that can be cut."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, ClassVar, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.app import CUT, SandboxApp

DEFAULT_PORT: Final = 8137
GOODBYE_S: Final = 2  # how long open connections may take at the end

_App = Callable[[Any, Any, Any], Awaitable[None]]


class PortInUseError(PolybotError):
    """Somebody else listens there, or nobody may."""

    code = "port_in_use"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        PortInUseError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only on sockets that name it;
    # left out, every reply to a POST waits 40 ms for a delayed acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except (OSError, OverflowError) as error:
        listening.close()
        raise PortInUseError(
            f"The sandbox cannot listen on {host} port {port}.",
            why=f"{getattr(error, 'strerror', None) or error}: perhaps a sandbox runs there already.",
            do="Stop the other program, or choose another port with --port.",
        ) from error
    return listening


def _with_cut(app: _App, transport: asyncio.BaseTransport) -> _App:
    """The application, told how to cut the connection that it is served on."""

    async def cuttable(scope: MutableMapping[str, Any], receive: object, send: object) -> None:
        cut = transport.abort if isinstance(transport, asyncio.WriteTransport) else transport.close
        scope["extensions"] = {**(scope.get("extensions") or {}), CUT: cut}
        await app(scope, receive, send)

    return cuttable


class _Http(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _with_cut(self.app, transport)


class _Sockets(WebSocketsSansIOProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.app = _with_cut(self.app, transport)


class SandboxServer(uvicorn.Server):
    """uvicorn on a socket that is bound already; `ready` hears the URL once it answers."""

    def __init__(
        self, app: SandboxApp, listening: socket.socket, ready: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Http,
                ws=_Sockets,
                ws_per_message_deflate=False,
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=GOODBYE_S,
            )
        )
        self._listening = listening
        self._ready = ready
        host, port = listening.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def serve_until_stopped(self) -> None:
        """Serve until `stop`, SIGTERM or Ctrl-C."""
        before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before[number] = signal.signal(number, lambda *_: self.stop())
        try:
            await self.serve(sockets=[self._listening])
        finally:
            for caught, handler in before.items():
                signal.signal(caught, handler)

    def stop(self) -> None:
        """Finish what is being answered, then return from `serve_until_stopped`."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Announce the URL when it answers."""
        await super().startup(sockets=sockets)
        if self._ready is not None:
            self._ready(self.url)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are handled above: uvicorn would die of them again after a clean end."""
        yield
