"""Trade intents: what the machine proposes and a person decides.

An intent's content never changes; its digest is what an approver sees and approves. Its status
moves along `TRANSITIONS` only, one compare-and-set at a time, in the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from polyb0t.core.canonical import canonical_text, sha256_hex
from polyb0t.core.ids import AssetId, ConditionId, EventId, IntentId, OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Side
from polyb0t.execution.scope import Regime
from polyb0t.models.limits import ControlResult

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


class OrderType(StrEnum):
    """How an order meets the book."""

    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"

    @property
    def takes(self) -> bool:
        """Fill now or die: priced by the market recipe, money bounds a BUY."""
        return self in (OrderType.FOK, OrderType.FAK)


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

    @property
    def canonical(self) -> str:
        """The versioned text that the digest is taken of and that the database keeps."""
        content = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "controls"}
        content["controls"] = [control.as_dict() for control in self.controls]
        return canonical_text({"version": CANONICAL_VERSION, "intent": content})

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
