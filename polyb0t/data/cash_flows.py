"""What moved money or shares of the wallet, as the exchange's public index tells it minutes later."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from polyb0t.core.canonical import canonical_text, sha256_hex
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Pusd, Shares


class MovementKind(StrEnum):
    """The exchange's words for why pUSD or shares moved."""

    TRADE = "TRADE"
    SPLIT = "SPLIT"
    MERGE = "MERGE"
    REDEEM = "REDEEM"
    CONVERSION = "CONVERSION"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    MIGRATION = "MIGRATION"
    TIP = "TIP"
    REWARD = "REWARD"
    YIELD = "YIELD"
    MAKER_REBATE = "MAKER_REBATE"
    TAKER_REBATE = "TAKER_REBATE"
    REFERRAL_REWARD = "REFERRAL_REWARD"


@dataclass(frozen=True, slots=True)
class Movement:
    """One settled row. `kind` is the exchange's word, known to us or not; amounts are never negative.

    Rows have no id of their own: `copy` counts those that are the same in everything else.
    """

    kind: str
    at: datetime
    transaction_hash: str
    pusd: Pusd
    shares: Shares
    condition_id: ConditionId | None = None
    asset_id: AssetId | None = None
    outcome_label: str = ""
    side: str = ""  # BUY or SELL of a trade, IN or OUT of a tip
    copy: int = 0

    @property
    def key(self) -> str:
        """What makes two sightings the same row: 64 hex characters."""
        return sha256_hex(canonical_text([getattr(self, spec.name) for spec in fields(self)]))

    @property
    def known(self) -> bool:
        """Whether we know what such a row means."""
        return self.kind in MovementKind.__members__


@dataclass(frozen=True, slots=True)
class Taken:
    """Shares of ours that a movement from outside took along, and what came in for them."""

    asset_id: AssetId
    shares: Shares
    pusd: Pusd | None  # None: they leave at cost, and no result is made of it


@dataclass(frozen=True, slots=True)
class Booked:
    """A movement that was taken into the books."""

    movement: Movement
    taken: tuple[Taken, ...] = ()


class MovementSource(Protocol):
    """Reads the wallet's movements."""

    def movements(self, since: datetime) -> tuple[Movement, ...]:
        """Everything settled at `since` or later that the index knows of, oldest first.

        Raises:
            VenueUnreachableError: not read; part of a listing is never taken for the whole.
        """
        ...


def numbered(rows: Iterable[Movement]) -> tuple[Movement, ...]:
    """The rows with `copy` counted, oldest first. All rows of an instant have to be among them."""
    seen: dict[Movement, int] = {}
    counted = []
    for row in sorted(rows, key=lambda each: each.at):
        copy = seen.get(row, 0)
        seen[row] = copy + 1
        counted.append(replace(row, copy=copy))
    return tuple(counted)
