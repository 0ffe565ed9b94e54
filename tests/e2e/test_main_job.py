"""The main job over real processes, as a new user does it from a second shell."""

import json
import signal
import urllib.request
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Household, eventually, household
from tests.support.shared import shared_path

pytestmark = pytest.mark.xdist_group("e2e to the end")


@pytest.fixture
def home(tmp_path: Path):
    with household(tmp_path) as running:
        yield running


def practice_wallet(home: Household) -> str:
    return str(home.http("GET", "/sandbox/environment")["accounts"][0]["wallet"])


class TestDryRun:
    def test_an_approved_trade_is_noted_and_nothing_is_sent(self, home: Household) -> None:
        home.start_sandbox()
        home.start_engine(practice=False)
        proposal = home.waiting()

        screen = home.command("intents", "show", proposal["id"])
        home.command("intents", "approve", proposal["id"], "--yes", "--digest", proposal["digest"])

        assert screen.startswith("SANDBOX, dry run")
        assert f"digest {proposal['digest'][:4]} {proposal['digest'][4:8]}" in screen
        done = eventually(lambda: _ended(home, proposal["id"]), what="the result")
        assert (done["status"], done["result"]) == ("EXECUTED", "dry_run")
        assert done["outcome"] == "dry run, nothing sent"
        assert home.json("orders", "list") == []
        assert home.ledger_orders(practice_wallet(home)) == []

    def test_a_restart_with_practice_money_sends_nothing_of_the_dry_run(self, home: Household) -> None:
        home.start_sandbox()
        engine = home.start_engine(practice=False)
        proposal = home.waiting()
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        home.command("intents", "approve", proposal["id"], "--yes")

        home.start_engine(practice=True)

        done = eventually(lambda: _ended(home, proposal["id"]), what="its end")
        assert (done["status"], done["result"]) == ("EXPIRED", "other_regime")
        assert home.ledger_orders(practice_wallet(home)) == []


class TestPractice:
    def test_an_approved_order_is_filled_under_the_predicted_id(self, home: Household) -> None:
        home.start_sandbox()
        home.start_engine(practice=True)
        proposal = home.waiting()

        home.command("intents", "approve", proposal["id"], "--yes", "--wait", "10")

        order = eventually(lambda: _filled(home, proposal["id"]), what="the fill")
        [taken] = home.ledger_orders(practice_wallet(home))
        assert taken["order_id"] == order["id"]
        assert Decimal(order["filled_shares"]) >= Decimal(proposal["least_shares"])
        assert Decimal(order["average_price"]) <= Decimal(proposal["worst_price"])
        assert order["id"] in home.command("orders", "show", order["id"][:10])
        positions = home.json("positions")
        [held] = [row for row in positions if row["asset_id"] == proposal["asset_id"]]
        assert Decimal(held["shares"]) == Decimal(order["filled_shares"])

    def test_over_http_the_same(self, home: Household) -> None:
        home.start_sandbox()
        home.start_engine(practice=True)
        home.spawn("api", "-m", "polyb0t", "api")
        base = f"http://127.0.0.1:{home.api_port}"
        proposal = home.waiting()

        def listed() -> list[dict[str, str]]:
            try:
                with urllib.request.urlopen(f"{base}/intents?status=PENDING", timeout=5) as answer:
                    body = json.load(answer)
            except OSError:
                return []
            return list(body["items"] if isinstance(body, dict) else body)

        assert proposal["id"] in [row["id"] for row in eventually(listed, what="the API")]
        approve = urllib.request.Request(f"{base}/intents/{proposal['id']}/approve", method="POST")
        with urllib.request.urlopen(approve, timeout=5) as answer:
            assert json.load(answer)["status"] in ("APPROVED", "EXECUTING", "EXECUTED")
        eventually(lambda: _filled(home, proposal["id"]), what="the fill")


class TestKilledEngine:
    def test_kill_9_after_the_post_leaves_one_order(self, home: Household) -> None:
        """The exchange took the order, its answer never came, the engine died: exactly one order."""
        home.start_sandbox()
        engine = home.start_engine(practice=True)
        proposal = home.waiting()
        home.http(
            "PUT",
            "/sandbox/faults",
            [{"action": "drop_after", "path": "/clob/order", "method": "POST", "count": 1}],
        )
        home.command("intents", "approve", proposal["id"], "--yes", "--no-wait")
        wallet = practice_wallet(home)
        eventually(lambda: home.ledger_orders(wallet), what="the order at the exchange")
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        home.http("DELETE", "/sandbox/faults")

        home.start_engine(practice=True)

        order = eventually(lambda: _filled(home, proposal["id"]), what="the order after the restart")
        [taken] = home.ledger_orders(wallet)
        assert taken["order_id"] == order["id"]
        assert home.json("intents", "show", proposal["id"])["status"] == "EXECUTED"

    def test_kill_9_while_the_answer_is_awaited_leaves_one_order(self, home: Household) -> None:
        home.start_sandbox()
        engine = home.start_engine(practice=True)
        proposal = home.waiting()
        home.http(
            "PUT",
            "/sandbox/faults",
            [{"action": "latency", "path": "/clob/order", "method": "POST", "latency_ms": 3000, "count": 1}],
        )
        home.command("intents", "approve", proposal["id"], "--yes", "--no-wait")
        eventually(lambda: home.json("orders", "list"), what="the stored order")
        engine.send_signal(signal.SIGKILL)
        engine.wait()

        home.start_engine(practice=True)

        eventually(lambda: home.ledger_orders(practice_wallet(home)), what="the late order")
        eventually(lambda: _filled(home, proposal["id"]), within=60, what="its fill in our records")
        assert len(home.ledger_orders(practice_wallet(home))) == 1


class TestRealInput:
    """Recorded answers of the real venue as markets: their ids, ticks, fees, rules and first books."""

    FED = (
        "gamma/2026-05-17_gamma-event_fed-decision-june_trebuchet.json",
        "clob_rest/2026-05-17_clob-books_fed-decision-june_trebuchet.json",
        "clob_rest/2026-05-17_clob-markets_fed-decision-june_trebuchet.json",
    )
    BITCOIN = ("gamma/2026-04-25_event_pscanner.json",)

    def test_the_main_job_on_recorded_markets(self, home: Household, tmp_path: Path) -> None:
        recordings = tmp_path / "recordings"
        recordings.mkdir()
        for name in (*self.FED, *self.BITCOIN):
            source = shared_path(f"recorded/{name}")
            (recordings / source.name).write_bytes(source.read_bytes())
        home.start_sandbox("--import", str(recordings), "--markets", "1", "--no-kinds")
        model = tmp_path / "model.json"
        model.write_text(json.dumps(_sure_of_the_favourite("crypto")))
        home.start_engine(practice=True, POLYBOT_MODEL_FILE=str(model))
        recorded = {
            row["conditionId"]: row
            for name in (*self.FED, *self.BITCOIN)
            for row in _gamma_rows(recordings, name)
            if not row["closed"]
        }
        listed = {row["conditionId"]: row for row in _all_markets(home)}

        assert len(recorded) == 7
        assert recorded.keys() <= listed.keys()
        for condition, row in recorded.items():
            assert json.loads(listed[condition]["clobTokenIds"]) == json.loads(row["clobTokenIds"])
            assert listed[condition]["orderPriceMinTickSize"] == row["orderPriceMinTickSize"]
            assert listed[condition]["feeSchedule"] == row.get(
                "feeSchedule", listed[condition]["feeSchedule"]
            )

        proposal = eventually(lambda: _one_of(home, recorded), what="a proposal on a recorded market")
        home.command("intents", "approve", proposal["id"], "--yes", "--wait", "10")

        order = eventually(lambda: _filled(home, proposal["id"]), what="the fill")
        tokens = json.loads(recorded[proposal["condition_id"]]["clobTokenIds"])
        assert proposal["asset_id"] == order["asset_id"] in tokens
        assert "Bitcoin" in proposal["question"]
        [taken] = home.ledger_orders(practice_wallet(home))
        assert taken["order_id"] == order["id"]


def _sure_of_the_favourite(category: str) -> dict[str, object]:
    """Coefficients for a test: they find a favourite too cheap, so that there is something to propose."""
    cell = {"intercept": "0", "slope": "1.4", "sd_intercept": "0.01", "sd_slope": "0.01"}
    cells = dict.fromkeys(("1-7d", "7-30d", "30-90d", "90d+"), cell)
    return {
        "format": "polyb0t-market-calibration-1",
        "version": "test",
        "validated": False,
        "status": "for a test",
        "source": "made up for a test",
        "categories": {category: {"aliases": [], "cells": cells}},
    }


def _gamma_rows(folder: Path, name: str) -> list[dict[str, Any]]:
    content = json.loads((folder / Path(name).name).read_text())
    rows = content if isinstance(content, list) else [content]
    markets = [market for row in rows if isinstance(row, dict) for market in row.get("markets", [row])]
    return [market for market in markets if "conditionId" in market]


def _all_markets(home: Household) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = home.http("GET", f"/gamma/markets/keyset?limit=100&after_cursor={cursor}")
        rows += page["markets"]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            return rows


def _one_of(home: Household, wanted: Mapping[str, object]) -> dict[str, Any] | None:
    waiting: list[dict[str, Any]] = home.json("intents", "list")
    return next((row for row in waiting if row["condition_id"] in wanted), None)


def _ended(home: Household, intent_id: str) -> dict[str, str] | None:
    shown: dict[str, str] = home.json("intents", "show", intent_id)
    return shown if shown["status"] in ("EXECUTED", "FAILED", "EXPIRED", "REJECTED") else None


def _filled(home: Household, intent_id: str) -> dict[str, str] | None:
    orders: list[dict[str, str]] = home.json("orders", "list")
    ours = [order for order in orders if order["intent_id"] == intent_id]
    return ours[0] if ours and ours[0]["status"] == "FILLED" else None
