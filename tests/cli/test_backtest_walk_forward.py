"""`polyb0t backtest run --walk-forward`: in each month the model that one would have had then, as a whole run."""

import json
from pathlib import Path
from typing import Any

import pytest

from evidence.worlds import Bias
from polyb0t.cli.main import run
from polyb0t.core.units import MILLION
from polyb0t.research.history.past_markets import PastMarket, write_history
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
