"""Controls of the reason: what the trade earns by the model's view, and whether that model may speak."""

from typing import Final

from polyb0t.core.units import ZERO
from polyb0t.models.risk import ControlContext, ProposedTrade, Verdict, not_for_closes, unknown
from polyb0t.models.wording import signed_cents

_OWN_IDEA: Final = Verdict(True, "own idea", "", "A person's own idea: no model speaks for it or against it.")


def edge_low(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """At the worst price the edge still pays for the risk of being wrong."""
    if not trade.opening:
        return not_for_closes()
    if trade.own_idea:
        return _OWN_IDEA
    if trade.edge_at_worst is None or not trade.edge_at_worst.is_finite():
        return unknown("The edge at the worst price is")
    least = max(context.limits.edge_min, trade.edge_required or ZERO)
    enough = trade.edge_at_worst >= least
    detail = (
        "" if enough else f"The edge is {signed_cents(trade.edge_at_worst)}, needed {signed_cents(least)}."
    )
    return Verdict(enough, signed_cents(trade.edge_at_worst), signed_cents(least), detail)


def edge_too_good(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The edge is not larger than the largest bias ever published: then quote, rules or model is wrong."""
    if not trade.opening:
        return not_for_closes()
    if trade.own_idea:
        return _OWN_IDEA
    if trade.edge_now is None or not trade.edge_now.is_finite():
        return unknown("The edge at the present price is")
    most = context.limits.edge_suspicious
    passed = trade.edge_now <= most
    detail = "" if passed else "An edge this large usually means a wrong quote, rule or model."
    return Verdict(passed, signed_cents(trade.edge_now), signed_cents(most), detail)


def model_unvalidated(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """With money, only a model that has beaten the market price on our own data speaks."""
    if not trade.opening:
        return not_for_closes()
    if trade.own_idea:
        return _OWN_IDEA
    if trade.model_validated is None:
        return unknown("Whether the model is validated is")
    if trade.model_validated:
        return Verdict(True, "validated")
    allowed = context.allow_unvalidated or context.regime in ("paper", "dry_run")
    detail = (
        ""
        if allowed
        else "The model is unvalidated; POLYBOT_ALLOW_UNVALIDATED_MODEL=true would let it trade."
    )
    return Verdict(allowed, "unvalidated", "allowed" if allowed else "validated", detail)


def model_inactive(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The model that estimated the edge is the one that runs now, in the same version."""
    if not trade.opening:
        return not_for_closes()
    if trade.own_idea:
        return _OWN_IDEA
    if context.active_model is None or not trade.model:
        return unknown("The model of the trade or of this engine is")
    same = trade.model == context.active_model
    detail = "" if same else f"It was proposed by {trade.model}; {context.active_model} runs now."
    return Verdict(same, trade.model, context.active_model, detail)
