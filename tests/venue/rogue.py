"""A server on a raw socket that answers as badly as a test wants, and remembers what it was sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket, bytes], None]


@dataclass
class Rogue:
    url: str
    requests: list[bytes] = field(default_factory=list)
    reset: threading.Event = field(default_factory=threading.Event)  # the client aborted


def reply(status: int, body: bytes, *headers: str, kind: str = "application/json") -> Behaviour:
    """A whole, well-formed answer."""

    def act(peer: socket.socket, _request: bytes) -> None:
        lines = [
            f"HTTP/1.1 {status} X",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *headers,
        ]
        peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return act


def raw(*parts: bytes) -> Behaviour:
    """These bytes, then the connection is closed."""

    def act(peer: socket.socket, _request: bytes) -> None:
        for part in parts:
            peer.sendall(part)

    return act


def wait_for_reset(rogue_of: Callable[[], Rogue], *first: bytes) -> Behaviour:
    """Send `first`, then say nothing more until the client goes away."""

    def act(peer: socket.socket, _request: bytes) -> None:
        for part in first:
            peer.sendall(part)
        peer.settimeout(10)
        try:
            if peer.recv(1) == b"":
                return
        except ConnectionResetError:
            rogue_of().reset.set()

    return act


def drip(piece: bytes, gap: threading.Event) -> Behaviour:
    """`piece` for ever, every 50 ms: no single read ever times out."""

    def act(peer: socket.socket, _request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        try:
            while not gap.wait(0.05):
                peer.sendall(piece)
        except OSError:
            return

    return act


@contextmanager
def rogue(behave: Behaviour) -> Iterator[Rogue]:
    """Serves on a free port until the block ends; every connection gets the same treatment."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Rogue(f"http://127.0.0.1:{listening.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            with peer:
                request = _read_request(peer)
                server.requests.append(request)
                try:
                    behave(peer, request)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(timeout=10)
        assert not thread.is_alive()


def _read_request(peer: socket.socket) -> bytes:
    peer.settimeout(10)
    data = b""
    while b"\r\n\r\n" not in data:
        part = peer.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body
