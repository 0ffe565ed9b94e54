"""What the account is worth, the most that it was, and what the day brought: money that was moved apart.

A deposit is no gain and a withdrawal no loss. Like the units of a fund: money that comes or goes scales
the peak and the day's base with it, so that neither fraction moves by it. Adding it to them instead
would turn a loss of a tenth into one of a half when most of the money is withdrawn, and trip for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import utc
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Pusd, ceil_e6

NO_MONEY: Final = Pusd(ZERO)


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """How the account stands, for who decides whether to go on. Nothing in it is ever guessed.

    `equity_pusd` is cash that is explained and our own lots at the bid, or at the last good one:
    `stale_seconds` has the age of each mark that is not fresh, None for one that never was, which counts
    at cost. None of the optional fields: not known, and then nothing may be concluded from it.
    """

    marked_at: datetime
    equity_pusd: Pusd | None = None
    peak_pusd: Pusd | None = None  # scaled by money that came and went since
    day: str = ""  # YYYY-MM-DD, UTC
    day_start_pusd: Pusd | None = None  # equity at the first look of the day, as it was
    day_base_pusd: Pusd | None = None  # the same, scaled by money that came and went since
    day_flows_pusd: Pusd = NO_MONEY  # money that came in today less what went out; no result
    unexplained_pusd: Pusd = NO_MONEY  # in the wallet and by nothing accounted for: outside of equity
    stale_seconds: Mapping[AssetId, float | None] = field(default_factory=dict)

    @property
    def drawdown_fraction(self) -> Decimal | None:
        """How far under its peak the equity is; 0.15 is fifteen per cent."""
        if self.equity_pusd is None or not self.peak_pusd:
            return None
        return max(ZERO, ONE - self.equity_pusd / self.peak_pusd)

    @property
    def day_result_pusd(self) -> Pusd | None:
        """What trading brought since 00:00 UTC, without money that was moved."""
        if self.equity_pusd is None or self.day_start_pusd is None:
            return None
        return Pusd(self.equity_pusd - self.day_start_pusd - self.day_flows_pusd)

    @property
    def day_result_fraction(self) -> Decimal | None:
        """The same as a fraction of what the day began with; negative is a loss."""
        if self.equity_pusd is None or not self.day_base_pusd:
            return None
        return self.equity_pusd / self.day_base_pusd - ONE


@dataclass(frozen=True, slots=True)
class EquityMarks:
    """What has to survive a restart. `flows_pusd` is what had been accounted for when it was written."""

    flows_pusd: Pusd
    peak_pusd: Pusd
    day: str
    day_start_pusd: Pusd
    day_base_pusd: Pusd
    day_flows_pusd: Pusd = NO_MONEY


def marked(
    before: EquityMarks | None, equity: Pusd, flows: Pusd, now: datetime, *, sure: bool = True
) -> EquityMarks:
    """The marks after one more look. `flows`: everything that ever came in less what went out.

    `sure` False: a mark is stale, and then the peak does not rise by it.
    """
    today = utc(now).date().isoformat()
    if before is None:
        return EquityMarks(flows, equity, today, equity, equity)
    moved = _moved(before, equity, Pusd(flows - before.flows_pusd))
    if sure and equity > moved.peak_pusd:
        moved = replace(moved, peak_pusd=equity)
    if moved.day >= today:  # a clock that went back opens no day anew
        return moved
    return replace(moved, day=today, day_start_pusd=equity, day_base_pusd=equity, day_flows_pusd=NO_MONEY)


def _moved(before: EquityMarks, equity: Pusd, flow: Pusd) -> EquityMarks:
    """After `flow` came in: the fractions are what they were at the prices of now."""
    if not flow:
        return before
    return replace(
        before,
        flows_pusd=Pusd(before.flows_pusd + flow),
        peak_pusd=_scaled(before.peak_pusd, equity, flow),
        day_base_pusd=_scaled(before.day_base_pusd, equity, flow),
        day_flows_pusd=Pusd(before.day_flows_pusd + flow),
    )


def _scaled(mark: Pusd, equity: Pusd, flow: Pusd) -> Pusd:
    """Rounded up: a peak is never lowered by rounding. Where nothing was there to scale, it is added."""
    without = equity - flow
    if without <= 0 or equity <= 0:
        return Pusd(max(ZERO, mark + flow))
    return Pusd(ceil_e6(mark * equity / without))


def rebased(marks: EquityMarks, equity: Pusd) -> EquityMarks:
    """A person accepts the loss: what is there now is the peak from here on."""
    return replace(marks, peak_pusd=equity)


def health(
    marks: EquityMarks,
    equity: Pusd,
    at: datetime,
    *,
    unexplained: Pusd = NO_MONEY,
    stale_seconds: Mapping[AssetId, float | None] | None = None,
) -> AccountHealth:
    """The account at `at`, after `marked` has looked at it."""
    return AccountHealth(
        marked_at=at,
        equity_pusd=equity,
        peak_pusd=marks.peak_pusd,
        day=marks.day,
        day_start_pusd=marks.day_start_pusd,
        day_base_pusd=marks.day_base_pusd,
        day_flows_pusd=marks.day_flows_pusd,
        unexplained_pusd=unexplained,
        stale_seconds=dict(stale_seconds or {}),
    )
