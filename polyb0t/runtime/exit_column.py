"""EXIT of a holding: what is being sold, what is approved until when, or that a person is waited for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord, IntentStatus, IntentType
from polyb0t.execution.standing import StandingRecord
from polyb0t.execution.store import Stores
from polyb0t.models import wording

WAITS: Final = "waits for you"


def exit_column(
    stores: Stores, assets: Sequence[AssetId], now: datetime, *, decides_itself: bool = False
) -> Mapping[AssetId, str]:
    """In the words of a column, by asset; `decides_itself`: a paper run asks nobody."""
    live = stores.intents.list(
        statuses=tuple(LIVE_STATUSES),
        types=(IntentType.CLOSE_POSITION, IntentType.CLAIM_SETTLEMENT),
        limit=None,
    )
    short = stores.intents.shortest_prefixes([record.id for record in live])
    under_way = {record.intent.asset_id: _under_way(record, short[record.id], now) for record in live}
    approved: dict[AssetId, StandingRecord] = {}
    for each in stores.standing.active():
        if each.left > 0:
            approved[each.standing.asset_id] = each
    begun = {each.standing.asset_id: _begun(each) for each in stores.standing.waiting()}
    otherwise = "by itself" if decides_itself else WAITS
    return {
        asset: under_way.get(asset) or _approved(approved.get(asset), begun.get(asset, otherwise))
        for asset in assets
    }


def _begun(standing: StandingRecord) -> str:
    """Exits in advance that another person has to approve as well."""
    return f"{len(standing.given)} of {standing.standing.approvals_required} approve"


def _under_way(record: IntentRecord, short: str, now: datetime) -> str:
    if record.intent.intent_type is IntentType.CLAIM_SETTLEMENT:
        return f"claim {short}"
    if record.status is not IntentStatus.PENDING:
        return f"{short}, selling"
    left = (record.intent.deadline - now).total_seconds()
    return f"{short}, {wording.coarse(max(0.0, left))}"


def _approved(standing: StandingRecord | None, otherwise: str) -> str:
    return otherwise if standing is None else f"until {standing.standing.until:%d %b}"
