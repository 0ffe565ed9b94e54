"""What the exchange charged, held against what we predicted, where the balance can tell.

The exchange names no fee that can be trusted, but between two moments at which nothing of ours is under
way the balance moves by our fills and their fees. What it moved by beyond the fills is the fee that was
charged. A deposit looks like no fee at all, so what could not be a fee is left to reconciliation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.units import ZERO, Pusd, ceil_e6, floor_e6, plain
from polyb0t.data.fills import FINAL_FILL, Fill, FillStatus
from polyb0t.data.order_book import Side

TOLERANCE_PUSD: Final = Decimal("0.01")
READS: Final = 2  # a balance may be a moment behind its fills
GREATEST_SHARE: Final = Decimal("0.1")  # of the money that changed hands; more is no fee

Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class FeeDifference:
    """Of the fills between two quiet moments, in pUSD."""

    charged: Pusd
    predicted: Pusd
    fills: int

    @property
    def sentence(self) -> str:
        return (
            f"The exchange charged {plain(self.charged)} pUSD for {self.fills} fills; "
            f"{plain(self.predicted)} were predicted."
        )


class FeeCheck:
    """Fed with each read of the balance; used by one thread."""

    def __init__(self) -> None:
        self._cash: Decimal | None = None
        self._counted: frozenset[Key] = frozenset()
        self._seen: FeeDifference | None = None
        self._reads = 0

    def observe(self, cash: Pusd | None, fills: Sequence[Fill], *, under_way: bool) -> FeeDifference | None:
        """A difference that stands, told once. `under_way`: an order of ours can still change."""
        if cash is None or under_way or any(fill.status not in FINAL_FILL for fill in fills):
            return None
        confirmed = {_key(fill): fill for fill in fills if fill.status is FillStatus.CONFIRMED}
        new = [fill for key, fill in confirmed.items() if key not in self._counted]
        if self._cash is None or not new:
            self._rebase(cash, confirmed)
            return None
        charged = self._charged(cash, new)
        found = FeeDifference(Pusd(charged), Pusd(sum((fill.fee for fill in new), ZERO)), len(new))
        if abs(found.charged - found.predicted) <= TOLERANCE_PUSD:
            self._rebase(cash, confirmed)
            return None
        self._reads = self._reads + 1 if found == self._seen else 1
        self._seen = found
        if self._reads < READS:
            return None
        self._rebase(cash, confirmed)
        return found if _could_be_a_fee(found, new) else None

    def _charged(self, cash: Decimal, new: Sequence[Fill]) -> Decimal:
        """What is missing after the fills themselves are accounted for."""
        assert self._cash is not None
        return self._cash + sum((_moved(fill) for fill in new), ZERO) - cash

    def _rebase(self, cash: Decimal, confirmed: dict[Key, Fill]) -> None:
        self._cash, self._counted = cash, frozenset(confirmed)
        self._seen, self._reads = None, 0


def _moved(fill: Fill) -> Decimal:
    """What a fill does to the balance before its fee: what we pay rounded up, what we get down."""
    return -ceil_e6(fill.notional) if fill.side is Side.BUY else floor_e6(fill.notional)


def _could_be_a_fee(found: FeeDifference, new: Sequence[Fill]) -> bool:
    turnover = sum((fill.notional for fill in new), ZERO)
    return ZERO <= found.charged <= GREATEST_SHARE * turnover


def _key(fill: Fill) -> Key:
    return fill.trade_id, fill.bucket_index, fill.order_id
