"""What `polyb0t backtest look` does and prints: what a history is, before anything is made of it."""

import atexit
import gc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from polyb0t.cli import words
from polyb0t.cli.terminal import Terminal
from polyb0t.core.clock import iso
from polyb0t.core.errors import UsageError
from polyb0t.research.analytics.runs import GRADES
from polyb0t.research.replay.assuming import assumptions_from
from polyb0t.research.replay.opening import open_tape
from polyb0t.research.replay.tape import About

_LABEL: Final = 10


def look(terminal: Terminal, tapes: Sequence[str], ends: str | None, assume: Sequence[str]) -> None:
    """Open a history and say what it is.

    Raises:
        PolybotError: it cannot be used; what was expected of it.
    """
    atexit.unregister(gc.freeze)  # the library that reads histories complains of whatever is left at the end
    paths = [Path(tape).expanduser() for tape in tapes]
    past = None if ends is None else Path(ends).expanduser()
    about = open_tape(paths, assumptions_from(assumed_words(assume)), ends=past).about
    if terminal.json:
        terminal.data(_data(about))
    else:
        terminal.show(_screen(about, terminal.columns))


def assumed_words(told: Sequence[str]) -> dict[str, str]:
    """`name=value` as typed.

    Raises:
        UsageError: there is no sign in one of them.
    """
    parts = [text.partition("=") for text in told]
    for name, sign, value in parts:
        if not sign or not value:
            raise UsageError(f"{name!r:.60} says nothing.", do="Write --assume zone=UTC")
    return {name.strip(): value.strip() for name, _, value in parts}


def _screen(about: About, columns: int) -> list[str]:
    facts = (
        ("History", about.name),
        ("Kind", about.kind.replace("_", " ").replace("+", ", ")),
        ("Fidelity", f"{about.fidelity.value}: {GRADES[about.fidelity]}"),
        ("Span", f"{_minute(about.starts)} to {_minute(about.ends)} UTC"),
        ("Markets", f"{about.markets:,}"),
        *((("Others", f"probabilities of {', '.join(about.sources)}"),) if about.sources else ()),
        ("Hash", about.data_hash),
    )
    lines = [line for name, text in facts for line in words.hang(f"{name:<{_LABEL}}{text}", columns, _LABEL)]
    for title, sentences in (
        ("Assumed", about.assumed),
        ("Not known at its time: a result from this supports no claim", about.looks_ahead),
        ("Problems", about.problems.sentences()),
    ):
        lines += ["", f"{title}:"] if sentences else []
        lines += [line for each in sentences for line in words.hang(f"- {each}", columns, 2)]
    return lines


def _data(about: About) -> dict[str, Any]:
    problems: Mapping[str, int] = about.problems.counts
    return {
        "name": about.name,
        "kind": about.kind,
        "fidelity": about.fidelity.value,
        "starts": iso(about.starts),
        "ends": iso(about.ends),
        "markets": about.markets,
        "hash": about.data_hash,
        "sources": list(about.sources),
        "assumed": list(about.assumed),
        "looks_ahead": list(about.looks_ahead),
        "problems": [
            {"kind": kind, "count": count, "example": about.problems.examples[kind]}
            for kind, count in sorted(problems.items())
        ],
    }


def _minute(instant: Any) -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
