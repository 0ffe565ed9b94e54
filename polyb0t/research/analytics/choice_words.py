"""The best of a sweep in words: what its ratio is worth for having been chosen."""

from collections.abc import Sequence

from polyb0t.research.analytics.overfitting import FEWEST_DAYS, Choice


def choice_words(made: Choice, runs: Sequence[str]) -> list[str]:
    """Sentences; `runs` are the names of the runs, in their order."""
    if made.runs < 2:
        return ["They all are one and the same run."]
    if made.best is None:
        why = (
            f"from {FEWEST_DAYS} daily returns on, there are {made.days}"
            if made.days < FEWEST_DAYS
            else "none made anything that the others did not"
        )
        return [f"How far the best of them is the best by luck cannot be said: {why}."]
    chance = "not known" if made.chance is None else _percent(made.chance)
    worse, lost = _percent(made.overfitted or 0.0), _percent(made.lost or 0.0)
    deflated = (
        f"The highest Sharpe ratio has {runs[made.best]}: {made.sharpe:.2f} a year. The best of "
        f"{made.trials} runs without any skill would show {made.by_luck:.2f}; the chance that it is truly "
        f"above that is {chance} (deflated Sharpe ratio)."
    )
    halved = (
        f"Chosen on one half of the {made.days} days, the best would have been among the worse half of the "
        f"{made.runs} runs on the other in {worse} of {made.halvings:,} ways to halve them, and have lost "
        f"money there in {lost} (probability of overfitting; 50% is a choice without skill)."
    )
    return [deflated, halved]


def _percent(of_one: float) -> str:
    return f"{100 * of_one:.0f}%"
