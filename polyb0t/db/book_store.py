"""The BookStore in SQL: movements of the wallet as they were told, and the marks of its equity."""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from polyb0t.core.canonical import canonical_text
from polyb0t.core.errors import DatabaseError, NotAuthorisedError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Pusd, Shares, parse_decimal
from polyb0t.data.cash_flows import Booked, Movement, Taken
from polyb0t.db.claim_store import read_payouts
from polyb0t.db.tables import equity_marks, wallet_movements
from polyb0t.db.unit import ENGINE, Unit, Units, changed
from polyb0t.execution.books import Opening
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.settlement.booking import with_payouts
from polyb0t.models.equity import EquityMarks, marked, rebased

MOVEMENT_RECORDED: Final = "movement.recorded"
BOOKS_OPENED: Final = "books.opened"
DAY_OPENED: Final = "day.opened"
PEAK_REBASED: Final = "peak.rebased"

_MOVES: Final = wallet_movements.c
_HERE: Final = _MOVES.scope == bindparam("of_scope")
_ALL: Final = select(wallet_movements).where(_HERE).order_by(_MOVES.at, _MOVES.key)
_KNOWN: Final = select(_MOVES.key).where(_HERE, _MOVES.key.in_(bindparam("keys", expanding=True)))
_MARKS: Final = select(equity_marks).where(
    equity_marks.c.scope == bindparam("of_scope"), equity_marks.c.regime == bindparam("of_regime")
)
_MARK_NAMES: Final = tuple(spec.name for spec in fields(EquityMarks))
_MOVEMENT_NAMES: Final = tuple(spec.name for spec in fields(Movement))
KEYS_AT_ONCE: Final = 500  # a database takes only so many values in one statement


class SqlBookStore:
    """Movements only ever come; marks are one row for each regime."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def movements(self) -> tuple[Booked, ...]:
        return self._units.read(self._movements)

    def _movements(self, connection: Connection) -> tuple[Booked, ...]:
        """What the index told, and what the chain paid, each event once."""
        told = tuple(map(_booked, connection.execute(_ALL, {"of_scope": str(self._units.scope)}).mappings()))
        paid = read_payouts(connection, str(self._units.scope), with_removed=True)
        return with_payouts(told, paid) if paid else told

    def record_movements(self, booked: Sequence[Booked], lease: Lease) -> tuple[Booked, ...]:
        def recorded(unit: Unit) -> tuple[Booked, ...]:
            unit.require_lease(lease)
            new = _unknown(unit, booked)
            for entry in new:
                unit.connection.execute(insert(wallet_movements).values(_columns(unit, entry)))
                unit.note(MOVEMENT_RECORDED, entry.movement.kind, _told(entry), actor=ENGINE)
            return new

        return self._units.write(recorded) if booked else ()

    def opening(self, regime: Regime) -> Opening | None:
        row = self._row(regime)
        return None if row is None else Opening(row["opening_pusd"], row["opened_at"])

    def marks(self, regime: Regime) -> EquityMarks | None:
        return _marks_of(self._row(regime))

    def open_books(self, regime: Regime, opening: Pusd, lease: Lease) -> Opening:
        def opened(unit: Unit) -> Opening:
            unit.require_lease(lease)
            row = _marks_row(unit, regime)
            if row is not None:
                return Opening(row["opening_pusd"], row["opened_at"])
            values = {"opening_pusd": opening, "opened_at": unit.now, "updated_at": unit.now}
            unit.connection.execute(
                insert(equity_marks).values(scope=str(unit.scope), regime=regime, **values)
            )
            unit.note(BOOKS_OPENED, regime, {"opening_pusd": opening}, actor=ENGINE)
            return Opening(opening, unit.now)

        return self._units.write(opened)

    def mark(
        self, regime: Regime, equity: Pusd, flows: Pusd, lease: Lease, *, sure: bool = True
    ) -> EquityMarks:
        before = self.marks(regime)
        if before is not None and marked(before, equity, flows, self._units.now(), sure=sure) == before:
            return before  # most looks change nothing, and then nothing is locked

        def looked(unit: Unit) -> EquityMarks:
            unit.require_lease(lease)
            was = _marks_of(_marks_row(unit, regime))  # anew: a person may have accepted a loss meanwhile
            now = marked(was, equity, flows, unit.now, sure=sure)
            _write(unit, regime, now)
            if was is None or was.day != now.day:
                told = {"equity_pusd": now.day_start_pusd, "peak_pusd": now.peak_pusd, "regime": regime}
                unit.note(DAY_OPENED, now.day, told, actor=ENGINE)
            return now

        return self._units.write(looked)

    def rebase_peak(self, regime: Regime, *, actor: str, reason: str, equity: Pusd) -> bool:
        _require_person(actor, reason)

        def accepted(unit: Unit) -> bool:
            was = _marks_of(_marks_row(unit, regime))
            if was is None:
                return False
            _write(unit, regime, rebased(was, equity))
            told = {"from": was.peak_pusd, "to": equity, "reason": reason}
            unit.note(PEAK_REBASED, regime, told, actor=actor)
            return True

        return self._units.write(accepted)

    def _row(self, regime: Regime) -> RowMapping | None:
        which = {"of_scope": str(self._units.scope), "of_regime": regime}
        return self._units.read(lambda connection: connection.execute(_MARKS, which).mappings().one_or_none())


def _marks_row(unit: Unit, regime: Regime) -> RowMapping | None:
    which = {"of_scope": str(unit.scope), "of_regime": regime}
    return unit.connection.execute(_MARKS, which).mappings().one_or_none()


def _marks_of(row: RowMapping | None) -> EquityMarks | None:
    if row is None or row["peak_pusd"] is None:
        return None
    return EquityMarks(**{name: row[name] for name in _MARK_NAMES})


def _write(unit: Unit, regime: Regime, marks: EquityMarks) -> None:
    values = {name: getattr(marks, name) for name in _MARK_NAMES}
    here = (equity_marks.c.scope == str(unit.scope), equity_marks.c.regime == regime)
    statement = update(equity_marks).where(*here).values(**values, updated_at=unit.now)
    if not changed(unit.connection, statement):
        raise DatabaseError(
            "The equity was not marked.",
            why=f"The books of the regime {regime} were not opened.",
            do="Start the engine anew.",
            code="books_not_open",
        )


def _unknown(unit: Unit, booked: Sequence[Booked]) -> tuple[Booked, ...]:
    """Those that are not stored yet, each once."""
    by_key = {entry.movement.key: entry for entry in booked}
    keys, known = list(by_key), set[str]()
    for start in range(0, len(keys), KEYS_AT_ONCE):
        which = {"of_scope": str(unit.scope), "keys": keys[start : start + KEYS_AT_ONCE]}
        known.update(unit.connection.scalars(_KNOWN, which))
    return tuple(entry for key, entry in by_key.items() if key not in known)


def _columns(unit: Unit, entry: Booked) -> dict[str, object]:
    movement = entry.movement
    return {
        "scope": str(unit.scope),
        "key": movement.key,
        **{name: getattr(movement, name) for name in _MOVEMENT_NAMES},
        "taken": canonical_text(
            [{"asset_id": one.asset_id, "shares": one.shares, "pusd": one.pusd} for one in entry.taken]
        ),
        "recorded_at": unit.now,
    }


def _told(entry: Booked) -> dict[str, object]:
    movement = entry.movement
    taken = {one.asset_id: one.shares for one in entry.taken}
    names = ("kind", "at", "pusd", "shares", "condition_id", "asset_id", "side", "transaction_hash")
    return {**{name: getattr(movement, name) for name in names}, "taken": taken, "key": movement.key}


def _booked(row: RowMapping) -> Booked:
    taken = tuple(
        Taken(
            AssetId(one["asset_id"]),
            Shares(parse_decimal(one["shares"])),
            None if one["pusd"] is None else Pusd(parse_decimal(one["pusd"])),
        )
        for one in json.loads(row["taken"])
    )
    return Booked(Movement(**{name: row[name] for name in _MOVEMENT_NAMES}), taken)


def _require_person(actor: str, reason: str) -> None:
    kind, _, name = actor.partition(":")
    if kind in ("user", "token") and name and reason.strip():
        return
    raise NotAuthorisedError(
        "The loss was not accepted.",
        why="Only a person accepts one, and gives a reason.",
        do="Do it under your own name, with --reason.",
        code="person_required",
    )
