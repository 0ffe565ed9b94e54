"""A data directory that cannot be used is said in words, never in a traceback."""

from pathlib import Path

import pytest

from polyb0t.cli.main import run


def typed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    return run(arguments), capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["run", "--live", "--sandbox"], ["sandbox"]])
def test_one_that_is_a_file(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path / "file"))
    code, said = typed(capsys, *command)
    assert code == 2
    assert "there is a file of this name" in said
    assert "POLYBOT_DATA_DIR" in said


def test_one_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path / "file" / "below"))
    code, said = typed(capsys, "status")
    assert code == 2
    assert "cannot be made: Not a directory" in said


def test_what_this_computer_refuses_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "polyb0t.log").mkdir()
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(data))
    code, said = typed(capsys, "run", "--live", "--sandbox")
    assert code == 1
    assert "Is a directory" in said
    assert "polyb0t.log" in said
