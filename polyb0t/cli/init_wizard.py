"""What `init` asks, says and writes."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from polyb0t.cli import doctor_read
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import UsageError
from polyb0t.core.units import plain
from polyb0t.runtime import env_file
from polyb0t.runtime.prices import size_of

if TYPE_CHECKING:
    from polyb0t.config.settings import Settings

FILE: Final = Path(".env")
_WALLET: Final = "Your wallet's address on the exchange (0x and 40 digits; on your profile page, public):"
_KIND: Final = "Its kind: 0 plain key, 1 proxy, 2 Safe, 3 deposit wallet (Enter: 3, what new accounts have):"
_BUDGET: Final = "The most pUSD of it that polyb0t may use, losses counted (Enter: 500):"
_NEXT: Final = (
    "",
    "Next, in this order (LIVE_MODE_README.md tells each step):",
    "  1  polyb0t run --live                a dry run on real prices: nothing is signed or sent",
    "  2  polyb0t run --live --no-dry-run   with your key in that shell's environment only",
    "  3  polyb0t doctor --live             in a second terminal: what is missing for real orders",
    "  4  polyb0t doctor --test-order       proves id and cancel; openings are refused before it",
)


@dataclass(frozen=True, slots=True)
class Given:
    """What stood on the command line; None is asked for."""

    wallet: str | None = None
    kind: str | None = None
    budget: str | None = None


def run(terminal: Terminal, given: Given, settings: "Callable[[], Settings]") -> int:
    """Ask for what is missing, write the file, look at it; the exit code is the doctor's.

    Raises:
        UsageError: nobody can be asked, or a key was typed. ConfigurationError: a value is not possible.
        ConflictError: the file exists.
    """
    values = _values(terminal, given)
    env_file.write(FILE, values)
    terminal.show([f"Written: {FILE}, readable by you only. Dry run is ON; no key is in it.", ""])
    code = doctor_read.run(terminal, settings, live=False)
    terminal.show(_NEXT)
    return code


def _values(terminal: Terminal, given: Given) -> dict[str, str]:
    wallet = _answer(terminal, given.wallet, _WALLET, "--wallet", "")
    kind = _answer(terminal, given.kind, _KIND, "--kind", "3")
    typed = _answer(terminal, given.budget, _BUDGET, "--budget", "500")
    budget = plain(size_of(typed, "amount in pUSD") or Decimal(0))
    return {
        "wallet_address": wallet,
        "signature_type": kind,
        "budget_pusd": budget,
        "bankroll_pusd": budget,  # so that the dry run sizes as real money would
        "dry_run": "true",
    }


def _answer(terminal: Terminal, given: str | None, asked: str, option: str, default: str) -> str:
    """What was given, or typed; an answer that looks like a key ends everything before it is used."""
    if given is None and not terminal.somebody_sits_here:
        raise UsageError(
            "Not written: nobody can be asked here.", do=f"Give {option} as well.", code="answer_required"
        )
    answer = terminal.ask_text(asked) if given is None else given.strip()
    env_file.refuse_secret(answer)
    return answer or default
