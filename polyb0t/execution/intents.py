"""Trade intents: what the machine proposes and a person decides.

An intent's content never changes; its digest is what an approver sees and approves. Its status
moves along `TRANSITIONS` only, one compare-and-set at a time, in the store.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from statistics import median
from types import MappingProxyType
from typing import Any, Final, Protocol

from polyb0t.core.canonical import canonical_text, sha256_hex
from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import AssetId, ConditionId, EventId, IntentId, OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.execution.orders import OrderType as OrderType  # noqa: PLC0414 - intents speak of it
from polyb0t.execution.refusals import Standing, refusal
from polyb0t.execution.scope import Lease, Regime
from polyb0t.models.fees import cost_per_share
from polyb0t.models.limits import ControlResult
from polyb0t.models.taken_back import TakenBack, moved

CANONICAL_VERSION: Final = "polyb0t-intent-v1"


class IntentType(StrEnum):
    """What an approval would do."""

    OPEN_POSITION = "OPEN_POSITION"
    CLOSE_POSITION = "CLOSE_POSITION"
    CLAIM_SETTLEMENT = "CLAIM_SETTLEMENT"
    CANCEL_ORDER = "CANCEL_ORDER"

    @property
    def places_order(self) -> bool:
        return self in (IntentType.OPEN_POSITION, IntentType.CLOSE_POSITION)


class IntentStatus(StrEnum):
    """Where an intent is between a proposal and its end."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    EXECUTING = "EXECUTING"  # claimed by the engine; the only status from which anything is sent
    EXECUTED = "EXECUTED"  # the exchange accepted, or a dry run noted it
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"  # proof that nothing came of it


class Purpose(StrEnum):
    """Whose idea an intent is. It changes what a screen says, never what is checked."""

    STRATEGY = "strategy"  # a model's or an exit rule's
    PERSON = "person"  # somebody's own idea, or a smaller form of a proposal
    TEST_ORDER = "test_order"  # proves how the exchange names and cancels orders; rests far from the market


_S = IntentStatus
TRANSITIONS: Final[Mapping[IntentStatus, frozenset[IntentStatus]]] = MappingProxyType(
    {
        _S.PENDING: frozenset({_S.APPROVED, _S.REJECTED, _S.EXPIRED}),
        _S.APPROVED: frozenset({_S.EXECUTING, _S.REJECTED, _S.EXPIRED}),
        _S.EXECUTING: frozenset({_S.EXECUTED, _S.FAILED}),
        _S.EXECUTED: frozenset(),
        _S.REJECTED: frozenset(),
        _S.EXPIRED: frozenset(),
        _S.FAILED: frozenset({_S.EXECUTED}),  # later positive evidence beats a proof of absence
    }
)
LIVE_STATUSES: Final = frozenset({_S.PENDING, _S.APPROVED, _S.EXECUTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeIntent:
    """One trade, complete: all that an approver needs and all that the executor uses.

    Money in pUSD, prices in pUSD per share. `amount` is set for a taker BUY, which spends money, and
    `shares` for everything else; a CANCEL_ORDER has neither. `deadline` ends the time to decide.
    """

    id: IntentId
    scope: str
    regime: Regime
    intent_type: IntentType

    question: str
    condition_id: ConditionId
    event_id: EventId | None
    category: str
    protocol_version: str
    neg_risk: bool
    end_date: datetime | None
    page_url: str
    resolution_source: str
    rules_hash: str
    rules_text: str

    outcome_label: str
    asset_id: AssetId
    side: Side | None
    order_type: OrderType | None
    post_only: bool
    life_seconds: int | None  # GTD only: how long it rests, at least 120

    worst_price: Price | None
    amount: Pusd | None
    shares: Shares | None
    least_shares: Shares | None  # taker BUY: fewer than these at `amount` would be worse than worst_price
    tick: Price | None
    fee_rate: Decimal | None
    fee_exponent: Decimal | None
    estimated_cost: Pusd | None  # BUY: likely payment with fee; SELL: likely proceeds less fee
    max_cost: Pusd | None  # BUY: the ceiling; SELL: 0, since a sale reserves shares

    estimated_shares: Shares | None
    estimated_fee: Pusd | None
    reference_price: Price | None
    book_hash: str
    book_age_seconds: Decimal | None
    best_bid: Price | None
    best_ask: Price | None

    model_name: str
    model_version: str
    model_validated: bool
    model_probability: Decimal | None  # that the outcome we trade comes true
    model_low: Decimal | None
    model_high: Decimal | None
    edge_worst: Decimal | None  # pUSD per share after fee and reserve, at the worst price
    edge_now: Decimal | None
    reason: str
    controls: tuple[ControlResult, ...]

    approvals_required: int
    created_at: datetime
    deadline: datetime
    parent_id: IntentId | None
    target_order_id: OrderId | None  # CANCEL_ORDER only

    # Fields with a default came after the first release. At its default such a field is not written, so
    # that the digest of what older intents say stays what their approvers saw.
    edge_required: Decimal | None = None  # the least edge at the worst price when it was proposed
    triggers: tuple[str, ...] = ()  # CLOSE: the exit rules that asked for it
    purpose: Purpose = Purpose.STRATEGY
    code_required: bool = False  # an approval needs a one-time code
    claim: Mapping[str, str] | None = None  # CLAIM_SETTLEMENT: what is called, where, and what it pays
    dependent: bool = False  # the model only corrected the market's own price
    place: str = ""  # among the chances of its cycle, and why: what it was ranked by
    size_why: str = ""  # how the size came about, as a person reads it
    taken_back: TakenBack | None = None  # an opening that rests: what the engine takes it back for by itself
    fill_chance: Decimal | None = None  # and the chance of a fill within its life, as it was stated

    @property
    def canonical(self) -> str:
        """The versioned text that the digest is taken of and that the database keeps."""
        content = {spec.name: getattr(self, spec.name) for spec in fields(self) if self._written(spec)}
        content["controls"] = [control.as_dict() for control in self.controls]
        if self.taken_back is not None:
            content["taken_back"] = self.taken_back._asdict()
        return canonical_text({"version": CANONICAL_VERSION, "intent": content})

    def _written(self, spec: Field[Any]) -> bool:
        return spec.default is MISSING or getattr(self, spec.name) != spec.default

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text, 64 hex characters."""
        return sha256_hex(self.canonical)

    @property
    def target(self) -> str:
        """What at most one live intent of a type may aim at: asset, order or condition."""
        match self.intent_type:
            case IntentType.OPEN_POSITION | IntentType.CLOSE_POSITION:
                return self.asset_id
            case IntentType.CANCEL_ORDER:
                return self.target_order_id or ""
            case IntentType.CLAIM_SETTLEMENT:
                return self.condition_id


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRecord:
    """An intent with how it stands now."""

    intent: TradeIntent
    digest: str
    status: IntentStatus
    decided_at: datetime | None
    decided_by: str | None  # user:name, token:name, standing:id, engine:paper
    execute_by: datetime | None
    result: str | None  # a code: dry_run, accepted, no_fill, price_worse, interrupted, ...
    result_detail: str
    seen_at: datetime | None  # when a person's screen last showed it
    order_id: OrderId | None
    updated_at: datetime

    @property
    def id(self) -> IntentId:
        return self.intent.id


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was done, and why. `code` is lower snake case; `controls` are those that did not pass."""

    code: str
    detail: str
    controls: tuple[ControlResult, ...] = ()


class ProposalStore(Protocol):
    """What proposing and deciding need of storage; `store.IntentStore` says what each one does."""

    def now(self) -> datetime: ...
    def get(self, intent_id: IntentId) -> IntentRecord: ...
    def list(
        self,
        *,
        statuses: Sequence[IntentStatus] = (),
        types: Sequence[IntentType] = (),
        limit: int = 100,
    ) -> tuple[IntentRecord, ...]: ...
    def shortest_prefixes(self, ids: Sequence[IntentId]) -> Mapping[IntentId, str]: ...
    def propose(self, intent: TradeIntent, lease: Lease) -> IntentRecord | Denied: ...
    def supersede(self, old: IntentId, new: TradeIntent, lease: Lease) -> IntentRecord | Denied: ...
    def approve(
        self, intent_id: IntentId, *, digest: str, actor: str, grace_seconds: float, code: int | None = None
    ) -> IntentRecord: ...
    def reject(self, intent_id: IntentId, *, actor: str, reason: str) -> IntentRecord: ...
    def expire(self, intent_id: IntentId, *, actor: str, code: str = ...) -> IntentRecord: ...


@dataclass(frozen=True, slots=True)
class ProposingRules:
    """When a waiting proposal gives way to a newer one of the same target."""

    edge_min: Decimal  # pUSD per share at the worst price
    grace_seconds: float = 10  # how long an approval may wait for the engine past its deadline
    size_change: Decimal = Decimal("0.2")
    supersedes_max: int = 2  # per market and window
    window_seconds: int = 900


class IntentManager:
    """Proposes sparingly and passes a person's decisions on, refusals in sentences."""

    def __init__(self, store: ProposalStore, rules: ProposingRules) -> None:
        self._store = store
        self._rules = rules

    def propose(self, intent: TradeIntent, lease: Lease) -> IntentRecord | Denied:
        """Insert as PENDING, or in place of a waiting one that has become wrong.

        Denied with the store's codes, `still_good` when the waiting proposal stands as it is, and
        `superseded_enough` when this market's proposals changed too often to be read.
        """
        answer = self._store.propose(intent, lease)
        if not isinstance(answer, Denied) or answer.code != "duplicate":
            return answer
        waiting = self._waiting(intent)
        if waiting is None:
            return answer
        why = superseded_because(waiting.intent, intent, self._rules)
        if why is None:
            return Denied("still_good", f"{waiting.id} waits and still stands.")
        if self._superseded_lately(intent) >= self._rules.supersedes_max:
            return Denied("superseded_enough", f"{waiting.id} waits; {why}, but it changed too often lately.")
        return self._store.supersede(waiting.id, intent, lease)

    def approve(
        self, intent_id: IntentId, *, digest: str, actor: str, code: int | None = None
    ) -> IntentRecord:
        """Raises ConflictError in sentences; `store.IntentStore.approve` lists the codes."""
        try:
            grace = self._rules.grace_seconds
            return self._store.approve(intent_id, digest=digest, actor=actor, grace_seconds=grace, code=code)
        except ConflictError as refused:
            raise self._refusal("approved", intent_id, refused) from refused

    def decide(self, done: str, intent_id: IntentId, act: Callable[[float], IntentRecord]) -> IntentRecord:
        """A decision of another form: `act` gets the grace in seconds; its refusal is told in sentences."""
        try:
            return act(self._rules.grace_seconds)
        except ConflictError as refused:
            raise self._refusal(done, intent_id, refused) from refused

    def reject(self, intent_id: IntentId, *, actor: str, reason: str) -> IntentRecord:
        """Raises ConflictError in sentences."""
        try:
            return self._store.reject(intent_id, actor=actor, reason=reason)
        except ConflictError as refused:
            raise self._refusal("rejected", intent_id, refused) from refused

    def expire(self, intent_id: IntentId, *, actor: str) -> IntentRecord:
        """Raises ConflictError in sentences."""
        try:
            return self._store.expire(intent_id, actor=actor)
        except ConflictError as refused:
            raise self._refusal("expired", intent_id, refused) from refused

    def _waiting(self, intent: TradeIntent) -> IntentRecord | None:
        """The PENDING one of the same target; an approved one is never touched."""
        waiting = self._store.list(statuses=(_S.PENDING,), types=(intent.intent_type,), limit=1_000)
        return next((record for record in waiting if record.intent.target == intent.target), None)

    def _superseded_lately(self, intent: TradeIntent) -> int:
        since = self._store.now() - timedelta(seconds=self._rules.window_seconds)
        expired = self._store.list(statuses=(_S.EXPIRED,), types=(intent.intent_type,), limit=1_000)
        return sum(
            record.result == "superseded"
            and record.updated_at > since
            and record.intent.condition_id == intent.condition_id
            for record in expired
        )

    def _refusal(self, done: str, intent_id: IntentId, refused: ConflictError) -> ConflictError:
        if refused.code == "foreign_scope":  # there is no row of ours to tell more about
            return refused
        record = self._store.get(intent_id)
        standing = Standing(
            short=self._store.shortest_prefixes([intent_id])[intent_id],
            status=record.status,
            dry_run=record.intent.regime is Regime.DRY_RUN,
            created_at=record.intent.created_at,
            deadline=record.intent.deadline,
            decided_by=record.decided_by,
            decided_at=record.decided_at,
            ended_at=record.updated_at,
            result=record.result,
            detail=record.result_detail,
            now=self._store.now(),
            setting=f"POLYBOT_{_EXPIRY[record.intent.intent_type]}_EXPIRY_SECONDS",
            usual_seconds=self._usual_seconds() if record.status is _S.EXPIRED else None,
        )
        return refusal(done, standing, refused)

    def _usual_seconds(self) -> float | None:
        """The median time of people's newest decisions; None while there are too few to speak of."""
        newest = self._store.list(limit=_LOOKED_AT)
        taken = [
            (record.decided_at - record.intent.created_at).total_seconds()
            for record in newest
            if record.decided_at is not None and (record.decided_by or "").startswith(("user:", "token:"))
        ]
        return median(taken) if len(taken) >= _ENOUGH else None


_EXPIRY: Final = {
    IntentType.OPEN_POSITION: "INTENT",
    IntentType.CLOSE_POSITION: "CLOSE",
    IntentType.CANCEL_ORDER: "CANCEL",
    IntentType.CLAIM_SETTLEMENT: "CLAIM",
}
_LOOKED_AT: Final = 100  # of the newest intents, for how long people take
_ENOUGH: Final = 3


def superseded_because(old: TradeIntent, new: TradeIntent, rules: ProposingRules) -> str | None:
    """Why the waiting `old` gives way to `new`, seen a moment ago; None when it still stands."""
    if old.taken_back is not None:
        return _rests_no_longer(old.taken_back, new)
    best = new.best_ask if old.side is Side.BUY else new.best_bid
    if old.worst_price is not None and best is not None:
        past = best > old.worst_price if old.side is Side.BUY else best < old.worst_price
        if past:
            return "its worst price no longer fills"
    edge = edge_at(old, new)
    if edge is not None and edge < rules.edge_min:
        return "its edge fell under the minimum"
    if new.taken_back is not None:
        return None  # it can still be had now, which is what it says
    had, wanted = old.amount or old.shares, new.amount or new.shares
    if had and wanted and abs(wanted - had) > rules.size_change * had:
        return "its size changed by more than a fifth"
    return None


def _rests_no_longer(approved: TakenBack, new: TradeIntent) -> str | None:
    """An offer to rest stands until the market is where it would be taken back, whatever is newly wanted."""
    bid, ask = new.best_bid, new.best_ask
    mid, spread = (None, None) if bid is None or ask is None else ((bid + ask) / 2, ask - bid)
    return "the market moved away from where it would rest" if moved(approved, mid, spread) else None


def edge_at(old: TradeIntent, new: TradeIntent) -> Decimal | None:
    """The edge of buying at `old`'s worst price by `new`'s view of the market; None where no model speaks."""
    if old.worst_price is None or new.worst_price is None or new.edge_worst is None:
        return None
    if new.fee_rate is None or new.fee_exponent is None or old.side is not Side.BUY:
        return None
    if new.taken_back is not None:
        return None  # its edge is that of an order that rests
    fee = FeeSchedule(new.fee_rate, new.fee_exponent)
    return new.edge_worst + cost_per_share(new.worst_price, fee) - cost_per_share(old.worst_price, fee)
