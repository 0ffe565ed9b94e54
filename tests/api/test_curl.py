"""The two lines that people type, against the program itself."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from polyb0t.execution.intents import IntentStatus
from tests.api.conftest import Service
from tests.support.databases import sqlite_url

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_both_lines_work_as_typed(service: Service, tmp_path: Path) -> None:
    record, port = service.propose(), free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "POLYBOT_DATABASE_URL": sqlite_url(tmp_path),
        "POLYBOT_DATA_DIR": str(tmp_path / "data"),
        "POLYBOT_API_PORT": str(port),
    }
    api = subprocess.Popen(
        [sys.executable, "-m", "polyb0t", "api"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert api.stdout is not None
        assert f"http://127.0.0.1:{port}" in api.stdout.readline()
        listed = curl(f"curl -sS 'http://localhost:{port}/intents?status=PENDING'")
        assert [row["id"] for row in json.loads(listed)] == [record.id]
        approved = curl(f"curl -sS -X POST http://localhost:{port}/intents/{record.id}/approve")
        assert json.loads(approved)["status"] == "APPROVED"
        assert service.stores.intents.get(record.id).status is IntentStatus.APPROVED
        form = curl(f"curl -sS -d 'a=b' http://localhost:{port}/intents/{record.id}/reject")
        assert json.loads(form)["code"] == "not_json"
    finally:
        api.send_signal(signal.SIGINT)
        api.wait(15)
        assert api.stdout is not None
        api.stdout.close()
    assert api.returncode == 0, "Ctrl-C is how one stops it"


def curl(line: str) -> str:
    """The answer to a line as somebody types it into a shell."""
    return subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, check=True, timeout=30
    ).stdout
