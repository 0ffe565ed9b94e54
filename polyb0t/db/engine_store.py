"""The EngineStore in SQL: the lease, snapshots of the account, and reading the journal."""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from polyb0t.core.canonical import canonical_text
from polyb0t.core.errors import UsageError
from polyb0t.data.account_state import AccountState
from polyb0t.db import adopting
from polyb0t.db.codec import decode
from polyb0t.db.journal import entries, newest
from polyb0t.db.tables import account_states, engine_lease, gates, journal_head
from polyb0t.db.unit import ENGINE, ROLES, Unit, Units
from polyb0t.execution.orders import NewOrder
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.store import Adoption, AnchorPoint, AuditReport, JournalEntry, Lease, LeaseInfo

_HELD = (engine_lease.c.scope == bindparam("of_scope"), engine_lease.c.role == bindparam("of_role"))
_LEASE = select(engine_lease).where(*_HELD)
_LEASE_LOCKED = _LEASE.with_for_update()
_LEASE_CHANGED = update(engine_lease).where(*_HELD)
_LEASE_ENDED = delete(engine_lease).where(*_HELD)
_LEASE_BEGUN = insert(engine_lease)
_STATE = insert(account_states)
_NEWEST = select(journal_head.c.sequence).where(journal_head.c.scope == bindparam("of_scope"))
_GATE = update(gates).where(gates.c.scope == bindparam("of_scope"))


class SqlEngineStore:
    """Lease, snapshots, journal."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def acquire(
        self,
        role: str,
        *,
        holder: str,
        boot_id: str,
        process_started: str,
        regime: Regime,
        take_over_from: int | None = None,
        last_beat: datetime | None = None,
    ) -> Lease | LeaseInfo:
        if role not in ROLES:
            raise UsageError(f"There is no role {role!r}.", why=f"Roles are {', '.join(ROLES)}.")
        columns = {
            "holder": holder,
            "boot_id": boot_id,
            "process_started": process_started,
            "regime": regime,
        }
        return self._units.write(lambda unit: _acquire(unit, role, columns, take_over_from, last_beat))

    def beat(self, lease: Lease, *, cycle: int, facts: Mapping[str, object] | None = None) -> None:
        published = {} if facts is None else {"facts": canonical_text(facts)}

        def beaten(unit: Unit) -> None:
            unit.require_lease(lease)
            new = {"beat_at": unit.now, "cycle": cycle, **published}
            unit.connection.execute(_LEASE_CHANGED, {**_which(unit.scope, lease.role), **new})

        self._units.write(beaten)

    def release(self, lease: Lease) -> None:
        def released(unit: Unit) -> None:
            unit.require_lease(lease)
            unit.connection.execute(_LEASE_CHANGED, {**_which(unit.scope, lease.role), "released": True})
            unit.note("lease.released", lease.role, {"token": lease.token}, actor=ENGINE)

        self._units.write(released)

    def lease_info(self, role: str) -> LeaseInfo | None:
        which = _which(self._units.scope, role)
        row = self._units.read(lambda connection: connection.execute(_LEASE, which).mappings().one_or_none())
        return None if row is None else _info(row)

    def save_account_state(self, state: AccountState, lease: Lease) -> None:
        content = canonical_text(_plain(state))

        def saved(unit: Unit) -> None:
            unit.require_lease(lease)
            row = {"scope": str(unit.scope), "observed_at": state.observed_at, "content": content}
            unit.connection.execute(_STATE, row)

        self._units.write(saved)

    def latest_account_state(self) -> AccountState | None:
        query = (
            select(account_states.c.content)
            .where(account_states.c.scope == str(self._units.scope))
            .order_by(account_states.c.id.desc())
            .limit(1)
        )
        content = self._units.read(lambda connection: connection.scalar(query))
        return None if content is None else decode(AccountState, json.loads(content))

    def note(
        self, lease: Lease | None, *, kind: str, subject: str, payload: Mapping[str, object], actor: str
    ) -> None:
        def noted(unit: Unit) -> None:
            if lease is not None:
                unit.require_lease(lease)
            unit.note(kind, subject, payload, actor=actor)

        self._units.write(noted)

    def audit(self) -> AuditReport:
        from polyb0t.db.audit import audit  # noqa: PLC0415 - only who audits pays for it

        return self._units.read(lambda connection: audit(connection, self._units.scope))

    def anchor_point(self) -> AnchorPoint:
        units = self._units
        return units.read(lambda connection: adopting.anchor_point(connection, units.database, units.scope))

    def adopt(
        self,
        *,
        actor: str,
        reason: str,
        above_token: int,
        found: Sequence[NewOrder],
        doubtful: Sequence[NewOrder],
        gone: Collection[Lease] = (),
    ) -> Adoption:
        new_id = uuid.uuid4().hex
        return self._units.write(
            lambda unit: adopting.adopt(
                unit,
                self._units.database,
                new_id=new_id,
                actor=actor,
                reason=reason,
                above_token=above_token,
                found=found,
                doubtful=doubtful,
                gone=gone,
            )
        )

    def last_sequence(self) -> int:
        which = {"of_scope": str(self._units.scope)}
        return self._units.read(lambda connection: connection.scalar(_NEWEST, which)) or 0

    def journal(
        self, *, after: int = 0, limit: int = 1000, subject: str | None = None
    ) -> tuple[JournalEntry, ...]:
        return self._units.read(
            lambda connection: entries(
                connection, self._units.scope, after=after, limit=limit, subject=subject
            )
        )

    def latest_entry(self, subject: str) -> JournalEntry | None:
        return self._units.read(lambda connection: newest(connection, self._units.scope, subject))


def _acquire(
    unit: Unit,
    role: str,
    columns: Mapping[str, object],
    take_over_from: int | None,
    last_beat: datetime | None,
) -> Lease | LeaseInfo:
    which = _which(unit.scope, role)
    held = unit.connection.execute(_LEASE_LOCKED, which).mappings().one_or_none()
    if held is not None and not held["released"]:
        renewed = last_beat is not None and held["beat_at"] != last_beat
        if renewed or held["token"] != take_over_from:
            return _info(held)
    token = unit.token(role) + 1
    unit.connection.execute(_GATE, {"of_scope": str(unit.scope), f"{role}_token": token})
    unit.connection.execute(_LEASE_ENDED, which)
    new = {
        "scope": str(unit.scope),
        "role": role,
        "token": token,
        "cycle": 0,
        "started_at": unit.now,
        "beat_at": unit.now,
        "released": False,
        "facts": _last_marks(held),
        **columns,
    }
    unit.connection.execute(_LEASE_BEGUN, new)
    unit.note("lease.acquired", role, {"token": token, "took_over": take_over_from, **columns}, actor=ENGINE)
    return Lease(role, token)


def _last_marks(held: Mapping[Any, Any] | None) -> str:
    """Of what the engine before published: the last prices, each with its instant, so that a holding
    whose book is empty now is not worth something else because an engine was started anew."""
    if held is None:
        return "{}"
    stored = json.loads(held["facts"])
    return canonical_text({name: stored[name] for name in ("marks", "mark_times") if name in stored})


def _which(scope: Scope, role: str) -> dict[str, object]:
    return {"of_scope": str(scope), "of_role": role}


def _info(row: Mapping[Any, Any]) -> LeaseInfo:
    names = LeaseInfo.__dataclass_fields__
    return LeaseInfo(**{**{name: row[name] for name in names}, "regime": Regime(row["regime"])})


def _plain(value: object) -> object:
    """Dataclasses as mappings of their fields, all the way down."""
    names = getattr(type(value), "__dataclass_fields__", None)
    if names is not None:
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
