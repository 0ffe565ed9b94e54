"""`polyb0t init`: a file that the program can read, never with a key in it, never over another one."""

import stat
from pathlib import Path

import pytest

from polyb0t.cli.main import run
from polyb0t.config.settings import load_settings

WALLET = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
KEY = "0x" + "5a" * 32
ALL = ("init", "--wallet", WALLET, "--kind", "3", "--budget", "75")


@pytest.fixture(autouse=True)
def _no_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is what is looked at here; its check asks a sandbox that is not there."""
    monkeypatch.setenv("POLYBOT_VENUE", "sandbox")
    monkeypatch.setenv("POLYBOT_SANDBOX_URL", "http://127.0.0.1:9")


def test_it_writes_a_dry_run_that_the_settings_take(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(ALL)
    file = Path(".env")
    settings = load_settings()
    assert (settings.wallet_address, settings.signature_type, settings.dry_run) == (WALLET, 3, True)
    assert settings.budget_pusd == settings.bankroll_pusd == 75
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = capsys.readouterr().out
    assert "Dry run is ON" in said
    assert "polyb0t doctor --test-order" in said
    assert (code, "FAILED   network" in said) == (1, True)  # it was checked, and the check counts


@pytest.mark.parametrize("option", ["--wallet", "--kind", "--budget"])
@pytest.mark.parametrize("key", [KEY, KEY[2:], KEY.upper().replace("0X", "0x"), f" {KEY} "])
def test_a_key_is_neither_written_nor_repeated(
    capsys: pytest.CaptureFixture[str], option: str, key: str
) -> None:
    words = list(ALL)
    words[words.index(option) + 1] = key
    assert run(words) == 2
    said = capsys.readouterr()
    assert "5a5a" not in (said.out + said.err).lower()
    assert not Path(".env").exists()


def test_a_file_that_is_there_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_text("POLYBOT_MIN_EDGE=0.02\n")
    assert run(ALL) == 4
    assert Path(".env").read_text() == "POLYBOT_MIN_EDGE=0.02\n"
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"), [("--wallet", "0x12"), ("--kind", "9"), ("--budget", "0"), ("--budget", "-5")]
)
def test_what_is_not_possible_is_refused_before_anything_is_written(option: str, value: str) -> None:
    words = list(ALL)
    words[words.index(option) + 1] = value
    assert run(words) == 2
    assert not Path(".env").exists()


def test_without_anybody_to_ask_every_answer_has_to_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ALL[:3]) == 2
    assert "--kind" in capsys.readouterr().err
