"""A missing allowance is refused before anybody is asked, naming token, spender and what to do."""

from dataclasses import replace
from decimal import Decimal

import pytest

from polyb0t.core.units import Pusd
from polyb0t.models.money_controls import allowance_low
from polyb0t.models.risk import Allowance
from tests.support.decisions import a_close, a_context, a_trade

SPENDER = "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045"


def allowed(pusd: str | None) -> Allowance:
    return Allowance(SPENDER, None if pusd is None else Pusd(Decimal(pusd)))


def test_it_names_token_spender_and_what_to_do() -> None:
    found = allowance_low(a_trade(), a_context(regime="live", allowance=allowed("5")))

    assert not found.passed
    for part in (SPENDER, "pUSD", "approve", "website"):
        assert part in found.detail


@pytest.mark.parametrize("allowance", [None, allowed(None)])
def test_what_was_not_read_does_not_pass(allowance: Allowance | None) -> None:
    assert not allowance_low(a_trade(), a_context(regime="live", allowance=allowance)).passed


def test_it_has_to_cover_the_greatest_cost_and_no_more() -> None:
    trade = a_trade()
    least = allowed(str(trade.max_cost))
    short = replace(least, pusd=Pusd(trade.max_cost - Decimal("0.000001")))

    assert allowance_low(trade, a_context(regime="live", allowance=least)).passed
    assert not allowance_low(trade, a_context(regime="live", allowance=short)).passed


@pytest.mark.parametrize("regime", ["paper", "dry_run"])
def test_what_spends_no_money_needs_none(regime: str) -> None:
    assert allowance_low(a_trade(), a_context(regime=regime, allowance=None)).passed
    assert allowance_low(a_close(), a_context(regime="live", allowance=None)).passed
