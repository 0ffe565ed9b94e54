"""One pass: observe, decide, propose, expire, reconcile. Short stages that take and return values.

A stage that fails is logged with its traceback, counted and shown; the others still run, the safety
stages always. No venue call happens inside a transaction.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import LeaseLostError, PolybotError
from polyb0t.data.account_state import AccountState, AccountStateProvider
from polyb0t.execution.intents import IntentManager
from polyb0t.execution.proposing import Frame, opening_intent
from polyb0t.execution.store import Denied, Lease, Stores
from polyb0t.models.chances import Candidate, NearMiss
from polyb0t.models.opening import Openings
from polyb0t.models.portfolio import FillKey
from polyb0t.models.proposal import decide_openings
from polyb0t.models.signals import MarketState, ProbabilityModel
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.desk import AccountDesk
from polyb0t.runtime.snapshots import Snapshots
from polyb0t.runtime.watching import MarketWatch

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one pass took and found; durations in seconds by stage."""

    number: int
    seconds: float
    stages: dict[str, float]
    failed: dict[str, str]  # stage -> why, one sentence
    proposed: int
    near_misses: tuple[NearMiss, ...]
    errors: Mapping[str, PolybotError] = field(default_factory=dict)  # of `failed`, where we know more


@dataclass
class _Pass:
    """The notes of one pass while it runs."""

    number: int
    stages: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, PolybotError] = field(default_factory=dict)
    proposed: int = 0
    openings: Openings | None = None


@dataclass(frozen=True, slots=True)
class CycleParts:
    """What a cycle works with; `wake_executor` is called when something may be due."""

    stores: Stores
    lease: Lease
    clock: Clock
    watch: MarketWatch
    account: AccountStateProvider
    desk: AccountDesk
    model: ProbabilityModel
    manager: IntentManager
    frame: Callable[[], Frame]
    agreement: Agreement
    snapshots: Snapshots
    wake_executor: Callable[[], None]
    takes_orders: Callable[[], bool] = lambda: True  # the exchange, as far as its answers have told
    propose_exits: Callable[[], int] = int  # how many it proposed
    propose_cancels: Callable[[], int] = int
    propose_claims: Callable[[], int] = int
    remember: Callable[[], None] = lambda: None  # prices, for a model that needs their past
    record: Callable[[], None] = lambda: None  # hand over what was seen
    refresh_books: Callable[[AccountState, frozenset[FillKey]], None] = lambda _state, _settled: None
    read_movements: Callable[[], None] = lambda: None  # what moved the wallet besides our orders
    watch_switches: Callable[[], None] = lambda: None  # measure, and trip what has to trip
    watch_coherence: Callable[[], None] = lambda: None  # prices that contradict each other
    watch_outside: Callable[[], None] = lambda: None  # probabilities of others that were read
    decide_by_itself: Callable[[], object] = lambda: None  # a paper run's own approvals
    compare_fees: Callable[[AccountState], None] = lambda _state: None
    price_proposals: Callable[[], None] = lambda: None  # what those are worth that were proposed once
    tell_openings: Callable[[Openings], None] = lambda _openings: None  # as each cycle decided


class Cycle:
    """`run` is called by the scheduler, one at a time."""

    def __init__(self, parts: CycleParts) -> None:
        self._parts = parts
        self._number = 0
        self.begin_now: Callable[[], None] = lambda: None  # set by who runs it: the next one, without waiting
        self.last: CycleReport | None = None

    def run(self) -> CycleReport:
        self._number += 1
        note = _Pass(self._number)
        structlog.contextvars.bind_contextvars(cycle=self._number)
        started = self._parts.clock.boot_seconds()
        with self._stage(note, "markets"):
            self._parts.watch.refresh()
        with self._stage(note, "books"):
            self._parts.watch.read_books()
            self._parts.remember()
            self._parts.record()
        with self._stage(note, "account"):
            self._observe_account()
        with self._stage(note, "movements"):
            self._parts.read_movements()
        with self._stage(note, "expire"):
            self._expire()
        with self._stage(note, "reconcile"):
            self._parts.agreement.compare_when_due()
        with self._stage(note, "switches"):
            self._parts.watch_switches()
        with self._stage(note, "decide"):
            # Where it is not known what should have tripped, nothing new is opened.
            note.openings = self._decide() if "switches" not in note.failed else None
        with self._stage(note, "propose"):
            note.proposed = self._propose(note.openings)
        with self._stage(note, "coherence"):
            self._parts.watch_coherence()
        with self._stage(note, "outside"):
            self._parts.watch_outside()
        with self._stage(note, "exits"):
            note.proposed += self._parts.propose_exits()
        with self._stage(note, "claims"):
            note.proposed += self._parts.propose_claims()
        with self._stage(note, "cancels"):
            note.proposed += self._parts.propose_cancels()
        with self._stage(note, "snapshot"):
            self._parts.snapshots.save()
            self._parts.price_proposals()
        with self._stage(note, "approve"):
            self._parts.decide_by_itself()
        self._parts.wake_executor()
        self.last = self._report(note, self._parts.clock.boot_seconds() - started)
        log.info("cycle.finished", seconds=round(self.last.seconds, 3), stages=_rounded(note.stages))
        return self.last

    def look_at_account(self) -> AccountState:
        """Read the account now: each cycle, and when a fill has changed what the balance should be."""
        settled = self._parts.desk.settled()
        state: AccountState = self._parts.account.read()
        self._parts.desk.observe(state, settled)
        self._parts.refresh_books(state, settled)
        return state

    def _observe_account(self) -> None:
        state = self.look_at_account()
        self._parts.snapshots.observe(state)
        self._parts.compare_fees(state)

    def _expire(self) -> None:
        for record in self._parts.stores.intents.expire_due(self._parts.lease):
            log.info("intent.expired", intent_id=record.id)

    def _decide(self) -> Openings:
        """Estimates and sizes for every watched market. Pure but for reading the desk."""
        desk = self._parts.desk.desk()
        states: list[MarketState] = self._parts.watch.states(desk.now)
        answers = self._parts.model.estimate_all(states)
        openings = decide_openings(map(Candidate, states, answers), desk)
        self._parts.tell_openings(openings)
        return openings

    def _propose(self, openings: Openings | None) -> int:
        """Write what is worth a person's minute. Nothing new while the venue and we disagree, or while
        it takes no orders."""
        if openings is None or not self._parts.agreement.agreed or not self._parts.takes_orders():
            return 0
        self._parts.watch.note_funnel(openings, self._parts.stores.engine, self._parts.lease)
        proposed = 0
        for proposal in openings.proposals:
            intent = opening_intent(proposal, self._parts.frame())
            answer = self._parts.manager.propose(intent, self._parts.lease)
            if isinstance(answer, Denied):
                log.info("intent.not_proposed", code=answer.code, question=proposal.market.question)
                continue
            proposed += 1
            log.info("intent.proposed", intent_id=answer.id, asset_id=intent.asset_id)
        return proposed

    @contextmanager
    def _stage(self, note: _Pass, name: str) -> Iterator[None]:
        """Time a stage; its failure ends that stage, not the pass. A lost lease ends everything."""
        started = self._parts.clock.boot_seconds()
        try:
            yield
        except LeaseLostError:
            raise
        except PolybotError as error:
            note.failed[name] = error.what
            note.errors[name] = error
            log.warning("stage.failed", stage=name, reason=str(error))
        except Exception:
            note.failed[name] = "An error of the program; the log has it."
            log.exception("stage.crashed", stage=name)
        finally:
            note.stages[name] = self._parts.clock.boot_seconds() - started

    def _report(self, note: _Pass, seconds: float) -> CycleReport:
        misses = note.openings.near_misses if note.openings else ()
        return CycleReport(note.number, seconds, note.stages, note.failed, note.proposed, misses, note.errors)


def _rounded(stages: dict[str, float]) -> dict[str, float]:
    return {name: round(seconds, 3) for name, seconds in stages.items()}
