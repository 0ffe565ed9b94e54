"""A web server for one test, on this machine, that answers exactly what the test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What a reader asked."""

    method: str
    path: str
    body: bytes


@dataclass
class Reply:
    """What it gets. `pieces` are written one by one, with `between` called before each."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    between: Callable[[], None] | None = None


@dataclass
class Web:
    """The address, and everything that was asked so far."""

    url: str
    requests: list[Request]


@contextmanager
def serving(answer: Callable[[Request], Reply | None]) -> Iterator[Web]:
    """Answers every request by `answer`; None closes the connection without a word."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def _reply(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            request = Request(self.command, self.path, self.rfile.read(length))
            requests.append(request)
            reply = answer(request)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            try:
                for start in range(0, len(reply.body), 1 << 16):
                    if reply.between is not None:
                        reply.between()
                    self.wfile.write(reply.body[start : start + (1 << 16)])
                    self.wfile.flush()
            except OSError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield Web(f"http://127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
