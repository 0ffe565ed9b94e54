"""Whether an address is free, and who has it if not."""

import socket
from contextlib import suppress

import psutil

from polyb0t.core.errors import ConflictError


def refuse_taken_port(host: str, port: int, other: str) -> None:
    """Fail before anything is started if somebody listens there.

    Raises:
        ConflictError: the port is taken; names it, who has it, and the setting that chooses another.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConflictError(
                f"Not started: port {port} on {host} is taken ({error.strerror or error}).",
                why=_who_listens(port),
                do=f"Stop that one, or choose another port: {other} make run",
                code="port_in_use",
            ) from None


def _who_listens(port: int) -> str:
    """The process, where the operating system tells it of this user's processes."""
    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port and each.pid:
                return f"Process {each.pid} ({psutil.Process(each.pid).name()}) listens there."
    return "Perhaps make run or make practice is open in another terminal."
