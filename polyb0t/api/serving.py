"""Serves the API on a loopback address with uvicorn."""

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Callable

import uvicorn

from polyb0t.api.app import create_app
from polyb0t.core.errors import ConfigurationError
from polyb0t.runtime.opened import OpenedStore


def serve(opened: OpenedStore, *, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM. `ready` hears the URL once the port is ours.

    Raises:
        ConfigurationError: not a loopback address, or the port is taken.
    """
    host, port = opened.settings.api_host, opened.settings.api_port
    require_loopback(host)
    with bind(host, port) as listening:
        config = uvicorn.Config(
            create_app(opened), log_level="warning", access_log=False, timeout_graceful_shutdown=3
        )
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        with contextlib.suppress(
            KeyboardInterrupt
        ):  # how one stops it; uvicorn raises it once more at the end
            uvicorn.Server(config).run(sockets=[listening])


def require_loopback(host: str) -> None:
    """Refuse an address that other computers can reach.

    Raises:
        ConfigurationError: `host` is not a loopback address.
    """
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass  # a name: who knows where it leads
    raise ConfigurationError(
        f"Not started: {host:.60} is not an address of this computer alone.",
        why="Whoever reaches this API can approve trades; it has no tokens yet.",
        do="Use 127.0.0.1; from elsewhere through SSH: ssh -L 8000:127.0.0.1:8000 HOST",
        code="not_loopback",
    )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, or one clear message.

    Raises:
        ConfigurationError: the port is taken or not ours to take.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        taken = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            f"Not started: port {port} on {host} {'is in use' if taken else 'cannot be opened'}.",
            why="Another program listens there." if taken else f"{error.strerror}.",
            do=f"Stop it, or use another port: POLYBOT_API_PORT={port + 1 if port < 65_535 else 8001}",
            code="port_in_use" if taken else "port_not_available",
        ) from error
    return listening
