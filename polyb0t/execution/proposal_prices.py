"""What is paid now for what was proposed once, taken or not: the port that keeps it for reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price
from polyb0t.execution.scope import Lease


@dataclass(frozen=True, slots=True)
class ProposalPrice:
    """pUSD a share: the newest bid that was seen, and, once its market has resolved, what it pays."""

    asset_id: AssetId
    bid: Price | None = None
    bid_at: datetime | None = None
    payout: Price | None = None

    @property
    def worth(self) -> Price | None:
        return self.bid if self.payout is None else self.payout


class ProposalPriceStore(Protocol):
    """One row for each outcome that was ever proposed to be bought. An observation, and no decision."""

    def wanted(self, since: datetime) -> Sequence[AssetId]:
        """Outcomes that were proposed at `since` or later and have no payout yet, the newest first."""
        ...

    def note(self, bids: Mapping[AssetId, Price], payouts: Mapping[AssetId, Price], lease: Lease) -> int:
        """Keep the newest bids, and payouts for good; how many rows changed.

        Raises:
            LeaseLostError: another engine has taken over.
        """
        ...

    def all(self) -> Mapping[AssetId, ProposalPrice]: ...
