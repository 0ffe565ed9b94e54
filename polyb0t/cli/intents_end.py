"""`intents reject` and `intents expire`: the decisions that send nothing."""

from polyb0t.cli import door
from polyb0t.cli.terminal import Terminal
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.refusals import person
from polyb0t.models.wording import clock_time
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import intent_view, order_of


def reject(terminal: Terminal, opened: OpenedStore, prefix: str, reason: str) -> None:
    """Reject it, or say in a ConflictError why that is too late."""
    found = opened.stores.intents.find(prefix)
    record = door.manager(opened).reject(found.id, actor=door.actor(), reason=reason)
    _tell(terminal, opened, record, "Rejected")


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
