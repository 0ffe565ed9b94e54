"""The limits on a screen: a bar each, as the engine last measured them."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from polyb0t.cli import words
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.terminal import MEDIUM, Paint, Terminal
from polyb0t.models import wording
from polyb0t.models.usage import LimitUse
from polyb0t.runtime.limits_view import known_risk, risk_view
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.risk_facts import RiskFacts

if TYPE_CHECKING:
    from polyb0t.runtime.marks_view import Marks

BAR: Final = 20
_NEARLY: Final = Decimal("0.8")
_LABEL: Final = 32
_FIGURE: Final = 11
_NAMES: Final = {
    "order_too_large": "One order",
    "small_orders": "One order, while they are small",
    "exposure_total": "At risk in all",
    "exposure_far": "In what ends late",
    "exposure_dependent": "Without own information",
    "portfolio_tail": "May be lost, worst twentieth",
    "budget": "Budget in use",
    "cash_floor": "Spent, before the cash floor",
    "open_orders": "Orders under way",
    "open_money": "Their greatest cost",
    "turnover_day": "Bought today (UTC)",
    "orders_hour": "Orders in the last hour",
}
_GROUPS: Final = {
    "exposure_market": "Markets with most at risk",
    "exposure_event": "Events",
    "exposure_theme": "Themes",
    "exposure_category": "Categories",
}


def show(terminal: Terminal, opened: OpenedStore) -> None:
    """Print the limits.

    Raises:
        NotFoundError: no engine has published them yet.
    """
    facts = known_risk(opened)
    if terminal.json:
        terminal.data(risk_view(facts))
        return
    terminal.show(risk_screen(facts, look(opened), terminal.paint, terminal.columns))


def show_marks(terminal: Terminal, opened: OpenedStore) -> None:
    """Print what one day may take by prices.

    Raises:
        NotFoundError: nothing is held, or too little was recorded.
    """
    from polyb0t.runtime.marks_view import marks_of, marks_view

    found = marks_of(opened)
    if terminal.json:
        terminal.data(marks_view(found))
        return
    terminal.show(part for line in marks_lines(found) for part in words.fold(line, terminal.columns))


def marks_lines(found: "Marks") -> Iterator[str]:
    """What one day may take by prices, in words."""
    yield (
        "On one day of twenty, prices alone may take more than "
        f"{wording.money(found.day_loss)} pUSD from what is held."
    )
    yield (
        f"By {found.observations} recorded changes over six hours; {found.shrinkage:.2f} of the covariance "
        "is taken from independent markets (Ledoit and Wolf)."
    )
    if found.pairs:
        yield ""
        yield "Move together most:"
        for first, second, rho in found.pairs:
            yield f"  {rho:+.2f}  {wording.one_line(first)} / {wording.one_line(second)}"
    if found.left_out:
        yield ""
        names = ", ".join(wording.one_line(name) for name in found.left_out)
        yield f"Left out, since too little was seen: {names}."
    yield ""
    yield "No size and no limit depends on this. What hangs together is declared in a file of links."


def risk_screen(facts: RiskFacts, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """The whole screen."""
    lines = [*context_line(scene, paint, columns).split("\n"), ""]
    if facts.too_small:
        lines += [paint.yellow(part) for part in words.fold(facts.too_small, columns)]
        lines += [*words.fold(f"  {facts.remedy}", columns), ""]
    lines += words.fold(_bankroll(facts, scene), columns)
    if not facts.uses:
        why = "The limits are fractions of the bankroll, and the balance could not be read."
        return [*lines, *words.fold(why, columns)]
    lines += ["", _heading(columns)]
    lines += [_row(use, _NAMES.get(use.name, use.name), paint, columns) for use in _single(facts.uses)]
    for name, title in _GROUPS.items():
        group = [use for use in facts.uses if use.name == name]
        if group:
            lines += ["", f"{title}, at most {wording.limit(group[0].limit)} pUSD each"]
            lines += [_row(use, "  " + wording.one_line(use.label), paint, columns) for use in group]
    return [
        *lines,
        "",
        *words.fold("Money in pUSD. What each limit is and does: docs/operations.md", columns),
    ]


def _bankroll(facts: RiskFacts, scene: Scene) -> str:
    seen = wording.coarse((scene.now - facts.at).total_seconds())
    phase = facts.small_orders.words if facts.small_orders else ""
    small = f" Small-order phase: {phase}." if phase else ""
    return f"Bankroll {wording.money(facts.bankroll_pusd)} pUSD, measured {seen} ago.{small}"


def _single(uses: Iterable[LimitUse]) -> Iterator[LimitUse]:
    return (use for use in uses if use.name not in _GROUPS)


def _heading(columns: int) -> str:
    figures = "".join(f"{name:>{_FIGURE}}" for name in ("USED", "LIMIT", "LEFT"))
    return f"{'':<{_label(columns)}}{figures}"


def _label(columns: int) -> int:
    bar = BAR + 4 if columns >= MEDIUM else 0
    return min(_LABEL, columns - 3 * _FIGURE - bar)


def _row(use: LimitUse, name: str, paint: Paint, columns: int) -> str:
    """Its name, used, limit, left, and a bar where the screen has room."""
    room = _label(columns)
    figures = "".join(f"{text:>{_FIGURE}}" for text in _figures(use))
    line = words.pad(words.cut(name, room - 1), room) + figures
    if columns < MEDIUM or use.fraction is None:
        return line
    return f"{line}  {_bar(use.fraction, paint)}"


def _figures(use: LimitUse) -> tuple[str, str, str]:
    if use.unit == "orders":
        used = "-" if use.used is None else wording.count(use.used)
        return used, wording.count(use.limit), wording.count(use.left)
    used = "-" if use.used is None else wording.at_most(use.used)
    return used, wording.limit(use.limit), wording.limit(use.left)


def _bar(fraction: Decimal, paint: Paint) -> str:
    """`[####----------------]`; a use that is not nothing shows at least one mark."""
    marks = min(BAR, int(fraction * BAR))
    marks = max(marks, 1) if fraction > 0 else 0
    bar = f"[{'#' * marks}{'-' * (BAR - marks)}]"
    if fraction >= 1:
        return paint.red(bar)
    return paint.yellow(bar) if fraction >= _NEARLY else bar
