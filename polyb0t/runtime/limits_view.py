"""The limits as data: what `polyb0t risk --json` prints and `GET /risk` answers."""

from polyb0t.core.clock import iso
from polyb0t.core.errors import NotFoundError
from polyb0t.core.units import E6
from polyb0t.models.usage import LimitUse
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.risk_facts import RiskFacts
from polyb0t.runtime.views import View, value_view


def known_risk(opened: OpenedStore) -> RiskFacts:
    """The limits as the engine of this database last published them.

    Raises:
        NotFoundError: none has yet.
    """
    facts = read_facts(opened.engine()).risk
    if facts is None:
        raise NotFoundError(
            "Nothing shown: no engine has measured the limits here yet.",
            why="It does so after each cycle, by the account and the markets as it sees them.",
            do="Look again in a moment, or see whether one runs: polyb0t status",
            code="no_limits",
        )
    return facts


def risk_view(facts: RiskFacts) -> View:
    """`fraction` is the used part of a limit, null where nothing uses it up."""
    phase = facts.small_orders
    in_phase = phase is not None and phase.needed > 0
    return {
        "at": iso(facts.at),
        "bankroll": value_view(facts.bankroll_pusd),
        "limits": [_use_view(use) for use in facts.uses],
        "small_orders": {
            "active": phase.active,
            "agreed": phase.agreed,
            "needed": phase.needed,
            "most": value_view(phase.most_pusd),
        }
        if phase is not None and in_phase
        else None,
        "too_small": {"what": facts.too_small, "do": facts.remedy} if facts.too_small else None,
    }


def _use_view(use: LimitUse) -> View:
    fraction = use.fraction
    return {
        "name": use.name,
        "label": use.label,
        "unit": use.unit,
        "used": value_view(use.used),
        "limit": value_view(use.limit),
        "left": value_view(use.left),
        "fraction": None if fraction is None else value_view(fraction.quantize(E6)),
    }
