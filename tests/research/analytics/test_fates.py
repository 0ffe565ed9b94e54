"""Every proposal is scored alike, whatever became of it; nothing that lost is left out."""

from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price
from polyb0t.execution.intents import IntentRecord, IntentStatus, Purpose
from polyb0t.execution.orders import OrderStatus, OrderType
from polyb0t.research.analytics.analysis import Analysis, FateRow, analyse
from polyb0t.research.analytics.fates import Fate
from polyb0t.research.analytics.markouts import Horizon, Missing
from tests.research.analytics.ideas import (
    HOUR,
    Shelf,
    closing,
    expired,
    fill,
    idea,
    pays,
    records,
    refused,
    rejected,
)
from tests.support.builders import NOW
from tests.support.trading import an_order_record


def row(made: Analysis, fate: Fate) -> FateRow:
    return next(each for each in made.fates if each.name == fate)


@pytest.mark.parametrize(
    ("record", "fate"),
    [
        (idea(), Fate.FILLED),
        (idea(status=IntentStatus.FAILED, result="edge"), Fate.REFUSED),
        (rejected("a", result="halted"), Fate.REFUSED),
        (rejected("a"), Fate.REJECTED),
        (expired("a"), Fate.EXPIRED),
        (idea(status=IntentStatus.EXPIRED, result="too_late"), Fate.NOT_FILLED),
        (idea(result="dry_run"), Fate.REHEARSED),
        (expired("a", result="superseded"), None),
        (idea(status=IntentStatus.PENDING, by=None), None),
    ],
)
def test_each_proposal_has_one_end(record: IntentRecord, fate: Fate | None) -> None:
    fills = [fill()] if fate is Fate.FILLED else []

    (scored,) = analyse(records(record, fills=fills)).scored

    assert scored.fate is fate


def test_an_order_that_was_sent_and_found_nothing_is_not_filled() -> None:
    (scored,) = analyse(records(idea(), fills=[])).scored

    assert scored.fate is Fate.NOT_FILLED
    assert scored.outcome_pusd == 0


def test_an_order_that_rests_is_not_over_until_its_end_is_known() -> None:
    resting = idea(order_type=OrderType.GTD, post_only=True, estimated_cost=None)
    assert resting.order_id is not None
    live, gone = (
        an_order_record(resting.intent, status, id=resting.order_id)
        for status in (OrderStatus.LIVE, OrderStatus.EXPIRED)
    )

    (waits,) = analyse(records(resting, orders=[live], pays=pays(a="1"))).scored
    (ended,) = analyse(records(resting, orders=[gone], pays=pays(a="1"))).scored

    assert (waits.fate, ended.fate) == (None, Fate.NOT_FILLED)


def test_what_was_to_rest_has_no_result_if_taken_since_nobody_knows_who_would_have_come() -> None:
    resting = rejected("a", order_type=OrderType.GTD, post_only=True, estimated_cost=None)

    made = analyse(records(resting, pays=pays(a="1")))

    assert (made.all.proposals, made.all.priced, made.all.if_taken_pusd) == (1, 0, None)


def test_what_nobody_took_is_worth_what_the_book_of_its_proposal_would_have_given() -> None:
    """100 shares at 50 cents with a fee of 1 pUSD: a win makes 49, a loss costs 51."""
    ideas = [rejected("a", fee="1"), expired("b", fee="1"), refused("c", fee="1")]

    made = analyse(records(*ideas, pays=pays(a="1", b="0", c="1")))

    assert row(made, Fate.REJECTED).if_taken_pusd == 49
    assert row(made, Fate.EXPIRED).if_taken_pusd == -51
    assert row(made, Fate.REFUSED).if_taken_pusd == 49
    assert [each.outcome_pusd for each in made.fates] == [None, None, None]
    assert made.all.if_taken_pusd == 49 - 51 + 49
    assert (made.all.proposals, made.all.events) == (3, 3)


def test_no_more_is_counted_than_the_book_showed() -> None:
    """The model wanted 500; the book had 40 shares, and that is what the proposal would have bought."""
    made = analyse(records(rejected("a", shares="40", amount=None), pays=pays(a="1")))

    assert made.all.if_taken_pusd == 20


def test_what_was_filled_is_worth_what_its_fills_were() -> None:
    """60 of 100 shares at 51 cents with a fee of 30 cents; taken as proposed it would have been 100 at 50."""
    made = analyse(records(idea(), fills=[fill(shares="60", at_price="0.51", fee="0.3")], pays=pays(a="1")))

    (filled,) = made.fates
    assert filled.outcome_pusd == Decimal(60) - Decimal("30.6") - Decimal("0.3")
    assert filled.if_taken_pusd == 50


def test_without_a_payout_the_bid_of_now_counts_and_without_that_nothing_is_guessed() -> None:
    bid = {AssetId("a"): Price(Decimal("0.55"))}

    priced = analyse(records(rejected("a"), rejected("b"), bids=bid)).all

    assert (priced.proposals, priced.priced) == (2, 1)
    assert priced.if_taken_pusd == 5


def test_a_sale_is_measured_against_keeping_the_shares() -> None:
    sale = closing(order="s", at=NOW + HOUR)
    fills = [fill(), fill(order="s", side=sale.intent.side, at_price="0.70", at=NOW + HOUR)]  # type: ignore[arg-type]

    made = analyse(records(idea(), sale, fills=fills, pays=pays(a="1")))

    bought, sold = made.scored
    assert bought.outcome_pusd == 50
    assert sold.outcome_pusd == -30
    assert (made.closings, made.all.proposals) == (1, 1)


def test_ideas_of_before_and_after_the_period_and_test_orders_are_no_ideas_of_it() -> None:
    early, late = idea("a", at=NOW - timedelta(days=2)), idea("b", at=NOW + timedelta(days=20))
    probe = idea("c", purpose=Purpose.TEST_ORDER)

    assert analyse(records(early, late, probe)).all.proposals == 0


def test_an_edge_is_told_at_the_proposal_and_at_the_worst_price() -> None:
    made = analyse(records(idea(), fills=[fill()])).all

    assert made.expected_now is not None and made.expected_now.mean == pytest.approx(0.10)
    assert made.expected_worst is not None and made.expected_worst.mean == pytest.approx(0.08)


# -- markouts ------------------------------------------------------------------------------------


def test_a_markout_is_the_drift_of_the_middle_of_the_outcome_that_was_bought() -> None:
    """The middle was 49; an hour later the bid is 53 and the offer 57, so it is 55: 6 cents, 5 net of the
    half spread. The other outcome of the market fell as far."""
    shelf = Shelf().show("a", NOW + HOUR, "0.53", "0.57").show("other", NOW + HOUR, "0.43", "0.47")

    found = analyse(records(idea(), fills=[fill()], books=shelf)).scored[0].markouts

    assert found[Horizon.HOUR].drift == Decimal("0.06")
    assert found[Horizon.HOUR].net == Decimal("0.05")
    assert found[Horizon.DAY].drift == Decimal("0.06")  # the last book of the day before it
    assert found[Horizon.MINUTE].missing is Missing.NO_BOOK


def test_a_sale_gains_when_the_price_falls_after_it() -> None:
    shelf = Shelf().show("a", NOW + HOUR, "0.60", "0.62")

    made = analyse(records(closing(order="s", at=NOW), books=shelf))

    assert made.scored[0].markouts[Horizon.HOUR].drift == Decimal("0.10")


def test_rejected_and_expired_ideas_have_markouts_as_well() -> None:
    shelf = Shelf().show("a", NOW + HOUR, "0.50", "0.52").show("b", NOW + HOUR, "0.44", "0.46")

    made = analyse(records(rejected("a"), expired("b"), books=shelf))

    rows = {fate: {each.horizon: each for each in rows} for fate, rows in made.markouts_by_fate}
    passed, let_go = rows[Fate.REJECTED][Horizon.HOUR].drift, rows[Fate.EXPIRED][Horizon.HOUR].drift
    assert passed is not None and passed.mean == pytest.approx(0.02)
    assert let_go is not None and let_go.mean == pytest.approx(-0.04)


def test_what_was_not_recorded_is_counted_by_its_reason_and_never_guessed() -> None:
    shelf = Shelf().show("a", NOW + timedelta(minutes=1), "0.50", "0.52")
    until = NOW + timedelta(hours=2)
    recorded = NOW + timedelta(minutes=5)

    made = analyse(
        records(rejected("a"), rejected("b"), books=shelf, until=until, watched=lambda at: at <= recorded)
    )

    missing = {each.horizon: dict(each.missing) for each in made.markouts}
    assert missing[Horizon.MINUTE] == {Missing.NO_BOOK: 1}
    assert missing[Horizon.TEN_MINUTES] == {Missing.NOT_WATCHED: 2}
    assert missing[Horizon.DAY] == {Missing.TOO_EARLY: 2}
    assert all(each.at <= recorded for each in shelf.asked)


def test_a_book_with_an_empty_side_has_no_middle() -> None:
    shelf = Shelf().show("a", NOW + HOUR, "0.50", "0.52")

    found = analyse(records(idea(bid=None), fills=[fill()], books=shelf)).scored[0].markouts

    assert found[Horizon.HOUR].missing is Missing.ONE_SIDED
