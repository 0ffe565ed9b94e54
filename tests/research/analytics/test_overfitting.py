"""What the best of several runs is worth for having been chosen."""

from math import isfinite

import numpy as np
import pytest

from polyb0t.research.analytics.choice_words import choice_words
from polyb0t.research.analytics.overfitting import FEWEST_DAYS, Choice, choice, highest_by_luck

DAYS = 120


def runs_without_skill(seed: int, runs: int = 12, days: int = DAYS) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, (runs, days))


def test_the_best_of_a_hundred_shows_what_its_authors_reckoned() -> None:
    """Bailey and Lopez de Prado (2014): 100 trials, a variance of 1/2 a year, 250 days a year: 0.1132 a day."""
    assert highest_by_luck((0.5 / 250) ** 0.5, 100) == pytest.approx(0.1132, abs=5e-5)


def test_the_best_of_many_without_skill_is_seldom_believed() -> None:
    found = [choice(runs_without_skill(seed).tolist(), 12) for seed in range(20)]

    assert sum((each.chance or 0) > 0.95 for each in found) <= 1
    assert 0.35 < np.mean([each.overfitted for each in found]) < 0.65
    assert found[0].halvings == 12_870


def test_a_run_with_skill_is_chosen_again_and_again() -> None:
    table = runs_without_skill(1)
    table[3] += 0.005

    found = choice(table.tolist(), 12)

    assert found.best == 3
    assert found.overfitted is not None and found.overfitted < 0.1
    assert found.lost is not None and found.lost < 0.1
    assert found.chance is not None and found.chance > 0.9


def test_a_best_that_pays_at_one_time_only_is_overfitted() -> None:
    """Each run had its own good weeks, so whichever was best on one half was ordinary on the other."""
    table = runs_without_skill(2, runs=6)
    for run, weeks in enumerate(np.array_split(np.arange(DAYS), 6)):
        table[run] -= 0.002
        table[run, weeks] += 0.012

    found = choice(table.tolist(), 6)

    assert found.overfitted is not None and found.overfitted > 0.6


def test_every_trial_on_this_history_makes_the_same_result_worth_less() -> None:
    table = runs_without_skill(3).tolist()

    few, many = choice(table, 12), choice(table, 500)

    assert (few.best, few.sharpe) == (many.best, many.sharpe)
    assert few.by_luck is not None and many.by_luck is not None and few.by_luck < many.by_luck
    assert few.chance is not None and many.chance is not None and few.chance > many.chance


def test_a_run_that_never_traded_is_a_run_like_others() -> None:
    table = runs_without_skill(4, runs=3)
    table[0] = 0.0

    found = choice(table.tolist(), 3)

    figures = (found.overfitted, found.lost, found.chance, found.by_luck)
    assert all(figure is not None and isfinite(figure) for figure in figures)


@pytest.mark.parametrize(
    ("table", "trials", "said"),
    [
        (runs_without_skill(5, runs=1).tolist(), 1, "They all are one and the same run."),
        (runs_without_skill(5, days=FEWEST_DAYS - 1).tolist(), 12, "from 30 daily returns on, there are 29"),
        ([[], []], 2, "from 30 daily returns on, there are 0"),
        ([[0.0] * DAYS, [0.0] * DAYS], 2, "none made anything that the others did not"),
    ],
)
def test_where_nothing_can_be_said_that_is_said(table: list[list[float]], trials: int, said: str) -> None:
    made = choice(table, trials)

    assert made.best is None
    assert said in " ".join(choice_words(made, ["a"] * made.runs))


def test_it_is_told_in_words() -> None:
    made = Choice(4, 9, 90, 1, 1.84, 1.31, 0.71, 12_870, 0.463, 0.52)

    first, second = choice_words(made, ["aa", "bb", "cc", "dd"])

    assert first.startswith(
        "The highest Sharpe ratio has bb: 1.84 a year. The best of 9 runs without any skill"
    )
    assert "would show 1.31; the chance that it is truly above that is 71%" in first
    assert "the 90 days" in second
    assert "in 46% of 12,870 ways" in second
    assert "lost money there in 52%" in second
