"""A report's figures follow from rows: every cent of a period is in one place, and nothing is guessed."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.errors import UsageError
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.scope import Regime
from polyb0t.research.decisions import Counted, Decider, Decisions, decisions_of
from polyb0t.research.reports import ReportFacts, report
from polyb0t.runtime.reporting import Span, span_of, start_of
from tests.support.builders import ASSET, CONDITION, NOW, a_deposit, a_fill, an_intent

SINCE = NOW - timedelta(hours=12)  # midnight
OPENING = Pusd(Decimal(1000))
OTHER = AssetId("2")


def facts(**changes: Any) -> ReportFacts:
    """A day of a paper account that was opened the day before with 1,000 pUSD."""
    given = ReportFacts(
        regime=Regime.PAPER,
        since=SINCE,
        until=NOW + timedelta(hours=1),
        opening_pusd=OPENING,
        opened_at=SINCE - timedelta(days=1),
        start_equity_pusd=OPENING,
        intents=(),
        orders=(),
        fills=(),
        booked=(),
        bids={},
        reserved_pusd=Pusd(ZERO),
        peak_pusd=None,
        unexplained_pusd=Pusd(ZERO),
        fee_differences_pusd=Pusd(ZERO),
    )
    return replace(given, **changes)


def bought(number: int = 1, at: datetime = NOW, **changes: Any) -> Fill:
    """20 shares at 0.48 with a fee of 0.096, final."""
    given = {"trade_id": TradeId(f"t{number}"), "status": FillStatus.CONFIRMED, "matched_at": at}
    return a_fill(OrderId(f"o{number}"), **{**given, **changes})


def sold(number: int, price: str, at: datetime = NOW, **changes: Any) -> Fill:
    return bought(number, at, side=Side.SELL, price=Price(Decimal(price)), **changes)


def payout(shares: str, pusd: str, at: datetime = NOW) -> Booked:
    """A resolved market pays for shares of ours."""
    movement = Movement(
        kind=MovementKind.REDEEM.value,
        at=at,
        transaction_hash="",
        pusd=Pusd(Decimal(pusd)),
        shares=Shares(Decimal(shares)),
        condition_id=CONDITION,
        asset_id=ASSET,
    )
    return Booked(movement, (Taken(ASSET, movement.shares, movement.pusd),))


def decided(
    status: IntentStatus, *, after: float = 20, by: str | None = None, **changes: Any
) -> IntentRecord:
    """An intent of today and how it stands."""
    intent = an_intent(regime=Regime.PAPER, **changes.pop("intent", {}))
    given: dict[str, Any] = {
        "intent": intent,
        "digest": "",
        "status": status,
        "decided_at": intent.created_at + timedelta(seconds=after) if by else None,
        "decided_by": by,
        "execute_by": None,
        "result": None,
        "result_detail": "",
        "seen_at": None,
        "order_id": None,
        "updated_at": intent.created_at,
    }
    return IntentRecord(**{**given, **changes})


# -- money -------------------------------------------------------------------------------------


def test_what_is_held_counts_at_the_bid_and_against_its_cost_with_fees() -> None:
    made = report(facts(fills=[bought()], bids={ASSET: Price(Decimal("0.50"))}))

    assert made.equity.cash_pusd == OPENING - Decimal("9.6") - Decimal("0.096")
    assert made.equity.positions_pusd == 10
    assert made.equity.change_pusd == Decimal("0.304")
    assert (made.results.settled_pusd, made.results.open_pusd) == (ZERO, Decimal("0.304"))
    assert made.results.fees_predicted_pusd == Decimal("0.096")


def test_a_sale_settles_what_it_brought_beyond_its_cost() -> None:
    made = report(
        facts(
            fills=[bought(), sold(2, "0.60", shares=Shares(Decimal(10)))],
            bids={ASSET: Price(Decimal("0.60"))},
        )
    )

    assert made.results.settled_pusd == Decimal(6) - Decimal("0.096") - Decimal("4.848")
    assert made.results.open_pusd == Decimal(6) - Decimal("4.848")
    assert made.equity.change_pusd == made.results.settled_pusd + Decimal(made.results.open_pusd or 0)


@pytest.mark.parametrize(("pays", "settled"), [("20", "10.304"), ("0", "-9.696"), ("10", "0.304")])
def test_a_market_that_won_lost_or_was_split_settles(pays: str, settled: str) -> None:
    made = report(facts(fills=[bought(at=NOW - timedelta(minutes=1))], booked=[payout("20", pays)]))

    (row,) = made.markets
    assert made.results.settled_pusd == row.settled_pusd == Decimal(settled)
    assert made.results.payouts_pusd == row.paid_out_pusd == Decimal(pays)
    assert (row.shares, made.results.open_pusd) == (ZERO, ZERO)
    assert made.equity.equity_pusd == OPENING + Decimal(settled)


def test_money_that_was_moved_is_no_result() -> None:
    deposit = Booked(a_deposit("250"))

    made = report(facts(booked=[deposit]))

    assert made.equity.equity_pusd == 1250
    assert (made.equity.moved_pusd, made.equity.change_pusd) == (Decimal(250), ZERO)
    assert made.equity.change_fraction == 0


def test_a_fee_that_was_charged_otherwise_stands_beside_what_was_predicted() -> None:
    made = report(facts(fills=[bought()], fee_differences_pusd=Pusd(Decimal("0.05"))))

    assert made.results.fees_predicted_pusd == Decimal("0.096")
    assert made.results.fees_charged_pusd == Decimal("0.146")


def test_a_failed_trade_never_was() -> None:
    made = report(facts(fills=[bought(status=FillStatus.FAILED)]))

    assert (made.equity.equity_pusd, made.markets) == (OPENING, ())


def test_what_has_no_price_is_not_a_result_and_is_counted() -> None:
    made = report(facts(fills=[bought()]))

    assert (made.results.open_pusd, made.equity.unmarked) == (None, 1)
    assert made.markets[0].open_pusd is None


def test_books_that_were_never_opened_have_no_equity() -> None:
    made = report(facts(opening_pusd=None, opened_at=None, start_equity_pusd=None))

    assert (made.equity.equity_pusd, made.equity.cash_pusd, made.equity.change_pusd) == (None, None, None)


def test_yesterday_is_not_of_today_but_what_was_bought_then_is_still_held() -> None:
    yesterday = SINCE - timedelta(hours=1)
    made = report(facts(fills=[bought(at=yesterday)], bids={ASSET: Price(Decimal("0.50"))}))

    (row,) = made.markets
    assert (made.results.fills, row.bought_pusd, row.shares) == (0, ZERO, Decimal(20))


TRADES = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(1, 99),
        st.integers(1, 50),
        st.integers(0, 48),
        st.sampled_from([ASSET, OTHER]),
    ),
    max_size=12,
)


@given(TRADES, st.integers(0, 48))
def test_every_cent_is_in_one_place_and_two_periods_make_the_whole(
    trades: list[tuple[bool, int, int, int, AssetId]], hour: int
) -> None:
    fills, held = list[Fill](), dict[AssetId, Decimal]()
    for number, (buys, cents, size, at, asset) in enumerate(sorted(trades, key=lambda each: each[3])):
        have = held.get(asset, ZERO)
        shares = Decimal(size) if buys else min(Decimal(size), have)
        if shares:
            held[asset] = have + (shares if buys else -shares)
            fills.append(
                bought(
                    number,
                    SINCE + timedelta(hours=at, seconds=number),
                    side=Side.BUY if buys else Side.SELL,
                    price=Price(Decimal(cents).scaleb(-2)),
                    shares=Shares(shares),
                    asset_id=asset,
                    condition_id=ConditionId("0x" + asset[:1] * 64),
                )
            )
    bids = {ASSET: Price(Decimal("0.5")), OTHER: Price(Decimal("0.25"))}
    cut = SINCE + timedelta(hours=hour)

    whole = report(facts(fills=fills, bids=bids, until=NOW + timedelta(days=9)))
    late = report(facts(fills=fills, bids=bids, since=cut, until=NOW + timedelta(days=9)))
    early = report(facts(fills=fills, bids=bids, until=cut))

    moved = sum((row.sold_pusd - row.bought_pusd - row.fees_pusd for row in whole.markets), ZERO)
    assert whole.equity.cash_pusd == OPENING + moved
    assert whole.results.settled_pusd == sum((row.settled_pusd for row in whole.markets), ZERO)
    assert whole.results.settled_pusd == early.results.settled_pusd + late.results.settled_pusd
    assert whole.results.settled_pusd == sum((day.settled_pusd for day in whole.days), ZERO)
    assert whole.equity.change_pusd == whole.results.settled_pusd + (whole.results.open_pusd or ZERO)


# -- decisions ---------------------------------------------------------------------------------


def test_decisions_are_counted_with_how_long_a_person_took() -> None:
    records = [
        *(decided(IntentStatus.EXECUTED, by="user:anna", after=seconds) for seconds in (10, 20, 44)),
        decided(IntentStatus.EXECUTED, by="engine:paper", after=0),
        decided(IntentStatus.REJECTED, by="user:anna", after=30),
        decided(IntentStatus.EXPIRED, result="expired"),
        decided(IntentStatus.EXPIRED, result="expired", seen_at=NOW),
        decided(IntentStatus.EXPIRED, result="superseded"),
        decided(
            IntentStatus.EXPIRED, by="user:anna", result="expired", after=20
        ),  # approved, too late to send
        decided(IntentStatus.PENDING),
        decided(IntentStatus.EXECUTED, intent={"created_at": SINCE - timedelta(days=1)}, by="user:anna"),
    ]

    found = decisions_of(records, SINCE, NOW + timedelta(hours=1))

    assert found == Decisions(
        proposed=10,
        approved=5,
        by_itself=1,
        rejected=1,
        expired=2,
        unseen=1,
        superseded=1,
        waiting=1,
        rehearsed=0,
        median_seconds=20,
        nine_in_ten_seconds=44,
        too_late=1,
        deciders=(Decider("user:anna", 4, 1, 20),),
    )


def test_nobody_decided_so_nothing_is_said_of_how_long_it_took() -> None:
    found = decisions_of([decided(IntentStatus.PENDING)], SINCE, NOW + timedelta(hours=1))

    assert (found.median_seconds, found.nine_in_ten_seconds) == (None, None)


def test_what_came_to_nothing_after_an_approval_is_counted_by_its_code() -> None:
    records = [
        decided(IntentStatus.FAILED, by="user:anna", result="no_fill"),
        decided(IntentStatus.FAILED, by="user:anna", result="price_worse"),
        decided(IntentStatus.FAILED, by="user:anna", result="price_worse"),
    ]

    found = decisions_of(records, SINCE, NOW + timedelta(hours=1))

    assert found.failed == (Counted("price_worse", 2), Counted("no_fill", 1))


@pytest.mark.parametrize(("let_pass", "advised"), [(1, None), (4, 120), (40, 120)])
def test_more_time_is_advised_where_many_ran_out_of_it(let_pass: int, advised: int | None) -> None:
    decisions = [
        decided(IntentStatus.EXECUTED, by="user:anna", after=seconds) for seconds in (20, 30, 50, 50)
    ]
    passed = [decided(IntentStatus.EXPIRED, result="expired") for _ in range(let_pass)]

    found = decisions_of([*decisions, *passed], SINCE, NOW + timedelta(hours=1))

    assert found.advised_seconds == advised


# -- the period --------------------------------------------------------------------------------


def test_a_period_ends_with_a_whole_day_or_now() -> None:
    day = timedelta(days=1)
    assert span_of(None, None, NOW) == Span(SINCE, NOW, over=False)
    assert span_of("2026-11-20", "2026-11-21", NOW) == Span(SINCE - 2 * day, SINCE, over=True)
    assert span_of(None, "2026-11-21", NOW) == Span(SINCE - day, SINCE, over=True)
    assert span_of("2026-11-20", "2026-11-22", NOW) == Span(SINCE - 2 * day, NOW, over=False)
    assert span_of("2026-01-01", "2026-12-31", NOW).until == NOW
    assert span_of(None, "2026-12-31", NOW) == Span(SINCE, NOW, over=False)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        span_of("2026-11-21", "2026-11-20", NOW)

    assert error.value.code == "bad_date"


def test_a_day_begins_at_midnight_utc() -> None:
    assert start_of(None, NOW) == SINCE
    assert start_of("2026-11-20", NOW) == SINCE - timedelta(days=2)


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "", "2026-11-23"])
def test_what_is_no_day_or_has_not_begun_is_refused(day: str) -> None:
    with pytest.raises(UsageError) as error:
        start_of(day, NOW)

    assert error.value.code == "bad_date"
