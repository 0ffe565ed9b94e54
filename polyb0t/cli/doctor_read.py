"""`doctor`: findings in three columns, problems last, each with one thing to do."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from polyb0t.cli import words
from polyb0t.cli.terminal import Paint, Terminal
from polyb0t.core.errors import PolybotError
from polyb0t.models import wording
from polyb0t.runtime.doctor import Check, CheckState, Diagnosis, diagnose, unreadable
from polyb0t.runtime.doctor_place import place_of

if TYPE_CHECKING:
    from polyb0t.config.settings import Settings

_STATE, _NAME = 9, 14
_ORDER: Final = (CheckState.OK, CheckState.FAILED, CheckState.WARNING, CheckState.NOT_RUN)
_WORDS: Final = {
    CheckState.OK: "ok",
    CheckState.FAILED: "FAILED",
    CheckState.WARNING: "warning",
    CheckState.NOT_RUN: "not run",
}
FAILED: Final = 1


def run(terminal: Terminal, settings: "Callable[..., Settings]", *, live: bool) -> int:
    """Look, say what was found; the exit code. `settings` takes what stands over them."""
    try:
        here = settings()
        place = place_of(here)
        found = diagnose(settings(**place.flags) if place.flags else here, live=live)
        found = replace(found, why=place.why)
    except PolybotError as error:
        found = unreadable(error, live=live)
    if terminal.json:
        terminal.data(view(found))
    else:
        terminal.show(screen(found, terminal.paint, terminal.columns))
    return FAILED if found.failed else 0


def view(found: Diagnosis) -> dict[str, object]:
    """The same as data; `state` is ok, failed, warning or not_run."""
    return {
        "venue": found.place.lower() or None,
        "wallet": found.wallet or None,
        "live": found.live,
        "why_here": found.why or None,
        "ready": found.ready,
        "failed": found.count(CheckState.FAILED),
        "warnings": found.count(CheckState.WARNING),
        "not_run": found.count(CheckState.NOT_RUN),
        "checks": [
            {"name": one.name, "state": one.state.value, "detail": one.detail, "do": one.do}
            for one in found.checks
        ],
    }


def screen(found: Diagnosis, paint: Paint, columns: int) -> list[str]:
    """The whole screen."""
    sorted_ = sorted(found.checks, key=lambda check: _ORDER.index(check.state))
    rows = [line for check in sorted_ for line in row(check, paint, columns)]
    return [*_head(found, columns), *rows, "", *words.wrap(_verdict(found), columns)]


def _head(found: Diagnosis, columns: int) -> list[str]:
    what = "checks for real orders" if found.live and found.place != "SANDBOX" else "checks"
    left = f"{found.place}, {what}. Reads only: no order is signed or sent.".removeprefix(", ")
    right = f"wallet {wording.short_hex(found.wallet)}" if found.wallet else ""
    why = words.wrap(found.why, columns) if found.why else []
    if right and words.width(left) + 3 + words.width(right) <= columns:
        return [f"{left}   {right}", *why]
    return [*words.wrap(left, columns), *([right] if right else []), *why]


def row(check: Check, paint: Paint, columns: int) -> list[str]:
    """One finding in three columns, with what to do about it."""
    room = max(20, columns - _STATE - _NAME)
    lines = words.wrap(wording.one_line(check.detail), room) or [""]
    if check.do and check.state is not CheckState.OK:
        lines += words.wrap(f"Do: {wording.one_line(check.do)}", room)
    state = f"{_WORDS[check.state]:<{_STATE}}"
    colour = {CheckState.FAILED: paint.red, CheckState.WARNING: paint.yellow}.get(check.state)
    first = f"{colour(state) if colour else state}{check.name:<{_NAME}}{lines[0]}"
    return [first, *(" " * (_STATE + _NAME) + line for line in lines[1:])]


def _verdict(found: Diagnosis) -> str:
    counts = [
        f"{number} {word}"
        for number, word in (
            (found.count(CheckState.FAILED), "failed"),
            (found.count(CheckState.WARNING), "warnings"),
            (found.count(CheckState.NOT_RUN), "not run"),
        )
        if number
    ]
    told = ", ".join(counts).replace("1 warnings", "1 warning") or "Everything is in order"
    meant = "orders with practice money" if found.place == "SANDBOX" else "real orders"
    goal = meant if found.live else "a dry run"
    return f"{told}. {'Ready' if found.ready else 'Not ready'} for {goal}."
