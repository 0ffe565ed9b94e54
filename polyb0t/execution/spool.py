"""Answers of the exchange that the database would not take: kept in files, imported before anything else."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import structlog

from polyb0t.core.errors import ConflictError, NotFoundError
from polyb0t.core.files import sync_folder, write_durably
from polyb0t.core.ids import OrderId
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Lease
from polyb0t.execution.store import Stores
from polyb0t.models.kill_switches import KillSwitchType

log = structlog.get_logger(__name__)

_SUFFIX: Final = ".json"
FOREIGN_ID: Final = "foreign_id"  # the answer named another order: whoever imports it trips the switch


@dataclass(frozen=True, slots=True)
class SpooledAnswer:
    """What an answer proved of an order, as `OrderStore.settle` takes it."""

    order_id: OrderId
    status: OrderStatus
    code: str
    detail: str
    venue_status: str


class AnswerSpool:
    """A folder with one file per order. Nothing is permitted while one is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, answer: SpooledAnswer) -> None:
        """Write and fsync.

        Raises:
            OSError: the disk does not take it either.
        """
        write_durably(self._folder / f"{answer.order_id}{_SUFFIX}", json.dumps(asdict(answer)))

    def waiting(self) -> int:
        """How many answers are not in the database yet."""
        return len(self._files())

    def import_into(self, stores: Stores, lease: Lease) -> tuple[OrderId, ...]:
        """Settle by what the files say, oldest first; each goes when the database has it.

        Raises:
            DatabaseError, LeaseLostError: the database still does not take it; the files stay.
        """
        imported = []
        for path in self._files():
            answer = _read(path)
            if answer is None:
                self._set_aside(path, "damaged")
                continue
            if _settle(stores, lease, answer):
                path.unlink()
                sync_folder(self._folder)
                imported.append(answer.order_id)
            else:
                self._set_aside(path, "unknown")
        return tuple(imported)

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        found = [path for path in self._folder.iterdir() if path.suffix == _SUFFIX and path.name[0] != "."]
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _set_aside(self, path: Path, why: str) -> None:
        """Kept for a person; it must not stop everything for ever."""
        log.critical("spool.set_aside", file=str(path), why=why)
        path.rename(path.with_suffix(f".{why}"))
        sync_folder(self._folder)


def _settle(stores: Stores, lease: Lease, answer: SpooledAnswer) -> bool:
    """False if the order is not in this database."""
    if answer.code == FOREIGN_ID:
        stores.switches.trip(
            KillSwitchType.RECONCILIATION,
            actor="engine:executor",
            reason=f"The answer for order {answer.order_id} named another order: {answer.detail}",
        )
    try:
        stores.orders.settle(
            answer.order_id,
            lease,
            status=answer.status,
            code=answer.code,
            detail=answer.detail,
            venue_status=answer.venue_status,
        )
    except NotFoundError:
        return False
    except ConflictError as error:  # what was read from the exchange meanwhile is newer than the answer
        log.warning("spool.superseded", order_id=answer.order_id, why=str(error))
    stores.engine.note(
        lease, kind="answer.imported", subject=answer.order_id, payload=asdict(answer), actor="engine"
    )
    return True


def _read(path: Path) -> SpooledAnswer | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return SpooledAnswer(**{**content, "status": OrderStatus(content["status"])})
    except (ValueError, TypeError, KeyError):
        return None
