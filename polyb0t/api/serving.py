"""Serves the API with uvicorn: on this computer alone, or elsewhere with tokens and TLS."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Final

import uvicorn
from fastapi import FastAPI

from polyb0t.api.app import create_app
from polyb0t.api.feed import JournalFeed
from polyb0t.api.security import is_loopback, reach_of
from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.runtime.interpreter import switch_quickly
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import is_real_money, require_usable_token

EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to be told, not to be used


def serve(opened: OpenedStore, *, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. `ready` hears the URL once the port is ours.

    Raises:
        ConfigurationError: reached from elsewhere without tokens or TLS, or the port is taken.
    """
    settings = opened.settings
    host, port = settings.api_host, settings.api_port
    require_guarded(opened)
    feed = JournalFeed(opened.stores.engine)
    with bind(host, port) as listening:
        config = server_config(create_app(opened, reach_of(settings), feed=feed), settings)
        scheme = "https" if settings.api_tls_cert is not None else "http"
        ready(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
        with contextlib.suppress(
            KeyboardInterrupt
        ):  # how one stops it; uvicorn raises it once more at the end
            Server(config, feed).run(sockets=[listening])


class Server(uvicorn.Server):
    """Ends the streams of events first: they would never end by themselves, and it waits for answers."""

    def __init__(self, config: uvicorn.Config, feed: JournalFeed) -> None:
        super().__init__(config)
        self._feed = feed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        switch_quickly()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.to_thread(self._feed.close)
        await super().shutdown(sockets)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves it. Who speaks for whom is judged by our own door: uvicorn would believe every
    program of this computer about where a request comes from."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=32_768,
        ssl_certfile=settings.api_tls_cert,
        ssl_keyfile=settings.api_tls_key,
    )


def require_guarded(opened: OpenedStore) -> None:
    """Refuse what would let somebody in who has no business here.

    Raises:
        ConfigurationError: `tls_required`, `tokens_required`, `api_names_required`, `tls_files`.
    """
    settings = opened.settings
    _require_readable_pair(settings)
    reached = not is_loopback(settings.api_host)
    if reached and settings.api_tls_cert is None and not settings.api_behind_proxy:
        raise ConfigurationError(
            f"Not started: other computers reach {settings.api_host:.60}, and nothing encrypts that.",
            why="A token that is overheard decides about trades.",
            do="Give --tls-cert and --tls-key, or --behind-proxy if a proxy does TLS.\n"
            f"Or stay on 127.0.0.1: ssh -L {settings.api_port}:127.0.0.1:{settings.api_port} HOST",
            code="tls_required",
        )
    if (reached and settings.api_host in EVERYWHERE) or settings.api_behind_proxy:
        _require_names(settings)
    if reached or settings.api_behind_proxy:
        require_usable_token(opened, "Whoever reaches this API from elsewhere has to show one.")
    elif is_real_money(opened):
        require_usable_token(opened, "With real money this API answers nobody without one.")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, or one clear message.

    Raises:
        ConfigurationError: the port is taken or not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, asyncio sends at once; without, each answer's body waits 40 ms for its head's receipt.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            f"Not started: port {port} on {host:.60} {'is in use' if taken else 'cannot be opened'}.",
            why="Another program listens there." if taken else f"{error.strerror}.",
            do=f"Stop it, or use another port: POLYBOT_API_PORT={port + 1 if port < 65_535 else 8001}",
            code="port_in_use" if taken else "port_not_available",
        ) from error
    return listening


def _require_names(settings: Settings) -> None:
    if settings.api_names:
        return
    raise ConfigurationError(
        "Not started: it is not said under which name clients reach this API.",
        why="A request for any other name is refused, so that no page elsewhere borrows ours.",
        do="Set POLYBOT_API_NAMES, for example to trader.example.org.",
        code="api_names_required",
    )


def _require_readable_pair(settings: Settings) -> None:
    """Both files or neither, and a pair that TLS takes."""
    cert, key = settings.api_tls_cert, settings.api_tls_key
    if cert is None and key is None:
        return
    why = "Certificate and key are named together." if cert is None or key is None else ""
    if cert is not None and key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            why = f"{cert} and {key}: {error.strerror or error}."
    if why:
        raise ConfigurationError(
            "Not started: the API's certificate cannot be used.",
            why=why,
            do="Name PEM files that belong together: --tls-cert and --tls-key.",
            code="tls_files",
        )
