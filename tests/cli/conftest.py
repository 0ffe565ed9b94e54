"""A place where an engine has run: a real SQLite database, found through the environment as a user's would be."""

import json
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from polyb0t.cli.main import run
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, IntentId, new_intent_id
from polyb0t.db.stores import SqlStores
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Lease, Regime
from polyb0t.runtime.current import process_started
from tests.cli.scenes import tram
from tests.support.builders import a_scope
from tests.support.databases import sqlite_stores, sqlite_url


@dataclass
class Answer:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def problem(self) -> Any:
        return json.loads(self.err)


@dataclass
class Place:
    """A database with an engine's lease, and the command line over it."""

    folder: Path
    stores: SqlStores
    lease: Lease
    capsys: pytest.CaptureFixture[str]

    @property
    def url(self) -> str:
        return sqlite_url(self.folder)

    def propose(self, *, seconds: float = 600, **overrides: Any) -> IntentRecord:
        """The tram trade, waiting, as a dry run on the sandbox unless told otherwise."""
        now = SystemClock().now()
        number = len(self.stores.intents.list(limit=1000))
        content: dict[str, Any] = {
            "id": new_intent_id(),
            "scope": str(a_scope()),
            "regime": Regime.DRY_RUN,
            "created_at": now - timedelta(seconds=1),
            "deadline": now + timedelta(seconds=seconds),
            "asset_id": AssetId(str(1000 + number)),
        }
        answer = self.stores.intents.propose(replace(tram(), **{**content, **overrides}), self.lease)
        assert isinstance(answer, IntentRecord), answer
        return answer

    def supersede(self, old: IntentRecord, **overrides: Any) -> IntentRecord:
        """A newer proposal of the same trade in its place."""
        content: dict[str, Any] = {"id": new_intent_id(), "created_at": SystemClock().now(), **overrides}
        answer = self.stores.intents.supersede(old.id, replace(old.intent, **content), self.lease)
        assert isinstance(answer, IntentRecord), answer
        return answer

    def runs(self, problem: str = "") -> None:
        """An engine that runs in this very process and publishes `problem`."""
        self.stores.engine.release(self.lease)
        holder, started = f"here:{os.getpid()}", str(process_started())
        lease = self.stores.engine.acquire(
            "engine", holder=holder, boot_id="b", process_started=started, regime=Regime.DRY_RUN
        )
        assert isinstance(lease, Lease)
        self.lease = lease
        self.stores.engine.beat(lease, cycle=1, facts={"problem": problem})

    def type(self, *arguments: str) -> Answer:
        """Run one command line in this process."""
        self.capsys.readouterr()
        code = run(arguments)
        said = self.capsys.readouterr()
        return Answer(code, said.out, said.err)

    def short(self, record: IntentRecord) -> str:
        return self.stores.intents.shortest_prefixes([record.id])[record.id]

    def ids(self, text: Sequence[dict[str, Any]]) -> list[IntentId]:
        return [IntentId(row["id"]) for row in text]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("POLYBOT_", "POLYB0T_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Place]:
    stores = sqlite_stores(tmp_path, SystemClock())
    assert isinstance(stores, SqlStores)
    lease = stores.engine.acquire(
        "engine",
        holder=f"{socket.gethostname()}:1",
        boot_id="b",
        process_started="1.0",
        regime=Regime.DRY_RUN,
    )
    assert isinstance(lease, Lease)
    monkeypatch.setenv("POLYBOT_DATABASE_URL", sqlite_url(tmp_path))
    yield Place(tmp_path, stores, lease, capsys)
    stores.close()
