"""Fees that were charged otherwise than predicted, into log and journal."""

from dataclasses import dataclass, field

import structlog

from polyb0t.data.account_state import AccountState
from polyb0t.execution.fee_check import FeeCheck
from polyb0t.execution.small_orders import FEES
from polyb0t.execution.store import Lease, Stores

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeeWatch:
    """Used by the cycle's thread, after each read of the account."""

    stores: Stores
    lease: Lease
    check: FeeCheck = field(default_factory=FeeCheck)

    def observe(self, account: AccountState) -> None:
        """Raises DatabaseError, LeaseLostError."""
        if account.cash_pusd is None:
            return
        fills = self.stores.orders.fills()
        found = self.check.observe(account.cash_pusd, fills, under_way=bool(self.stores.orders.watched()))
        if found is None:
            return
        log.error("fee.differed", charged=str(found.charged), predicted=str(found.predicted))
        self.stores.engine.note(
            self.lease,
            kind="fee.differed",
            subject=FEES,
            payload={"charged": found.charged, "predicted": found.predicted, "fills": found.fills},
            actor="engine",
        )
