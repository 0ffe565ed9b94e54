"""The port to storage. Each method is one transaction; locks are taken in the order of the design.

gate -> switches -> intents by id -> reservations -> orders -> fills -> journal head. Deadlines are
judged inside, by the database's clock after the lock is held. Every change appends to the journal.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from polyb0t.core.ids import AssetId, IntentId, OrderId
from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.data.account_state import AccountState
from polyb0t.data.fills import Fill
from polyb0t.execution.access import EVERYTHING_IS_LARGE, AccessStore, Thresholds
from polyb0t.execution.books import BookStore
from polyb0t.execution.by_hand import HandStore
from polyb0t.execution.exits import ExitStore
from polyb0t.execution.intents import Denied as Denied  # noqa: PLC0414 - answers of the store
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, TradeIntent
from polyb0t.execution.onlookers import OnlookerStore
from polyb0t.execution.orders import NewOrder, OrderRecord, OrderStatus
from polyb0t.execution.proposal_prices import ProposalPriceStore
from polyb0t.execution.scope import Lease as Lease  # noqa: PLC0414 - arguments of the store
from polyb0t.execution.scope import Regime, Scope
from polyb0t.execution.standing import StandingStore
from polyb0t.models.kill_switches import KillSwitchStore
from polyb0t.models.limits import ControlResult


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """The row that screens show: who runs, in which regime, since when, last beat."""

    role: str  # engine or claims
    token: int
    holder: str  # host:pid
    boot_id: str
    process_started: str
    regime: Regime
    cycle: int
    started_at: datetime
    beat_at: datetime
    released: bool
    facts: str = "{}"  # JSON of what the engine knows now (marks, equity, windows); replaced at each beat


NO_MONEY: Final = Pusd(ZERO)


@dataclass(frozen=True, slots=True)
class ClaimLimits:
    """What the claim checks under its locks, with the reservations of every unresolved order added."""

    spendable_pusd: Pusd | None  # balance before our reservations; None: not known, openings are refused
    max_order_pusd: Pusd
    max_exposure_pusd: Pusd  # held cost + reservations + this
    held_cost_pusd: Pusd  # what positions cost that are held now
    closable_shares: Shares | None  # SELL only: confirmed lots of ours before open sells
    as_of: int  # the journal's newest sequence before any of this was read; a fill after it undoes it
    # What is not told leaves no room, and asks for everybody.
    max_used_pusd: Pusd = NO_MONEY  # reservations + this: the budget less what is held and was lost
    max_turnover_pusd: Pusd = NO_MONEY  # bought today + reservations + this
    bought_today_pusd: Pusd = NO_MONEY
    max_orders_hour: int = 0  # openings, this one among them
    thresholds: Thresholds = EVERYTHING_IS_LARGE  # what this engine asks of a trade's worth


@dataclass(frozen=True, slots=True)
class AnchorPoint:
    """Which database, on which server, and how far its journal had come."""

    database_id: str
    server: str  # PostgreSQL's system id and timeline; empty on SQLite
    sequence: int
    head: str  # the journal's hash there
    token: int  # of the engine's lease


@dataclass(frozen=True, slots=True)
class JournalEntry:
    sequence: int
    at: datetime
    actor: str
    kind: str  # noun.past_participle
    subject: str
    payload: str  # canonical JSON text
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The journal against the tables. `findings` are sentences; none means that they agree."""

    entries: int
    head: str
    intents: int
    orders: int
    fills: int
    findings: tuple[str, ...]
    sends: int = 0  # signed claims


@dataclass(frozen=True, slots=True)
class Adoption:
    """What taking a restored database over came to."""

    expired: tuple[IntentId, ...]
    recovered: tuple[OrderId, ...]
    point: AnchorPoint


class IntentStore(Protocol):
    """Intents from proposal to end."""

    def now(self) -> datetime:
        """max(database time, time of the journal's head): never moves back."""
        ...

    def propose(self, intent: TradeIntent, lease: Lease) -> IntentRecord | Denied:
        """Insert as PENDING. Denied: `duplicate`, `cooling_down`, `halted`, `foreign_scope`."""
        ...

    def supersede(self, old: IntentId, new: TradeIntent, lease: Lease) -> IntentRecord | Denied:
        """EXPIRED (superseded) for `old` if still PENDING, and `new` inserted, in one transaction."""
        ...

    def get(self, intent_id: IntentId) -> IntentRecord:
        """Raises NotFoundError."""
        ...

    def named(self, ids: Collection[IntentId]) -> Mapping[IntentId, IntentRecord]:
        """Those of these that are intents of this scope; full ids only."""
        ...

    def find(self, prefix: str) -> IntentRecord:
        """The one intent whose id begins so, over all intents.

        Raises NotFoundError, or AmbiguousError naming the candidates.
        """
        ...

    def list(
        self,
        *,
        statuses: Sequence[IntentStatus] = (),
        types: Sequence[IntentType] = (),
        limit: int | None = 100,
        before: IntentId | None = None,
        changed_since: datetime | None = None,
    ) -> tuple[IntentRecord, ...]:
        """Newest first; `before` continues after that intent. `limit` None: all of them, for whoever
        decides by what is there. `changed_since` leaves out what has not moved after that time."""
        ...

    def shortest_prefixes(self, ids: Sequence[IntentId]) -> Mapping[IntentId, str]:
        """The shortest unique prefix of each id over all intents, at least four characters."""
        ...

    def approve(
        self, intent_id: IntentId, *, digest: str, actor: str, grace_seconds: float, code: int | None = None
    ) -> IntentRecord:
        """PENDING -> APPROVED, fixing `execute_by`; PENDING still, where others have to approve as well.

        `code` is the step of a one-time code that was found to be right; it counts once.
        Raises ConflictError with code already_decided, expired, halted, foreign_scope, digest_mismatch or
        already_approved_by_you; an intent past its deadline is written EXPIRED in the same transaction.
        NotAuthorisedError: `token_needed`, `token_refused`, `role_too_low`, `code_needed`, `code_used`.
        """
        ...

    def reject(self, intent_id: IntentId, *, actor: str, reason: str) -> IntentRecord:
        """PENDING or APPROVED -> REJECTED. Raises ConflictError."""
        ...

    def expire(self, intent_id: IntentId, *, actor: str, code: str = "expired_by_hand") -> IntentRecord:
        """PENDING or APPROVED -> EXPIRED now. Raises ConflictError."""
        ...

    def expire_due(self, lease: Lease) -> tuple[IntentRecord, ...]:
        """Everything past its deadline or execute_by."""
        ...

    def mark_seen(self, ids: Sequence[IntentId], *, actor: str) -> None:
        """A person's screen shows these now (no journal entry; a hint for `expired, unseen` and for
        how many watch). Repeated marks within a few seconds are not written."""
        ...

    def claim(
        self, intent_id: IntentId, lease: Lease, regime: Regime, limits: ClaimLimits
    ) -> IntentRecord | Denied:
        """APPROVED -> EXECUTING and the greatest cost reserved; all or nothing.

        A refusal that is final (limits, halted, wrong regime) moves the intent to FAILED or REJECTED and
        says so in its result; one that is not ours to make (lost lease) leaves it alone, and so does
        `account_moved`: a fill was stored after `limits` were read, so they have to be read anew.
        """
        ...

    def permit(self, order: NewOrder, lease: Lease, *, post_budget_seconds: float) -> OrderRecord | Denied:
        """Store the order as SIGNED after checking everything of the claim again. The permission to send.

        Denied makes the intent FAILED with the control's code and releases its reservation.
        """
        ...

    def fail(
        self,
        intent_id: IntentId,
        lease: Lease,
        *,
        code: str,
        detail: str,
        controls: Sequence[ControlResult] = (),
    ) -> IntentRecord:
        """EXECUTING without an order row -> FAILED, reservation released. The journal keeps value and
        limit of the `controls` that did not pass."""
        ...

    def finish(self, intent_id: IntentId, lease: Lease, *, code: str, detail: str) -> IntentRecord:
        """EXECUTING -> EXECUTED for a dry run or a cancel, which have no order row of their own."""
        ...

    def executing_without_order(self) -> tuple[IntentRecord, ...]:
        """What a crash between claim and permit left: proof that nothing was sent."""
        ...


class OrderStore(Protocol):
    """Orders and their fills."""

    def order(self, order_id: OrderId) -> OrderRecord: ...
    def find_order(self, prefix: str) -> OrderRecord:
        """By a unique prefix of the order id or of its intent's id. Raises NotFoundError, AmbiguousError."""
        ...

    def ours(self, ids: Collection[OrderId]) -> frozenset[OrderId]:
        """Which of these are orders of this scope; full ids only."""
        ...

    def named(self, ids: Collection[OrderId]) -> Mapping[OrderId, OrderRecord]:
        """Those of these that are orders of this scope; full ids only."""
        ...

    def orders(
        self,
        *,
        statuses: Sequence[OrderStatus] = (),
        limit: int | None = 100,
        before: OrderId | None = None,
    ) -> tuple[OrderRecord, ...]:
        """Newest first; `before` continues after that order. `limit` None: all of them, for whoever
        decides by what is there."""
        ...

    def watched(self) -> tuple[OrderRecord, ...]:
        """What reconciliation asks about, oldest first: every order without a proven end, and every
        ended one that has a fill which is not final."""
        ...

    def absent(self) -> tuple[OrderRecord, ...]:
        """What was inferred never to have been accepted and could still turn up: nobody has seen its market
        resolved. Positive evidence is looked for until then."""
        ...

    def settle(
        self,
        order_id: OrderId,
        lease: Lease,
        *,
        status: OrderStatus,
        code: str,
        detail: str,
        venue_status: str = "",
    ) -> OrderRecord:
        """Move the order and, with it, its intent (LIVE/MATCHED/DELAYED/FILLED -> EXECUTED; REFUSED,
        ABSENT or CANCELLED without a fill -> FAILED; UNKNOWN leaves it EXECUTING). Reservations shrink to
        what can still be spent and vanish at a proven end; the signature is erased there."""
        ...

    def record_lookup(self, order_id: OrderId, lease: Lease, *, detail: str) -> None:
        """Asked once more without an answer that moves it."""
        ...

    def record_fills(self, order_id: OrderId, fills: Sequence[Fill], lease: Lease) -> OrderRecord:
        """Insert or move forward by key (trade, bucket, order); sums, fees and reservation follow.

        Raises ConflictError `contradiction` for FAILED then CONFIRMED.
        """
        ...

    def fills(self, *, order_id: OrderId | None = None) -> tuple[Fill, ...]:
        """All fills, oldest first."""
        ...

    def reserved_pusd(self) -> Pusd:
        """The greatest cost of everything claimed and not yet ended."""
        ...

    def reserved_shares(self, asset_id: AssetId) -> Shares:
        """Shares that open, unknown and unsettled SELLs may still take."""
        ...


class EngineStore(Protocol):
    """Lease, snapshots, journal."""

    def acquire(
        self,
        role: str,
        *,
        holder: str,
        boot_id: str,
        process_started: str,
        regime: Regime,
        take_over_from: int | None = None,
        last_beat: datetime | None = None,
    ) -> Lease | LeaseInfo:
        """The lease with a new token, or who holds it. `take_over_from` is the token of a holder that the
        caller has proven gone (its process, on this boot), or with `last_beat` silent for the lease time:
        one that has renewed since keeps it."""
        ...

    def beat(self, lease: Lease, *, cycle: int, facts: Mapping[str, object] | None = None) -> None:
        """Renew, and replace the engine's published `facts` if any are given. Raises LeaseLostError."""
        ...

    def release(self, lease: Lease) -> None: ...
    def lease_info(self, role: str) -> LeaseInfo | None: ...
    def save_account_state(self, state: AccountState, lease: Lease) -> None: ...
    def latest_account_state(self) -> AccountState | None: ...
    def note(
        self, lease: Lease | None, *, kind: str, subject: str, payload: Mapping[str, object], actor: str
    ) -> None:
        """A journal entry that changes no other row (start, stop, preflight, universe counts)."""
        ...

    def audit(self) -> AuditReport:
        """Recompute every hash and digest, replay every transition, and compare with the tables."""
        ...

    def anchor_point(self) -> AnchorPoint:
        """The database's identity and its journal's head as they stand."""
        ...

    def adopt(
        self,
        *,
        actor: str,
        reason: str,
        above_token: int,
        found: Sequence[NewOrder],
        doubtful: Sequence[NewOrder],
        gone: Collection[Lease] = (),
    ) -> Adoption:
        """Take a restored database over, in one transaction: `found` and `doubtful` identities become UNKNOWN
        orders, everything else that waits expires, all switches trip, tokens rise above `above_token`,
        the lease is gone and the database has a new id. `gone` are leases whose process is proven to have
        ended; any other has to have been silent for the lease time.

        Raises:
            ConflictError: `engine_running`. NotAuthorisedError: the actor is not a person.
        """
        ...

    def last_sequence(self) -> int:
        """The sequence of the newest journal entry; 0 when there is none."""
        ...

    def journal(
        self, *, after: int = 0, limit: int = 1000, subject: str | None = None
    ) -> tuple[JournalEntry, ...]: ...
    def latest_entry(self, subject: str) -> JournalEntry | None:
        """The newest journal entry about `subject`."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """All of one scope's storage behind its ports."""

    scope: Scope
    intents: IntentStore
    orders: OrderStore
    engine: EngineStore
    switches: KillSwitchStore
    books: BookStore
    standing: StandingStore
    by_hand: HandStore
    exits: ExitStore
    prices: ProposalPriceStore
    access: AccessStore
    onlookers: OnlookerStore
