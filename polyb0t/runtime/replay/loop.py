"""The loop of a replay, in event time: the next cycle, or a decision of the person that falls due first.

Nothing is looked at ahead of its time. Where the history is silent no engine could have run, so the time
is skipped as if the machine had slept through it, and counted.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.fills import Fill
from polyb0t.execution.intents import IntentStatus
from polyb0t.models.portfolio import FillKey, fill_key
from polyb0t.runtime.replay.clock import SimulatedClock
from polyb0t.runtime.replay.funnel import Funnel
from polyb0t.runtime.replay.hand import Hand
from polyb0t.runtime.replay.records import Decisions, EquityCurve, Worth
from polyb0t.runtime.replay.timeline import Timeline
from polyb0t.runtime.replay.wiring import ReplayEngine


@dataclass
class Loop:
    """One replay, from where the clock stands to `until_us`."""

    engine: ReplayEngine
    timeline: Timeline
    clock: SimulatedClock
    hand: Hand
    decisions: Decisions
    equity: EquityCurve
    funnel: Funnel
    every_us: int
    until_us: int
    tell: Callable[[int, int], None] = lambda _at_us, _fills: None  # after each cycle, to somebody who waits
    cycles: int = 0
    silences: int = 0  # times in which nobody looked, and no engine ran
    silent_us: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    grades: set[str | None] = field(default_factory=set)  # of the books behind the fills; None: the history's
    _tick_us: int = 0
    _asleep: bool = False
    _fills: tuple[Fill, ...] = ()
    _filled: set[FillKey] = field(default_factory=set)
    _payments: int = 0
    _tripped: frozenset[str] = frozenset()

    def run(self) -> None:
        """To the end.

        Raises:
            PolybotError and whatever else went wrong in carrying out an order: a replay that goes on after
            that would show a result of nobody knows what.
        """
        self._tick_us = self.clock.now_us
        self._reach(self._tick_us)
        self.engine.agreement.compare()
        # At `until` nothing is begun any more: nobody is there to decide what a cycle would propose then.
        while (due_us := self._next_us()) < self.until_us:
            self._reach(due_us)
            if due_us < self._tick_us:
                self._word()
            elif self.timeline.silent:
                self._skip()
            else:
                self._cycle()
        self._reach(self.until_us)
        if not self.timeline.silent:
            self.engine.watch.read_books()
        self.engine.agreement.compare()
        self._last_look()

    def _next_us(self) -> int:
        word = self.hand.next_us
        return self._tick_us if word is None else min(word, self._tick_us)

    def _reach(self, instant_us: int) -> None:
        self.clock.move_to(instant_us)
        self.timeline.advance(self.clock.now_us)

    def _word(self) -> None:
        if self.hand.decide(self.clock.now_us):
            self._execute()

    def _cycle(self) -> None:
        self._asleep = False
        report = self.engine.cycle.run()
        self.cycles += 1
        self.funnel.looked(self.engine.watch.universe)
        for stage, why in report.failed.items():
            self.failed[f"{stage}: {why}"] += 1
        self._execute()
        waiting = self.engine.stores.intents.list(statuses=(IntentStatus.PENDING,), limit=None)
        for record in self.hand.ask(waiting):
            self.decisions.intent(record)
        self._note()
        self._measure()
        if self.equity.due:
            self.equity.seen(self.worth())
        self._tick_us = max(self._tick_us + self.every_us, self.clock.now_us)
        self.tell(self.clock.now_us, len(self._fills))

    def _skip(self) -> None:
        """To the next word of the history, to the next payment, or to the end."""
        self._pay()
        next_us = self.timeline.next_us
        words = [self.until_us + 1 if next_us is None else next_us, *self._unpaid()]
        awake_us = max(min(words), self.clock.now_us + 1)
        self.silences += not self._asleep
        self._asleep = True
        self.silent_us += min(awake_us, self.until_us) - self.clock.now_us
        word_us = self.hand.next_us
        if word_us is None or word_us > awake_us:
            self.clock.skip_to(min(awake_us, self.until_us))
        self._tick_us = awake_us

    def _pay(self) -> None:
        """What ended markets pay comes also while no engine looks."""
        if self.engine.paper.keeper.pay_out():
            self.engine.cycle.look_at_account()
            self._note()
            self.equity.seen(self.worth())

    def _execute(self) -> None:
        """Carry out what is approved, one after the other; each takes its time on the way."""
        self.engine.dispatcher.run_due(trading=self.engine.agreement.agreed)
        if self.engine.crashes.errors:
            raise self.engine.crashes.errors[0]
        if self._note_fills():
            self.engine.cycle.look_at_account()  # as a running engine does when a fill was stored

    def _note(self) -> None:
        self._note_fills()
        self._note_payments()
        self._note_switches()

    def _note_fills(self) -> int:
        """How many are new."""
        fills = self.engine.stores.orders.fills()
        if fills is self._fills:  # the store hands the same tuple out while nothing changed
            return 0
        new = [fill for fill in fills if fill_key(fill) not in self._filled]
        self.decisions.fills(new)
        self.grades.update(self.timeline.grade(fill.asset_id) for fill in new)
        self._filled.update(map(fill_key, new))
        self._fills = fills
        return len(new)

    def _note_payments(self) -> None:
        booked = self.engine.stores.books.movements()
        for each in booked[self._payments :]:
            self.decisions.paid(each.movement.asset_id or "", each.movement.pusd)
        self._payments = len(booked)

    def _note_switches(self) -> None:
        states = {state.type.value: state for state in self.engine.stores.switches.list() if state.tripped}
        for name in sorted(states.keys() - self._tripped):
            self.decisions.switch(name, states[name].reason or "")
        self._tripped = frozenset(states)

    def _last_look(self) -> None:
        """The account at the end; then, with nothing traded any more, what ended markets still pay."""
        for paid_us in [self.clock.now_us, *self._unpaid()]:
            self._reach(paid_us)
            self.engine.paper.keeper.pay_out()
            self.engine.cycle.look_at_account()
            self._note()
            self._measure()
            self.equity.seen(self.worth())

    def _measure(self) -> None:
        health = self.engine.books.health
        self.equity.fell(None if health is None else health.drawdown_fraction)

    def _unpaid(self) -> list[int]:
        """When the ended markets pay of which something is held."""
        held = {position.condition_id for position in self.engine.desk.portfolio().held()}
        ends = (self.timeline.ended[condition] for condition in held if condition in self.timeline.ended)
        return sorted({end.paid_us for end in ends if end.paid_us > self.clock.now_us})

    def worth(self) -> Worth:
        """The account now."""
        portfolio = self.engine.paper.account.portfolio()
        held = portfolio.held()
        cost = Pusd(sum((position.cost for position in held), ZERO))
        return Worth(portfolio.cash, self.engine.books.marks.value(held), cost, len(held))
