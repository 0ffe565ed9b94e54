"""Hits beside break-even, fills and refusals, and how few bets say how little."""

from decimal import Decimal

import pytest

from polyb0t.execution.intents import IntentStatus
from polyb0t.research.analytics.analysis import analyse
from polyb0t.research.analytics.enough import bets_needed
from tests.research.analytics.ideas import fill, idea, pays, records, refused
from tests.research.analytics.test_attribution import paid


def test_a_hit_rate_stands_beside_what_all_the_bets_cost_the_losers_among_them() -> None:
    """Three bets at 50, 90 and 91 cents; the last two win. Two of three hits, and 77 % were needed."""
    history = records(
        *(idea(name) for name in "abc"),
        fills=[fill("a"), fill("b", "0.90"), fill("c", "0.90", fee="1")],
        pays=pays(a="0", b="1", c="1"),
    )

    found = analyse(history).hits

    assert (found.bets, found.events, found.won) == (3, 3, 2)
    assert found.hit_rate == pytest.approx(2 / 3)
    assert found.break_even_rate == pytest.approx((0.50 + 0.90 + 0.91) / 3)
    assert found.above is not None and found.above.mean == pytest.approx(2 / 3 - 2.31 / 3)


def test_bets_that_never_ended_or_ended_without_a_winner_are_no_hits_and_no_misses() -> None:
    history = records(
        *(idea(name) for name in "abc"), fills=[fill("a"), fill("b"), fill("c")], pays=pays(a="1", b="0.5")
    )

    found = analyse(history).hits

    assert (found.bets, found.won, found.void) == (1, 1, 1)


def test_gains_are_divided_by_losses() -> None:
    history = records(
        *(idea(name) for name in "ab"), fills=[fill("a"), fill("b", "0.20")], pays=pays(a="1", b="0")
    )

    made = analyse(history).gains

    assert (made.gained_pusd, made.lost_pusd, made.profit_factor) == (
        Decimal(50),
        Decimal(20),
        Decimal("2.5"),
    )


def test_the_share_of_orders_that_found_a_trade_leaves_refusals_out_and_tells_their_codes() -> None:
    history = records(
        idea("a"),
        idea("b"),
        idea("c", status=IntentStatus.FAILED, result="no_fill"),
        refused("d", "price_worse"),
        refused("e", "price_worse"),
        fills=[fill("a", shares="60"), fill("b")],
    )

    found = analyse(history).sent

    assert (found.sent, found.filled) == (2, 2)
    assert found.shares_rate == Decimal("0.8")
    assert found.refused == (("price_worse", 2), ("no_fill", 1))


def test_so_many_bets_it_takes_to_see_an_edge() -> None:
    """4 q (1 - q) / e^2: at a price of 80 cents, 1,600 bets for 2 cents and 256 for 5."""
    assert bets_needed(0.8, 0.02) == 1_600
    assert bets_needed(0.8, 0.05) == 256
    assert bets_needed(0.8, 0.0) is None
    assert bets_needed(1.0, 0.02) is None


def test_the_sample_size_stands_beside_each_fate() -> None:
    """An expected edge of 10 cents at 50: 4 x 0.25 / 0.01 = 100 bets."""
    made = analyse(records(idea(), fills=[fill()], booked=[paid("a", "100", "100")], pays=pays(a="1")))

    assert [each.needed for each in made.fates] == [100]
