"""Every cent of the net result has a part that it belongs to: over any history the parts sum exactly."""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.cash_flows import Booked, Movement, MovementKind, Taken
from polyb0t.data.fills import Fill
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentRecord
from polyb0t.models.portfolio import portfolio_of
from polyb0t.research.analytics.attribution import Parts, attribution
from polyb0t.research.analytics.records import Records
from tests.research.analytics.ideas import HOUR, closing, fill, idea, pays, records
from tests.support.builders import NOW


def told(records: Records) -> dict[str, Decimal]:
    """The parts that are not nothing."""
    parts = attribution(records).parts
    return {each.name: value for each in fields(Parts) if (value := getattr(parts, each.name))}


def paid(name: str, shares: str, pusd: str | None, at_hours: int = 48) -> Booked:
    movement = Movement(
        kind=MovementKind.REDEEM.value,
        at=NOW + timedelta(hours=at_hours),
        transaction_hash="",
        pusd=Pusd(Decimal(pusd or 0)),
        shares=Shares(Decimal(shares)),
        condition_id=ConditionId(f"0x{name}"),
        asset_id=AssetId(name),
    )
    taken = Taken(AssetId(name), movement.shares, None if pusd is None else movement.pusd)
    return Booked(movement, (taken,))


def test_a_purchase_that_won_comes_apart_into_edge_spread_wait_and_fee() -> None:
    """100 shares, middle 49, offer 50, filled at 51 with a fee of 40 cents, worth a pUSD each."""
    history = records(
        idea(), fills=[fill(at_price="0.51", fee="0.4")], booked=[paid("a", "100", "100")], pays=pays(a="1")
    )

    assert told(history) == {
        "model_edge": Decimal(51),
        "spread": Decimal(-1),
        "wait": Decimal(-1),
        "fee": Decimal("-0.4"),
    }
    assert attribution(history).net_pusd == Decimal("48.6")


def test_the_depth_that_a_size_reaches_into_is_part_of_the_spread() -> None:
    """The book of the proposal would have taken 52 on average for 100 shares; at 52 it was filled."""
    deep = idea(estimated_cost=Pusd(Decimal(52)))

    assert told(records(deep, fills=[fill(at_price="0.52")], pays=pays(a="0"))) == {
        "model_edge": Decimal(-49),
        "spread": Decimal(-3),
    }


def test_a_resting_order_earns_the_spread() -> None:
    resting = idea(post_only=True, worst_price=Price(Decimal("0.48")))

    parts = told(records(resting, fills=[fill(at_price="0.48")], pays=pays(a="1")))

    assert parts == {"model_edge": Decimal(51), "spread": Decimal(1)}


def test_a_sale_gives_up_what_the_shares_turn_out_to_be_worth() -> None:
    """Sold at 69 where the middle was 71 and the bid 70: 29 less than keeping, 1 spread, 1 wait."""
    sale = closing(order="s", at=NOW + HOUR)
    fills = [fill(), fill(order="s", side=Side.SELL, at_price="0.69", at=NOW + HOUR)]

    history = records(idea(), sale, fills=fills, pays=pays(a="1"))

    assert told(history) == {
        "model_edge": Decimal(51),
        "spread": Decimal(-2),
        "wait": Decimal(-1),
        "exit_timing": Decimal(-29),
    }
    assert attribution(history).net_pusd == 19


def test_a_market_that_paid_both_outcomes_was_no_judgement_of_the_model() -> None:
    history = records(idea(), fills=[fill()], booked=[paid("a", "100", "50")], pays=pays(a="0.5"))

    assert told(history) == {"dispute_void": Decimal(1), "spread": Decimal(-1)}


def test_what_a_payout_was_rounded_by_is_outside() -> None:
    history = records(idea(), fills=[fill()], booked=[paid("a", "100", "99.999999")], pays=pays(a="1"))

    assert told(history)["outside"] == Decimal("-0.000001")


def test_a_fill_that_nobody_proposed_is_told_apart() -> None:
    history = records(fills=[fill(at_price="0.40", fee="0.2")], pays=pays(a="1"))

    assert told(history) == {"unproposed": Decimal(60), "fee": Decimal("-0.2")}


def test_what_has_no_price_and_what_was_bought_before_is_counted_and_left_out() -> None:
    old = fill("b", at=NOW - timedelta(days=3))

    made = attribution(records(idea(), idea("b"), fills=[fill(), old], pays=pays(b="1")))

    assert (made.outcomes, made.unpriced, made.earlier) == (0, 1, 1)
    assert made.net_pusd == made.parts.total == 0


E6 = st.integers(1, 999_999).map(lambda n: Decimal(n).scaleb(-6))
SIZE = st.integers(1, 5_000_000_000).map(lambda n: Decimal(n).scaleb(-6))
FEE = st.integers(0, 9_000_000).map(lambda n: Decimal(n).scaleb(-6))


@st.composite
def a_history(draw: st.DrawFn) -> Records:
    """Up to four outcomes, bought in pieces, sold in part, paid in part, at any prices and with any fees;
    some without a proposal, some with one that saw half a book, some void, some without a payout."""
    intents: list[IntentRecord] = []
    fills: list[Fill] = []
    booked: list[Booked] = []
    ends: dict[AssetId, Price] = {}
    for name in "abcd"[: draw(st.integers(1, 4))]:
        held = ZERO
        for number in range(draw(st.integers(1, 3))):
            order, at = f"{name}{number}", NOW + timedelta(hours=number)
            shares = draw(SIZE)
            held += shares
            fills.append(_fill(draw, name, order, shares, Side.BUY, at))
            if draw(st.booleans()):
                whole = draw(st.booleans())
                made = idea(order, bid="0.48" if whole else None, fee=str(draw(FEE)), shares=str(draw(SIZE)))
                intents.append(made)
        if draw(st.booleans()):
            shares = draw(st.integers(1, int(held.scaleb(6)))) * Decimal("0.000001")
            held -= shares
            at = NOW + timedelta(hours=5)
            fills.append(_fill(draw, name, f"{name}s", shares, Side.SELL, at))
            if draw(st.booleans()):
                intents.append(closing(name, order=f"{name}s", at=at))
        if held and draw(st.booleans()):
            pusd = draw(st.none() | st.integers(0, int(held.scaleb(6))).map(lambda n: str(n)))
            shares = draw(st.integers(1, int(held.scaleb(6)))) * Decimal("0.000001")
            booked.append(paid(name, str(shares), None if pusd is None else str(Decimal(pusd).scaleb(-6))))
            held -= shares
        if held or draw(st.booleans()):
            ends[AssetId(name)] = Price(draw(st.sampled_from([ZERO, Decimal(1), Decimal("0.5")]) | E6))
    return records(*intents, fills=fills, booked=booked, pays=ends)


def _fill(draw: st.DrawFn, name: str, order: str, shares: Decimal, side: Side, at: object) -> Fill:
    price, fee = draw(E6), draw(FEE)
    return fill(name, str(price), str(shares), order=order, fee=str(fee), side=side, at=at)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(a_history())
def test_the_parts_sum_to_the_net_result_of_the_books_to_the_last_digit(history: Records) -> None:
    made = attribution(history)

    books = portfolio_of(history.fills, starting_cash=Pusd(ZERO), booked=history.booked)
    held = sum((each.shares * history.pays[each.asset_id] for each in books.held()), ZERO)
    assert made.net_pusd == made.parts.total == books.cash + held
    assert made.parts.fee == -books.fees
