"""When a kill switch trips: one pure function each of what was measured and of the thresholds.

A reading says what stands in the columns of the list, whether the cause holds now and, if so, the
sentence that a person gets. What is not known trips nothing here: without a price, a balance or an
account nothing is opened anyway, since the controls fail closed. RECONCILIATION is tripped by what
finds the difference and MANUAL by a person; both have a reading, so that the list is complete.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import ROUND_DOWN, Decimal
from types import MappingProxyType
from typing import Final

from polyb0t.core.units import ZERO, plain
from polyb0t.models.equity import AccountHealth
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.wording import money, seconds, span

NOT_KNOWN: Final = "not known yet"
OUTAGE_SECONDS: Final = 60.0  # a shorter burst of errors is a restart, ours or theirs
LEAST_MISSED: Final = 2  # looks: one read that failed, or a process that was stopped, proves nothing
_TENTH: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where each switch trips. Fractions are of one: 0.15 is fifteen per cent."""

    drawdown_fraction: Decimal = Decimal("0.15")
    daily_loss_fraction: Decimal = Decimal("0.10")
    stale_seconds: Decimal = Decimal(60)
    spread_multiple: Decimal = Decimal(3)
    api_error_fraction: Decimal = Decimal("0.5")
    api_least_calls: int = 20
    api_window_seconds: Decimal = Decimal(300)

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = Decimal(getattr(self, spec.name))
            if not value.is_finite() or value <= 0:
                raise ValueError(f"{spec.name} is {value}; it has to be more than zero")
            if spec.name.endswith("_fraction") and value > 1:
                raise ValueError(f"{spec.name} is {value}; a fraction is at most 1")
        if self.spread_multiple <= 1:
            raise ValueError(f"spread_multiple is {self.spread_multiple}; the usual is no anomaly")


@dataclass(frozen=True, slots=True)
class HostCalls:
    """Calls to one host within the window. An error is no useful answer: none at all, 5xx, 401, 403,
    408, 429, or one that cannot be read. `error_seconds`: from the first of the errors to the last."""

    host: str
    calls: int
    errors: int
    error_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SpreadLevel:
    """The median spread of the watched markets: now, and what is usual here. pUSD per share."""

    now: Decimal
    usual: Decimal

    @property
    def multiple(self) -> Decimal:
        return self.now / self.usual


@dataclass(frozen=True, slots=True)
class Accord:
    """The last comparison of our records with the exchange's; `problem` is empty where they agree."""

    age_seconds: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured now. None: it is not known, or nothing is there to be measured."""

    health: AccountHealth | None = None
    prices_age_seconds: Decimal | None = None  # of the newest confirmation; the machine's sleep not counted
    prices_missed: int = 0  # looks in a row that found it older than the limit
    spread: SpreadLevel | None = None
    hosts: tuple[HostCalls, ...] = ()
    accord: Accord | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """Why a switch trips: what was measured, where it trips, and both in a sentence without its end."""

    value: str
    limit: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One switch now. `trip` is there exactly while the cause holds."""

    now: str
    trips_at: str
    trip: Trip | None = None
    known: Mapping[str, object] = field(default_factory=dict)  # the figures behind it, for the event


Rule = Callable[[Measures, Thresholds], Reading]


def drawdown(measures: Measures, thresholds: Thresholds) -> Reading:
    """The equity, under the most that it was."""
    limit = _percent(thresholds.drawdown_fraction)
    health = measures.health
    under = health.drawdown_fraction if health is not None else None
    if health is None or under is None:
        return Reading(NOT_KNOWN, limit)
    value, peak = _percent(under, decimals=1), money(health.peak_pusd)
    known = {"equity_pusd": health.equity_pusd, "peak_pusd": health.peak_pusd}
    trip = None
    if under >= thresholds.drawdown_fraction:
        trip = Trip(value, limit, f"equity is {value} under its peak of {peak} pUSD, limit {limit}")
    return Reading(f"{value} under peak {peak}", limit, trip, known)


def daily_loss(measures: Measures, thresholds: Thresholds) -> Reading:
    """What the UTC day has lost, as a fraction of what it began with."""
    limit = _percent(thresholds.daily_loss_fraction)
    health = measures.health
    result = health.day_result_fraction if health is not None else None
    if health is None or result is None:
        return Reading(NOT_KNOWN, f"-{limit}")
    known = {"equity_pusd": health.equity_pusd, "day_base_pusd": health.day_base_pusd, "day": health.day}
    trip = None
    if -result >= thresholds.daily_loss_fraction:
        lost = _percent(-result, decimals=1)
        trip = Trip(f"-{lost}", f"-{limit}", f"{lost} was lost since 00:00 UTC, limit {limit}")
    return Reading(f"{_signed(result)} since 00:00 UTC", f"-{limit}", trip, known)


def stale_data(measures: Measures, thresholds: Thresholds) -> Reading:
    """How long ago any price was last confirmed."""
    limit, age = f"{plain(thresholds.stale_seconds)} s", measures.prices_age_seconds
    if age is None:
        return Reading("no market is watched", limit)
    value = seconds(age)
    trip = None
    if age > thresholds.stale_seconds and measures.prices_missed >= LEAST_MISSED:
        trip = Trip(value, limit, f"the newest price is {value} old, limit {limit}")
    return Reading(f"newest price {value} old", limit, trip, {"prices_age_seconds": age})


def spread_anomaly(measures: Measures, thresholds: Thresholds) -> Reading:
    """The universe's median spread against its own rolling baseline."""
    limit, spread = f"{plain(thresholds.spread_multiple)} x", measures.spread
    if spread is None:
        return Reading("learning what is usual", limit)
    value = f"{spread.multiple.quantize(_TENTH, ROUND_DOWN):f} x"
    known = {"spread": spread.now, "usual_spread": spread.usual}
    trip = None
    if spread.multiple > thresholds.spread_multiple:
        trip = Trip(value, limit, f"spreads are {value} the usual, limit {limit}")
    return Reading(f"{value} the usual", limit, trip, known)


def api_error_rate(measures: Measures, thresholds: Thresholds) -> Reading:
    """Calls without a useful answer, by host. A burst shorter than a minute is a restart, no outage."""
    share, least = _percent(thresholds.api_error_fraction), thresholds.api_least_calls
    limit, period = f"{share}, min {least}", span(float(thresholds.api_window_seconds))
    if not measures.hosts:
        return Reading(f"0 calls in {period}", limit)
    worst = max(measures.hosts, key=lambda host: (_failing(host, thresholds), *_badness(host)))
    value = f"{worst.errors} of {worst.calls}"
    known = {each.host: f"{each.errors} of {each.calls}" for each in measures.hosts}
    trip = None
    if _failing(worst, thresholds):
        trip = Trip(value, share, f"{value} calls to {worst.host} failed in {period}, limit {share}")
    return Reading(f"{value} calls in {period}", limit, trip, known)


def reconciliation(measures: Measures, _thresholds: Thresholds) -> Reading:
    """Our records against the exchange's. Whoever finds the difference trips; here it only holds."""
    limit, accord = "any difference", measures.accord
    if accord is None:
        return Reading("not compared yet", limit)
    ago = f"{span(accord.age_seconds)} ago"
    if not accord.problem:
        return Reading(f"agrees, {ago}", limit)
    what = accord.problem.rstrip(".")
    trip = Trip("differs", limit, f"the comparison {ago} found: {what}")
    return Reading(f"differs, {ago}", limit, trip)


def manual(_measures: Measures, _thresholds: Thresholds) -> Reading:
    """A person's halt has no measure."""
    return Reading("-", "polyb0t halt")


RULES: Final[Mapping[KillSwitchType, Rule]] = MappingProxyType(
    {
        KillSwitchType.DRAWDOWN: drawdown,
        KillSwitchType.DAILY_LOSS: daily_loss,
        KillSwitchType.STALE_DATA: stale_data,
        KillSwitchType.SPREAD_ANOMALY: spread_anomaly,
        KillSwitchType.API_ERROR_RATE: api_error_rate,
        KillSwitchType.RECONCILIATION: reconciliation,
        KillSwitchType.MANUAL: manual,
    }
)
# What the cycle trips by its reading. The other two have their own: evidence, and a person.
MEASURED: Final = frozenset(KillSwitchType) - {KillSwitchType.RECONCILIATION, KillSwitchType.MANUAL}


def read_switches(measures: Measures, thresholds: Thresholds) -> Mapping[KillSwitchType, Reading]:
    """Every switch's reading."""
    return {switch: rule(measures, thresholds) for switch, rule in RULES.items()}


def _failing(host: HostCalls, thresholds: Thresholds) -> bool:
    return (
        host.calls >= thresholds.api_least_calls
        and host.errors > thresholds.api_error_fraction * host.calls
        and host.error_seconds >= OUTAGE_SECONDS
    )


def _badness(host: HostCalls) -> tuple[Decimal, int]:
    return (Decimal(host.errors) / host.calls if host.calls else ZERO), host.calls


def _percent(fraction: Decimal, *, decimals: int | None = None) -> str:
    """Towards zero: what has not reached its limit is never shown as if it had."""
    value = fraction * 100
    if decimals is None:
        return f"{plain(value)}%"
    return f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN) + 0:f}%"


def _signed(fraction: Decimal) -> str:
    return f"{(fraction * 100).quantize(Decimal('0.01'), ROUND_DOWN) + 0:+f}%"
