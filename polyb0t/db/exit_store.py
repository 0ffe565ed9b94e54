"""The ExitStore in SQL: sales that are over, and what holding would have brought."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, insert, select, update

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ZERO, Price, Pusd, plain
from polyb0t.db.rows import parse_intent
from polyb0t.db.tables import exit_records, orders, trade_intents
from polyb0t.db.unit import ENGINE, Unit, Units
from polyb0t.execution.exits import ExitRecord
from polyb0t.execution.intents import IntentType
from polyb0t.execution.orders import TERMINAL_ORDER
from polyb0t.execution.scope import Lease, Regime

EXIT_RECORDED: Final = "exit.recorded"
EXIT_RESOLVED: Final = "exit.resolved"

_TABLE: Final = exit_records.c
_ENDED: Final = (
    select(trade_intents.c.canonical, trade_intents.c.digest, orders)
    .join(orders, orders.c.intent_id == trade_intents.c.id)
    .outerjoin(exit_records, exit_records.c.intent_id == trade_intents.c.id)
    .where(
        trade_intents.c.scope == bindparam("of_scope"),
        trade_intents.c.intent_type == IntentType.CLOSE_POSITION,
        orders.c.status.in_(TERMINAL_ORDER),
        orders.c.filled_shares > ZERO,
        orders.c.provisional_shares == ZERO,
        _TABLE.intent_id.is_(None),
    )
)
_ONE_ENDED: Final = _ENDED.limit(1)


class SqlExitStore:
    """What exits came to."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def record_ended(self, lease: Lease) -> Sequence[ExitRecord]:
        here = {"of_scope": str(self._units.scope)}
        if not self._units.read(lambda connection: connection.execute(_ONE_ENDED, here).all()):
            return ()  # almost always: no write unit for nothing

        def write(unit: Unit) -> Sequence[ExitRecord]:
            unit.require_lease(lease)
            rows = unit.connection.execute(_ENDED, here).mappings().all()
            return tuple(_record(unit, row) for row in rows)

        return self._units.write(write)

    def resolve(self, condition_id: ConditionId, payouts: dict[AssetId, Price], lease: Lease) -> int:
        def write(unit: Unit) -> int:
            unit.require_lease(lease)
            return sum(_resolve(unit, condition_id, asset, payout) for asset, payout in payouts.items())

        return self._units.write(write)

    def unresolved(self) -> Sequence[ExitRecord]:
        query = self._here.where(_TABLE.resolved_at.is_(None)).order_by(_TABLE.recorded_at)
        return self._read(query)

    def all(self, *, limit: int = 100) -> Sequence[ExitRecord]:
        return self._read(self._here.order_by(_TABLE.recorded_at.desc(), _TABLE.intent_id).limit(limit))

    @property
    def _here(self) -> Any:
        return select(exit_records).where(_TABLE.scope == str(self._units.scope))

    def _read(self, query: Any) -> Sequence[ExitRecord]:
        rows = self._units.read(lambda connection: connection.execute(query).mappings().all())
        return tuple(_of(row) for row in rows)


def _record(unit: Unit, row: Mapping[Any, Any]) -> ExitRecord:
    intent = parse_intent(row["canonical"], row["digest"])
    made = ExitRecord(
        intent_id=intent.id,
        regime=intent.regime,
        condition_id=intent.condition_id,
        asset_id=intent.asset_id,
        triggers=intent.triggers,
        shares=row["filled_shares"],
        proceeds=Pusd(row["filled_notional"] - row["fees"]),
        recorded_at=unit.now,
    )
    unit.connection.execute(
        insert(exit_records).values(
            intent_id=made.intent_id,
            scope=str(unit.scope),
            regime=made.regime,
            condition_id=made.condition_id,
            asset_id=made.asset_id,
            triggers=",".join(made.triggers),
            shares=made.shares,
            proceeds=made.proceeds,
            recorded_at=made.recorded_at,
        )
    )
    note = {
        "triggers": made.triggers,
        "shares": made.shares,
        "proceeds": made.proceeds,
        "hold_needs": plain(round(made.hold_needs, 6)),
    }
    unit.note(EXIT_RECORDED, made.intent_id, note, actor=ENGINE)
    return made


def _resolve(unit: Unit, condition_id: ConditionId, asset: AssetId, payout: Price) -> int:
    open_here = (
        _TABLE.scope == str(unit.scope),
        _TABLE.condition_id == condition_id,
        _TABLE.asset_id == asset,
        _TABLE.resolved_at.is_(None),
    )
    rows = unit.connection.execute(select(exit_records).where(*open_here)).mappings().all()
    if not rows:
        return 0
    unit.connection.execute(
        update(exit_records).where(*open_here).values(resolved_at=unit.now, payout=payout)
    )
    for row in rows:
        note = {"payout": payout, "held": row["shares"] * payout, "sold": row["proceeds"]}
        unit.note(EXIT_RESOLVED, row["intent_id"], note, actor=ENGINE)
    return len(rows)


def _of(row: Mapping[Any, Any]) -> ExitRecord:
    return ExitRecord(
        intent_id=row["intent_id"],
        regime=Regime(row["regime"]),
        condition_id=row["condition_id"],
        asset_id=row["asset_id"],
        triggers=tuple(part for part in row["triggers"].split(",") if part),
        shares=row["shares"],
        proceeds=row["proceeds"],
        recorded_at=row["recorded_at"],
        resolved_at=row["resolved_at"],
        payout=row["payout"],
    )
