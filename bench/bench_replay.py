"""A replay: how fast levels are applied and decisions made, and whether memory grows with the length.

The history is made as it is read, from a seed: markets whose books of ten levels a side change one level at
a time. The same cycle, stores and controls decide as in `polyb0t run`, every five seconds of simulated time.
An order is what costs most: a proposal, an approval, a claim, a permit, an answer and fills, each a write
with its entry in the journal. So replays with few, with many and with as many as fit are measured apart.
"""

import logging
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog

from bench.figures import Section
from bench.rivals import may_be_used, measured_by
from polyb0t.core.clock import SystemClock, microseconds
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.events import BookShown, Event, LevelChanged, LevelE6
from polyb0t.research.replay.human import APPROVES_ALL, AT_ONCE
from polyb0t.research.replay.tape import About, Fidelity, PastBooks
from polyb0t.runtime.replay.request import Request
from polyb0t.runtime.replay.running import Past, run_into
from polyb0t.runtime.replay.settings import replay_settings
from polyb0t.runtime.replay.speakers import Speaker
from polyb0t.runtime.replay.timeline import Timeline
from tests.support.hand_tape import START, a_market, told

MARKETS: Final = 60
LEVELS: Final = 10
CENT: Final = 10_000  # millionths
CHANGES: Final = 400_000
STEP_US: Final = 1_000  # between two changes: a thousand of them a second
EVERY_SECONDS: Final = 5.0
ROUNDS: Final = 3
LEVELS_TARGET: Final = 200_000.0
DECISIONS_TARGET: Final = 2_000.0
MOST_GROWTH: Final = 1.1  # of the peak, at four times the length
RIVAL: Final = "nautilus_trader==1.221.0"
FEW: Final[Mapping[str, str]] = {}  # the limits of a new installation: six proposals in an hour
# Small orders whenever the model sees an edge at all, with no limit but that of a cycle's list.
ALWAYS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("orders_per_hour", "prompts_per_hour", "prompts_per_day"), "10000"),
    **dict.fromkeys(("max_theme_fraction", "max_category_fraction", "max_far_fraction"), "1"),
    **dict.fromkeys(("max_dependent_fraction", "max_exposure_fraction", "max_tail_fraction"), "1"),
    "max_order_fraction": "0.0005",
    "max_daily_turnover": "100",
    "max_open_orders": "1000",
    "most_waiting": "100",
    "cash_floor_fraction": "0",
    "cooldown_seconds": "0",
    "bankroll_pusd": "100000",
    "min_edge": "0.0001",
}
# As often as practice money may ask for within twenty minutes.
MANY: Final[Mapping[str, str]] = {**ALWAYS, "prompts_per_hour": "80"}


def measure() -> Section:
    section = Section(
        f"replay of {MARKETS} markets",
        rival="nautilus_trader's event engine on the same changes: it keeps books and matches at each "
        "change, and a strategy hears all of them and does nothing; data in memory and in order beforehand",
    )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rival = _rival()
    for name, value, target in (
        ("level changes into books", max(_levels_per_second() for _ in range(ROUNDS)), LEVELS_TARGET),
        ("level changes in a whole replay", _rate(_replay(minutes=6, step_us=STEP_US), "changes"), None),
    ):
        section.add(f"{name}, per s of CPU", value, "/s", target=target, rival=rival, at_least=True)
    if rival is None:
        section.notes.append(f"the rival is not installed: python -m bench replay --rivals ({RIVAL})")
    _add_decisions(section)
    short, long = (_peak(minutes) for minutes in (10, 40))
    section.add("peak memory, four times the length over once", long / short, "x", target=MOST_GROWTH)
    section.notes.append(f"peak of a process with 10 minutes {short:.0f} MB, with 40 minutes {long:.0f} MB")
    return section


def _add_decisions(section: Section) -> None:
    """Whole replays that differ only in how often is traded."""
    few = _best(FEW)
    for name, made, target in (
        ("few orders", few, DECISIONS_TARGET),
        ("many orders", _best(MANY), DECISIONS_TARGET),
        ("two orders in each cycle", _best(ALWAYS), None),
    ):
        rate = _rate(made, "decisions")
        section.add(f"decisions, with {name}, per s of CPU", rate, "/s", target=target, at_least=True)
        section.notes.append(
            f"{name}: {made['decisions']:,} decisions in {made['cycles']:,} cycles, {made['changes']:,} "
            f"changes of levels, {made['orders']:,} orders and {made['fills']:,} fills "
            f"in {made['cpu']:.1f} s of CPU"
        )
        if made is not few:
            section.notes.append(f"{name}: {_beside(made, few)}")


def _best(flags: Mapping[str, str]) -> dict[str, Any]:
    return min((_replay(20, flags=flags) for _ in range(ROUNDS)), key=lambda made: made["cpu"])


def _beside(made: Mapping[str, Any], few: Mapping[str, Any]) -> str:
    each = (made["cpu"] - few["cpu"]) / (made["orders"] - few["orders"])
    share = _rate(made, "decisions") / _rate(few, "decisions")
    return (
        f"{_rate(made, 'orders'):.0f} orders/s, {share:.2f} of the decisions/s with few; "
        f"an order more costs {1_000 * each:.1f} ms"
    )


def _rival() -> float | None:
    if not may_be_used("rival-replay"):
        return None
    told = measured_by("rival-replay", "rival_replay.py", (str(CHANGES), str(MARKETS)), (RIVAL,))
    return told["changes_per_second"]


def _rate(replayed: Mapping[str, Any], what: str) -> float:
    return float(replayed[what] / replayed["cpu"])


# -- the history ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class MadeTape:
    """Implements `Tape`: made as it is read, the same each time."""

    minutes: float
    step_us: int = STEP_US

    @property
    def about(self) -> About:
        return About(
            name="made by the bench",
            kind="recorder",
            fidelity=Fidelity.OWN_BOOKS,
            data_hash=f"{MARKETS} {self.minutes} {self.step_us}",
            starts=START,
            ends=START + timedelta(minutes=self.minutes),
            markets=MARKETS,
            assumed=(),
            problems=Problems(),
        )

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        del since
        for number in range(MARKETS):
            yield from told(0, a_market(str(number)))
        yield from _first_books()
        end_us = microseconds(min(until, self.about.ends))
        yield from islice(changes(self.step_us), (end_us - microseconds(START)) // self.step_us)

    def past_books(self) -> PastBooks:
        raise NotImplementedError


def changes(step_us: int = STEP_US) -> Iterator[LevelChanged]:
    """One level of one book after the other, for ever; the sides never meet."""
    chance, at_us = Random(1), microseconds(START)
    while True:
        at_us += step_us
        number, outcome, is_bid = chance.randrange(MARKETS), chance.randrange(2), chance.random() < 0.5
        middle, far = _middle(number, outcome), chance.randrange(1, LEVELS + 1)
        price = middle - far * CENT if is_bid else middle + (far - 1) * CENT
        shares = 0 if far > 2 and chance.random() < 0.2 else 1_000_000 * chance.randrange(20, 900)
        yield LevelChanged(at_us, f"{number}{outcome + 1}", is_bid, price, shares)


def _middle(number: int, outcome: int) -> int:
    """The best offer of an outcome: 30 to 70 cents, both outcomes' a cent over one together."""
    yes = 30 + number % 41
    return CENT * (yes if outcome == 0 else 101 - yes)


def _first_books() -> Iterator[Event]:
    for number in range(MARKETS):
        for outcome in range(2):
            middle = _middle(number, outcome)
            bids = [_level(middle - far * CENT) for far in range(1, LEVELS + 1)]
            asks = [_level(middle + far * CENT) for far in range(LEVELS)]
            yield BookShown(microseconds(START), f"{number}{outcome + 1}", f"0x{number}", bids, asks)


def _level(price_e6: int) -> LevelE6:
    return price_e6, 500_000_000


# -- what is measured ----------------------------------------------------------------------------


def _levels_per_second() -> float:
    """The changes are made beforehand; books move on by half a second of history at a time."""
    events = [*_first_books(), *islice(changes(), CHANGES)]
    timeline = Timeline(iter(events))
    begun = time.process_time()
    for at_us in range(events[0].at_us, events[-1].at_us + 1, 500_000):
        timeline.advance(at_us)
    return CHANGES / (time.process_time() - begun)


def _replay(minutes: float, step_us: int = 10 * STEP_US, flags: Mapping[str, str] = FEW) -> dict[str, Any]:
    """A whole replay: markets, books, model, controls, sizes, orders, account, records."""
    request = Request(tapes=("made by the bench",), every_seconds=EVERY_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        past = Past(
            request,
            replay_settings({"data_dir": Path(folder)}, flags),
            MadeTape(minutes, step_us),
            Speaker(MarketCalibrationModel(packaged_coefficients())),
            APPROVES_ALL if flags is FEW else AT_ONCE,
        )
        begun = time.process_time()
        made, _ = run_into(past, Path(folder), SystemClock())
    counts = made["counts"]
    return {
        "cpu": time.process_time() - begun,
        "changes": counts["level changes"],
        **{name: counts[name] for name in ("decisions", "cycles", "orders", "fills")},
    }


def _peak(minutes: float) -> float:
    """The greatest memory in MB of a process that does nothing but this replay."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_here, (minutes,))


def _peak_here(minutes: float) -> float:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    _replay(minutes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
