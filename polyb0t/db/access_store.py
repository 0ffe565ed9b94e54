"""The AccessStore in SQL: each method is one transaction over the gate, but for what only looks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import or_, select, update

from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.db import access_book
from polyb0t.db.tables import access_tokens
from polyb0t.db.unit import Unit, Units
from polyb0t.execution.access import Approval, Role, TokenRecord

USED_EVERY: Final = timedelta(minutes=1)


class SqlAccessStore:
    """Tokens, codes, and the words of several people."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def create(self, *, digest: str, name: str, role: Role, days: float, actor: str) -> TokenRecord:
        return self._units.decide(
            lambda unit: access_book.create(unit, digest=digest, name=name, role=role, days=days, actor=actor)
        )

    def revoke(self, name: str, *, actor: str, reason: str) -> TokenRecord:
        access_book.require_user(actor)
        return self._units.write(lambda unit: access_book.revoke(unit, name, actor=actor, reason=reason))

    def tokens(self) -> Sequence[TokenRecord]:
        which = {"of_scope": str(self._units.scope)}
        rows = self._units.read(
            lambda connection: connection.execute(access_book.TOKENS, which).mappings().all()
        )
        return tuple(access_book.record_of(row) for row in rows)

    def ever(self) -> bool:
        query = select(access_tokens.c.digest).where(access_tokens.c.scope == str(self._units.scope)).limit(1)
        return self._units.read(lambda connection: connection.scalar(query)) is not None

    def find(self, digest: str) -> TokenRecord | None:
        which = {"of_scope": str(self._units.scope), "of_digest": digest}
        row = self._units.read(
            lambda connection: connection.execute(access_book.BY_DIGEST, which).mappings().one_or_none()
        )
        return None if row is None else access_book.record_of(row)

    def used(self, digest: str) -> None:
        now = self._units.now()
        table = access_tokens.c
        due = (
            update(access_tokens)
            .where(
                table.scope == str(self._units.scope),
                table.digest == digest,
                or_(table.used_at.is_(None), table.used_at < now - USED_EVERY),
            )
            .values(used_at=now)
        )
        self._units.database.write(lambda connection: connection.execute(due).rowcount)

    def enrol_code(self, digest: str, step: int, *, actor: str) -> None:
        self._units.write(lambda unit: access_book.enrol_code(unit, digest, step, actor=actor))

    def try_code(self, digest: str) -> None:
        def counted(unit: Unit) -> bool | PolybotError:
            return access_book.try_code(unit, digest) or True

        self._units.decide(counted)

    def code_was_right(self, digest: str, step: int) -> None:
        self._units.write(lambda unit: access_book.forgive_tries(unit, digest, step))

    def approvals(self, subject: IntentId) -> Sequence[Approval]:
        scope = str(self._units.scope)
        return self._units.read(lambda connection: access_book.given(connection, scope, subject))
