"""What the engine knows right now, published in its own row so that every other process can show it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, parse_decimal
from polyb0t.data.windows import OPEN, Window, read_window
from polyb0t.execution.store import EngineStore, Lease, LeaseInfo
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.portfolio import DayMark, Portfolio, day_mark, day_result
from polyb0t.runtime.switch_facts import SWITCHES, SWITCHES_AT, SwitchFact, read_switch_facts

if TYPE_CHECKING:  # readers of the row, each command among them, do not pay for the engine
    from polyb0t.runtime.desk import AccountDesk
    from polyb0t.runtime.watching import MarketWatch

DAY_OPENED = "day.opened"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """As another process reads them. None: the engine does not know it either.

    `marks` are the bids of what is held, in pUSD per share.
    """

    cash_pusd: Pusd | None = None
    equity_pusd: Pusd | None = None
    day: str = ""  # the UTC day of `day_result_pusd`
    day_result_pusd: Pusd | None = None
    marks: Mapping[AssetId, Price] = field(default_factory=dict)
    marked_at: datetime | None = None
    problem: str = ""  # what stops proposing or sending, in one sentence
    window: Window = OPEN  # whether the exchange takes orders
    switches: Mapping[KillSwitchType, SwitchFact] = field(default_factory=dict)  # at `switches_at`
    switches_at: datetime | None = None
    decides_itself: bool = False  # a paper run that asks nobody


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
            marked_at=from_microseconds(stored["marked_at"]) if stored.get("marked_at") else None,
            problem=str(stored.get("problem", "")),
            window=read_window(stored["window"]) if stored.get("window") else OPEN,
            switches=read_switch_facts(stored.get(SWITCHES)),
            switches_at=from_microseconds(stored[SWITCHES_AT]) if stored.get(SWITCHES_AT) else None,
            decides_itself=stored.get("decides_itself") is True,
        )
    except (ValueError, AttributeError, TypeError):
        return EngineFacts()


def _money(text: object) -> Pusd | None:
    return None if text is None else Pusd(parse_decimal(text))


class DayBook:
    """Equity at the first look of each UTC day, kept in the journal so that a restart does not forget it."""

    def __init__(self, engine: EngineStore, lease: Lease) -> None:
        self._engine = engine
        self._lease = lease
        self._mark: DayMark | None = None

    def result(self, equity: Pusd, now: datetime) -> tuple[str, Pusd]:
        """The UTC day and what it brought so far.

        Raises:
            DatabaseError: the day's mark could not be read or written.
        """
        if self._mark is None:
            self._mark = self._stored(now)
        mark = day_mark(self._mark, equity, now)
        if mark != self._mark:
            self._engine.note(
                self._lease,
                kind=DAY_OPENED,
                subject=mark.day,
                payload={"equity_pusd": mark.equity_pusd},
                actor="engine",
            )
            self._mark = mark
        return mark.day, day_result(mark, equity)

    def _stored(self, now: datetime) -> DayMark | None:
        today = now.date().isoformat()
        for entry in self._engine.journal(subject=today, limit=1):
            if entry.kind == DAY_OPENED:
                return DayMark(today, Pusd(parse_decimal(json.loads(entry.payload)["equity_pusd"])))
        return None


class Publisher:
    """Collects the facts after each cycle and fill; the lease's thread writes them with its next beat."""

    def __init__(
        self,
        desk: "AccountDesk",
        watch: "MarketWatch",
        days: DayBook,
        window: Callable[[], Window] = lambda: OPEN,
        always: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        """`always` is published from the first beat on, whatever is collected."""
        self._always = always
        self._window = window
        self._desk = desk
        self._watch = watch
        self._days = days
        self._facts: dict[str, object] = {}
        self._lock = Lock()

    def collect(self, now: datetime, problem: str | None) -> None:
        """Look at the desk once; one caller at a time, so that a day is opened once."""
        with self._lock:
            self._facts = self._collected(now, problem)

    def _collected(self, now: datetime, problem: str | None) -> dict[str, object]:
        portfolio = self._desk.portfolio()
        equity = self._desk.equity_pusd(portfolio)
        facts: dict[str, object] = {
            "cash_pusd": self._desk.cash_pusd(),
            "equity_pusd": equity,
            "marks": self._marks(portfolio),
            "marked_at": now,
            "problem": problem or "",
            "window": self._window().as_dict(),
        }
        if equity is not None:
            facts["day"], facts["day_result_pusd"] = self._days.result(equity, now)
        return facts

    def facts(self) -> Mapping[str, object]:
        return {**self._always, **self._facts}

    def _marks(self, portfolio: Portfolio) -> dict[str, Price]:
        bids = {position.asset_id: self._watch.bid(position.asset_id) for position in portfolio.held()}
        return {asset: bid for asset, bid in bids.items() if bid is not None}
