"""`polyb0t backtest run --walk-forward`: in each month the model that one would have had then, as a whole run."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence.worlds import Bias
from polyb0t.cli.main import run
from polyb0t.core.units import MILLION
from polyb0t.research.history.past_markets import PastMarket, write_history
from polyb0t.research.replay.refits import walk_forward_models
from tests.support.paper_room import PaperRoom
from tests.support.worlds import a_history

NOVEMBER = ("--since", "2025-11-03", "--until", "2025-11-12")


def _line(market: PastMarket) -> dict[str, object]:
    points = zip(market.at_us, market.price, strict=True)
    return {
        "market": market.market,
        "event": market.event,
        "category": market.category,
        "question": f"Will {market.market}?",
        "named_sides": False,
        "opens_us": market.opens_us,
        "ends_us": market.ends_us,
        "resolved_us": market.resolved_us,
        "pays_e6": round(market.outcome * MILLION),
        "points": [[int(at), round(float(price) * MILLION)] for at, price in points],
    }


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A past in which politics were priced too near to one half, and sports as they came."""
    path = tmp_path_factory.mktemp("collected") / "history.jsonl.gz"
    past = a_history({"politics": Bias(2.0), "sports": Bias()}, markets=2_000)
    write_history(path, map(_line, past.markets), source="a world")
    return path


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "120")


def replayed(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> str:
    given = ["backtest", "run", str(path), "--walk-forward", str(path), "--every", "86400", *arguments]
    capsys.readouterr()
    assert run(given) == 0
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(replayed(capsys, path, *arguments, "--json"))
    return found


def test_it_speaks_where_its_month_was_licensed_and_nowhere_else(collected, tmp_path, capsys):
    out = replayed(capsys, collected, *NOVEMBER)
    assert "Model        walk-forward on history.jsonl.gz, licensed in: politics from 2025-11\n" in out, out

    (folder,) = (tmp_path / "data" / "backtests").glob("*/")
    lines = [json.loads(line) for line in (folder / "decisions.jsonl").read_text("utf-8").splitlines()]
    bought = {line["asset"] for line in lines if line["kind"] == "intent"}
    assert bought
    assert [line for line in lines if line["kind"] == "fill"]
    capsys.readouterr()
    assert run(["backtest", "report", folder.name, "--by", "category", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in report["categories"]] == ["politics"]


def test_before_any_month_had_beaten_the_price_it_says_that_the_price_is_right(collected, capsys):
    made = told(capsys, collected, "--since", "2024-03-04", "--until", "2024-03-08")
    assert made["model"]["words"].endswith(
        "licensed in nothing in that time, so it says that the price is right"
    )
    assert (made["counts"]["openings_proposed"], made["counts"]["fills"]) == (0, 0)


def test_another_past_to_learn_from_is_another_run(collected, tmp_path, capsys):
    """The path is the same: what is in the file makes the difference."""
    path = tmp_path / "learnt.jsonl.gz"
    ids = []
    for markets in (300, 301):
        write_history(path, map(_line, a_history({"politics": Bias()}, markets=markets).markets), source="w")
        ids.append(
            told(capsys, collected, *NOVEMBER, "--walk-forward", str(path), "--until", "2025-11-04")["id"]
        )
    assert ids[0] != ids[1]


def test_its_gate_shares_luck_with_every_model_that_was_tried_here(collected, tmp_path, capsys):
    """As the card of a fit on that history would: a hundred thousand trials leave nothing to speak in."""
    for trials, licensed in ((1, True), (100_000, False)):
        shelf = tmp_path / "data" / "models" / "polymarket" / "trials"
        shelf.parent.mkdir(parents=True, exist_ok=True)
        shelf.write_text("".join(f'{{"id": "mc-{n}"}}\n' for n in range(trials)))
        made = told(capsys, collected, *NOVEMBER)
        assert ("politics" in made["model"]["words"]) is licensed
        assert (made["counts"]["openings_proposed"] > 0) is licensed


def test_the_model_of_another_past_or_count_of_trials_is_another_version():
    past = a_history({"politics": Bias()}, markets=300)
    versions = [
        walk_forward_models(history, venue="sandbox", trials=trials).version
        for history, trials in ((past, 1), (past, 1), (past, 2), (replace(past, data_hash="cd" * 32), 1))
    ]
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


@pytest.mark.parametrize(
    ("name", "why"),
    [("none.jsonl.gz", "There is no"), ("past.parquet", "It is Parquet"), (".", "It is a folder")],
)
def test_what_it_cannot_learn_from_is_named(collected, tmp_path, capsys, name, why):
    (tmp_path / "past.parquet").write_text("PAR1")
    assert run(["backtest", "run", str(collected), "--walk-forward", name]) != 0
    out, err = capsys.readouterr()
    assert why in err
    assert "Traceback" not in out + err


def test_what_a_history_can_be_is_said_in_lines_that_fit(capsys):
    assert run(["backtest", "look", "nowhere.parquet"]) != 0
    err = capsys.readouterr().err
    assert "market_slug" in err
    assert max(map(len, err.splitlines())) <= 120


def test_the_journal_is_that_of_the_account_that_the_command_means(collected, capsys, tmp_path):
    """Decisions are made in the account that trades, and not in the one of a paper run."""
    PaperRoom(tmp_path)
    place = ["--database-url", f"sqlite:///{tmp_path}/polyb0t.db"]
    assert run([*place, "backtest", "run", str(collected), "--human", "journal"]) != 0
    err = " ".join(capsys.readouterr().err.split())
    assert "Not replayed: the journal does not tell how people decide here. It has " in err


def test_where_nothing_was_recorded_of_a_venue_it_names_the_one_that_was(capsys, tmp_path):
    (tmp_path / "data" / "sandbox-7f" / "record").mkdir(parents=True)
    assert run(["--venue", "polymarket", "backtest", "run", "recorded"]) != 0
    err = " ".join(capsys.readouterr().err.split())
    assert "Nothing was recorded of polymarket here." in err
    assert "There is one of sandbox: polyb0t --venue sandbox backtest run recorded" in err


def test_a_journal_that_is_not_there_is_no_person(collected, capsys):
    assert run(["backtest", "run", str(collected), "--human", "journal"]) != 0
    err = capsys.readouterr().err
    assert "Not replayed: there is no journal here" in err
    assert "Nothing shown" not in err
