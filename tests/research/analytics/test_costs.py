"""What spread, fee and the wait cost, how much more there was, and what the person adds."""

from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.core.units import Price, Pusd
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.research.analytics.analysis import analyse
from polyb0t.research.what_if import Fate as Decision
from tests.research.analytics.ideas import Shelf, expired, fill, idea, pays, records, rejected
from tests.support.builders import NOW
from tests.support.trading import an_order_record

SECOND = timedelta(seconds=1)


def order(name: str, *, sent: float = 22) -> OrderRecord:
    made = idea(name)
    assert made.order_id is not None
    return an_order_record(made.intent, OrderStatus.MATCHED, id=made.order_id, created_at=NOW + sent * SECOND)


def test_the_wait_is_told_in_two_steps_and_slippage_from_the_arrival_on() -> None:
    """Offered at 50, at 51 when approved, at 52 when the order went out; filled at 52.5 on average."""
    shelf = Shelf().show("a", NOW + 19 * SECOND, "0.49", "0.51").show("a", NOW + 21 * SECOND, "0.50", "0.52")
    wide = idea(worst_price=Price(Decimal("0.55")))

    found = analyse(
        records(wide, orders=[order("a")], fills=[fill(at_price="0.525", fee="0.7")], books=shelf)
    ).costs

    assert found.to_approval is not None and found.to_approval.mean == pytest.approx(0.01)
    assert found.to_arrival is not None and found.to_arrival.mean == pytest.approx(0.01)
    assert found.slippage is not None and found.slippage.mean == pytest.approx(0.005)
    assert (found.filled, found.unseen) == (1, 0)
    assert found.fees_pusd == Decimal("0.7")
    assert found.half_spread_pusd == 1


def test_capacity_is_what_the_book_had_within_the_worst_price_over_what_was_taken() -> None:
    shelf = Shelf()
    for name, shares in (("a", "100"), ("b", "300"), ("c", "1000")):
        shelf.show(name, NOW + 21 * SECOND, "0.49", "0.51", shares)
    ideas = [idea(name) for name in "abc"]

    found = analyse(
        records(
            *ideas,
            orders=[order(name) for name in "abc"],
            fills=[fill(name) for name in "abc"],
            books=shelf,
        )
    ).costs.capacity

    assert (found.seen, found.median, found.one_in_ten, found.no_more) == (3, 3.0, 1.0, 1)


def test_an_arrival_that_nobody_recorded_is_counted_and_not_guessed() -> None:
    found = analyse(
        records(idea(), orders=[order("a")], fills=[fill()], books=Shelf(), watched=lambda _at: False)
    ).costs

    assert (found.unseen, found.slippage, found.to_approval, found.capacity.seen) == (1, None, None, 0)


# -- the person ----------------------------------------------------------------------------------


def test_the_person_is_measured_by_what_was_taken_against_what_was_not() -> None:
    """Approved makes 50, rejected loses 50, let pass makes 50: passing on both saved and cost the same."""
    history = records(
        idea("a", after=10),
        rejected("b", after=30),
        expired("c"),
        fills=[fill("a")],
        pays=pays(a="1", b="0", c="1"),
    )

    found = analyse(history).people

    assert found.approval_rate == 0.5
    assert found.seconds == (10.0, 30.0, 30.0)
    assert {each.decision: each.sum_pusd for each in found.chosen} == {
        Decision.APPROVED: 50,
        Decision.REJECTED: -50,
        Decision.EXPIRED: 50,
    }
    assert found.selection_pusd == 0
    assert found.added is not None and found.added.mean == pytest.approx(50.0)
    assert found.added.low is None  # three events say nothing


def test_a_person_who_waves_the_losers_through_takes_value_away_and_it_is_shown_with_an_interval() -> None:
    taken = [idea(f"t{n:02}") for n in range(12)]
    passed = [rejected(f"p{n:02}") for n in range(12)]
    ends = {**{f"t{n:02}": "0" for n in range(12)}, **{f"p{n:02}": "1" for n in range(11)}, "p11": "0"}

    found = analyse(
        records(*taken, *passed, fills=[fill(f"t{n:02}") for n in range(12)], pays=pays(**ends))
    ).people

    assert found.added is not None and found.added.differs and found.added.mean < 0
    assert (found.added.rows, found.added.events) == (24, 24)
    assert found.selection_pusd == Pusd(Decimal(-500))


def test_what_a_switch_rejected_is_nobodys_decision() -> None:
    halted = rejected("a", result="halted")

    found = analyse(records(halted, pays=pays(a="0"))).people

    assert found.approval_rate is None
    assert [each.proposals for each in found.chosen] == [0, 0, 0]
