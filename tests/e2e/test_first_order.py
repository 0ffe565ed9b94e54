"""The guide from a wallet to the first order, followed literally on the sandbox in real terminals."""

import re
import signal
from pathlib import Path

import pytest

from tests.e2e.household import Household, Process, eventually
from tests.e2e.test_first_five_minutes import Terminal

pytestmark = pytest.mark.xdist_group("e2e with money")

GUIDE = Path(__file__).parents[2] / "LIVE_MODE_README.md"
TITLE = "## From a wallet to the first order"


def commands() -> list[str]:
    """Every command line of the guide's `sh` blocks, as a reader types it."""
    section = GUIDE.read_text(encoding="utf-8").partition(TITLE)[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def typed(home: Household, line: str) -> Terminal:
    return Terminal(home, *line.split()[1:])


def ended(home: Household, line: str, *, answer: str = "") -> str:
    """What the command said until its end; `answer` is typed at its question."""
    terminal = typed(home, line)
    if answer:
        terminal.read_until(r"\[y/N\]", within=40)
        terminal.type(f"{answer}\n")

    def over() -> bool:
        terminal.read_until("", within=1)
        return terminal.process.poll() is not None

    eventually(over, within=90, what=line)
    terminal.read_until("", within=1)
    assert terminal.process.returncode == 0, (line, terminal.text)
    return terminal.text


def started(home: Household, name: str, line: str) -> Process:
    """An engine as the line starts it, once it has proposed something."""
    engine = home.spawn(name, "-m", *line.split())
    eventually(lambda: "NEW" in home.output(name) or engine.poll(), within=60, what="a proposal")
    assert engine.poll() is None, home.output(name)
    return engine


def stopped(engine: Process) -> None:
    """Ctrl-C, and its end."""
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 0


class OnTheSandbox(Household):
    """`POLYBOT_VENUE=sandbox` in front of each command, as the guide says."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"POLYBOT_VENUE": "sandbox"}


def test_the_guide_ends_with_a_filled_live_order(tmp_path: Path) -> None:
    init, dry, live, doctor, test_order, listing, approve, orders = commands()
    home = OnTheSandbox(tmp_path)
    try:
        home.start_sandbox()
        accounts = home.http("GET", "/sandbox/environment")["accounts"]
        wallet = next(one["wallet"] for one in accounts if one["signature_type"] == 3)

        assert "Dry run is ON" in ended(home, init.replace("0xYourWalletAddress", wallet))

        stopped(started(home, "dry", dry))
        engine = started(home, "engine", live)
        assert "signed for by" in ended(home, doctor)
        said = ended(home, test_order, answer="y")
        assert "Proven for this kind of wallet" in said, said
        assert "not on" in ended(home, doctor)  # two of three contracts are still to be proved

        proposal = home.waiting()
        assert proposal["id"][:4] in ended(home, listing)
        assert "Accepted" in ended(home, approve.replace("ID", proposal["id"]), answer="y")
        filled = eventually(
            lambda: [row for row in home.json("orders", "list") if row["status"] in ("MATCHED", "FILLED")],
            what="the fill",
        )
        assert filled[0]["intent_id"] == proposal["id"]
        assert "MATCHED" in (screen := ended(home, orders)) or "FILLED" in screen
        stopped(engine)
        tested, bought = sorted(
            home.ledger_orders(wallet), key=lambda row: row["order_id"] in filled[0]["id"]
        )
        assert tested["order_id"] != bought["order_id"] == filled[0]["id"]
    finally:
        home.stop()


def test_the_real_venue_is_never_named_in_a_command_of_the_guide() -> None:
    assert all(line.startswith("polyb0t ") for line in commands())
    assert not any("KEY" in line for line in commands())
