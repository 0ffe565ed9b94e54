"""The curve, the capital behind it, and what a pUSD of it earned."""

from datetime import timedelta
from decimal import Decimal
from statistics import NormalDist

import numpy as np
import pytest

from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.order_book import Side
from polyb0t.research.analytics.analysis import analyse
from polyb0t.research.analytics.equity import Curve, curve, daily_returns
from polyb0t.research.analytics.exposure import exposure, turnover
from polyb0t.research.analytics.ratios import FEWEST_DAYS, probabilistic_sharpe, ratios
from polyb0t.research.analytics.records import EquityPoint, Flow
from tests.research.analytics.ideas import closing, fill, idea, pays, records
from tests.research.analytics.test_attribution import paid
from tests.support.builders import NOW

DAY = timedelta(days=1)
FIFTY, HUNDRED = Decimal(50), Decimal(100)


def a_curve(*equity: str, flows: tuple[tuple[int, str], ...] = ()) -> Curve:
    """One point a day."""
    points = [EquityPoint(NOW + n * DAY, Pusd(Decimal(each))) for n, each in enumerate(equity)]
    return curve(points, [Flow(NOW + n * DAY, Pusd(Decimal(each))) for n, each in flows])


def test_a_drawdown_has_a_depth_and_a_length() -> None:
    """From 120 down to 90, back at 120 on the fifth day."""
    made = a_curve("100", "120", "90", "110", "120", "130")

    assert made.deepest is not None
    assert (made.deepest.fraction, made.deepest.pusd) == (Decimal("0.25"), Decimal(30))
    assert (made.deepest.peak_at, made.deepest.deepest_at) == (NOW + DAY, NOW + 2 * DAY)
    assert made.deepest.recovered_at == NOW + 4 * DAY
    assert made.longest == 3 * DAY
    assert made.time_weighted_return == Decimal("0.3")


def test_a_peak_that_was_not_reached_again_lasts_to_the_end() -> None:
    made = a_curve("100", "80", "90", "90")

    assert made.deepest is not None and made.deepest.recovered_at is None
    assert made.longest == 3 * DAY


def test_a_curve_that_never_fell_has_no_drawdown() -> None:
    made = a_curve("100", "100", "101")

    assert (made.deepest, made.longest) == (None, timedelta())


def test_a_deposit_is_no_gain_and_a_large_one_does_not_drown_a_bad_month() -> None:
    """10 % up, 900 come in, 10 % down: together 1 % down, and 90 pUSD lost."""
    made = a_curve("100", "110", "1010", "909", flows=((2, "900"),))

    assert made.time_weighted_return is not None
    assert float(made.time_weighted_return) == pytest.approx(-0.01)
    assert (made.moved_pusd, made.result_pusd) == (Decimal(900), Decimal(-91))
    assert [float(each) for _, each in daily_returns(made)] == pytest.approx([0.1, 0.0, -0.1])


def test_one_point_is_no_return() -> None:
    assert (a_curve("100").time_weighted_return, a_curve("100").result_pusd) == (None, None)
    assert curve([]).points == ()


def test_capital_is_at_work_until_the_money_is_back() -> None:
    """50 pUSD from the first day to the payout after two, over ten days and 21 seconds less."""
    history = records(
        idea(),
        since=NOW,
        fills=[fill(at=NOW)],
        booked=[paid("a", "100", "100", at_hours=48)],
        pays=pays(a="1"),
    )

    held = exposure(history)

    assert held.capital_days == 100
    assert (held.mean_pusd, held.most_pusd) == (Decimal(10), Decimal(50))
    assert held.days_to_cash == 2
    assert (held.bought_pusd, held.sold_pusd, held.still_held_pusd) == (Decimal(50), ZERO, ZERO)
    assert analyse(history).per_capital_day == Decimal(50) / 100
    assert turnover(held, Decimal(25)) == 2


def test_a_sale_frees_its_part_of_the_capital_and_what_is_held_counts_to_the_end() -> None:
    sale = closing(order="s", at=NOW + DAY)
    fills = [
        fill(at=NOW),
        fill(order="s", side=Side.SELL, at_price="0.70", shares="40", at=NOW + DAY),
    ]

    held = exposure(records(idea(), sale, since=NOW, fills=fills))

    assert held.still_held_pusd == 30
    assert held.capital_days == 50 + 30 * 9


def test_the_most_in_one_event_theme_and_category_is_told() -> None:
    """Two outcomes of one event at the same time, and another event after they are paid."""
    history = records(
        idea("a", event="x", category="sport"),
        idea("b", event="x", category="sport"),
        idea("c", event="y", category="politics"),
        since=NOW,
        fills=[fill("a", at=NOW), fill("b", at=NOW), fill("c", at=NOW + 3 * DAY)],
        booked=[paid("a", "100", "0"), paid("b", "100", "0")],
        pays=pays(a="0", b="0"),
        themes={idea("c").intent.condition_id: ("elections",)},
    )

    held = exposure(history)

    assert held.most_pusd == 100
    assert [(each.name, each.most_pusd) for each in held.by_event] == [("x", HUNDRED), ("y", FIFTY)]
    assert [(each.name, each.most_pusd) for each in held.by_category] == [
        ("sport", HUNDRED),
        ("politics", FIFTY),
    ]
    assert [(each.name, each.most_pusd) for each in held.by_theme] == [("elections", FIFTY)]


# -- ratios --------------------------------------------------------------------------------------


def test_too_few_days_have_no_sharpe() -> None:
    assert ratios([0.01, -0.01] * 9) == ratios([0.0] * 18)
    assert ratios([0.01, -0.01] * 9).sharpe is None


def test_days_that_alternate_are_told_with_their_number_and_chance() -> None:
    """Mean half a per cent, deviation 1.5 %: by hand, without lags that matter: autocovariances alternate."""
    found = ratios([0.02, -0.01] * 50)

    assert found.days == 100
    assert found.mean == pytest.approx(0.005)
    assert found.sortino == pytest.approx(0.005 / (0.0001 / 2) ** 0.5 * 365**0.5)
    assert found.chance is not None and 0.99 < found.chance < 1


def test_a_trend_in_the_returns_makes_the_ratio_smaller_than_the_naive_one() -> None:
    """Newey and West: blocks of good and of bad days are fewer facts than as many days of each."""
    blocks = ([0.02] * 10 + [-0.01] * 10) * 5
    mixed = [0.02, -0.01] * 50

    slow, quick = ratios(blocks), ratios(mixed)

    assert slow.sharpe is not None and quick.sharpe is not None
    naive = 0.005 / 0.0150756 * 365**0.5
    assert slow.sharpe < 0.6 * naive
    assert quick.sharpe > naive


def test_the_probabilistic_ratio_is_that_of_its_authors() -> None:
    """A ratio of 0.1 of 101 symmetric days, by hand: 0.1 x 10 over the root of one and a little."""
    returns = np.array([0.01, -0.01] * 50 + [0.0])

    chance = probabilistic_sharpe(returns, 0.1)

    tails = 101 / 100  # fourth moment over the squared second, by hand
    expected = 0.1 * 10 / (1 + (tails - 1) / 4 * 0.01) ** 0.5
    assert chance == pytest.approx(NormalDist().cdf(expected))


def test_a_curve_that_never_moved_has_no_ratio() -> None:
    assert ratios([0.0] * FEWEST_DAYS).sharpe is None
