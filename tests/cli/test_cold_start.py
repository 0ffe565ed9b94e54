"""What a person waits for: the commands of a decision load only what they need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Place

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "alembic",
    "apscheduler",
    "eth_account",
    "fastapi",
    "httpx",
    "msgspec",
    "polymarket",
    "structlog",
    "textual",
    "uvicorn",
    "websockets",
)


def modules_of(*arguments: str) -> set[str]:
    """The top-level packages that one command line imports."""
    answer = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "polyb0t", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    lines = [line for line in answer.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("command", ["list", "approve"])
def test_deciding_loads_no_server_no_client_and_no_scheduler(place: Place, command: str) -> None:
    record = place.propose()
    arguments = ["list"] if command == "list" else ["approve", record.id, "--yes"]
    loaded = modules_of("intents", *arguments)
    assert "sqlalchemy" in loaded, "the measurement works"
    assert sorted(loaded & set(HEAVY)) == []


def test_help_loads_neither_settings_nor_database() -> None:
    assert modules_of("--help") & {"sqlalchemy", "pydantic", "rich", *HEAVY} == set()
