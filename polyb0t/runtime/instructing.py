"""What a person has to do for their winnings, said once and not as a failure that repeats."""

import json
from typing import Final

import structlog

from polyb0t.core.ids import ConditionId
from polyb0t.data.markets import Market
from polyb0t.execution.scope import Lease
from polyb0t.execution.store import EngineStore
from polyb0t.runtime.claim_routes import Way

log = structlog.get_logger(__name__)

BY_HAND: Final = "claim.by_hand"  # the journal's word for it


class Instructions:
    """Kept in the journal, where `claims list` finds them."""

    def __init__(self, engine: EngineStore, lease: Lease) -> None:
        self._engine, self._lease = engine, lease
        self._told: dict[ConditionId, Way] = {}

    def tell(self, market: Market, way: Way) -> None:
        """Once a market, and again when it is something else.

        Raises:
            DatabaseError, LeaseLostError: it could not be written.
        """
        if self._told.get(market.condition_id) == way:
            return
        subject = f"claim:{market.condition_id}"
        payload = {"question": market.question, "page": market.page_url, "why": way.why, "do": way.do}
        known = self._engine.latest_entry(subject)
        if known is None or json.loads(known.payload) != payload:
            self._engine.note(self._lease, kind=BY_HAND, subject=subject, payload=payload, actor="engine")
        self._told[market.condition_id] = way
        log.warning("claim.by_hand", condition_id=market.condition_id, why=way.why)
