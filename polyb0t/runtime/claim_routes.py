"""How a claim of this wallet can be carried out now, and what a person does where it cannot."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from polyb0t.execution.scope import LEASE_SECONDS
from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.execution.store import LeaseInfo

EOA: Final = 0
DEPOSIT_WALLET: Final = 3
RELAYER_FACT: Final = "relayer"  # of the claims process: whether it has a key
PROBLEM_FACT: Final = "problem"  # why it sends nothing now, in a sentence
_KINDS: Final = {1: "A proxy wallet", 2: "A Safe"}
ON_THE_WEBSITE: Final = "Claim it on the venue's website: Portfolio, the market, Claim."


@dataclass(frozen=True, slots=True)
class Way:
    """`why` and `do` are for a person, where nobody here can."""

    route: ClaimRoute
    why: str = ""
    do: str = ""

    @property
    def wants_chain(self) -> bool:
        return self.route is not ClaimRoute.WEBSITE or self.why.startswith("No node")


def way_of(signature_type: int, *, node: bool, claims: LeaseInfo | None, now: datetime) -> Way:
    """By the kind of wallet, whether a node is set, and what the claims process says of itself."""
    if signature_type not in (EOA, DEPOSIT_WALLET):
        kind = _KINDS.get(signature_type, "This kind of wallet")
        return Way(ClaimRoute.WEBSITE, f"{kind} is not claimed for by this version.", ON_THE_WEBSITE)
    if not node:
        do = f"Set POLYBOT_RPC_URL (on the sandbox: polyb0t sandbox --chain), or: {ON_THE_WEBSITE}"
        return Way(ClaimRoute.WEBSITE, "No node of the chain is set, so a payment could not be proven.", do)
    if signature_type == EOA:
        return Way(ClaimRoute.TRANSACTION)
    if runs(claims, now) and not has_relayer(claims):
        do = f"Set POLYBOT_RELAYER_API_KEY for the claims process, or: {ON_THE_WEBSITE}"
        return Way(ClaimRoute.WEBSITE, "A deposit wallet needs the relayer, and there is no key for it.", do)
    return Way(ClaimRoute.RELAYER)


def runs(claims: LeaseInfo | None, now: datetime) -> bool:
    """Whether a claims process beats."""
    if claims is None or claims.released:
        return False
    return (now - claims.beat_at).total_seconds() < LEASE_SECONDS


def has_relayer(claims: LeaseInfo | None) -> bool:
    """What it published; what cannot be read is no key."""
    return _facts(claims).get(RELAYER_FACT) is True


def problem_of(claims: LeaseInfo | None) -> str:
    """What it published; empty where nothing is in its way."""
    told = _facts(claims).get(PROBLEM_FACT)
    return told if isinstance(told, str) else ""


def _facts(claims: LeaseInfo | None) -> dict[str, object]:
    try:
        facts = json.loads(claims.facts) if claims is not None else {}
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
