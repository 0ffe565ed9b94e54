"""Where an intent belongs (scope) and what may happen to it (regime)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SANDBOX: Final = "sandbox"
POLYMARKET: Final = "polymarket"
PAPER_WALLET: Final = "paper"
REPLAY_WORLD: Final = "replay"  # of a simulated wallet: what was replayed is nobody's account
LEASE_SECONDS: Final = 30  # without a beat for so long an engine counts as gone; longer than a POST's budget


class Regime(StrEnum):
    """Fixed when an intent is written; an executor of another regime refuses it."""

    PAPER = "paper"
    DRY_RUN = "dry_run"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Scope:
    """Venue, chain and wallet; for the sandbox also its world. A database belongs to one scope."""

    venue: str  # SANDBOX or POLYMARKET
    chain_id: int
    wallet: str  # checksummed address, or PAPER_WALLET
    world: str = ""  # the sandbox's world id

    def __str__(self) -> str:
        parts = [self.venue, str(self.chain_id), self.wallet]
        return ":".join([*parts, self.world] if self.world else parts)

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """The scope that `str` wrote.

        Raises:
            ValueError: the text is not a scope.
        """
        venue, chain, wallet, *world = text.split(":")
        return cls(venue, int(chain), wallet, world[0] if world else "")

    @property
    def is_sandbox(self) -> bool:
        return self.venue == SANDBOX

    @property
    def is_paper(self) -> bool:
        """Whether its account is a simulated one, which nothing can be sent for."""
        return self.wallet == PAPER_WALLET


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act as the one engine of a scope; the token only grows."""

    role: str  # engine or claims
    token: int


def mode_words(scope: Scope, regime: Regime) -> str:
    """The only names of modes that a screen shows."""
    if regime is Regime.PAPER:
        return "SANDBOX, paper" if scope.is_sandbox else "PAPER, simulated money"
    if regime is Regime.DRY_RUN:
        return f"{scope.venue.upper()}, dry run"
    return "SANDBOX, practice money" if scope.is_sandbox else "POLYMARKET, REAL MONEY"
