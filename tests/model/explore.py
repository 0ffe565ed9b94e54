"""Every interleaving of a small scope, to the end; the shortest history that breaks a promise."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.orders import OrderStatus
from tests.model.engine import engine_steps
from tests.model.rules import Promise
from tests.model.state import ENDED, At, World
from tests.model.steps import Model, Step, broken_books, surroundings


@dataclass(slots=True)
class Exploration:
    """What was found. `complete`: no state was left out."""

    states: int = 0
    complete: bool = False
    histories: dict[Promise, tuple[str, ...]] = field(default_factory=dict)
    intent_moves: set[tuple[IntentStatus, IntentStatus]] = field(default_factory=set)
    order_moves: set[tuple[OrderStatus | None, OrderStatus]] = field(default_factory=set)


def steps(world: World, model: Model) -> Iterator[Step]:
    return chain(surroundings(world, model), engine_steps(world, model, 0), engine_steps(world, model, 1))


def explore(model: Model, *, until: Promise | None = None, most: int = 5_000_000) -> Exploration:
    """Breadth first, so that the first history found for a promise is a shortest one.

    With `until` it stops at the first history that breaks that promise.
    """
    start = World()
    came: dict[World, tuple[World, str] | None] = {start: None}
    queue = deque([start])
    found = Exploration()
    while queue and len(came) < most:
        world = queue.popleft()
        for label, after, broken in steps(world, model):
            _note_moves(found, world, after)
            new = after not in came  # of what has been reached before, the books have been judged
            promise = broken or (broken_books(after, model) if new else None)
            if promise is not None:
                found.histories.setdefault(promise, (*_history(came, world), label))
                if promise is until:
                    found.states = len(came)
                    return found
                if until is None:
                    continue  # what is broken is not explored further
            if new:
                came[after] = (world, label)
                if not _at_rest(after, model):
                    queue.append(after)
    found.states, found.complete = len(came), not queue
    return found


def _at_rest(world: World, model: Model) -> bool:
    """Nothing can happen any more that could break a promise."""
    quiet = all(engine.at is At.IDLE and engine.reads is None for engine in world.engines)
    may_return = world.backup is not None and not world.restored
    closed = world.order is None or not _open(world)
    return (
        quiet
        and not world.network
        and world.intent in ENDED
        and closed
        and not may_return
        and not world.looking
    )


def _open(world: World) -> bool:
    return world.order is not None and world.order.status in (
        OrderStatus.SIGNED,
        OrderStatus.UNKNOWN,
        OrderStatus.ABSENT,
    )


def _note_moves(found: Exploration, before: World, after: World) -> None:
    if after.restored is not before.restored:
        return  # a restore moves nothing: it puts other rows there
    if before.intent is not after.intent:
        found.intent_moves.add((before.intent, after.intent))
    if before.order is not after.order and after.order is not None:
        old = before.order.status if before.order is not None else None
        if old is not after.order.status:
            found.order_moves.add((old, after.order.status))


def _history(came: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    labels: list[str] = []
    while (step := came[world]) is not None:
        world, label = step
        labels.append(label)
    return tuple(reversed(labels))
