"""What people, time, the network and the exchange may do next."""

from collections.abc import Iterator
from typing import NamedTuple

from polyb0t.execution.intents import IntentStatus as I
from polyb0t.execution.orders import OrderStatus as O
from tests.model.rules import Promise, Rule, Scope
from tests.model.state import (
    DEADLINE,
    LAG,
    NEGATIVE,
    OPEN_ORDER,
    TOLERANCE,
    TRADED,
    Answer,
    At,
    Backup,
    Engine,
    Order,
    Venue,
    World,
)


class Step(NamedTuple):
    """A label for people, the next world, and what is broken by it."""

    label: str
    world: World
    broken: Promise | None = None


class Model(NamedTuple):
    """The protocol without the rules that are `off`."""

    off: frozenset[Rule] = frozenset()
    scope: Scope = Scope.PLAIN
    horizon: int = 6
    crashes: int = 1

    def has(self, rule: Rule) -> bool:
        return rule not in self.off


def surroundings(world: World, model: Model) -> Iterator[Step]:
    """Everything but the engines."""
    if world.now < model.horizon:
        yield Step("time passes", world._replace(now=world.now + 1))
    yield from _people(world, model)
    match model.scope:
        case Scope.RESTORE:
            yield from _restoring(world, model)
        case Scope.STANDING:  # exits run although switches are tripped
            if not world.revoked:
                yield Step("anna takes it back", world._replace(revoked=True, valid=False))
        case _:
            yield from _switches(world, model)
    yield from _network(world, model)


def _people(world: World, model: Model) -> Iterator[Step]:
    now, intent = world.now, world.intent
    if model.has(Rule.DECIDE_IS_COMPARE_AND_SET):
        if intent is I.PENDING and now < DEADLINE and world.trips != 1 and not world.revoked:
            yield Step("anna approves", _approved(world, valid=True))
    elif world.looking:
        yield Step("anna's approval is written", _approved(world, valid=intent is I.PENDING))
    elif intent is I.PENDING and now < DEADLINE and world.trips != 1:
        yield Step("anna reads PENDING", world._replace(looking=True))
    if intent in (I.PENDING, I.APPROVED):
        yield Step("ben rejects", world._replace(intent=I.REJECTED, valid=False))
        if now >= DEADLINE:
            yield Step("it expires", world._replace(intent=I.EXPIRED, valid=False))
    if not model.has(Rule.CONTENT_IS_IMMUTABLE) and intent is I.APPROVED and not world.changed:
        yield Step("the content is changed", world._replace(changed=True))


def _approved(world: World, *, valid: bool) -> World:
    return world._replace(
        intent=I.APPROVED, valid=valid, looking=False, approved_epoch=world.epoch, changed=False
    )


def _switches(world: World, model: Model) -> Iterator[Step]:
    if world.trips == 0:
        waits = world.intent in (I.PENDING, I.APPROVED)
        tripped = world._replace(trips=1)
        if waits and model.has(Rule.TRIP_ENDS_WHAT_WAITS):
            tripped = tripped._replace(intent=I.REJECTED, valid=False)
        yield Step("a switch trips", tripped)
    elif world.trips == 1:
        yield Step("a person clears it", world._replace(trips=2))


def _restoring(world: World, model: Model) -> Iterator[Step]:
    if world.backup is None and world.intent in (I.PENDING, I.APPROVED):
        backup = Backup(world.intent, world.claim, world.order, world.approved_epoch)
        yield Step("a backup is taken", world._replace(backup=backup))
    stopped = all(engine.at is At.IDLE and engine.reads is None for engine in world.engines)
    if world.backup is None or world.restored or not stopped:
        return
    intent, claim, order, epoch = world.backup
    valid = world.valid
    if model.has(Rule.RESTORE_IS_ADOPTED):
        intent, valid = I.EXPIRED, False
        if model.has(Rule.IDENTITY_FOLLOWS_FROM_INTENT):  # else nobody knows what to look up
            order = Order(0, O.UNKNOWN, world.now, 0)
    yield Step(
        "the backup is restored",
        world._replace(
            restored=True,
            intent=intent,
            valid=valid,
            claim=claim,
            order=order,
            approved_epoch=epoch,
            engines=(Engine(), Engine()),
            holder=-1,
        ),
    )


def _network(world: World, model: Model) -> Iterator[Step]:
    for copy in dict.fromkeys(world.network):
        left = list(world.network)
        left.remove(copy)
        without = world._replace(network=tuple(left))
        yield Step("the network loses the request", without)
        if model.scope is Scope.PROXY and not world.duplicated:
            yield Step(
                "the network doubles the request",
                world._replace(network=(*world.network, copy), duplicated=True),
            )
        for answer, after, broken in _handle(without, copy.identity, copy.sent_at, model):
            yield Step(f"the exchange: {answer}; the reply is lost", after, broken)
            engine = after.engines[copy.engine]
            waits = (engine.at, engine.attempt, engine.identity) == (At.WAITING, copy.attempt, copy.identity)
            if waits:
                told = after.with_engine(copy.engine, engine._replace(at=At.ANSWERED, answer=answer))
                yield Step(f"the exchange: {answer}; the reply arrives", told, broken)


def _handle(
    world: World, identity: int, sent_at: int, model: Model
) -> Iterator[tuple[Answer, World, Promise | None]]:
    """What the exchange may make of a request. A refusal may come before or after the duplicate check."""
    refuses = model.scope is not Scope.PROXY  # see Scope: a refusal proves nothing of a second copy
    venue = world.at_venue(identity)
    if venue.known:
        yield Answer.DUPLICATED, world, None
        if refuses:
            yield Answer.REFUSED, world, None
        return
    if world.now - sent_at > TOLERANCE:
        yield Answer.STALE, world, None
        return
    lag = LAG + 2 if model.scope is Scope.SLOW else LAG
    filled = world.with_venue(Venue(identity, venue.fills + 1, True, world.now + lag))
    late = Promise.IN_TIME if world.now > DEADLINE + TOLERANCE else None
    yield Answer.FILL, filled, late
    yield Answer.KILL, world.with_venue(Venue(identity, 0, True, world.now + lag)), None
    if refuses:
        yield Answer.REFUSED, world, None


def broken_books(world: World, model: Model) -> Promise | None:
    """What the books say against what the exchange did."""
    fills = sum(venue.fills for venue in world.venue)
    order = world.order
    if fills > 1:
        return Promise.ONCE
    if order is not None and order.status in TRADED and not world.at_venue(order.identity).fills:
        return Promise.NONE_INVENTED
    if fills and world.intent in NEGATIVE and not _watched(order, model):
        return Promise.NONE_LOST
    return None


def _watched(order: Order | None, model: Model) -> bool:
    """Whether somebody still asks, or already knows."""
    if order is None:
        return False
    if order.status is O.ABSENT:
        return model.scope is Scope.SLOW and model.has(Rule.EVIDENCE_BEATS_ABSENCE)
    return order.status in OPEN_ORDER or order.status in TRADED
