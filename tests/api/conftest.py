"""The API over a real SQLite database, called as this computer's own programs call it."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from polyb0t.api.security import THIS_COMPUTER, Reach
from polyb0t.api.serving import server_config
from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, new_intent_id
from polyb0t.db.stores import SqlStores
from polyb0t.execution.access import Role
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Lease, Regime, Scope
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import create_token
from tests.api.running import Running
from tests.cli.scenes import tram
from tests.support.adapters import keep_adapters
from tests.support.builders import a_scope
from tests.support.databases import sqlite_stores, sqlite_url

keep_adapters()


class Service:
    """One scope's API and what an engine would write beneath it."""

    def __init__(
        self, folder: Path, scope: Scope, regime: Regime, reach: Reach = THIS_COMPUTER, **settings: Any
    ) -> None:
        stores = sqlite_stores(folder, SystemClock(), scope)
        assert isinstance(stores, SqlStores)
        lease = stores.engine.acquire(
            "engine", holder=f"{socket.gethostname()}:1", boot_id="b", process_started="1.0", regime=regime
        )
        assert isinstance(lease, Lease)
        self.stores, self.lease, self.scope, self.regime = stores, lease, scope, regime
        known = load_settings(data_dir=folder / "data", **settings)
        self.opened = OpenedStore(known, scope, stores, sqlite_url(folder), None)
        self.server = Running(self.opened, reach=reach, config=server_config)
        self.address = self.server.address
        self._clients: list[httpx.Client] = []
        self.http = self.server.client()

    def close(self) -> None:
        for client in (self.http, *self._clients):
            client.close()
        self.server.close()
        self.stores.close()

    def token(self, name: str = "anna", role: Role = Role.APPROVER, days: float = 30) -> str:
        """A token as it is shown once."""
        return create_token(self.opened, name=name, role=role, days=days, actor="user:owner").text

    def bearing(self, text: str) -> httpx.Client:
        """A client that shows this token."""
        client = self.server.client(headers={"Authorization": f"Bearer {text}"})
        self._clients.append(client)
        return client

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
