"""The vendor's clients, unmodified and each in a process of its own, against a sandbox in another."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tests.e2e.household import Household
from tests.strangers.drivers.judge import KINDS, Place

ROOT: Final = Path(__file__).resolve().parents[2]
TABLE: Final = Path(__file__).with_name("table.json")
DOCUMENT: Final = ROOT / "docs" / "sandbox.md"
BEGIN: Final = "<!-- strangers: written by `make strangers` -->"
END: Final = "<!-- /strangers -->"
ORDER_TYPES: Final = ("GTC", "GTD", "FOK", "FAK", "post-only", "batch")
CASES: Final = (
    *("list", "stream", "credentials"),
    *(f"{order_type} {kind}" for kind in KINDS for order_type in ORDER_TYPES),
    *("deposit wallet", "trades", "cancel"),
)
_ROOM_E6: Final = Decimal("0.05")  # how far into the book a taking order may reach
_OF_THIS_RUN: Final = re.compile(r"0x[0-9a-fA-F]{40,}| \(http://[^)]*\)")  # ids, addresses


@dataclass(frozen=True, slots=True)
class Client:
    """One judge: its name in the table, how its driver starts, and whether it needs Node."""

    name: str
    driver: str
    argument: str = ""

    @property
    def is_javascript(self) -> bool:
        return self.driver.endswith(".mjs")

    def command(self, scene: Path) -> list[str]:
        if self.is_javascript:
            driver = ROOT / "tests" / "strangers" / "drivers" / self.driver
            return ["node", "--no-warnings", "--experimental-websocket", str(driver), str(scene)]
        return [sys.executable, "-m", f"tests.strangers.drivers.{self.driver}", str(scene), self.argument]


CLIENTS: Final = (
    Client("polymarket-client 0.14.0, sync", "polymarket_client", "sync"),
    Client("polymarket-client 0.14.0, async", "polymarket_client", "async"),
    Client("py-clob-client-v2 1.2.1", "clob_client", "v2"),
    Client("npm @polymarket/client 0.2.0", "npm_client.mjs"),
    Client("npm @polymarket/clob-client-v2 1.1.0", "npm_clob_client.mjs"),
    Client("py-clob-client 0.34.6", "clob_client", "v1"),
)


def missing_part(client: Client) -> str:
    """Why `client` cannot run on this machine, or ""."""
    if not client.is_javascript:
        return ""
    if shutil.which("node") is None:
        return "needs Node"
    if not (ROOT / "node_modules" / "@polymarket").is_dir():
        return "needs the JavaScript clients: npm ci"
    return ""


def start_sandbox(home: Household) -> None:
    """A living sandbox: some clients wait until a trade has its transaction's hash."""
    home.start_sandbox("--fresh")


def judge(home: Household, client: Client) -> dict[str, str]:
    """What came of each case, with what is of this run alone taken out of the words."""
    scene = home.folder / f"scene-{CLIENTS.index(client)}.json"
    scene.write_text(json.dumps(scene_for(home, client)))
    proxyless = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    done = subprocess.run(
        client.command(scene),
        cwd=ROOT,
        env=os.environ | proxyless,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{client.name}: {done.stderr[-2000:]}"
    outcomes: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return {case: _OF_THIS_RUN.sub("", outcomes[case]) for case in CASES}


def scene_for(home: Household, client: Client) -> dict[str, Any]:
    """Addresses, markets of each kind, and accounts that no other client uses."""
    told = home.http("GET", "/sandbox/environment")
    position = CLIENTS.index(client)
    plain = [account for account in told["accounts"] if account["signature_type"] == 0]
    deposits = [account for account in told["accounts"] if account["signature_type"] == 3]
    return {
        "urls": told["urls"],
        "chain_id": told["chain_id"],
        "account": plain[position],
        "deposit": deposits[position % len(deposits)],
        "markets": {kind: asdict(find_place(home, kind)) for kind in KINDS},
    }


def find_place(home: Household, kind: str) -> Place:
    """The first market of a kind with a deep book at a middling price."""
    cursor = ""
    while True:
        page = home.http("GET", f"/gamma/markets/keyset?limit=100&closed=false{cursor}")
        for row in page["markets"]:
            if _kind_of(row) == kind and (place := _place(home, row)):
                return place
        assert page.get("next_cursor"), f"the sandbox has no market of kind {kind} to trade on"
        cursor = f"&after_cursor={page['next_cursor']}"


def _kind_of(row: dict[str, Any]) -> str:
    if row["version"] == "v2":
        return "v2"
    return "neg-risk" if row["negRisk"] else "v1"


def _place(home: Household, row: dict[str, Any]) -> Place | None:
    if row.get("secondsDelay") or not row["acceptingOrders"] or row["orderPriceMinTickSize"] != 0.01:
        return None
    # A list here, a JSON text there, as the venue sends them.
    ids = row["positionIds"] if row["version"] == "v2" else json.loads(row["clobTokenIds"])
    book = home.http("GET", f"/clob/book?token_id={ids[0]}")
    asks = [(Decimal(level["price"]), Decimal(level["size"])) for level in book["asks"]]
    bids = [Decimal(level["price"]) for level in book["bids"]]
    if not asks or not bids or bids[-1] < Decimal("0.2") or asks[-1][0] > Decimal("0.8"):
        return None
    worst = asks[-1][0] + _ROOM_E6
    if sum(size for price, size in asks if price <= worst) < 500:
        return None
    return Place(ids[0], row["conditionId"], "0.05", str(worst))


def read_table() -> dict[str, dict[str, str]]:
    """Outcomes by client and case, as checked in."""
    table: dict[str, dict[str, str]] = json.loads(TABLE.read_text())
    return table


def write_table(found: dict[str, dict[str, str]]) -> None:
    TABLE.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{rendered(found)}{after}")


def rendered(table: dict[str, dict[str, str]]) -> str:
    """The table for a reader: one row a case, one column a client, the refusals' words below."""
    notes: dict[str, int] = {}

    def cell(outcome: str) -> str:
        if not outcome.startswith("refused: "):
            return outcome
        number = notes.setdefault(outcome.removeprefix("refused: "), len(notes) + 1)
        return f"refused ({number})"

    rows = [f"| {case} | {' | '.join(cell(column[case]) for column in table.values())} |" for case in CASES]
    head = f"| | {' | '.join(table)} |\n|---|{'---|' * len(table)}"
    words = "\n".join(f"{number}. {text}" for text, number in notes.items())
    return "\n".join((BEGIN, head, *rows, "", words, END))


def rewrite(folder: Path) -> None:
    """Run every client and write what happened; `make strangers`."""
    home = Household(folder)
    try:
        start_sandbox(home)
        found = {}
        for client in CLIENTS:
            reason = missing_part(client)
            if reason:
                raise SystemExit(f"Not written: {client.name} {reason}.")
            began = time.monotonic()
            found[client.name] = judge(home, client)
            refused = [case for case, outcome in found[client.name].items() if outcome.startswith("refused")]
            print(f"{client.name}: {time.monotonic() - began:.1f} s, {len(refused)} refused")
        write_table(found)
    finally:
        home.stop()
