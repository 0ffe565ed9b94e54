"""What the engine knows right now, published in its own row so that every other process can show it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, parse_decimal
from polyb0t.data.windows import OPEN, Window, read_window
from polyb0t.execution.store import LeaseInfo
from polyb0t.models.equity import AccountHealth
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.marks import Mark
from polyb0t.runtime.health_facts import health_fact, read_health
from polyb0t.runtime.risk_facts import RISK, RiskFacts, read_risk
from polyb0t.runtime.switch_facts import SWITCHES, SWITCHES_AT, SwitchFact, read_switch_facts

if TYPE_CHECKING:  # readers of the row, each command among them, do not pay for the engine
    from polyb0t.runtime.books import AccountBooks
    from polyb0t.runtime.desk import AccountDesk


@dataclass(frozen=True, slots=True)
class CycleFacts:
    """How long the last cycle took, in seconds, and which of its stages longest."""

    seconds: Decimal
    slowest: str
    slowest_seconds: Decimal


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """As another process reads them. None: the engine does not know it either.

    `marks` are the last good bids of what is held, in pUSD per share, and `mark_times` when they were.
    """

    cash_pusd: Pusd | None = None
    equity_pusd: Pusd | None = None
    day: str = ""  # the UTC day of `day_result_pusd`
    day_result_pusd: Pusd | None = None
    marks: Mapping[AssetId, Price] = field(default_factory=dict)
    mark_times: Mapping[AssetId, datetime] = field(default_factory=dict)
    marked_at: datetime | None = None
    health: AccountHealth | None = None
    problem: str = ""  # what stops proposing or sending, in one sentence
    window: Window = OPEN  # whether the exchange takes orders
    cancels_on_halt: bool = True  # whether a halt takes back what rests at the exchange
    switches: Mapping[KillSwitchType, SwitchFact] = field(default_factory=dict)  # at `switches_at`
    switches_at: datetime | None = None
    decides_itself: bool = False  # a paper run that asks nobody
    risk: RiskFacts | None = None  # how much of each limit is used
    clock_skew_seconds: Decimal | None = None  # this machine's less the exchange's, as far as proven
    prompts_per_hour: int | None = None  # how many openings the engine may ask about
    cycle: CycleFacts | None = None

    def last_marks(self) -> dict[AssetId, Mark]:
        """Prices with their instants, as the next engine takes them over."""
        return {
            asset: Mark(price, self.mark_times[asset])
            for asset, price in self.marks.items()
            if asset in self.mark_times
        }


def read_facts(info: LeaseInfo | None) -> EngineFacts:
    """The facts in the engine's row; nothing is known where they cannot be read."""
    if info is None:
        return EngineFacts()
    try:
        stored = json.loads(info.facts)
        return EngineFacts(
            cash_pusd=_money(stored.get("cash_pusd")),
            equity_pusd=_money(stored.get("equity_pusd")),
            day=str(stored.get("day", "")),
            day_result_pusd=_money(stored.get("day_result_pusd")),
            marks={
                AssetId(asset): Price(parse_decimal(bid)) for asset, bid in stored.get("marks", {}).items()
            },
            mark_times={
                AssetId(asset): from_microseconds(at) for asset, at in stored.get("mark_times", {}).items()
            },
            health=read_health(stored.get("health")),
            marked_at=from_microseconds(stored["marked_at"]) if stored.get("marked_at") else None,
            problem=str(stored.get("problem", "")),
            window=read_window(stored["window"]) if stored.get("window") else OPEN,
            cancels_on_halt=stored.get("cancel_on_halt") is not False,
            switches=read_switch_facts(stored.get(SWITCHES)),
            switches_at=from_microseconds(stored[SWITCHES_AT]) if stored.get(SWITCHES_AT) else None,
            decides_itself=stored.get("decides_itself") is True,
            risk=read_risk(stored.get(RISK)),
            clock_skew_seconds=_seconds(stored.get("clock_skew")),
            prompts_per_hour=stored.get("prompts_per_hour"),
            cycle=_cycle(stored.get("cycle_took")),
        )
    except (ValueError, AttributeError, TypeError, KeyError):
        return EngineFacts()


def _cycle(stored: object) -> CycleFacts | None:
    if not isinstance(stored, list):
        return None
    seconds, slowest, its = stored
    return CycleFacts(parse_decimal(seconds), str(slowest), parse_decimal(its))


def _money(text: object) -> Pusd | None:
    return None if text is None else Pusd(parse_decimal(text))


def _seconds(text: object) -> Decimal | None:
    return None if text is None else parse_decimal(text)


class Publisher:
    """Collects the facts after each cycle and fill; the lease's thread writes them with its next beat."""

    def __init__(
        self,
        desk: "AccountDesk",
        books: "AccountBooks",
        window: Callable[[], Window] = lambda: OPEN,
        always: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """`always` is published from the first beat on, whatever is collected."""
        self._always = always
        self._window = window
        self._desk = desk
        self._books = books
        self._facts: dict[str, object] = {}
        self._lock = Lock()

    def collect(self, now: datetime, problem: str | None) -> None:
        """Look at desk and books once."""
        with self._lock:
            self._facts = self._collected(now, problem)

    def _collected(self, now: datetime, problem: str | None) -> dict[str, object]:
        health, marks = self._books.health, self._books.marks.by_asset
        facts: dict[str, object] = {
            "cash_pusd": self._desk.cash_pusd(),
            "equity_pusd": self._desk.equity_pusd(self._desk.portfolio()) if health is None else None,
            "marks": {asset: mark.price for asset, mark in marks.items()},
            "mark_times": {asset: mark.at for asset, mark in marks.items()},
            "marked_at": now,
            "problem": problem or "",
            "window": self._window().as_dict(),
            "clock_skew": self._desk.clock_facts()[0],
            RISK: self._desk.risk(),
        }
        if health is not None:
            facts["equity_pusd"] = health.equity_pusd
            facts["day"], facts["day_result_pusd"] = health.day, health.day_result_pusd
            facts["health"] = health_fact(health)
        return facts

    def facts(self) -> Mapping[str, object]:
        return {**self._always, **self._facts}
