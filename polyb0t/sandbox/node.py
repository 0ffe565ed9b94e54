"""JSON-RPC to a node on this machine: one call at a time, errors with the node's own words."""

import http.client
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

from polyb0t.core.errors import PolybotError

TIMEOUT_SECONDS: Final = 10.0


class NodeError(PolybotError):
    """The node refused a call, or did not answer. `data` is what a revert returned, in hex."""

    code = "practice_chain"

    def __init__(self, what: str, *, why: str = "", data: str = "") -> None:
        super().__init__(what, why=why)
        self.data = data


class Node:
    """A node at a port of 127.0.0.1. Usable from several threads; calls wait for each other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._ids = itertools.count(1)
        self._lock = Lock()
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, *params: object) -> Any:
        """The result of one call.

        Raises:
            NodeError: an error was answered, or nothing that can be read.
        """
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        with self._lock:
            answer = self._post(json.dumps(body).encode())
        if "error" in answer:
            error = answer["error"]
            data = error.get("data")
            raise NodeError(
                f"The practice chain refused {method}.",
                why=str(error.get("message", "")),
                data=data if isinstance(data, str) else "",
            )
        return answer["result"]

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, body: bytes) -> dict[str, Any]:
        with self._connected() as connection:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            text = connection.getresponse().read()
        answer: dict[str, Any] = json.loads(text)
        return answer

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        try:
            yield self._connection
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NodeError(
                "The practice chain did not answer.", why=f"{type(error).__name__} {error}"
            ) from error
