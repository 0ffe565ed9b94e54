"""A point of the journal, kept outside the database, so that a restored backup cannot pass for the present.

Written and fsynced after the commit of every permit and before anything leaves: whatever was sent, the
anchor knows a journal at least as long as the one that permitted it. The engine and the claims process
write the same file, so each looks at what is there under a lock: it never goes back.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from polyb0t.core.errors import ConflictError
from polyb0t.core.files import folder_locked, write_durably
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import AnchorPoint, EngineStore, Stores


class AnchorFile:
    """One file per scope. Shared between the threads that send; it never goes back."""

    def __init__(self, path: Path, engine: EngineStore) -> None:
        self._path = path
        self._engine = engine
        self._lock = Lock()
        self._written = 0

    def read(self) -> AnchorPoint | None:
        """What was written last; None when there is no file.

        Raises:
            ValueError: the file is not what was written.
        """
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        try:
            return AnchorPoint(**content)
        except TypeError as error:
            raise ValueError("not an anchor") from error

    def advance(self) -> None:
        """Write the journal's present head.

        Raises:
            OSError: it could not be written. DatabaseError: the head could not be read.
            ConflictError: `database_restored`, the database went back while we ran.
        """
        with self._lock, folder_locked(self._path.parent):
            point = self._engine.anchor_point()  # under the lock: no other's is newer
            there = self._reached(point)
            if there > point.sequence:
                raise _went_back(point.sequence, there)
            if point.sequence > there:
                self.replace(point)

    def _reached(self, point: AnchorPoint) -> int:
        """How far whoever wrote last had come with this database."""
        try:
            last = self.read()
        except ValueError:
            last = None
        there = last.sequence if last is not None and last.database_id == point.database_id else 0
        return max(there, self._written)

    def replace(self, point: AnchorPoint) -> None:
        """Write `point`, whatever was there. Raises OSError."""
        write_durably(self._path, json.dumps(asdict(point), indent=2) + "\n")
        self._written = point.sequence


@dataclass(frozen=True, slots=True)
class Restored:
    """Why this database is not the one that traded last."""

    why: str


def restored(stores: Stores, anchor: AnchorFile) -> Restored | None:
    """Whether the database is older than, or another than, the one that the anchor saw.

    Raises:
        DatabaseError: it could not be read.
    """
    here = stores.engine.anchor_point()
    try:
        last = anchor.read()
    except ValueError:
        return Restored("The anchor beside it cannot be read.")
    if last is None:
        known = _has_live_decisions(stores)
        return Restored("It holds live decisions, and no engine has traded with it here.") if known else None
    if last.database_id != here.database_id:
        return Restored("It is another database than the one that traded last.")
    if last.server != here.server:
        return Restored(_elsewhere(last.server, here.server))
    if here.sequence < last.sequence:
        return Restored(f"Its journal ends at {here.sequence}; {last.sequence} had been written.")
    if _hash_at(stores, last) != last.head:
        return Restored(f"Entry {last.sequence} of its journal is another than the one that was written.")
    return None


def _elsewhere(last: str, here: str) -> str:
    """What another server, or none, most likely means."""
    if last and not here:
        return "What traded last is a PostgreSQL database, and this is a file: is POLYBOT_DATABASE_URL set?"
    return f"Its server or timeline changed from {last or '-'} to {here or '-'}."


def require_present(stores: Stores, anchor: AnchorFile) -> None:
    """Raises ConflictError `database_restored` unless the database goes on from its anchor."""
    found = restored(stores, anchor)
    if found is not None:
        raise ConflictError(
            "Not started: this database was restored or replaced. Nothing was sent.",
            why=found.why,
            do='Look at the exchange first, then take it over: polyb0t db adopt --reason "..."',
            code="database_restored",
        )


def _went_back(here: int, there: int) -> ConflictError:
    return ConflictError(
        "Nothing was sent: the database went back while this ran.",
        why=f"Its journal ends at {here}; {there} had been written.",
        do='Stop everything, look at the exchange, then: polyb0t db adopt --reason "..."',
        code="database_restored",
    )


def _hash_at(stores: Stores, last: AnchorPoint) -> str | None:
    if last.sequence == 0:
        return last.head
    entries = stores.engine.journal(after=last.sequence - 1, limit=1)
    return entries[0].hash if entries else None


def _has_live_decisions(stores: Stores) -> bool:
    decided = tuple(status for status in IntentStatus if status is not IntentStatus.PENDING)
    kinds = (IntentType.OPEN_POSITION, IntentType.CLOSE_POSITION)
    found = stores.intents.list(statuses=decided, types=kinds, limit=None)
    return any(r.intent.regime is Regime.LIVE and r.decided_by is not None for r in found)
