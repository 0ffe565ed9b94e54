"""One history with real processes: what a scenario acts on, and how everything is put right afterwards."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import DatabaseError
from polyb0t.execution.intents import TradeIntent
from polyb0t.runtime.agreement import OPEN_SECONDS
from tests.faults.exchange import FUNDING
from tests.faults.judge import Judge, Verdict
from tests.faults.real.children import Child
from tests.faults.real.exchange import PURSE, Ledger
from tests.faults.real.home import SCOPE, TRIES, Home, StuckError, Times, eventually, pause
from tests.faults.real.seen import seen
from tests.faults.real.shapes import SHAPES, Build
from tests.faults.real.strike import Deed, Plan

Fate = Literal["filled", "cancelled", "left"]
FATES: Final[tuple[Fate, ...]] = ("filled", "cancelled", "left")


@dataclass(frozen=True, slots=True)
class Passed:
    """A point that a process came to. `locked`: it was in a write transaction."""

    number: int
    label: str
    locked: bool
    struck: bool


@dataclass
class RealHistory:
    """`faults` are what struck, in their order; the rest is what the judge has to know."""

    folder: Path
    url: str
    times: Times
    random: Random
    shape: str
    home: Home = field(init=False)
    intent: TradeIntent = field(init=False)
    faults: list[str] = field(default_factory=list)
    at: int | str | None = None  # the number or name of the point at which something happens
    pusd_given: int = PURSE - FUNDING  # the judge counts from the other suite's purse
    winners: int = 0
    sends_allowed: int | None = None
    must_trip: bool = False
    ends_by_strike: bool = True  # a kill and a stop do, a full disk does not
    sent_before: int = 0  # orders of what had to be bought first
    _plans: int = 0
    _cancelled_by_person: int = 0

    def __post_init__(self) -> None:
        self.home = Home(
            self.folder, self.url, self.times, self.random.randrange(1 << 30), SHAPES[self.shape].moves
        )

    # -- steps of a scenario -------------------------------------------------------------------

    def begin(self, deed: Deed = "none", *more: str) -> Child:
        """The trade proposed and the engine up: all that has to be there before the approval."""
        first = SHAPES[self.shape].first
        if first is not None:
            self._buy(first)
        self.intent = self._propose(SHAPES[self.shape].build)
        return self.home.start_engine(self.plan(deed, intent=self.intent.id), *more)

    def _propose(self, build: Build) -> TradeIntent:
        intent = build(Ledger(self.home.exchange_folder), SystemClock(), str(SCOPE))
        self.home.propose(intent)
        return intent

    def _buy(self, build: Build) -> None:
        """What is to be sold later, by an engine that ends before anything goes wrong."""
        bought, self.sent_before = self._propose(build), 1
        engine = self.home.start_engine()
        self.approve(bought.id)
        eventually(_slowly(self.home.at_rest), within=30 + 60 / self.times.factor, what="what is to be sold")
        self.home.end(engine)

    def plan(self, deed: Deed, *, intent: str | None = None, at: int | None = None) -> Plan:
        self._plans += 1
        where: Literal["execute", "reconcile"] = "execute" if intent is not None else "reconcile"
        return Plan(
            self.folder / f"passed-{self._plans}", where, self.at if at is None else at, deed, intent=intent
        )

    def passed(self, number: int = 1) -> list[Passed]:
        """The points that the process of plan `number` came to."""
        path = self.folder / f"passed-{number}"
        rows = path.read_text().splitlines() if path.exists() else []
        split = [row.split("\t") for row in rows]
        return [Passed(int(n), label, locked == "1", struck == "1") for n, label, locked, struck in split]

    def struck(self, number: int = 1) -> Passed | None:
        return next((point for point in self.passed(number) if point.struck), None)

    def approve(self, intent_id: str | None = None, **more: str) -> Child:
        """By a person at a terminal."""
        child = self.home.command("intents", "approve", intent_id or self.intent.id, "--yes", "--no-wait")
        if child.code != 0:
            raise StuckError(f"not approved: {child.output[-400:]}")
        return child

    def wait_for_strike(self, engine: Child) -> Passed | None:
        """Until the point was reached, or the intent has come to its end without."""
        ends = ("EXECUTED", "FAILED", "EXPIRED", "REJECTED")
        # The intent is asked about rarely: each look costs a connection.
        due = time.monotonic()

        def over() -> bool:
            nonlocal due
            if engine.look().stopped or engine.code is not None or self.struck() is not None:
                return True
            if time.monotonic() < due:
                return False
            due = time.monotonic() + 0.5
            return self.home.status_of(self.intent.id) in ends

        eventually(over, within=30 + 60 / self.times.factor, what="the point or the intent's end")
        if engine.stopped or engine.code is not None or self.struck() is not None:
            eventually(
                lambda: engine.look().stopped or engine.code is not None or not self.ends_by_strike,
                within=10,
                what="the strike",
            )
        point = self.struck()
        if point is not None:
            self.faults.append(f"{point.label} ({point.number})")
        return point

    def wait_for_answer(self) -> None:
        """Until what was approved has been sent and answered, or cannot be any more."""
        within = 20 + 60 / self.times.factor
        eventually(_slowly(lambda: self.home.answered(self.intent.id)), within=within, what="an answer")

    def struck_on_the_line(self, name: str) -> None:
        """Noted only if the exchange has done it."""
        rules = self.home.panel.ask("GET", "/sandbox/faults")["faults"]
        page = not rules and not self.home.panel.ask("GET", "/sandbox/page")["waiting"]
        if page or any(rule["struck"] for rule in rules):
            self.faults.append(name)

    # -- to rest -------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """Faults are over, an engine runs, time passes; resting orders are filled or cancelled or left."""
        if not self.home.exchange.running:
            self.home.start_exchange()
        self.home.panel.mend()
        self.home.panel.ask("PUT", "/sandbox/venue", {"mode": "normal"})
        self._one_engine()
        within = 40 + 130 / self.times.factor
        with suppress(StuckError):  # what is not proven by then is counted as open
            self._rest(within)
            self._look_again(within)
            if self._resting():
                self._decide(self.random.choice(FATES))
                pause(OPEN_SECONDS + 2)
                self._rest(within)
        for child in self.home.children:
            if child is not self.home.exchange and child.running:
                self.home.end(child)
        self.home.end(self.home.exchange)

    def _rest(self, within: float) -> None:
        def rested() -> bool:
            self._one_engine()
            return self.home.at_rest()

        eventually(_slowly(rested), within=within, what="rest")

    def _look_again(self, within: float) -> None:
        """What rests here may be over there; an engine asks every few seconds."""
        if self._resting():
            pause(OPEN_SECONDS + 2)
            self._rest(within)

    def _one_engine(self) -> None:
        for child in self.home.children:
            if child.name.startswith("engine") and child.running:
                child.go_on()
                return
        self.home.start_engine()

    def _resting(self) -> bool:
        return bool(self.home.rows("SELECT 1 FROM orders WHERE status = 'LIVE'"))

    def _decide(self, fate: Fate) -> None:
        if fate == "filled":
            self.home.panel.ask("POST", "/sandbox/house", {})
        elif fate == "cancelled":
            before = len(Ledger(self.home.exchange_folder).cancels)
            self.home.command("orders", "cancel-all")
            self._cancelled_by_person = len(Ledger(self.home.exchange_folder).cancels) - before

    # -- judged --------------------------------------------------------------------------------

    def judge(self) -> Verdict:
        """From what the exchange's process and the database left behind, and from nothing else."""
        told = {
            "winners": self.winners,
            "sends_allowed": self.sends_allowed,
            "must_trip": self.must_trip,
            "pusd_given": self.pusd_given,
            "faults": self.faults,
        }
        ledger = Ledger(self.home.exchange_folder)
        for _ in range(TRIES):  # a busy machine may be too slow for a transaction of the judge's
            with (
                suppress(DatabaseError),
                seen(self.home.stores(), ledger, self._cancelled_by_person, **told) as history,
            ):
                return Judge(history).judge()
        raise StuckError("the database could not be read")


def _slowly(look: Any) -> Any:
    """A look that costs a connection, twice a second."""
    due = 0.0

    def looked() -> bool:
        nonlocal due
        if time.monotonic() < due:
            return False
        due = time.monotonic() + 0.5
        return bool(look())

    return looked
