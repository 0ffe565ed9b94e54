"""A report beyond money and counts: what others would have made, slippage, and every other side of a result."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.cash_flows import Booked
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.research.groups import BY_HAND
from polyb0t.research.reports import Report, report
from polyb0t.research.what_if import Fate, IfTaken
from tests.support.builders import ASSET, NOW, a_deposit
from tests.test_reports import OPENING, OTHER, SINCE, bought, decided, facts, sold

HALF = Price(Decimal("0.5"))


def price(text: str) -> Price:
    return Price(Decimal(text))


def let_pass(**intent: Any) -> IntentRecord:
    return decided(IntentStatus.EXPIRED, result="expired", intent=intent)


def rejected(**intent: Any) -> IntentRecord:
    return decided(IntentStatus.REJECTED, by="user:anna", intent=intent)


def executed(number: int, **intent: Any) -> IntentRecord:
    """An approved trade whose order is that of `bought(number)`: worst price 50 cents, the offer was 48."""
    return decided(IntentStatus.EXECUTED, by="user:anna", order_id=OrderId(f"o{number}"), intent=intent)


# -- what the others would have made -----------------------------------------------------------


def taken(made: Report) -> dict[Fate, IfTaken]:
    return {each.fate: each for each in made.if_taken}


def test_what_nobody_took_is_measured_like_what_was_taken() -> None:
    """21 shares for 10.10 pUSD were proposed; the bid is 50 cents now."""
    intents = [rejected(asset_id=AssetId("1")), let_pass(asset_id=AssetId("2")), executed(1)]
    worth = dict.fromkeys((AssetId("1"), AssetId("2"), ASSET), HALF)

    made = taken(report(facts(intents=intents, fills=[bought()], worth=worth)))

    would_have = Decimal(21) * HALF - Decimal("10.1")
    assert made[Fate.REJECTED] == IfTaken(Fate.REJECTED, 1, 1, Pusd(would_have))
    assert made[Fate.EXPIRED].made_pusd == would_have
    assert made[Fate.APPROVED].made_pusd == Decimal("0.304")  # of the 20 that were really bought


def test_an_idea_that_comes_again_and_again_is_one_idea_at_its_first_price() -> None:
    again = [
        let_pass(created_at=NOW + timedelta(minutes=minute), estimated_cost=Pusd(Decimal(10 + minute)))
        for minute in range(3)
    ]

    made = taken(report(facts(intents=reversed_of(again), worth={ASSET: price("0.99")})))

    assert made[Fate.EXPIRED] == IfTaken(Fate.EXPIRED, 1, 1, Pusd(21 * Decimal("0.99") - 10))


def reversed_of(records: list[IntentRecord]) -> list[IntentRecord]:
    """As the store lists them: the newest first."""
    return list(reversed(records))


def test_what_has_no_price_is_counted_and_not_guessed() -> None:
    made = taken(report(facts(intents=[let_pass()])))

    assert made[Fate.EXPIRED] == IfTaken(Fate.EXPIRED, 1, 0, None)


def test_what_a_newer_proposal_replaced_and_what_waits_was_nobodys_decision() -> None:
    superseded = decided(IntentStatus.EXPIRED, result="superseded")

    made = report(facts(intents=[superseded, decided(IntentStatus.PENDING)], worth={ASSET: HALF}))

    assert [each.ideas for each in made.if_taken] == [0, 0, 0]


def test_an_approved_trade_that_found_nothing_made_nothing() -> None:
    failed = decided(IntentStatus.FAILED, by="user:anna", result="no_fill", order_id=OrderId("o9"))

    made = taken(report(facts(intents=[failed], worth={ASSET: price("0.9")})))

    assert made[Fate.APPROVED].made_pusd == 0


def test_yesterdays_proposals_are_not_of_today() -> None:
    made = taken(
        report(facts(intents=[let_pass(created_at=SINCE - timedelta(hours=1))], worth={ASSET: HALF}))
    )

    assert made[Fate.EXPIRED].ideas == 0


# -- slippage ----------------------------------------------------------------------------------


def test_a_purchase_is_compared_with_its_worst_price_and_with_the_book_when_it_was_proposed() -> None:
    slip = report(facts(fills=[bought(price=price("0.49"))], intents=[executed(1)])).slippage

    assert (slip.fills, slip.saved_pusd, slip.drift_pusd) == (1, Decimal("0.2"), Decimal("-0.2"))
    assert slip.past_worst == 0


def test_a_sale_is_better_above_its_worst_price() -> None:
    sale = executed(2, side=Side.SELL, worst_price=price("0.55"), reference_price=price("0.6"))

    slip = report(facts(fills=[bought(), sold(2, "0.60")], intents=[sale])).slippage

    assert (slip.saved_pusd, slip.drift_pusd) == (Decimal(1), Decimal(0))


def test_a_fill_past_the_worst_price_is_counted() -> None:
    slip = report(facts(fills=[bought(price=price("0.51"))], intents=[executed(1)])).slippage

    assert slip.past_worst == 1


# -- by category, model and day ----------------------------------------------------------------


def test_every_side_of_a_result_comes_to_the_same_total() -> None:
    made = report(
        facts(
            fills=[
                bought(),
                bought(2, asset_id=OTHER),
                sold(3, "0.60", at=NOW + timedelta(minutes=1), shares=Shares(Decimal(5))),
            ],
            intents=[
                executed(1, category="politics", model_name="calibration", model_version="3"),
                executed(2, asset_id=OTHER, category="weather", model_name="", model_version=""),
                rejected(asset_id=AssetId("3"), category="sport"),
            ],
            bids={ASSET: HALF, OTHER: price("0.40")},
        )
    )

    assert {row.name: (row.proposed, row.approved) for row in made.by_category} == {
        "politics": (1, 1),
        "weather": (1, 1),
        "sport": (1, 0),
    }
    assert {row.name for row in made.by_model} == {"calibration 3", BY_HAND, "market_calibration 1"}
    for rows in (made.markets, made.by_category, made.by_model):
        assert sum((row.settled_pusd for row in rows), ZERO) == made.results.settled_pusd
        assert sum((row.open_pusd or ZERO for row in rows), ZERO) == made.results.open_pusd
        assert sum((row.fees_pusd for row in rows), ZERO) == made.results.fees_predicted_pusd


def test_an_outcome_is_of_the_model_that_bought_it_whoever_sells_it() -> None:
    sale = decided(
        IntentStatus.EXECUTED,
        by="user:anna",
        order_id=OrderId("o2"),
        intent={"intent_type": IntentType.CLOSE_POSITION, "side": Side.SELL, "model_name": ""},
    )

    made = report(facts(fills=[bought(), sold(2, "0.60")], intents=[sale, executed(1)]))

    assert [row.model for row in made.markets] == ["market_calibration 1"]


def test_a_model_is_held_to_what_it_promised() -> None:
    """It said 55 %: to it 20 shares are worth 11 pUSD; they cost 9.696."""
    (model,) = report(facts(fills=[bought()], intents=[executed(1)], bids={ASSET: HALF})).models

    assert (model.model, model.trades, model.settled) == ("market_calibration 1", 1, 0)
    assert (model.expected_pusd, model.so_far_pusd) == (Decimal("1.304"), Decimal("0.304"))
    assert not model.enough


def test_days_make_the_whole() -> None:
    made = report(
        facts(
            since=SINCE - timedelta(days=1),
            fills=[bought(at=SINCE - timedelta(hours=2)), sold(2, "0.60")],
            day_starts={"2026-11-21": OPENING, "2026-11-22": Pusd(Decimal(1001))},
        )
    )

    first, second = made.days
    assert (first.day, first.change_pusd, first.settled_pusd) == ("2026-11-21", Decimal(1), ZERO)
    assert second.equity_pusd == 1001
    assert second.change_pusd == (made.equity.equity_pusd or ZERO) - 1001
    assert first.settled_pusd + second.settled_pusd == made.results.settled_pusd


def test_money_that_was_moved_is_no_days_result() -> None:
    made = report(facts(booked=[Booked(a_deposit("250", at=NOW))], day_starts={"2026-11-22": OPENING}))

    (day,) = made.days
    assert (day.moved_pusd, day.change_pusd) == (Decimal(250), ZERO)


def test_of_a_time_that_is_over_the_end_is_as_the_next_day_found_it() -> None:
    made = report(
        facts(
            since=SINCE - timedelta(days=1),
            until=SINCE,
            over=True,
            fills=[bought(at=SINCE - timedelta(hours=1)), bought(2, NOW)],
            bids={ASSET: price("0.99")},
            day_starts={"2026-11-21": OPENING, "2026-11-22": Pusd(Decimal(998))},
        )
    )

    assert (made.equity.equity_pusd, made.equity.change_pusd) == (Decimal(998), Decimal(-2))
    assert made.results.fills == 1
    assert made.results.open_pusd is None  # nobody wrote down what each holding was worth then
