"""The StandingStore in SQL: each method is one transaction over the gate."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.db import decisions, standing_book
from polyb0t.db.by_hand import UndoneError
from polyb0t.db.tables import standing_approvals
from polyb0t.db.unit import Unit, Units
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Lease
from polyb0t.execution.standing import StandingApproval, StandingRecord
from polyb0t.execution.store import Denied

T = TypeVar("T")


class _Word(NamedTuple):
    """Who gives it, with which code, and whether this unit has used that up already."""

    actor: str
    code: int | None
    spent: bool = False


class SqlStandingStore:
    """Standing approvals from a person's word to its end."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def protect(
        self, standing: StandingApproval, *, digest: str, actor: str, code: int | None = None
    ) -> StandingRecord:
        return self._whole(lambda unit: _protect(unit, standing, digest, _Word(actor, code)))

    def protect_each(
        self, given: Sequence[StandingApproval], *, actor: str, code: int | None = None
    ) -> Sequence[StandingRecord]:
        def stored(unit: Unit) -> Sequence[StandingRecord]:
            made, spent = [], False
            for each in given:
                made.append(_protect(unit, each, each.digest, _Word(actor, code, spent)))
                spent = spent or each.code_required
            return made

        return self._whole(stored)

    def approve_with_exits(
        self,
        intent_id: IntentId,
        standing: StandingApproval,
        *,
        digest: str,
        standing_digest: str,
        actor: str,
        grace_seconds: float,
        code: int | None = None,
    ) -> IntentRecord:
        def both(unit: Unit) -> IntentRecord | PolybotError:
            approved = decisions.approve(
                unit, intent_id, digest=digest, actor=actor, grace_seconds=grace_seconds, code=code
            )
            if isinstance(approved, PolybotError):
                return approved  # what it wrote (an expiry) stays, as without exits
            spent = approved.intent.code_required
            stored = standing_book.protect(
                unit, standing, digest=standing_digest, actor=actor, code=code, code_spent=spent
            )
            if isinstance(stored, PolybotError):
                raise UndoneError(stored)
            return approved

        return self._whole(both)

    def revoke(self, standing_id: IntentId, *, actor: str, reason: str) -> StandingRecord:
        return self._units.decide(
            lambda unit: standing_book.revoke(unit, standing_id, actor=actor, reason=reason)
        )

    def get(self, standing_id: IntentId) -> StandingRecord:
        found = [record for record in self._all() if record.id == standing_id]
        if not found:
            raise standing_book.no_such_standing(standing_id)
        return found[0]

    def active(self) -> Sequence[StandingRecord]:
        in_force = self._all(in_force=True)
        if not in_force:
            return ()  # almost always, and then the time need not be asked
        now = self._units.now()
        return tuple(record for record in in_force if record.active(now))

    def waiting(self) -> Sequence[StandingRecord]:
        now = self._units.now()
        waiting = (record for record in self._all(in_force=True) if record.waiting(now))
        return tuple(record for record in waiting if record.missing is not None)

    def approve_exit(
        self, intent_id: IntentId, standing_id: IntentId, lease: Lease, *, grace_seconds: float
    ) -> IntentRecord | Denied:
        return self._units.write(
            lambda unit: standing_book.approve_exit(
                unit, intent_id, standing_id, lease, grace_seconds=grace_seconds
            )
        )

    def _whole(self, work: Callable[[Unit], T | PolybotError]) -> T:
        try:
            return self._units.decide(work)
        except UndoneError as undone:
            raise undone.refusal from None

    def _all(self, *, in_force: bool = False) -> tuple[StandingRecord, ...]:
        query = standing_book.ROWS.where(standing_approvals.c.scope == str(self._units.scope))
        if in_force:
            query = query.where(standing_approvals.c.revoked_at.is_(None))

        def read(connection: Connection) -> tuple[StandingRecord, ...]:
            rows = connection.execute(query).mappings().all()
            return tuple(standing_book.record_of(connection, row) for row in rows)

        return self._units.read(read)


def _protect(unit: Unit, standing: StandingApproval, digest: str, word: _Word) -> StandingRecord:
    answer = standing_book.protect(
        unit, standing, digest=digest, actor=word.actor, code=word.code, code_spent=word.spent
    )
    if isinstance(answer, PolybotError):
        raise UndoneError(answer)  # it may have taken back what it was to replace
    return answer
