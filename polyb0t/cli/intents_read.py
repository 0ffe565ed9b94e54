"""`intents list` and `intents show`."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from polyb0t.cli import door
from polyb0t.cli.as_whom import progress_lines
from polyb0t.cli.exit_words import exits_fact
from polyb0t.cli.render_intents import Listed, history_table, listed, nothing_waits, waiting_table
from polyb0t.cli.render_show import ShowOptions, show_screen
from polyb0t.cli.scene import context_line, disagreement, look
from polyb0t.cli.terminal import Terminal
from polyb0t.cli.words import fold, wrap
from polyb0t.core.errors import DatabaseError, UsageError
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.execution.outcome import outcome_of
from polyb0t.execution.store import Stores
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.resting import resting
from polyb0t.runtime.views import approvals_of, intent_view, intent_views, latest_universe, order_of


def statuses(status: str | None, *, every: bool) -> tuple[IntentStatus, ...]:
    """Which statuses a list is about; without a word, what waits.

    Raises:
        UsageError: there is no such status.
    """
    if status is None:
        return () if every else (IntentStatus.PENDING,)
    try:
        return tuple(IntentStatus(part.strip().upper()) for part in status.split(","))
    except ValueError:
        raise UsageError(
            f"Nothing listed: there is no status {status!r:.40}.", do=f"Use one of {', '.join(IntentStatus)}."
        ) from None


def load(stores: Stores, records: Sequence[IntentRecord]) -> list[Listed]:
    """Records with short ids and outcomes."""
    if not records:
        return []
    short = stores.intents.shortest_prefixes([record.id for record in records])
    outcomes: Mapping[IntentId, str] = {
        record.id: outcome_of(record, order_of(stores, record.order_id)) for record in records
    }
    return listed(records, short, outcomes)


def still_waiting(records: Sequence[IntentRecord], now: datetime) -> tuple[IntentRecord, ...]:
    """Without those whose time is up though nobody has written it down yet; the most urgent first."""
    waiting = [record for record in records if record.intent.deadline > now]
    return tuple(sorted(waiting, key=lambda record: record.intent.deadline))


def show_list(
    terminal: Terminal, opened: OpenedStore, *, every: bool, status: str | None, limit: int
) -> None:
    """Print the list."""
    wanted = statuses(status, every=every)
    records = opened.stores.intents.list(statuses=wanted, limit=limit)
    if wanted == (IntentStatus.PENDING,):
        records = still_waiting(records, opened.stores.intents.now())
    if terminal.json:
        terminal.data(intent_views(opened.stores, records))
        return
    scene = look(opened)
    lines = [*context_line(scene, terminal.paint, terminal.columns).split("\n")]
    note = disagreement(scene, opened)
    lines += [note, ""] if note else [""]
    mark_seen(terminal, opened, [each for each in records if each.status is IntentStatus.PENDING])
    items = load(opened.stores, records)
    if wanted == (IntentStatus.PENDING,):
        if items:
            lines += waiting_table(items, scene, terminal.paint, terminal.columns)
            then = "An approval now is sent only if one starts before the time is up."
            lines += wrap(scene.no_engine(then), terminal.columns)
        else:
            rest = resting(opened, scene.regime, scene.now)
            waits = nothing_waits(scene, latest_universe(opened.stores.engine), terminal.paint, rest)
            lines += [part for line in waits for part in fold(line, terminal.columns)]
    else:
        lines += history_table(items, scene, terminal.columns) if items else _none_of(wanted)
    terminal.show(lines)


def _none_of(wanted: Sequence[IntentStatus]) -> list[str]:
    """Why a list of what has been is empty, and where to look."""
    if not wanted:
        return ["Nothing was proposed here yet. Why: polyb0t universe --why"]
    names = " or ".join(status.value for status in wanted)
    return [f"No trade is {names}. All that there were: polyb0t intents list --all"]


def show_one(terminal: Terminal, opened: OpenedStore, prefix: str, options: ShowOptions) -> None:
    """Print one intent."""
    record = opened.stores.intents.find(prefix)
    (item,) = load(opened.stores, [record])
    if terminal.json:
        order, given = order_of(opened.stores, record.order_id), approvals_of(opened.stores, record)
        terminal.data(intent_view(record, order, item.short, given))
        return
    scene = look(opened)
    if record.intent.intent_type is IntentType.OPEN_POSITION:
        options = replace(options, exits=exits_fact(opened.stores, record))
    lines = show_screen(item, scene, terminal.paint, terminal.columns, options)
    note = disagreement(scene, opened)
    mark_seen(terminal, opened, [record])
    large = progress_lines(opened, record, scene.now, terminal.columns)
    terminal.show([*([note] if note else []), *lines, *large])


def mark_seen(terminal: Terminal, opened: OpenedStore, records: Sequence[IntentRecord]) -> None:
    """Note that a person's screen shows these. A hint: a read-only database is still shown."""
    if terminal.out.isatty() and records:
        with contextlib.suppress(DatabaseError):
            opened.stores.intents.mark_seen([record.id for record in records], actor=door.actor())
