"""Journal entries on a screen, one line each, and as data."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from polyb0t.cli import words
from polyb0t.cli.scene import context_line, look
from polyb0t.cli.terminal import Terminal
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import DatabaseError
from polyb0t.execution.refusals import person
from polyb0t.execution.store import JournalEntry
from polyb0t.models import wording
from polyb0t.runtime.journal_tail import Wanted, entries_behind, newest_entries
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import entry_view

POLL_SECONDS = 0.5
_TOLD = ("detail", "reason", "answer", "status", "to")  # what an entry says in words, the first that is there


def show(
    terminal: Terminal, opened: OpenedStore, wanted: Wanted, *, follow: bool, after: int | None, limit: int
) -> None:
    """Print what there is, and with `follow` what comes, until Ctrl-C."""
    engine = opened.stores.engine
    last = engine.last_sequence()
    if after is None:
        there: Iterable[JournalEntry] = newest_entries(engine, wanted, limit)
    else:
        there = (entry for entry in entries_behind(engine, after) if entry.sequence <= last)
    chosen = (entry for entry in there if wanted.has(entry.kind, entry.subject))
    if terminal.json and not follow:
        terminal.data([entry_view(entry) for entry in chosen])
        return
    if not terminal.json:
        terminal.show([*context_line(look(opened), terminal.paint, terminal.columns).split("\n"), ""])
    _print(terminal, chosen, empty="" if follow else "Nothing such was journalled.")
    if follow:
        _follow(terminal, opened, wanted, max(last, after or 0))


def _follow(terminal: Terminal, opened: OpenedStore, wanted: Wanted, after: int) -> None:
    clock, silent = SystemClock(), False
    try:
        while True:
            clock.sleep(POLL_SECONDS)
            try:
                for entry in entries_behind(opened.stores.engine, after):
                    if wanted.has(entry.kind, entry.subject):
                        _print(terminal, [entry])
                    after = entry.sequence
                silent = False
            except DatabaseError as error:
                if not silent:
                    terminal.say(f"Waiting: {error.what} What is written meanwhile comes later.")
                silent = True
    except KeyboardInterrupt:
        return


def _print(terminal: Terminal, entries: Iterable[JournalEntry], *, empty: str = "") -> None:
    found = False
    for entry in entries:
        found = True
        if terminal.json:
            terminal.out.write(json.dumps(entry_view(entry)) + "\n")
            terminal.out.flush()
        else:
            terminal.show(event_lines(entry, terminal.columns))
    if not found and empty and not terminal.json:
        terminal.show([empty])


def event_lines(entry: JournalEntry, columns: int) -> Iterator[str]:
    """`2026-11-22 12:41:29  813  intent.approved  k7m2  by anna`, and its words below where they are long."""
    by = f"  by {person(entry.actor)}" if entry.actor.startswith(("user:", "token:")) else ""
    subject = wording.one_line(entry.subject)
    short = wording.short_hex(subject) if subject.startswith("0x") else subject[:20]
    head = f"{entry.at:%Y-%m-%d %H:%M:%S}  {entry.sequence}  {entry.kind}  {short}{by}"
    told = _told(json.loads(entry.payload))
    line = f"{head}  {told}" if told else head
    if words.width(line) <= columns:
        yield line
        return
    yield words.cut(head, columns)
    yield from ("    " + part for part in words.wrap(told, columns - 4))


def _told(payload: dict[str, Any]) -> str:
    code = str(payload.get("code") or "")
    said = next((str(payload[name]) for name in _TOLD if payload.get(name)), "")
    return wording.one_line(": ".join(part for part in (code, said) if part))
