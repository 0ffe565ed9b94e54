"""What a person or a machine can get wrong at the door: one clear message, the right exit code, no traceback."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from polyb0t.cli.main import run
from tests.cli.conftest import Place

ROOT = Path(__file__).resolve().parents[2]


def polyb0t(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "polyb0t", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_a_misspelt_setting_names_the_right_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_DRYRUN", "false")
    assert run(["intents", "list"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Did you mean POLYBOT_DRY_RUN?" in said.err


def test_a_zero_in_the_name_of_a_setting_names_the_right_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYB0T_DRY_RUN", "false")
    assert run(["intents", "list"]) == 2
    assert "Write POLYBOT_DRY_RUN." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLYBOT_INTENT_EXPIRY_SECONDS", "-5"),
        ("POLYBOT_MIN_EDGE", "NaN"),
        ("POLYBOT_VENUE", "kalshi"),
        ("POLYBOT_API_PORT", "99999"),
    ],
)
def test_an_impossible_value_is_named_with_its_meaning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert run(["intents", "list", "--json"]) == 2
    said = capsys.readouterr()
    problem = json.loads(said.err)
    assert said.out == ""
    assert name in problem["title"]
    assert value in problem["title"]
    assert "Meaning: " in problem["detail"]


def test_where_nothing_has_run_it_is_said_where_was_looked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["intents", "list"]) == 3
    said = capsys.readouterr().err
    assert "no engine has run" in said
    assert "Looked in " in said
    assert "make run" in said


def test_a_database_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    assert run(["--database-url", f"sqlite:///{missing}", "intents", "list", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.err)["status"] == 503
    assert not missing.exists(), "looking must not create a database"


def test_a_database_of_a_newer_version(place: Place) -> None:
    with sqlite3.connect(place.folder / "polyb0t.db") as connection:
        connection.execute("update gates set schema_version = 99")
        connection.execute("update alembic_version set version_num = '0099'")
    answer = place.type("intents", "list")
    assert answer.code == 1
    assert "99" in answer.err
    assert "Traceback" not in answer.err


def test_a_locked_database_is_said_to_be_locked(place: Place) -> None:
    record = place.propose()
    other = sqlite3.connect(place.folder / "polyb0t.db", isolation_level=None)
    try:
        other.execute("begin immediate")
        shown = place.type("intents", "show", record.id)
        refused = place.type("intents", "approve", record.id, "--yes", "--json")
    finally:
        other.close()
    assert shown.code == 0, "reading goes on"
    assert (refused.code, refused.out) == (1, "")
    assert "lock" in json.dumps(refused.problem)
    assert place.stores.intents.get(record.id).status == "PENDING"


def test_a_read_only_database_is_shown_and_not_decided_on(place: Place) -> None:
    """Opened read-only by its URL: file permissions would not stop the superuser who may run this."""
    record = place.propose()
    read_only = f"sqlite:///file:{place.folder / 'polyb0t.db'}?mode=ro&uri=true"

    shown = place.type("--database-url", read_only, "intents", "show", record.id)
    refused = place.type("--database-url", read_only, "intents", "approve", record.id, "--yes")

    assert shown.code == 0
    assert refused.code == 1
    assert "read" in refused.err.lower()
    assert place.stores.intents.get(record.id).status == "PENDING"


@contextmanager
def ends_soon() -> Iterator[None]:
    """A server that starts though it should have refused fails the test instead of serving for ever."""

    def ring(_number: int, _frame: object) -> None:
        raise AssertionError("the server started")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_port_in_use_is_one_message(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with ends_soon():
            answer = place.type("api", "--port", str(port))
    assert answer.code == 2
    assert answer.err.startswith(f"Not started: port {port} on 127.0.0.1 is in use.")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "localhost.example.com"])
def test_without_tls_the_api_listens_for_this_computer_only(place: Place, host: str) -> None:
    with ends_soon():
        answer = place.type("api", "--host", host)
    assert answer.code == 2
    assert "nothing encrypts that" in answer.err


def test_a_run_is_either_live_or_paper() -> None:
    assert run(["run"]) == 2
    assert run(["run", "--paper", "--live"]) == 2


@pytest.mark.parametrize("words", [["nonsense"], ["intents", "nonsense"], ["intents", "list", "--nonsense"]])
def test_words_that_are_no_command_exit_with_2(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run(words) == 2
    assert "nonsense" in capsys.readouterr().err
    assert run([*words, "--json"]) == 2
    said = capsys.readouterr()
    assert (json.loads(said.err)["code"], said.out) == ("usage", "")


def test_every_command_has_a_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    from polyb0t.cli.main import COMMANDS

    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in text
        assert run([name, "--help"]) == 0
    capsys.readouterr()


def test_a_reader_that_has_seen_enough_hears_no_complaint(place: Place) -> None:
    for _ in range(3):
        place.propose()
    answer = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m polyb0t intents list --json | head -c 1; exit 0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (answer.stdout, answer.stderr) == ("[", "")


def test_a_terminal_without_utf8_gets_c_for_the_cent_sign(place: Place) -> None:
    place.propose(question="Will Zürich win? ¢")
    answer = polyb0t("intents", "list", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert answer.returncode == 0, answer.stderr
    assert "61c max" in answer.stdout
    assert answer.stdout.isascii()


def test_no_colour_where_nobody_looks(place: Place) -> None:
    place.propose()
    assert "\x1b" not in place.type("intents", "list").out


def test_the_settings_are_shown_with_their_source_and_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_PRIVATE_KEY", "0x" + "77" * 32)
    monkeypatch.setenv("POLYBOT_DATABASE_URL", "postgresql+psycopg://bot:hunter2@db/bot")
    monkeypatch.setenv("POLYBOT_VENUE", "sandbox")
    assert run(["config", "show", "--json"]) == 0
    text = capsys.readouterr().out
    assert "7777" not in text
    assert "hunter2" not in text
    rows = {row["name"]: row for row in json.loads(text)}
    assert rows["POLYBOT_VENUE"]["source"] == "environment"
    assert rows["POLYBOT_INTENT_EXPIRY_SECONDS"] | {"meaning": ""} == {
        "name": "POLYBOT_INTENT_EXPIRY_SECONDS",
        "value": "180",
        "source": "sandbox default",
        "meaning": "",
    }
    assert rows["POLYBOT_DRY_RUN"]["value"] == "true"


def test_a_shell_that_disagrees_with_the_engine_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_DRY_RUN", "false")
    place.propose()
    text = place.type("intents", "list").out
    assert text.startswith("SANDBOX, dry run")
    assert "This shell has POLYBOT_DRY_RUN=false; what counts is the engine's row: SANDBOX, dry run." in text


def test_a_halt_holds_even_when_the_database_is_stuck(place: Place) -> None:
    other = sqlite3.connect(place.folder / "polyb0t.db", isolation_level=None)
    try:
        other.execute("begin immediate")
        halted = place.type("halt", "--reason", "it is stuck")
    finally:
        other.close()
    assert halted.code == 0
    assert halted.out == "Halted by file: nothing new is sent. Open orders stay at the exchange.\n"
    assert "The journal could not be written" in halted.err
    status = place.type("status", "--json").json
    assert status["halt_file"] is True


def test_a_database_opened_for_reading_only_is_shown_and_not_decided_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = place.propose()
    monkeypatch.setenv("POLYBOT_DATABASE_URL", f"sqlite:///file:{place.folder}/polyb0t.db?mode=ro&uri=true")
    shown = place.type("intents", "show", record.id)
    refused = place.type("intents", "approve", record.id, "--yes")
    assert shown.code == 0, shown.err
    assert refused.code == 1
    assert "Traceback" not in refused.err
    assert place.stores.intents.get(record.id).status == "PENDING"
