"""`polyb0t backtest look`: what a history is worth is said before anything is made of it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polyb0t.cli.main import run
from tests.support.history_files import parquet

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two markets, one with a date in its question, one with a price that is none; times without a zone."""
    monkeypatch.setenv("POLYBOT_DATA_DIR", str(tmp_path / "data"))
    types = {"timestamp": "TIMESTAMP", "market_slug": "VARCHAR", "question": "VARCHAR"}
    types |= {"price": "DOUBLE", "outcome": "DOUBLE", "category": "VARCHAR"}
    noon = START.replace(tzinfo=None)
    rows = [
        (noon, "ferry", "Will the ferry run by March 20?", 0.6, None, "politics"),
        (noon + timedelta(hours=1), "ferry", "Will the ferry run by March 20?", 0.9, 1.0, "politics"),
        (noon, "bridge", "Will the bridge open?", 1.2, None, "politics"),
        (noon + timedelta(hours=1), "bridge", "Will the bridge open?", 0.2, 0.0, "politics"),
    ]
    return str(parquet(tmp_path / "prices.parquet", types, rows))


def test_times_without_a_zone_are_refused_with_what_to_say(prices: str, capsys: pytest.CaptureFixture[str]):
    assert run(["backtest", "look", prices]) == 2
    assert "--assume zone=UTC" in capsys.readouterr().err


def test_kind_grade_span_hash_assumptions_and_problems_are_shown(
    prices: str, capsys: pytest.CaptureFixture[str]
):
    assert run(["backtest", "look", prices, "--assume", "zone=UTC"]) == 0
    out = capsys.readouterr().out
    for said in (
        "Fidelity  D: prices alone",
        "Span      2026-03-02 00:00 to 2026-03-02 01:00 UTC",
        "Markets   2",
        "- Books are assumed",
        "- 1 prices that are not inside 0 and 1; left out (for example bridge).",
        "- 1 markets of which nothing says when they were to end",
    ):
        assert said in out
    assert "supports no claim" not in out


def test_an_end_that_looks_ahead_is_said_to_support_no_claim(prices: str, capsys: pytest.CaptureFixture[str]):
    assert run(["backtest", "look", prices, "--assume", "zone=UTC", "--assume", "ends=last-price"]) == 0
    assert "a result from this supports no claim" in capsys.readouterr().out


def test_as_json_with_counts_and_examples(prices: str, capsys: pytest.CaptureFixture[str]):
    assert run(["backtest", "look", prices, "--assume", "zone=UTC", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["fidelity"], len(told["hash"])) == ("price_series", "D", 64)
    assert {"kind": "price_outside", "count": 1, "example": "bridge"} in told["problems"]


@pytest.mark.parametrize(
    "assume",
    [
        "zoo=1",
        "zone=Atlantis",
        "zone",
        "ends=never",
        "depth=0",
        "half-spread=x",
        "disputed=2",
        "half-spread=0.33",
    ],
)
def test_what_cannot_be_assumed_is_refused(prices: str, assume: str, capsys: pytest.CaptureFixture[str]):
    assert run(["backtest", "look", prices, "--assume", assume]) == 2
    out, err = capsys.readouterr()
    assert (out, "Traceback" in err) == ("", False)
    assert err


def test_a_replay_with_other_assumptions_is_another_run(prices: str, capsys: pytest.CaptureFixture[str]):
    ids = []
    for depth in ("1000", "3000"):
        words = ["--assume", "zone=UTC", "--assume", f"depth={depth}", "--every", "14400", "--json"]
        assert run(["backtest", "run", prices, *words]) == 0
        told = json.loads(capsys.readouterr().out)
        assert any(f"{int(depth):,} shares a side" in sentence for sentence in told["assumed"])
        ids.append(told["id"])
    assert ids[0] != ids[1]
