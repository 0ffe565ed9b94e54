"""Shares and cash that the exchange says we have, held against what our own fills left us with.

One reading proves nothing: the exchange's ledger lags behind its trades. A difference counts when it
was seen three times over at least five minutes, with no order of ours in flight.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.fills import FINAL_FILL, Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.reconciliation import lots

SHARES_APART: Final = Decimal("0.5")
PUSD_APART: Final = Decimal(1)
READS_APART: Final = 3
SECONDS_APART: Final = 300.0

CASH: Final = "cash"


@dataclass(frozen=True, slots=True)
class Difference:
    """One reading that does not fit. `lasting`: seen often and long enough to stop trading for."""

    detail: str
    value: Decimal
    limit: Decimal
    lasting: bool
    missing: bool  # less than our fills say; more is somebody's own doing and stops nothing


@dataclass(frozen=True, slots=True)
class Explained:
    """What the books know besides our fills. `opening`: the cash that they began with; `cash`: what came
    in less what went out since, by the wallet's own activity; `taken`: shares of ours that went with it."""

    opening: Pusd | None = None
    cash: Pusd = field(default=Pusd(ZERO))
    taken: Mapping[AssetId, Shares] = field(default_factory=dict)


BY_FILLS_ALONE: Final = Explained()


@dataclass(slots=True)
class _Since:
    reads: int
    boot: float


@dataclass(frozen=True, slots=True)
class Findings:
    differences: tuple[Difference, ...] = ()
    unreadable: tuple[str, ...] = ()


class HoldingsWatch:
    """`held_shares` and `cash` answer None when they could not be read: that is no reading at all."""

    def __init__(
        self,
        held_shares: Callable[[AssetId], Shares | None],
        cash: Callable[[], Pusd | None] | None,
        clock: Clock,
    ) -> None:
        self._held_shares = held_shares
        self._cash = cash
        self._clock = clock
        self._apart: dict[str, _Since] = {}
        self._base: Pusd | None = None  # cash less all flows that are known, when both last agreed
        self._told = Pusd(ZERO)  # by the wallet's activity, when we last looked

    def compare(
        self, fills: Sequence[Fill], in_flight: frozenset[AssetId], known: Explained = BY_FILLS_ALONE
    ) -> Findings:
        """One comparison. `in_flight`: assets on which an order of ours has no proven end."""
        differences, unreadable = [], []
        by_asset: dict[AssetId, list[Fill]] = {}
        for fill in fills:
            by_asset.setdefault(fill.asset_id, []).append(fill)
        for asset_id, of_asset in by_asset.items():
            ours = lots(of_asset) - known.taken.get(asset_id, ZERO)
            if ours <= 0 or asset_id in in_flight:
                self._apart.pop(asset_id, None)
                continue
            held = self._held_shares(asset_id)
            if held is None:
                unreadable.append(f"The shares held of asset {asset_id} could not be read.")
            elif self._differs(asset_id, ours - held > SHARES_APART):
                detail = f"Of asset {asset_id} {held} shares are held; our fills say {ours}."
                differences.append(self._difference(asset_id, detail, held, ours))
        if self._cash is not None and not in_flight:
            differences += self._compare_cash(self._cash, fills, known, unreadable)
        return Findings(tuple(differences), tuple(unreadable))

    def _compare_cash(
        self,
        read: Callable[[], Pusd | None],
        fills: Sequence[Fill],
        known: Explained,
        unreadable: list[str],
    ) -> list[Difference]:
        """Against the last reading that fitted, moved by everything that is known to have moved since."""
        self._told_late(known)
        cash, flow = read(), _flow(fills) + known.cash
        if cash is None:
            unreadable.append("The cash could not be read.")
            return []
        if self._base is None or any(fill.status not in FINAL_FILL for fill in fills):
            self._base = Pusd(cash - flow)
            self._apart.pop(CASH, None)
            return []
        expected = Pusd(self._base + flow)
        apart = cash - expected
        if not self._differs(CASH, abs(apart) > PUSD_APART):
            self._base = Pusd(cash - flow)
            return []
        detail = f"The wallet has {cash} pUSD; by all that is known it would have {expected}."
        difference = self._difference(CASH, detail, cash, expected)
        if difference.lasting:  # said once; from here on this is what the wallet has
            self._base = Pusd(cash - flow)
            self._apart.pop(CASH, None)
        return [difference]

    def _told_late(self, known: Explained) -> None:
        """The index is minutes late: what it tells now may have been accepted unexplained before, and then
        it is no money that is missing."""
        told, self._told = known.cash - self._told, known.cash
        if self._base is None or not told:
            return
        accepted = told if known.opening is None else self._base - known.opening
        if accepted * told > 0:
            part = min(abs(accepted), abs(told))
            self._base = Pusd(self._base - (part if told > 0 else -part))

    def _differs(self, key: str, apart: bool) -> bool:
        if not apart:
            self._apart.pop(key, None)
            return False
        self._apart.setdefault(key, _Since(0, self._clock.boot_seconds())).reads += 1
        return True

    def _difference(self, key: str, detail: str, value: Decimal, limit: Decimal) -> Difference:
        since = self._apart[key]
        long = self._clock.boot_seconds() - since.boot >= SECONDS_APART
        return Difference(detail, value, limit, since.reads >= READS_APART and long, value < limit)


def _flow(fills: Iterable[Fill]) -> Decimal:
    """What confirmed fills brought less what they paid, fees included, in pUSD."""
    return sum(
        (
            (fill.notional if fill.side is Side.SELL else -fill.notional) - fill.fee
            for fill in fills
            if fill.status is FillStatus.CONFIRMED
        ),
        ZERO,
    )
