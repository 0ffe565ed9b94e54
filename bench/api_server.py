"""The API over the database in a folder, or without one a bare route: prints its URL, serves until killed.

python -m bench.api_server [FOLDER]
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from polyb0t.api.app import create_app
from polyb0t.api.feed import JournalFeed
from polyb0t.api.security import Reach
from polyb0t.api.serving import Server, bind, server_config
from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.runtime.opened import OpenedStore
from tests.support.builders import a_scope
from tests.support.databases import sqlite_stores, sqlite_url


def main(arguments: list[str]) -> None:
    listening = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = _ours(Path(arguments[0])) if arguments else _bare()
    print(url, flush=True)
    server.run(sockets=[listening])


def _ours(folder: Path) -> uvicorn.Server:
    settings = load_settings(data_dir=folder / "data")
    stores = sqlite_stores(folder, SystemClock())
    opened = OpenedStore(settings, a_scope(), stores, sqlite_url(folder), None)
    feed = JournalFeed(stores.engine)
    reach = Reach(requests_per_minute=10_000_000)
    return Server(server_config(create_app(opened, reach, feed=feed), settings), feed)


def _bare() -> uvicorn.Server:
    app = FastAPI()

    @app.get("/bare")
    def bare() -> dict[str, bool]:
        return {"ok": True}

    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))


if __name__ == "__main__":
    main(sys.argv[1:])
