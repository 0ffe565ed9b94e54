"""What the switches let an intent do, judged under the gate's lock."""

from polyb0t.core.errors import ConflictError
from polyb0t.db.unit import Unit
from polyb0t.execution.intents import IntentType, TradeIntent
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Denied, Lease
from polyb0t.models.kill_switches import permits, tripped

CLAIMS_NOT_AVAILABLE = Denied(
    "claims_not_available", "It does not say what would be called; claim this market on the website."
)


def halted(unit: Unit, intent: TradeIntent, *, approved_epoch: int | None = None) -> Denied | None:
    """Openings need seven clear rows and, once approved, the epoch of their approval; closes and claims
    need seven rows and none that halts; cancels need neither."""
    if intent.intent_type is IntentType.CANCEL_ORDER:
        return None
    if not permits(unit.stance(), intent.intent_type):
        return Denied("halted", _reasons(unit))
    opening = intent.intent_type is IntentType.OPEN_POSITION
    if opening and approved_epoch is not None and approved_epoch != unit.epoch:
        return Denied("halted", "A switch tripped after the approval; what it stopped stays stopped.")
    return None


def unavailable(intent: TradeIntent) -> Denied | None:
    """A claim that names no call was never meant to be carried out here."""
    claims = intent.intent_type is IntentType.CLAIM_SETTLEMENT
    return CLAIMS_NOT_AVAILABLE if claims and not intent.claim else None


def belongs_elsewhere(intent: TradeIntent, lease: Lease) -> bool:
    """Claims with money are carried out by the claims process alone, and it carries out nothing else."""
    claims = intent.intent_type is IntentType.CLAIM_SETTLEMENT and intent.regime is Regime.LIVE
    return claims is not (lease.role == "claims")


def refusal(intent: TradeIntent, verb: str, denied: Denied) -> ConflictError:
    """A denial as the error that a decider gets."""
    do = "Look: polyb0t status" if denied.code == "halted" else ""
    return ConflictError(f"Intent {intent.id} was not {verb}.", why=denied.detail, do=do, code=denied.code)


def _reasons(unit: Unit) -> str:
    return "; ".join(
        f"{state.type} is tripped: {state.reason or 'no reason given'}" for state in tripped(unit.switches())
    )
