"""The HandStore in SQL: each method is one transaction over the gate."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from polyb0t.core.errors import ConflictError, DatabaseError, PolybotError
from polyb0t.core.ids import ConditionId, IntentId
from polyb0t.db import by_hand, decisions
from polyb0t.db.failures import is_duplicate
from polyb0t.db.tables import mutes
from polyb0t.db.unit import Unit, Units
from polyb0t.execution.by_hand import Mute
from polyb0t.execution.intents import Denied, IntentRecord, TradeIntent
from polyb0t.execution.standing import StandingApproval

T = TypeVar("T")


class SqlHandStore:
    """What a person writes without an engine's lease."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def propose(
        self, intent: TradeIntent, *, actor: str, replaces_waiting: bool = False
    ) -> IntentRecord | Denied:
        return self._units.write(
            lambda unit: by_hand.propose(unit, intent, actor=actor, replaces_waiting=replaces_waiting)
        )

    def propose_and_approve(
        self,
        intent: TradeIntent,
        *,
        digest: str,
        actor: str,
        grace_seconds: float,
        exits: StandingApproval | None = None,
        code: int | None = None,
        replaces_waiting: bool = False,
    ) -> IntentRecord:
        return self._whole(
            lambda unit: by_hand.propose_and_approve(
                unit,
                intent,
                digest=digest,
                actor=actor,
                grace_seconds=grace_seconds,
                exits=exits,
                replaces_waiting=replaces_waiting,
                code=code,
            )
        )

    def approve_less(
        self,
        old: IntentId,
        new: TradeIntent,
        *,
        digest: str,
        actor: str,
        grace_seconds: float,
        exits: StandingApproval | None = None,
        code: int | None = None,
    ) -> IntentRecord:
        return self._whole(
            lambda unit: by_hand.approve_less(
                unit,
                old,
                new,
                digest=digest,
                actor=actor,
                grace_seconds=grace_seconds,
                exits=exits,
                code=code,
            )
        )

    def reject_and_mute(
        self, intent_id: IntentId, *, actor: str, reason: str, until: datetime
    ) -> IntentRecord:
        def both(unit: Unit) -> IntentRecord | PolybotError:
            rejected = decisions.reject(unit, intent_id, actor=actor, reason=reason)
            if isinstance(rejected, IntentRecord):
                about = rejected.intent
                by_hand.mute(
                    unit,
                    about.condition_id,
                    question=about.question,
                    until=until,
                    actor=actor,
                    reason=reason,
                )
            return rejected

        return self._units.decide(both)

    def mute(
        self, condition_id: ConditionId, *, question: str, until: datetime, actor: str, reason: str
    ) -> Mute:
        return self._units.write(
            lambda unit: by_hand.mute(
                unit, condition_id, question=question, until=until, actor=actor, reason=reason
            )
        )

    def unmute(self, condition_id: ConditionId, *, actor: str) -> bool:
        return self._units.write(lambda unit: by_hand.unmute(unit, condition_id, actor=actor))

    def mutes(self) -> Sequence[Mute]:
        query = by_hand.MUTES.where(mutes.c.scope == str(self._units.scope))
        rows = self._units.read(lambda connection: connection.execute(query).mappings().all())
        if not rows:
            return ()  # almost always, and then the time need not be asked
        now = self._units.now()
        return tuple(by_hand.mute_of(row) for row in rows if row["until"] > now)

    def _whole(self, work: Callable[[Unit], T | PolybotError]) -> T:
        """All of it or nothing; a refusal that `work` returns keeps what it has written (an expiry)."""
        try:
            return self._units.decide(work)
        except by_hand.UndoneError as undone:
            raise undone.refusal from None
        except DatabaseError as error:
            if isinstance(error.__cause__, IntegrityError) and is_duplicate(error.__cause__):
                raise ConflictError(
                    "Nothing was approved.", why="An intent on it exists already.", code="duplicate"
                ) from error
            raise
