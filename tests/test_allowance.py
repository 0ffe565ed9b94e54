"""A missing allowance is refused before anybody is asked, naming token, spender and what to do."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.intents import IntentStatus
from polyb0t.models.money_controls import allowance_low
from polyb0t.models.risk import Allowance, ShareAllowance
from tests.support.builders import a_close as a_closing_intent
from tests.support.decisions import a_close, a_context, a_trade
from tests.support.engine_room import EngineRoom

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
    assert allowance_low(a_close(), a_context(regime=regime, at_submit=True)).passed


def may_sell(shares: str | None) -> ShareAllowance:
    return ShareAllowance(SPENDER, None if shares is None else Shares(Decimal(shares)))


class TestASale:
    """It needs the approval of outcome shares, which a wallet gives for a whole ledger of them or not."""

    def test_without_the_approval_it_names_token_spender_and_what_to_do(self) -> None:
        context = a_context(regime="live", at_submit=True, share_allowance=may_sell("0"))
        found = allowance_low(a_close(), context)
        assert not found.passed
        for part in (SPENDER, "outcome shares", "approve", "website"):
            assert part in found.detail

    def test_with_it_it_passes(self) -> None:
        context = a_context(regime="live", at_submit=True, share_allowance=may_sell("1000000"))
        assert allowance_low(a_close(), context).passed

    def test_an_approval_without_a_limit_passes(self) -> None:
        """The greatest number that a contract knows has more digits than a figure on a screen."""
        unlimited = ShareAllowance(SPENDER, Shares(Decimal(2**256 - 1).scaleb(-6)))
        context = a_context(regime="live", at_submit=True, share_allowance=unlimited)
        assert allowance_low(a_close(), context).passed

    @pytest.mark.parametrize("allowance", [None, may_sell(None)])
    def test_before_the_send_what_was_not_read_does_not_pass(self, allowance: ShareAllowance | None) -> None:
        context = a_context(regime="live", at_submit=True, share_allowance=allowance)
        assert not allowance_low(a_close(), context).passed

    def test_a_proposal_is_made_before_it_is_read(self) -> None:
        assert allowance_low(a_close(), a_context(regime="live", share_allowance=None)).passed

    def test_an_approved_sale_without_it_is_refused_and_nothing_is_sent(self, tmp_path: Path) -> None:
        room = EngineRoom(tmp_path)
        room.situation.changes = {"share_allowance": may_sell("0")}
        intent = a_closing_intent(asset_id=AssetId("1"), worst_price=Price(Decimal("0.46")))
        record = room.execute(intent)
        assert (record.status, record.result) == (IntentStatus.FAILED, "allowance_low")
        assert SPENDER in (record.result_detail or "")
        assert room.gateway.sent == []
        assert room.gateway.signed == []


def test_an_approval_without_a_limit_is_shown_in_words() -> None:
    found = allowance_low(a_trade(), a_context(regime="live", allowance=allowed(str(2**256 - 1))))
    assert (found.passed, found.value) == (True, "any sum")
