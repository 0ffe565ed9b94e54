"""`intents reject` and `intents expire`: the decisions that send nothing."""

from polyb0t.cli import door, words
from polyb0t.cli.exit_words import until_words
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import AmbiguousError, NotFoundError
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.refusals import person
from polyb0t.models.wording import clock_time, one_line, short_hex
from polyb0t.runtime import deciding
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.prices import time_of
from polyb0t.runtime.views import intent_view, mute_view, order_of


def reject(
    terminal: Terminal, opened: OpenedStore, prefix: str, reason: str, mute: str | None = None
) -> None:
    """Reject it, or say in a ConflictError why that is too late; `mute` keeps its market away as well."""
    found = opened.stores.intents.find(prefix)
    until = None if mute is None else opened.stores.intents.now() + time_of(mute)
    record = deciding.reject(
        opened.stores, door.manager(opened), found.id, actor=door.actor(), reason=reason, muted_until=until
    )
    _tell(terminal, opened, record, "Rejected")
    if until is not None and not terminal.json:
        terminal.show([f"Its market stays away until {until_words(until)}. See: polyb0t intents mutes"])


def mutes(terminal: Terminal, opened: OpenedStore) -> None:
    """What is muted, the first to end first."""
    found = opened.stores.by_hand.mutes()
    if terminal.json:
        terminal.data([mute_view(mute) for mute in found])
        return
    if not found:
        terminal.show(["No market is muted.", "Mute one as you reject its trade: m in polyb0t intents watch"])
        return
    lines = [
        words.cut(
            f"{short_hex(mute.condition_id)}  until {until_words(mute.until)}, by {person(mute.actor)}  "
            f"{one_line(mute.question)}",
            terminal.columns,
        )
        for mute in found
    ]
    first = found[0].condition_id[:8]
    terminal.show([*lines, "", f"Be asked again: polyb0t intents unmute {first}"])


def unmute(terminal: Terminal, opened: OpenedStore, prefix: str) -> None:
    """By the beginning of the market's condition id.

    Raises:
        NotFoundError, AmbiguousError.
    """
    wanted = prefix.strip().lower()
    found = [
        mute for mute in opened.stores.by_hand.mutes() if wanted and mute.condition_id.startswith(wanted)
    ]
    if len(found) > 1:
        raise AmbiguousError(f"{prefix} is not clear.", do="Type more characters.", code="ambiguous_id")
    if not found:
        raise NotFoundError(
            f"No muted market begins with {prefix:.40}.", do="See: polyb0t intents mutes", code="not_muted"
        )
    opened.stores.by_hand.unmute(found[0].condition_id, actor=door.actor())
    if terminal.json:
        terminal.data(mute_view(found[0]))
        return
    terminal.show([f"You are asked again about: {one_line(found[0].question)}"])


def expire(terminal: Terminal, opened: OpenedStore, prefix: str) -> None:
    """End its time now."""
    found = opened.stores.intents.find(prefix)
    record = door.manager(opened).expire(found.id, actor=door.actor())
    _tell(terminal, opened, record, "Expired")


def _tell(terminal: Terminal, opened: OpenedStore, record: IntentRecord, what: str) -> None:
    short = opened.stores.intents.shortest_prefixes([record.id])[record.id]
    if terminal.json:
        terminal.data(intent_view(record, order_of(opened.stores, record.order_id), short))
        return
    at = clock_time(record.decided_at or record.updated_at)
    who = person(record.decided_by or door.actor())
    terminal.show([f"{what}: {short}, by {who} at {at}. Nothing was sent."])
