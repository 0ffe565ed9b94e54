"""The kill switches' stage of a cycle: measure, judge by the rules, trip, and say how each one stands.

It runs after the books and the account were read and before anything is decided. Nothing is called
here: every measure was taken by what reads the exchange anyway.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

import structlog

from polyb0t.core.clock import Clock, awake_seconds
from polyb0t.core.ids import ConditionId
from polyb0t.execution.reconciler import ReconcileReport
from polyb0t.models.equity import AccountHealth, EquityMarks
from polyb0t.models.kill_switches import KillSwitchStore, KillSwitchType, SwitchState
from polyb0t.models.signals import MarketState
from polyb0t.models.spread_history import SpreadHistory
from polyb0t.models.switch_rules import (
    MEASURED,
    Accord,
    HostCalls,
    Measures,
    Reading,
    Thresholds,
    Trip,
    read_switches,
)
from polyb0t.runtime.switch_facts import SWITCHES, SWITCHES_AT, SwitchFact

log = structlog.get_logger(__name__)

ENGINE: Final = "engine"
_ENDED: Final = "its override ended; "


@dataclass(frozen=True, slots=True)
class Gauges:
    """Where the measures come from; each may be asked at any time and calls nobody."""

    newest_price: Callable[[], datetime | None]  # when any book was last confirmed
    watched: Callable[[], Iterable[MarketState]]
    health: Callable[[], AccountHealth | None] = lambda: None
    hosts: Callable[[], tuple[HostCalls, ...]] = tuple
    accord: Callable[[], Accord | None] = lambda: None


class PriceAge:
    """How old the newest price is on a clock that stands still while the machine sleeps: a price of
    before a night's sleep is as old as the minutes that anybody could have asked for a newer one."""

    def __init__(self, clock: Clock, awake: Callable[[], float], limit_seconds: Decimal) -> None:
        self._clock, self._awake, self._limit = clock, awake, limit_seconds
        self._newest: datetime | None = None
        self._confirmed = self._looked = awake()
        self.missed = 0  # looks in a row that found it older than the limit

    def seconds(self, newest: datetime | None) -> Decimal:
        """Counted from the start, or from when markets came to be watched, until there is a first one."""
        awake = self._awake()
        if newest is not None and newest != self._newest:
            ago = max(0.0, (self._clock.now() - newest).total_seconds())
            self._confirmed = awake - min(ago, awake - self._looked)
            self._newest = newest
        self._looked = awake
        age = Decimal(round((awake - self._confirmed) * 1_000)).scaleb(-3)
        self.missed = self.missed + 1 if age > self._limit else 0
        return age

    def nothing_watched(self) -> None:
        """No price is asked for, so none grows old."""
        self._confirmed = self._looked = self._awake()
        self.missed = 0


class SwitchWatch:
    """Used by the cycle's thread; what it publishes and what spread is usual may be read by others."""

    def __init__(
        self,
        switches: KillSwitchStore,
        clock: Clock,
        thresholds: Thresholds,
        gauges: Gauges,
        awake: Callable[[], float] = awake_seconds,
    ) -> None:
        self._switches = switches
        self._clock = clock
        self._thresholds = thresholds
        self._gauges = gauges
        self._age = PriceAge(clock, awake, thresholds.stale_seconds)
        self._spreads = SpreadHistory()
        self._published: Mapping[str, object] = {}

    def look(self) -> None:
        """One pass. The rows are read before anything is measured: what a person clears, and the peak
        that he accepts with it, is never judged by a figure of before.

        Raises:
            DatabaseError: a switch could not be read or tripped.
        """
        states = {state.type: state for state in self._switches.list()}
        readings = read_switches(self._measured(), self._thresholds)
        for switch, reading in readings.items():
            state = states.get(switch)
            if state is not None and (not state.tripped or state.lapsed):
                self._judge(state, reading)
        self._published = {
            SWITCHES: {switch.value: _fact(reading).as_dict() for switch, reading in readings.items()},
            SWITCHES_AT: self._clock.now(),
        }

    def facts(self) -> Mapping[str, object]:
        """How each switch stood at the last look, for the engine's row."""
        return self._published

    def usual_spread(self, condition_id: ConditionId) -> Decimal | None:
        """One market's usual spread in pUSD per share; None while it is not known."""
        return self._spreads.usual(condition_id)

    def _measured(self) -> Measures:
        states = list(self._gauges.watched())
        self._spreads.observe(spreads_of(states), self._clock.boot_seconds())
        age = None
        if states:
            age = self._age.seconds(self._gauges.newest_price())
        else:
            self._age.nothing_watched()
        return Measures(
            health=self._gauges.health(),
            prices_age_seconds=age,
            prices_missed=self._age.missed,
            spread=self._spreads.level(),
            hosts=self._gauges.hosts(),
            accord=self._gauges.accord(),
        )

    def _judge(self, state: SwitchState, reading: Reading) -> None:
        trip = reading.trip if state.type in MEASURED else None
        if trip is None and state.lapsed:
            trip = Trip(state.value or "", state.limit or "", _ENDED + state.reason.removeprefix(_ENDED))
        if trip is not None:
            self._trip(state.type, trip, reading.known)

    def _trip(self, switch: KillSwitchType, trip: Trip, known: Mapping[str, object]) -> None:
        tripped = self._switches.trip(
            switch, actor=ENGINE, reason=trip.sentence, value=trip.value, limit=trip.limit, known=known
        )
        if tripped:
            log.warning("switch.tripped", switch=switch.value, reason=trip.sentence)


def spreads_of(states: Iterable[MarketState]) -> dict[ConditionId, Decimal]:
    """Best ask less best bid of each market that has both; its outcomes' books mirror each other."""
    found: dict[ConditionId, Decimal] = {}
    for state in states:
        spread = next((book.spread for book in state.books if book is not None and book.spread), None)
        if spread is not None:
            found[state.market.condition_id] = spread
    return found


def by_present_marks(health: AccountHealth | None, marks: EquityMarks | None) -> AccountHealth | None:
    """By the peak in our rows now: a person may have accepted a loss since the account was looked at."""
    if health is None or marks is None or health.peak_pusd is None:
        return health
    return replace(health, peak_pusd=marks.peak_pusd)


def under_peak(health: AccountHealth | None, marks: EquityMarks | None) -> Decimal | None:
    """How far equity is under that peak, as a fraction; None: not known."""
    present = by_present_marks(health, marks)
    return None if present is None else present.drawdown_fraction


def accord_of(report: ReconcileReport | None, age_seconds: float) -> Accord | None:
    """The last comparison as the list shows it; None before the first."""
    if report is None:
        return None
    return Accord(age_seconds, report.problems[0] if report.problems else "")


def _fact(reading: Reading) -> SwitchFact:
    trip = reading.trip
    return SwitchFact(
        now=reading.now, trips_at=reading.trips_at, cause=trip.sentence if trip is not None else ""
    )
