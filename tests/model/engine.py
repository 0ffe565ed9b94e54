"""What an engine may do next: lease, claim, permit, send, settle, and its reconcile thread."""

from collections.abc import Iterator

from polyb0t.execution.intents import IntentStatus as I
from polyb0t.execution.orders import OrderStatus as O
from tests.model.rules import Promise, Rule, Scope
from tests.model.state import (
    DEADLINE,
    LAG,
    LEASE,
    OPEN_ORDER,
    TOKENS,
    TOLERANCE,
    Answer,
    At,
    Copy,
    Engine,
    Order,
    Seen,
    World,
)
from tests.model.steps import Model, Step

NEGATIVE_ANSWERS = {Answer.KILL: O.CANCELLED, Answer.REFUSED: O.REFUSED, Answer.STALE: O.REFUSED}


def engine_steps(world: World, model: Model, which: int) -> Iterator[Step]:
    engine = world.engines[which]
    name = "AB"[which]
    for step in _all(world, model, which, engine):
        yield Step(f"{name}: {step.label}", step.world, step.broken)


def _all(world: World, model: Model, which: int, engine: Engine) -> Iterator[Step]:
    yield from _lease(world, model, which, engine)
    if engine.token:
        if world.crashes < model.crashes and (engine.at is not At.IDLE or engine.reads):
            gone = world.with_engine(which, Engine())._replace(crashes=world.crashes + 1)
            yield Step("crashes", gone._replace(holder=-1) if world.holder == which else gone)
        yield from _main(world, model, which, engine)
        yield from _reconcile(world, model, which, engine)


def _lease(world: World, model: Model, which: int, engine: Engine) -> Iterator[Step]:
    free = world.holder == -1 or world.now >= world.expires
    mine = world.holder == which and engine.token
    if free and not mine and not engine.token and world.token < TOKENS and (world.token or which == 0):
        grows = model.has(Rule.TOKEN_GROWS) or not world.token
        token = world.token + 1 if grows else world.token
        taken = world._replace(holder=which, token=token, expires=world.now + LEASE)
        yield Step("takes the lease", taken.with_engine(which, engine._replace(token=token)))
    if mine and world.expires != world.now + LEASE:
        yield Step("renews the lease", world._replace(expires=world.now + LEASE))


def _main(world: World, model: Model, which: int, engine: Engine) -> Iterator[Step]:
    match engine.at:
        case At.IDLE if world.intent is I.APPROVED:
            if model.has(Rule.CLAIM_IS_COMPARE_AND_SET):
                yield from _claim(world, model, which, engine)
            else:
                yield Step("reads APPROVED", world.with_engine(which, engine._replace(at=At.LOOKED)))
        case At.LOOKED:
            yield from _claim(world, model, which, engine)
        case At.CLAIMED if not model.has(Rule.TIME_AFTER_LOCK):
            timed = engine._replace(at=At.TIMED, time=world.now)
            yield Step("reads the clock", world.with_engine(which, timed))
        case At.CLAIMED | At.TIMED:
            yield _permit(world, model, which, engine)
        case At.PERMITTED:
            yield _post(world, model, which, engine)
        case At.WAITING:
            yield Step(
                "hears nothing", world.with_engine(which, engine._replace(at=At.ANSWERED, answer=Answer.NONE))
            )
        case At.ANSWERED:
            yield from _settle(world, model, which, engine)
        case _:
            pass


def _fenced(world: World, model: Model, engine: Engine) -> bool:
    return engine.token == world.token or not model.has(Rule.WRITES_ARE_FENCED)


def _overtaken(world: World, which: int) -> Promise | None:
    """Somebody else took the lease over before this write."""
    return Promise.ONE_ENGINE if world.holder not in (which, -1) else None


def _claim(world: World, model: Model, which: int, engine: Engine) -> Iterator[Step]:
    if world.revoked:
        return
    if not _fenced(world, model, engine) or world.now >= DEADLINE or not _clear(world, model):
        return
    claimed = world._replace(intent=I.EXECUTING, claim=engine.token)
    yield Step("claims", claimed.with_engine(which, engine._replace(at=At.CLAIMED)), _overtaken(world, which))


def _clear(world: World, model: Model) -> bool:
    """Whether the switches let an opening pass."""
    if world.trips == 1:
        return False
    return world.approved_epoch == world.epoch or not model.has(Rule.PERMIT_CHECKS_EPOCH)


def _permit(world: World, model: Model, which: int, engine: Engine) -> Step:
    now = engine.time if engine.at is At.TIMED else world.now
    claim_stands = world.intent is I.EXECUTING and world.claim == engine.token and world.order is None
    allowed = (
        _fenced(world, model, engine)
        and (world.now < world.expires or not model.has(Rule.WRITES_ARE_FENCED))
        and (claim_stands or (world.order is None and not model.has(Rule.PERMIT_CHECKS_CLAIM)))
        and (now < DEADLINE or not model.has(Rule.PERMIT_CHECKS_DEADLINE))
        and (_clear(world, model) or not model.has(Rule.PERMIT_CHECKS_SWITCHES))
        and not (world.revoked and model.has(Rule.STANDING_IS_JUDGED_AGAIN))
    )
    if not allowed:
        return _denied(world, model, which, engine, claim_stands=claim_stands)
    identity = 0 if model.has(Rule.IDENTITY_FOLLOWS_FROM_INTENT) else world.signatures
    signed = world._replace(signatures=min(world.signatures + 1, 2))
    if model.has(Rule.STORED_BEFORE_SENT):
        signed = signed._replace(order=Order(identity, O.SIGNED, world.now, engine.token))
    sender = engine._replace(at=At.PERMITTED, identity=identity, time=world.now)
    return Step("permits", signed.with_engine(which, sender), _wrong_permit(world, which))


def _wrong_permit(world: World, which: int) -> Promise | None:
    if not world.valid or world.changed or world.intent is not I.EXECUTING:
        return Promise.APPROVED  # also where the claim that used the approval up has been ended
    if world.now >= DEADLINE:
        return Promise.IN_TIME
    if world.trips:
        return Promise.SWITCHES
    return _overtaken(world, which)


def _denied(world: World, model: Model, which: int, engine: Engine, *, claim_stands: bool) -> Step:
    idle = world.with_engine(which, Engine(token=engine.token, reads=engine.reads))
    if claim_stands and _fenced(world, model, engine):
        idle = idle._replace(intent=I.FAILED)
    return Step("is not permitted", idle)


def _post(world: World, model: Model, which: int, engine: Engine) -> Step:
    sent_at = engine.time if model.has(Rule.HEADERS_BEFORE_PERMIT) else world.now
    copy = Copy(engine.identity, sent_at, which, engine.attempt)
    waiting = engine._replace(at=At.WAITING)
    return Step(
        "sends", world._replace(network=tuple(sorted((*world.network, copy)))).with_engine(which, waiting)
    )


def _settle(world: World, model: Model, which: int, engine: Engine) -> Iterator[Step]:
    answer = engine.answer
    assert answer is not None
    if answer is Answer.NONE and engine.attempt == 0 and not model.has(Rule.ONE_COPY):
        again = engine._replace(at=At.PERMITTED, answer=None, attempt=1)
        yield Step("means to send again", world.with_engine(which, again))
    idle = world.with_engine(which, Engine(token=engine.token, reads=engine.reads))
    if not _fenced(world, model, engine):
        yield Step("may not write its answer", idle)
        return
    broken = _overtaken(world, which)
    status = _proven(answer, model)
    order = world.order
    if not model.has(Rule.STORED_BEFORE_SENT):
        order = Order(engine.identity, O.SIGNED, engine.time, engine.token)
    if order is None or order.identity != engine.identity:
        yield Step("has nothing to settle", idle, broken)
    else:
        yield Step(f"settles: {status}", settled(idle, order, status), broken)


def _proven(answer: Answer, model: Model) -> O:
    if answer is Answer.FILL:
        return O.FILLED
    if answer is Answer.DUPLICATED:
        return O.UNKNOWN if model.has(Rule.DUPLICATED_IS_UNKNOWN) else O.FILLED
    if answer is Answer.NONE:
        return O.UNKNOWN if model.has(Rule.TIMEOUT_IS_NOT_A_REFUSAL) else O.REFUSED
    return NEGATIVE_ANSWERS[answer]


def settled(world: World, order: Order, status: O) -> World:
    """The order and its intent after evidence, if the evidence may move them."""
    proven = status is O.FILLED and order.status is not O.FILLED
    if not proven and order.status not in OPEN_ORDER:
        return world
    intent = world.intent
    if status is O.FILLED and intent in (I.EXECUTING, I.FAILED):
        intent = I.EXECUTED
    elif status not in OPEN_ORDER and status is not O.FILLED and intent is I.EXECUTING:
        intent = I.FAILED
    return world._replace(order=order._replace(status=status), intent=intent)


# -- the reconcile thread ----------------------------------------------------------------------


def _reconcile(world: World, model: Model, which: int, engine: Engine) -> Iterator[Step]:
    if engine.reads is None:
        if engine.token == world.token and engine.at is At.IDLE:  # what is in flight is left alone
            for seen in _visible(world, model, engine):
                read = engine._replace(reads=(seen, world.now))
                yield Step(f"looks up and sees {seen}", world.with_engine(which, read))
        return
    seen, begun = engine.reads
    done = world.with_engine(which, engine._replace(reads=None))
    if not _fenced(world, model, engine):
        yield Step("may not write what it saw", done)
        return
    after = _corrected(done, model, seen, begun)
    broken = _overtaken(world, which) if after != done else None
    yield Step(f"writes that it saw {seen}", after, broken)


def _visible(world: World, model: Model, engine: Engine) -> Iterator[Seen]:
    order = world.order
    if order is None:
        if world.intent is I.EXECUTING and world.claim != engine.token:
            yield Seen.NO_ORDER
        return
    late = model.scope is Scope.SLOW and model.has(Rule.EVIDENCE_BEATS_ABSENCE)
    if order.status not in OPEN_ORDER and not (late and order.status is O.ABSENT):
        return
    venue = world.at_venue(order.identity)
    if venue.fills:
        yield Seen.FILL
    elif venue.known:
        yield Seen.KILL
    if not venue.fills or world.now < venue.visible:
        yield Seen.NOTHING  # a killed order may be unknown to lookups for ever


def _corrected(world: World, model: Model, seen: Seen, begun: int) -> World:
    order = world.order
    if seen is Seen.NO_ORDER:
        still = world.intent is I.EXECUTING and order is None
        return world._replace(intent=I.FAILED) if still else world
    if order is None:
        return world
    if seen is Seen.FILL:
        return settled(world, order, O.FILLED)
    if seen is Seen.KILL:
        return settled(world, order, O.CANCELLED)
    if order.status is O.SIGNED:
        known = model.has(Rule.SIGNED_IS_UNKNOWN)
        return settled(world, order, O.UNKNOWN if known else O.REFUSED)
    counted = begun if model.has(Rule.ABSENCE_COUNTS_FROM_BEGIN) else world.now
    if counted > order.sent_at + TOLERANCE + LAG or not model.has(Rule.ABSENCE_WAITS):
        return settled(world, order, O.ABSENT)
    return settled(world, order, O.UNKNOWN)
