"""What docs/api.md shows is typed here as it stands there, against the program itself."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from polyb0t.execution.access import Role
from polyb0t.execution.intents import IntentStatus
from tests.api.conftest import Service

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
WAITS = ("Last-Event-ID",)  # lines that follow the journal until somebody ends them


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_every_curl_line_is_answered(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    token = service.token("anna", Role.ADMIN)
    monkeypatch.setenv("POLYBOT_TOKEN", token)
    approved, rejected = service.propose(), service.propose()
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("curl")]
    assert len(lines) >= 10
    said = {}
    for line in lines:
        typed = line.replace("localhost:8000", service.address).replace("fmse", approved.id)
        typed = (
            typed.replace("4yyn", rejected.id)
            .replace("812", "1")
            .replace("curl", f"curl -sS -H 'Authorization: Bearer {token}'", 1)
        )
        if "POLYBOT_TOKEN" in line:
            typed = line.replace("localhost:8000", service.address).replace("curl", "curl -sS", 1)
        if any(word in line for word in WAITS):
            typed = typed.replace("curl", "curl --max-time 2", 1)
        said[line] = _typed(typed)
    kinds = {entry.kind: entry.subject for entry in service.stores.engine.journal()}
    assert kinds["intent.approved"] == approved.id  # the halt that the page shows too rejects it again
    assert service.stores.intents.get(rejected.id).status is IntentStatus.REJECTED
    for line, answer in said.items():
        assert "urn:polyb0t:problem" not in answer, (line, answer)
        assert answer.strip(), line


def _typed(line: str) -> str:
    return subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, timeout=30, check=False
    ).stdout


def test_the_first_program_shows_what_waits_and_approves_it(service: Service, tmp_path: Path) -> None:
    record = service.propose()
    program = _program(0, service, tmp_path)
    ran = subprocess.run(
        [sys.executable, program], input="y\n", capture_output=True, text=True, timeout=30, check=True
    )
    assert record.intent.question in ran.stdout
    assert ran.stdout.rstrip().endswith("APPROVED")
    assert service.stores.intents.get(record.id).status is IntentStatus.APPROVED


def test_the_second_program_hears_what_happens(service: Service, tmp_path: Path) -> None:
    program = _program(1, service, tmp_path)
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        while not service.server.feed.listeners:
            assert process.poll() is None
        record = service.propose()
        sequence, kind, subject, _ = process.stdout.readline().split(maxsplit=3)
        assert (kind, subject) == ("intent.proposed", record.id)
        assert int(sequence) == service.stores.engine.last_sequence()
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _program(number: int, service: Service, folder: Path) -> Path:
    path = folder / "program.py"
    text = blocks("python")[number].replace("127.0.0.1:8000", service.address)
    path.write_text(text, encoding="utf-8")
    return path


def test_every_object_on_the_page_is_json() -> None:
    for block in blocks("json"):
        json.loads(block)
