"""`polyb0t backtest run`: from a file to a result that says first how good it can be."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polyb0t.cli.main import run
from tests.support.history_files import parquet

COLUMNS = {
    "timestamp": "TIMESTAMPTZ",
    "market_slug": "VARCHAR",
    "question": "VARCHAR",
    "price": "DOUBLE",
    "outcome": "DOUBLE",
    "category": "VARCHAR",
}
START = datetime(2026, 3, 2, tzinfo=UTC)
ASKED = "Will the ferry run by March 20, 2026?"


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def prices(tmp_path: Path) -> str:
    """A market of politics at 60 cents for two days, which comes true."""
    rows: list[tuple[object, ...]] = [
        (START + timedelta(hours=hour), "ferry", ASKED, 0.6, None, "politics") for hour in range(48)
    ]
    rows.append((START + timedelta(hours=48), "ferry", ASKED, 0.99, 1.0, "politics"))
    return str(parquet(tmp_path / "prices.parquet", COLUMNS, rows))


def backtest(*arguments: str) -> int:
    return run(["backtest", "run", *arguments, "--every", "14400"])


def test_the_grade_comes_first_and_the_assumptions_are_all_there(prices, capsys):
    assert backtest(prices, "--model", "published") == 0
    out = capsys.readouterr().out
    assert out.startswith("Fidelity     D: prices alone")
    for said in (
        "Assumed:",
        "Books are assumed",
        "A person is simulated",
        "may be\n  what they were made from",
    ):
        assert said in out
    assert "1 different run on this history so far." in out


def test_a_run_without_proposals_says_why_before_anything_else(prices, data_dir, capsys):
    """Of the grade it is the next: in the run, in its report and on its page."""
    assert backtest(prices, "--model", "identity") == 0
    lines = capsys.readouterr().out.splitlines()
    second = next(line for line in lines[1:] if not line.startswith(" "))
    assert second.startswith("Proposals    none in 12 decisions. 12 times: ")
    at = lines.index("Why nothing was proposed:")
    assert lines[at + 1].startswith("- 12 of 12 decisions (100 %): ")
    assert at < lines.index("Assumed:")

    (folder,) = data_dir.glob("backtests/*/")
    assert run(["backtest", "report", folder.name]) == 0
    reported = capsys.readouterr().out
    assert (
        reported.index("Fidelity")
        < reported.index("Proposals  none in 12 decisions.")
        < reported.index("History")
    )
    assert "Why nothing was proposed:\n- 12 of 12 decisions (100 %): " in reported
    assert run(["backtest", "report", folder.name, "--html", "page.html"]) == 0
    assert "<h2>Why nothing was proposed</h2>" in Path("page.html").read_text("utf-8")


def test_the_same_command_is_the_same_run(prices, data_dir, capsys):
    assert backtest(prices, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert backtest(prices, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["id"], again["same"], again["trials"]) == (first["id"], True, 1)
    assert run(["backtest", "run", "--again", first["id"][:6], "--json"]) == 0
    repeated = json.loads(capsys.readouterr().out)
    assert (repeated["id"], repeated["same"]) == (first["id"], True)
    kept = sorted(path.name for path in (data_dir / "backtests" / first["id"]).iterdir())
    assert kept == ["book.db", "decisions.jsonl", "equity.csv", "run.json"]


def test_a_run_that_cannot_be_repeated_any_more_is_another_one_and_says_so(prices, capsys):
    assert backtest(prices, "--json") == 0
    first = json.loads(capsys.readouterr().out)["id"]
    parquet(Path(prices), COLUMNS, [(START, "ferry", ASKED, 0.6, None, "politics"),
                                    (START + timedelta(hours=5), "ferry", ASKED, 0.99, 1.0, "politics")])  # fmt: skip
    assert run(["backtest", "run", "--again", first[:6]]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"IT IS NOT THE RUN {first[:6]}: the program, the history or the model has changed since" in out
    assert f"polyb0t backtest compare {first[:6]} " in out


def test_another_setting_is_another_run_and_another_trial(prices, capsys):
    assert backtest(prices, "--sweep", "MIN_EDGE=0.01,0.02", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    first, second = told["runs"]
    assert first["id"] != second["id"]
    assert (told["choice"]["runs"], told["choice"]["trials"], told["choice"]["best"]) == (2, 2, None)
    assert (first["settings"]["min_edge"], second["settings"]["min_edge"]) == ("0.01", "0.02")
    assert second["trials"] == 2
    assert backtest(prices, "--sweep", "MIN_EDGE=0.01,0.02") == 0
    said = capsys.readouterr().out
    assert "How far the best of them is the best by luck cannot be said: from 30 daily returns on" in said
    assert "The best of many trials is good by chance" in said


def test_two_at_a_time_are_what_one_after_the_other_is(prices, capsys):
    """Processes of their own: what they decide is the same."""
    assert backtest(prices, "--sweep", "MIN_EDGE=0.01,0.02", "--json") == 0
    one_by_one = json.loads(capsys.readouterr().out)["runs"]
    assert backtest(prices, "--sweep", "MIN_EDGE=0.01,0.02", "--jobs", "2", "--json") == 0
    together = json.loads(capsys.readouterr().out)["runs"]
    assert [each["same"] for each in together] == [True, True]
    assert [each["money"] for each in together] == [each["money"] for each in one_by_one]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no history was named"),
        (("nowhere.parquet",), "There is no"),
        (("FILE", "--human", "perhaps"), "is no person"),
        (("FILE", "--human", "1.5"), "is no person"),
        (("FILE", "--set", "MIN_EDGES=1"), "there is no setting"),
        (("FILE", "--set", "MIN_EDGE"), "sets nothing"),
        (("FILE", "--set", "DRY_RUN=false"), "means nothing in a replay"),
        (("FILE", "--since", "yesterday"), "is no instant"),
        (("FILE", "--since", "2027-01-01"), "has nothing from 2027-01-01"),
        (("FILE", "--model", "mc-1"), "No model begins with"),
        (("recorded",), "Nothing was recorded"),
        (("FILE", "--human", "journal"), "No engine has run"),
        (("FILE", "--again", "ffff"), "--again repeats a run as it was"),
        (("--again", "ffff"), "--again repeats a run as it was"),  # and a time between cycles
        (("FILE", "--model", "identity", "--walk-forward", "FILE"), "both say who speaks"),
    ],
)
def test_what_cannot_be_replayed_is_said_and_leaves_nothing_behind(arguments, said, prices, data_dir, capsys):
    assert backtest(*[prices if each == "FILE" else each for each in arguments]) in (2, 3)
    assert said in capsys.readouterr().err
    assert not list(data_dir.glob("backtests/*/run.json"))


def test_a_run_that_is_repeated_is_repeated_as_it_was(capsys):
    assert run(["backtest", "run", "--again", "ffff"]) == 3
    assert "No backtest begins" in capsys.readouterr().err
    for other in (("--human", "nobody"), ("--bankroll", "7"), ("--seed", "2"), ("--model", "identity")):
        assert run(["backtest", "run", "--again", "ffff", *other]) == 2
        assert "--again repeats a run as it was" in capsys.readouterr().err


def test_a_sweep_with_one_impossible_value_is_refused_before_anything_runs(prices, data_dir, capsys):
    assert backtest(prices, "--sweep", "MIN_EDGE=0.01,abc") in (2, 3)
    assert "MIN_EDGE" in capsys.readouterr().err.upper()
    assert not list(data_dir.glob("backtests/*/run.json"))
