"""A client of server-sent events that remembers the last id, as every such client does."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    """One event, and the number that it gave."""

    id: str
    data: dict[str, Any]


class EventReader:
    """Reads `/events` of one server; `last_id` is what a reconnect sends."""

    def __init__(self, http: httpx.Client, query: str = "", last_id: str = "") -> None:
        self._http, self._query = http, query
        self.last_id = last_id
        self.began = threading.Event()  # the server has said behind which number it begins

    def read(self, count: int) -> list[Event]:
        """The next `count` events; then the connection is dropped."""
        found: list[Event] = []
        if not count:
            return found
        for event in self.stream():
            found.append(event)
            if len(found) == count:
                break
        return found

    def stream(self) -> Iterator[Event]:
        """Events until the server ends the answer."""
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        with self._http.stream("GET", f"/events{self._query}", headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            data: list[str] = []
            for line in answer.iter_lines():
                if not line:
                    if data:
                        yield Event(self.last_id, json.loads("\n".join(data)))
                    data = []
                    continue
                name, _, value = line.partition(":")
                if name == "id":
                    self.last_id = value.strip()
                    self.began.set()
                elif name == "data":
                    data.append(value.removeprefix(" "))
