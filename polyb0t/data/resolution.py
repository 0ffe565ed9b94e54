"""Where a market stands between its end and its result, and the port that tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import ONE, ZERO, Price


class ResolutionState(StrEnum):
    """How far a result is. A proposal is never a result; only RESOLVED pays."""

    OPEN = "open"
    PROPOSED = "proposed"
    DISPUTED = "disputed"  # somebody contested the proposal: a new one, or a vote of days
    RESOLVED = "resolved"
    UNKNOWN = "unknown"  # read, and not understood: treated as disputed, never as open


@dataclass(frozen=True, slots=True)
class Resolution:
    """One market's result as far as it is known. `payouts` are pUSD per share by outcome, in the market's
    order, and are there exactly when it is resolved; they make one together (1 and 0, or a half each)."""

    condition_id: ConditionId
    state: ResolutionState
    observed_at: datetime
    payouts: tuple[Price, Price] | None = None
    on_chain: bool = False  # the chain's own payouts say the same; False: only the index was asked
    was_disputed: bool = False
    resolved_at: datetime | None = None
    expected_at: datetime | None = None  # an estimate of the venue
    detail: str = ""  # the venue's own word, for a person

    def __post_init__(self) -> None:
        told = self.payouts
        if (told is not None) is not (self.state is ResolutionState.RESOLVED):
            raise ValueError(f"{self.condition_id} is {self.state} with payouts {told}")
        if told is not None and (sum(told, ZERO) != ONE or min(told) < ZERO):
            raise ValueError(f"{self.condition_id} pays {told[0]} and {told[1]}, which is not one together")

    @property
    def freezes(self) -> bool:
        """Whether nothing may be opened on its event: nobody knows how or when it ends."""
        return self.state in (ResolutionState.DISPUTED, ResolutionState.UNKNOWN)


class ResolutionReader(Protocol):
    """Reads where markets stand."""

    def read(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, Resolution]:
        """What is known of each; a market of which nothing is told is missing.

        Where chain and index contradict each other the answer is UNKNOWN, never one of the two.

        Raises:
            VenueUnreachableError: not read; part of an answer is never taken for the whole.
        """
        ...
