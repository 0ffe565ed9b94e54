"""What an exit came to, and what holding to the end would have brought instead: the port that keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from polyb0t.core.ids import AssetId, ConditionId, IntentId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.scope import Lease, Regime


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """A sale that is over. `payout` is pUSD a share at the market's end, None until it is known."""

    intent_id: IntentId
    regime: Regime
    condition_id: ConditionId
    asset_id: AssetId
    triggers: tuple[str, ...]
    shares: Shares
    proceeds: Pusd  # after the fee
    recorded_at: datetime
    resolved_at: datetime | None = None
    payout: Price | None = None

    @property
    def hold_needs(self) -> Decimal:
        """The probability of the outcome from which holding would have been better."""
        return self.proceeds / self.shares

    @property
    def held_pusd(self) -> Pusd | None:
        """What holding these shares to the end brought."""
        return None if self.payout is None else Pusd(self.shares * self.payout)

    @property
    def better_by(self) -> Decimal | None:
        """pUSD that selling brought beyond holding; negative where holding was better."""
        return None if self.held_pusd is None else self.proceeds - self.held_pusd


class ExitStore(Protocol):
    """Storage of what exits came to; written by the engine."""

    def record_ended(self, lease: Lease) -> Sequence[ExitRecord]:
        """Write down every sale whose order is over, filled in part or whole, and not written down yet."""
        ...

    def resolve(self, condition_id: ConditionId, payouts: dict[AssetId, Price], lease: Lease) -> int:
        """Complete the records of a market that has ended; how many."""
        ...

    def unresolved(self) -> Sequence[ExitRecord]:
        """Those whose market has not ended yet."""
        ...

    def all(self, *, limit: int = 100) -> Sequence[ExitRecord]:
        """Newest first."""
        ...
