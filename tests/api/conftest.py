"""The API over a real SQLite database, called as this computer's own programs call it."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from polyb0t.api.app import create_app
from polyb0t.api.serving import bind
from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, new_intent_id
from polyb0t.db.stores import SqlStores
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Lease, Regime, Scope
from polyb0t.runtime.opened import OpenedStore
from tests.cli.scenes import tram
from tests.support.builders import a_scope
from tests.support.databases import sqlite_stores, sqlite_url


class Service:
    """One scope's API and what an engine would write beneath it."""

    def __init__(self, folder: Path, scope: Scope, regime: Regime) -> None:
        stores = sqlite_stores(folder, SystemClock(), scope)
        assert isinstance(stores, SqlStores)
        lease = stores.engine.acquire(
            "engine", holder=f"{socket.gethostname()}:1", boot_id="b", process_started="1.0", regime=regime
        )
        assert isinstance(lease, Lease)
        self.stores, self.lease, self.scope, self.regime = stores, lease, scope, regime
        settings = load_settings(data_dir=folder / "data")
        self.opened = OpenedStore(settings, scope, stores, sqlite_url(folder), None)
        self._listening = bind("127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(create_app(self.opened), log_level="critical"))
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],), daemon=True)
        self._thread.start()
        self.http = httpx.Client(base_url=f"http://{self.address}", trust_env=False, timeout=10)

    def close(self) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join(15)
        assert not self._thread.is_alive(), "the server did not stop"
        self._listening.close()
        self.stores.close()

    def propose(self, **overrides: Any) -> IntentRecord:
        now = SystemClock().now()
        content: dict[str, Any] = {
            "id": new_intent_id(),
            "scope": str(self.scope),
            "regime": self.regime,
            "created_at": now - timedelta(seconds=1),
            "deadline": now + timedelta(seconds=600),
            "asset_id": AssetId(str(1000 + len(self.stores.intents.list(limit=1000)))),
        }
        answer = self.stores.intents.propose(replace(tram(), **{**content, **overrides}), self.lease)
        assert isinstance(answer, IntentRecord), answer
        return answer


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.upper().startswith(("POLYBOT_", "POLYB0T_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, a_scope(), Regime.DRY_RUN)
    yield made
    made.close()


@pytest.fixture
def real_money(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, Scope("polymarket", 137, "0x" + "1" * 40), Regime.LIVE)
    yield made
    made.close()
