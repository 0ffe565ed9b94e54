"""Every control over 500 candidates: this process's CPU, as one cycle with 500 chances would spend it."""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from bench.figures import Section
from polyb0t.core.units import Pusd
from polyb0t.models.limits import CONTROLS, check
from polyb0t.models.risk import ControlContext, ProposedTrade, RiskLimits
from tests.support.decisions import a_context, a_market, a_trade, d

CANDIDATES = 500
ROUNDS = 15
TARGET_MS = 50.0


def measure() -> Section:
    section = Section(
        f"{len(CONTROLS)} controls over {CANDIDATES} candidates",
        rival="the same trades and contexts copied field by field, and nothing judged",
    )
    pairs = [_candidate(number) for number in range(CANDIDATES)]
    section.add(
        "controls of 500 candidates, CPU",
        _best(lambda: [check(trade, context) for trade, context in pairs]),
        "ms",
        target=TARGET_MS,
        rival=_best(lambda: [(replace(trade), replace(context)) for trade, context in pairs]),
    )
    return section


def _candidate(number: int) -> tuple[ProposedTrade, ControlContext]:
    """No two cost the same or earn the same, so that nothing is found ready that a cycle would not find."""
    cost, edge = d(50) + Decimal(number) / 100, d("0.03") + Decimal(number) / 100_000
    trade = a_trade(amount=Pusd(cost), max_cost=Pusd(cost * d("1.04")), edge_now=edge, edge_at_worst=edge)
    context = a_context(
        market=a_market(tags=("politics", "trams", f"theme-{number}")),
        limits=RiskLimits(budget_pusd=d(9_000)),
        at_submit=number % 2 == 0,
        spendable_pusd=Pusd(d(9_000) + number),
    )
    return trade, context


def _best(step: Callable[[], object]) -> float:
    """The least CPU of several rounds, in ms: what others do to this machine only ever adds."""
    step()
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        step()
        spent.append((time.process_time() - begun) * 1_000)
    return min(spent)
