"""An API server in a thread of the test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from polyb0t.api.app import create_app
from polyb0t.api.feed import JournalFeed
from polyb0t.api.security import THIS_COMPUTER, Reach
from polyb0t.api.serving import Server, bind
from polyb0t.config.settings import Settings
from polyb0t.runtime.opened import OpenedStore
from polyb0t.venue.tls import trust
from tests.api.described import Described


def quiet(app: FastAPI, _: Settings) -> uvicorn.Config:
    """What is tested is heard through its answers."""
    return uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5)


class Running:
    """Serves one opened store until it is closed."""

    def __init__(
        self,
        opened: OpenedStore,
        *,
        reach: Reach = THIS_COMPUTER,
        feed: JournalFeed | None = None,
        config: Callable[[FastAPI, Settings], uvicorn.Config] = quiet,
    ) -> None:
        self.feed = feed or JournalFeed(opened.stores.engine)
        self._listening = bind("127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.app = create_app(opened, reach, feed=self.feed)
        self.described = Described(self.app)
        self._server = Server(config(self.app, opened.settings), self.feed)
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],), daemon=True)
        self._thread.start()

    def client(self, **more: Any) -> httpx.Client:
        """A client, each of whose answers is held against the description."""
        return httpx.Client(
            base_url=f"http://{self.address}",
            trust_env=False,
            verify=trust(),
            timeout=10,
            event_hooks={"response": [self.described.check]},
            **more,
        )

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive(), "the server did not stop"
        self._listening.close()


@contextmanager
def serving(opened: OpenedStore, feed: JournalFeed | None = None) -> Iterator[httpx.Client]:
    """A client of another server over the same store, as a second process is."""
    server = Running(opened, feed=feed)
    with server.client() as http:
        yield http
    server.close()
