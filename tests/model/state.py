"""The state of a small world: one intent, two engines, a lease, a lossy way to an exchange.

Time counts in steps of one. An order is FAK, so the exchange fills it, kills it or refuses it. Any step
may be put off for ever, which is what a suspended process looks like.
"""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from polyb0t.execution.intents import IntentStatus as I
from polyb0t.execution.orders import OrderStatus as O

DEADLINE: Final = 2  # ends the time to decide and to permit
LEASE: Final = 1  # how long a lease lasts without a beat
TOLERANCE: Final = 1  # how old the exchange lets a request's time be
LAG: Final = 1  # how late the exchange shows what it has
TOKENS: Final = 2  # as many engines in a row are enough for every counter-example


class At(IntEnum):
    """Where an engine's main thread stands."""

    IDLE = 0
    LOOKED = 1  # only without CLAIM_IS_COMPARE_AND_SET: has read APPROVED, claims later
    CLAIMED = 2
    TIMED = 3  # only without TIME_AFTER_LOCK: has read the clock, permits later
    PERMITTED = 4
    WAITING = 5  # a copy has left
    ANSWERED = 6


class Answer(StrEnum):
    FILL = "filled"
    KILL = "killed"
    REFUSED = "refused"
    STALE = "too old"
    DUPLICATED = "duplicated"
    NONE = "no answer"


class Seen(StrEnum):
    """What a reconcile thread read."""

    FILL = "a fill"
    KILL = "a killed order"
    NOTHING = "nothing"
    NO_ORDER = "EXECUTING without an order"


class Venue(NamedTuple):
    """One identity at the exchange."""

    identity: int
    fills: int
    known: bool
    visible: int  # from when every read shows it


class Order(NamedTuple):
    identity: int
    status: O
    sent_at: int  # the request's time
    claim: int


class Copy(NamedTuple):
    """A request on its way."""

    identity: int
    sent_at: int
    engine: int
    attempt: int


class Engine(NamedTuple):
    """`reads`: what the reconcile thread saw and has not written yet, with when the read began."""

    at: At = At.IDLE
    token: int = 0  # 0: does not run
    identity: int = -1
    time: int = -1
    answer: Answer | None = None
    attempt: int = 0
    reads: tuple[Seen, int] | None = None


class Backup(NamedTuple):
    intent: I
    claim: int
    order: Order | None
    approved_epoch: int


class World(NamedTuple):
    now: int = 0
    intent: I = I.PENDING
    valid: bool = False  # a person's approval stands behind it
    looking: bool = False  # only without DECIDE_IS_COMPARE_AND_SET: somebody is about to approve
    changed: bool = False  # the content is no longer what was shown
    claim: int = 0  # token of who claimed
    approved_epoch: int = 0
    trips: int = 0  # 0 clear, 1 tripped, 2 cleared by a person
    order: Order | None = None
    holder: int = -1
    token: int = 0
    expires: int = 0
    venue: tuple[Venue, ...] = ()
    network: tuple[Copy, ...] = ()
    engines: tuple[Engine, Engine] = (Engine(), Engine())
    crashes: int = 0
    duplicated: bool = False
    backup: Backup | None = None
    restored: bool = False
    signatures: int = 0
    revoked: bool = False  # the standing approval was taken back

    @property
    def epoch(self) -> int:
        return 1 if self.trips else 0

    def at_venue(self, identity: int) -> Venue:
        for venue in self.venue:
            if venue.identity == identity:
                return venue
        return Venue(identity, 0, False, 0)

    def with_venue(self, venue: Venue) -> "World":
        others = tuple(one for one in self.venue if one.identity != venue.identity)
        return self._replace(venue=tuple(sorted((*others, venue))))

    def with_engine(self, which: int, engine: Engine) -> "World":
        first, second = self.engines
        return self._replace(engines=(engine, second) if which == 0 else (first, engine))


ENDED: Final = frozenset({I.EXECUTED, I.FAILED, I.EXPIRED, I.REJECTED})
NEGATIVE: Final = frozenset({I.FAILED, I.EXPIRED, I.REJECTED})
OPEN_ORDER: Final = frozenset({O.SIGNED, O.UNKNOWN})
TRADED: Final = frozenset({O.FILLED})
