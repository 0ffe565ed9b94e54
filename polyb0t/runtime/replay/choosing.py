"""How far the best run of a sweep is the best by luck, from the curves that its runs left behind."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from polyb0t.research.analytics.equity import curve, daily_returns
from polyb0t.research.analytics.overfitting import Choice, choice
from polyb0t.runtime.replay.backtests import Done
from polyb0t.runtime.replay.records import EQUITY
from polyb0t.runtime.replay.results import equity_points


def judge_choice(done: Sequence[Done]) -> Choice:
    """Over the days that all runs have; a run that was asked for twice counts once.

    Raises:
        ConfigurationError: `backtest_damaged`.
    """
    runs = [_by_day(each.folder) for each in once(done)]
    days = sorted(set.intersection(*(set(run) for run in runs)))
    return choice([[run[day] for day in days] for run in runs], done[-1].trials)


def once(done: Sequence[Done]) -> list[Done]:
    """Each different run, in the order in which they stand."""
    return list({each.told["id"]: each for each in done}.values())


def _by_day(folder: Path) -> dict[date, float]:
    found = curve(equity_points(folder / EQUITY))
    return {day: float(made) for day, made in daily_returns(found)}
