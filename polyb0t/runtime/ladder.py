"""The ladder from practice to real money: which gate comes next, what is done for it and what is left.

Two gates are kept here, before anything is signed: real money needs a budget, and a start that nobody sees
needs the phase of small orders behind it. The others are kept where their work is done: the preflight,
the test order (`identity_unproven`), the size of the first orders (`small_orders`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.core.units import Pusd
from polyb0t.execution.scope import Regime
from polyb0t.execution.small_orders import phase_of
from polyb0t.execution.store import Stores
from polyb0t.models.usage import SmallOrders
from polyb0t.models.wording import coarse, money
from polyb0t.runtime.choices import limit_settings, regime_of
from polyb0t.runtime.doctor_database import COPIED, OLD_BACKUP_SECONDS
from polyb0t.runtime.doctor_database import NAME as DATABASE
from polyb0t.runtime.proofs_check import proven_exchanges
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.environment import EXCHANGES

PRACTISED: Final = 10  # decisions of a person before the next rung
_COPY: Final = "polyb0t db backup FILE, each day"
_PEOPLE: Final = ("user:", "token:")


class Rung(StrEnum):
    """Where one climbs to next."""

    PAPER = "paper, on real prices with money that nobody has"
    DRY_RUN = "a dry run on the real exchange"
    FIRST_ORDER = "the first real order"
    UNATTENDED = "a week without anybody watching"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the next rung asks for. `how` is what to do while it is not done."""

    what: str
    done: bool
    how: str


@dataclass(frozen=True, slots=True)
class Climb:
    """The next rung and its steps, those that the program keeps among them."""

    rung: Rung
    steps: tuple[Step, ...]

    @property
    def lines(self) -> list[str]:
        """For the engine's screen: what is left to do, then what was checked."""
        left = [step for step in self.steps if not step.done]
        done = ", ".join(step.what for step in self.steps if step.done)
        head = f"Next on the ladder: {self.rung.value}."
        told = [f"{head} Left to do:" if left else f"{head} Nothing is left to do for it."]
        told += [f"  {step.what}: {step.how}" for step in left]
        return [*told, f"  done: {done}"] if done else told


def next_climb(settings: Settings, around: Surroundings, stores: Stores) -> Climb:
    """What this account has before it.

    Raises:
        DatabaseError: the records could not be read.
    """
    regime = regime_of(settings)
    if around.environment.is_sandbox:
        return _to_paper(stores)
    if regime is Regime.PAPER:
        return Climb(Rung.DRY_RUN, (_decided(stores, regime), _by_hand(settings)))
    if regime is Regime.DRY_RUN:
        return Climb(Rung.FIRST_ORDER, _first_order(settings, around, stores, regime))
    phase = _phase(settings, stores)
    if phase.active or len(proven_exchanges(around, stores)) < len(EXCHANGES):
        return Climb(Rung.FIRST_ORDER, _first_order(settings, around, stores, regime))
    return Climb(Rung.UNATTENDED, _unattended(settings, stores, phase))


def require_gates(settings: Settings, stores: Stores, *, attended: bool) -> None:
    """Before real money: what no setting may pass over.

    Raises:
        ConfigurationError: `no_budget`. ConflictError: `not_unattended_yet`.
    """
    if settings.budget_pusd is None:
        raise ConfigurationError(
            "Not started: no budget is set, and real money needs one.",
            why="POLYBOT_BUDGET_PUSD is the most of the wallet that is ever used, losses counted.",
            do="Set it, for example POLYBOT_BUDGET_PUSD=500, or let it be written: polyb0t init",
            code="no_budget",
        )
    phase = _phase(settings, stores)
    if phase.active and not attended:
        raise ConflictError(
            "Not started: the first orders with real money need somebody who watches.",
            why=f"Nobody sits at this start, and so far {phase.words}.",
            do="Start it in a terminal: polyb0t run --live --no-dry-run",
            code="not_unattended_yet",
        )


def _to_paper(stores: Stores) -> Climb:
    dry, practised = _count(stores, Regime.DRY_RUN), _count(stores, Regime.LIVE)
    return Climb(
        Rung.PAPER,
        (
            Step("decisions in a dry run", dry > 0 or practised > 0, "make run, then make watch"),
            Step(f"{PRACTISED} decisions with practice money", practised >= PRACTISED, _so_far(practised)),
        ),
    )


def _by_hand(settings: Settings) -> Step:
    return Step(
        "you decide, not the engine", not settings.paper_auto_approve, "POLYBOT_PAPER_AUTO_APPROVE=false"
    )


def _decided(stores: Stores, regime: Regime) -> Step:
    made = _count(stores, regime)
    return Step(f"{PRACTISED} decisions of your own", made >= PRACTISED, _so_far(made))


def _so_far(made: int) -> str:
    return f"{made} so far; polyb0t intents watch"


def _first_order(
    settings: Settings, around: Surroundings, stores: Stores, regime: Regime
) -> tuple[Step, ...]:
    proven, phase = proven_exchanges(around, stores), _phase(settings, stores)
    budget = settings.budget_pusd
    steps = [
        _decided(stores, regime),
        Step(
            "a budget" if budget is None else f"a budget of {money(Pusd(budget))} pUSD",
            budget is not None,
            "POLYBOT_BUDGET_PUSD",
        ),
        Step(
            f"the test order on {len(proven)} of {len(EXCHANGES)} exchanges",
            len(proven) == len(EXCHANGES),
            "polyb0t doctor --live, then polyb0t doctor --test-order",
        ),
    ]
    if regime is Regime.LIVE:
        steps.append(Step("the small orders", not phase.active, f"{phase.words}; stay with it"))
    return tuple(steps)


def _unattended(settings: Settings, stores: Stores, phase: SmallOrders) -> tuple[Step, ...]:
    notify = settings.notify_command is not None
    standing = {record.standing.opening_id for record in stores.standing.active()}
    return (
        Step(f"the small orders ({phase.agreed} agree)", done=True, how=""),
        _backup(stores),
        Step("a command that hears of events", notify, "POLYBOT_NOTIFY_COMMAND"),
        Step(
            "exits approved in advance",
            bool(standing),
            "polyb0t positions protect ID, or approve --with-exits",
        ),
        Step("the claims process", stores.engine.lease_info("claims") is not None, "polyb0t claims run"),
    )


def _backup(stores: Stores) -> Step:
    entry = stores.engine.latest_entry(DATABASE)
    if entry is None or entry.kind != COPIED:
        return Step("a backup", done=False, how=_COPY)
    age = (stores.intents.now() - entry.at).total_seconds()
    return Step(f"a backup, {coarse(age)} old", age < OLD_BACKUP_SECONDS, _COPY)


def _phase(settings: Settings, stores: Stores) -> SmallOrders:
    lists = limit_settings(settings, Regime.LIVE)
    return phase_of(stores, needed=lists.small_orders, most_pusd=lists.small_order_pusd)


def _count(stores: Stores, regime: Regime) -> int:
    """Decisions of people, of the newest thousand proposals."""
    return sum(
        record.intent.regime is regime and (record.decided_by or "").startswith(_PEOPLE)
        for record in stores.intents.list(limit=1_000)
    )
