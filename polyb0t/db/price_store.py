"""The ProposalPriceStore in SQL: one row for each outcome that was proposed, the newest price in it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price
from polyb0t.db.tables import proposal_prices, trade_intents
from polyb0t.db.unit import Unit, Units
from polyb0t.execution.intents import IntentType
from polyb0t.execution.proposal_prices import ProposalPrice
from polyb0t.execution.scope import Lease

_TABLE: Final = proposal_prices.c
_INTENTS: Final = trade_intents.c


class SqlProposalPriceStore:
    """Not journalled: a price that was seen is no change of state, and there is one every minute."""

    def __init__(self, units: Units) -> None:
        self._units = units

    def wanted(self, since: datetime) -> Sequence[AssetId]:
        newest = func.max(_INTENTS.created_at)
        query = (
            select(_INTENTS.asset_id)
            .outerjoin(
                proposal_prices,
                (_TABLE.scope == _INTENTS.scope) & (_TABLE.asset_id == _INTENTS.asset_id),
            )
            .where(
                _INTENTS.scope == str(self._units.scope),
                _INTENTS.created_at >= since,
                _INTENTS.intent_type == IntentType.OPEN_POSITION,
                _TABLE.payout.is_(None),
            )
            .group_by(_INTENTS.asset_id)
            .order_by(newest.desc(), _INTENTS.asset_id)
        )
        return self._units.read(lambda connection: tuple(connection.scalars(query)))

    def note(self, bids: Mapping[AssetId, Price], payouts: Mapping[AssetId, Price], lease: Lease) -> int:
        known = self.all()
        changed = {
            asset: price for asset, price in bids.items() if asset not in known or known[asset].bid != price
        }
        final = {asset: pays for asset, pays in payouts.items() if _unpaid(known.get(asset))}
        if not changed and not final:
            return 0  # most minutes of most outcomes: nothing is locked for nothing

        def write(unit: Unit) -> int:
            unit.require_lease(lease)
            for asset in {**changed, **final}:
                values: dict[str, object] = {}
                if asset in changed:
                    values |= {"bid": changed[asset], "bid_at": unit.now}
                if asset in final:
                    values |= {"payout": final[asset], "resolved_at": unit.now}
                _put(unit, asset, values)
            return len({**changed, **final})

        return self._units.write(write)

    def all(self) -> Mapping[AssetId, ProposalPrice]:
        query = select(proposal_prices).where(_TABLE.scope == str(self._units.scope))
        rows = self._units.read(lambda connection: connection.execute(query).mappings().all())
        return {row["asset_id"]: _of(row) for row in rows}


def _unpaid(known: ProposalPrice | None) -> bool:
    return known is None or known.payout is None


def _put(unit: Unit, asset: AssetId, values: Mapping[str, object]) -> None:
    here = (_TABLE.scope == str(unit.scope), _TABLE.asset_id == asset)
    if unit.connection.execute(update(proposal_prices).where(*here).values(**values)).rowcount:
        return
    unit.connection.execute(insert(proposal_prices).values(scope=str(unit.scope), asset_id=asset, **values))


def _of(row: Mapping[Any, Any]) -> ProposalPrice:
    return ProposalPrice(AssetId(row["asset_id"]), row["bid"], row["bid_at"], row["payout"])
