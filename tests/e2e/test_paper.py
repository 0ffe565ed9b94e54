"""A paper run over real processes: it trades alone with nobody's money, remembers, is paid, and stays paper."""

import shutil
import signal
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Household, Process, eventually, household

pytestmark = pytest.mark.xdist_group("e2e with money")
QUICK = {"POLYBOT_PAPER_INTERVAL_SECONDS": "1", "POLYBOT_RECONCILE_SECONDS": "1"}
NO_KEY = {"POLYBOT_PRIVATE_KEY": "this is no key, and nobody looks at it"}
# `polyb0t`, but for this: whoever asks for the signing key ends the process.
TRIPWIRE = """
import sys
from polyb0t.cli.main import run
from polyb0t.runtime import keys, service

def asked(*_given):
    raise SystemExit("the signing key was asked for")

service.engines_key = keys.signing_key = keys.engines_key = asked
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def home(tmp_path: Path):
    with household(tmp_path) as running:
        yield running


def start_paper(home: Household, **settings: str) -> Process:
    """The paper engine, once its first cycle is over."""
    ready = home.folder / "ready-paper"
    ready.unlink(missing_ok=True)
    engine = home.spawn(
        "paper",
        *("-c", TRIPWIRE, "run", "--paper", "--sandbox", "--ready-file", str(ready)),
        **{**QUICK, **NO_KEY, **settings},
    )

    def up() -> bool:
        assert engine.poll() is None, home.output("paper")
        return ready.exists()

    eventually(up, what="the engine's first cycle")
    return engine


def positions(home: Household) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = home.json("positions")
    return listed


def paper_folder(home: Household) -> Path:
    (found,) = (home.folder / "data").glob("sandbox-137-paper-*")
    return found


def test_it_trades_by_itself_remembers_is_paid_and_never_becomes_an_order(home: Household) -> None:
    home.start_sandbox("--speed", "1")
    engine = start_paper(home)
    held = eventually(lambda: positions(home), what="a position")
    wallets = [account["wallet"] for account in home.http("GET", "/sandbox/environment")["accounts"]]

    # marked on every screen, decided by itself, and the exchange has never heard of it
    own = "SANDBOX, paper   decides by itself"
    eventually(lambda: home.command("positions").startswith(own), what="the engine's own word of it")
    for command in (["positions"], ["report"], ["intents", "list"]):
        assert home.command(*command).startswith(own), command
    decided = [each for each in home.json("intents", "list", "--all") if each["decided_by"]]
    assert {each["decided_by"] for each in decided} == {"engine:paper"}
    assert all(home.ledger_orders(wallet) == [] for wallet in wallets)

    # a kill and a restart keep the account
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    before = home.json("report")
    assert before["regime"] == "paper"
    assert_every_cent(before)
    start_paper(home)
    assert_every_cent(home.json("report"))
    assert {each["asset_id"] for each in positions(home)} >= {each["asset_id"] for each in held}

    # a market is resolved: half a pUSD for each share, once
    one = held[0]
    home.http("POST", f"/sandbox/markets/{one['condition_id']}/resolve", {"payouts": ["0.5", "0.5"]})
    eventually(
        lambda: one["asset_id"] not in {each["asset_id"] for each in positions(home)}, what="the payout"
    )
    paid = home.json("report")
    row = next(each for each in paid["markets"] if each["asset_id"] == one["asset_id"])
    traded = [each for each in home.json("orders", "list") if each["asset_id"] == one["asset_id"]]
    shares = sum(Decimal(each["filled_shares"]) * (1 if each["side"] == "BUY" else -1) for each in traded)
    assert Decimal(row["paid_out_pusd"]) * 2 == shares > 0
    brought = Decimal(row["paid_out_pusd"]) + Decimal(row["sold_pusd"])
    assert Decimal(row["settled_pusd"]) == brought - Decimal(row["bought_pusd"]) - Decimal(row["fees_pusd"])
    assert Decimal(row["shares"]) == 0
    assert Decimal(row["cost_pusd"]) == 0
    assert_every_cent(paid)
    home.command("audit", "verify")

    # its database, and a copy of it that claims to be the account's, are refused by name
    database = paper_folder(home) / "polyb0t.sqlite3"
    refused = home.command(
        *("--database-url", f"sqlite:///{database}", "run", "--live", "--sandbox", "--cycles", "1"), code=4
    )
    assert "It belongs to sandbox:137:paper" in refused
    home.stop()


def test_whoever_wants_to_decides_and_what_he_decided_is_paper_for_ever(home: Household) -> None:
    home.start_sandbox()
    engine = start_paper(home, POLYBOT_PAPER_AUTO_APPROVE="false")
    proposal = home.waiting()

    screen = home.command("intents", "show", proposal["id"])
    said = home.command("intents", "approve", proposal["id"], "--yes")

    assert screen.startswith("SANDBOX, paper   you decide")
    assert "simulated, nothing is sent" in screen
    assert "Paper: its fill is simulated" in said
    done = eventually(lambda: _ended(home, proposal["id"]), what="the result")
    assert done["status"] in ("EXECUTED", "FAILED")  # the book may have moved on the way
    assert done["decided_by"].startswith("user:")

    # somebody has the file in hand: approved, its gate rewritten to a real account, started with money
    other = home.waiting()
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    home.command("intents", "approve", other["id"], "--yes")
    for file in paper_folder(home).glob("polyb0t.sqlite3*"):  # with what SQLite keeps beside it
        shutil.copy(file, home.folder / file.name.replace("polyb0t", "copy"))
    copy = home.folder / "copy.sqlite3"
    wallet = home.http("GET", "/sandbox/environment")["accounts"][0]["wallet"]
    with sqlite3.connect(copy) as database:
        database.execute("UPDATE gates SET scope = replace(scope, ':paper:', ?)", (f":{wallet}:",))
    live = home.spawn(
        "live",
        *("-m", "polyb0t", "--database-url", f"sqlite:///{copy}"),
        *("run", "--live", "--sandbox", "--yes", "--cycles", "3"),
        POLYBOT_DRY_RUN="false",
    )
    live.wait(60)
    assert home.ledger_orders(wallet) == []


def test_the_signing_key_is_read_in_the_live_regime_only(home: Household) -> None:
    """The engines above run with this tripwire; here it is seen to work."""
    home.start_sandbox()
    live = home.spawn(
        "live",
        "-c",
        TRIPWIRE,
        "run",
        "--live",
        "--sandbox",
        "--yes",
        "--cycles",
        "1",
        POLYBOT_DRY_RUN="false",
    )

    assert live.wait(60) == 1
    assert "the signing key was asked for" in home.output("live")


def assert_every_cent(report: dict[str, Any]) -> None:
    """The cash is what the account was opened with, and what its rows moved since."""

    def moved(name: str) -> Decimal:
        return sum((Decimal(row[name]) for row in report["markets"]), Decimal(0))

    brought = moved("sold_pusd") + moved("paid_out_pusd") - moved("bought_pusd") - moved("fees_pusd")
    assert Decimal(report["equity"]["cash_pusd"]) == 10_000 + brought


def _ended(home: Household, intent_id: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = home.json("intents", "show", intent_id)
    return shown if shown["status"] in ("EXECUTED", "FAILED", "EXPIRED", "REJECTED") else None
