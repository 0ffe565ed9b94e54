"""A proposal of the models becomes an intent without losing or changing anything."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.core.units import ZERO
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentType, OrderType
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.proposing import Frame, cancelling_intent, closing_intent, opening_intent, trade_of
from polyb0t.execution.scope import Regime
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.chances import Candidate
from polyb0t.models.closing import CloseProposal, close_proposal
from polyb0t.models.opening import OpeningProposal
from polyb0t.models.proposal import decide_openings
from tests.support.builders import NOW, a_cancel, a_scope, an_intent
from tests.support.decisions import a_context, a_desk, a_state, d
from tests.support.trading import an_order_record

FRAME = Frame(scope=a_scope(), regime=Regime.LIVE, now=NOW, decide_seconds=180)


@pytest.fixture
def opening() -> OpeningProposal:
    state = a_state()
    model = MarketCalibrationModel(packaged_coefficients())
    (proposal,) = decide_openings([Candidate(state, model.predict(state))], a_desk()).proposals
    return proposal


@pytest.fixture
def sale() -> CloseProposal:
    context = a_context()
    assert context.book is not None
    found = close_proposal(context.book.asset_id, context=context, reason="Stop-loss.")
    assert isinstance(found, CloseProposal), found
    return found


def test_an_opening_says_what_is_bought_for_how_much_and_why(opening: OpeningProposal) -> None:
    intent = opening_intent(opening, FRAME)

    assert intent.intent_type is IntentType.OPEN_POSITION
    assert (intent.side, intent.order_type, intent.post_only) == (Side.BUY, OrderType.FAK, False)
    assert (intent.amount, intent.shares, intent.least_shares) == (opening.amount, None, opening.min_shares)
    assert (intent.worst_price, intent.max_cost) == (opening.worst_price, opening.max_cost)
    assert (intent.estimated_cost, intent.estimated_shares) == (opening.likely.cost, opening.likely.shares)
    assert (intent.fee_rate, intent.fee_exponent) == (opening.fee.rate, opening.fee.exponent)
    assert (intent.edge_worst, intent.edge_now) == (opening.edge_at_worst, opening.edge_now)
    assert (intent.model_probability, intent.model_low) == (opening.belief.q, opening.belief.low)
    assert intent.model_validated is opening.estimate.validated
    assert intent.reason == opening.reason
    assert intent.controls == opening.controls
    assert all(control.passed for control in intent.controls)


def test_what_decides_the_market_is_part_of_the_intent(opening: OpeningProposal) -> None:
    intent, market = opening_intent(opening, FRAME), opening.market

    assert (intent.question, intent.condition_id) == (market.question, market.condition_id)
    assert (intent.end_date, intent.page_url) == (market.end_date, market.page_url)
    assert (intent.rules_text, intent.rules_hash) == (market.rules_text, market.rules_hash)
    assert intent.resolution_source == market.resolution_source
    assert intent.protocol_version == "v1"
    assert intent.asset_id == market.outcomes[0].asset_id


def test_the_frame_gives_scope_regime_and_time_to_decide(opening: OpeningProposal) -> None:
    intent = opening_intent(opening, replace(FRAME, regime=Regime.DRY_RUN, decide_seconds=60))

    assert (intent.scope, intent.regime) == (str(a_scope()), Regime.DRY_RUN)
    assert intent.created_at == NOW
    assert intent.deadline == NOW + timedelta(seconds=60)
    assert intent.approvals_required == 1


def test_two_intents_of_one_proposal_are_two_identities(opening: OpeningProposal) -> None:
    assert opening_intent(opening, FRAME).digest != opening_intent(opening, FRAME).digest


def test_the_controls_judge_an_intent_as_they_judged_its_proposal(opening: OpeningProposal) -> None:
    trade = trade_of(opening_intent(opening, FRAME))

    assert (trade.amount, trade.min_shares) == (opening.amount, opening.min_shares)
    assert (trade.worst_price, trade.max_cost) == (opening.worst_price, opening.max_cost)
    assert (trade.intent_type, trade.order_type) == ("OPEN_POSITION", "FAK")
    assert (trade.edge_at_worst, trade.edge_now) == (opening.edge_at_worst, opening.edge_now)
    assert trade.model_validated is opening.estimate.validated
    assert trade.rules_hash == opening.market.rules_hash


def test_a_close_sells_shares_and_costs_nothing(sale: CloseProposal) -> None:
    opened = an_intent()

    intent = closing_intent(sale, FRAME, opened_by=opened)

    assert (intent.intent_type, intent.side) == (IntentType.CLOSE_POSITION, Side.SELL)
    assert (intent.amount, intent.shares, intent.max_cost) == (None, sale.shares, ZERO)
    assert (intent.worst_price, intent.estimated_cost) == (sale.worst_price, sale.likely_proceeds)
    assert (intent.best_bid, intent.best_ask) == (sale.reference_price, sale.best_ask)
    assert (intent.model_probability, intent.edge_worst) == (None, None)
    assert intent.parent_id == opened.id
    assert trade_of(intent).shares == sale.shares


def test_a_cancel_names_its_order_and_places_none() -> None:
    placed = an_intent(order_type=OrderType.GTC, amount=None, shares=d(20), least_shares=None)
    order = an_order_record(placed, OrderStatus.LIVE)

    intent = cancelling_intent(order, placed, FRAME, reason="It has rested for an hour.")

    assert (intent.intent_type, intent.target_order_id) == (IntentType.CANCEL_ORDER, order.id)
    assert (intent.question, intent.outcome_label) == (placed.question, placed.outcome_label)
    assert (intent.side, intent.shares, intent.amount, intent.max_cost) == (None, None, None, None)
    assert intent.parent_id == placed.id


def test_an_intent_that_places_no_order_is_not_judged_as_a_trade() -> None:
    with pytest.raises(ValueError, match="places no order"):
        trade_of(a_cancel(an_order_record(an_intent(), OrderStatus.LIVE).id))


def test_no_digit_is_lost_on_the_way(opening: OpeningProposal) -> None:
    exact = replace(opening, edge_now=Decimal("0.0123456"))

    assert opening_intent(exact, FRAME).edge_now == Decimal("0.0123456")
