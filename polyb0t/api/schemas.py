"""What the API answers, described. Money, prices and shares are decimal strings; unknown is null."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

DecimalText = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", examples=["0.61"])]
Instant = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T12:41:07.000000Z"])
]


PriceText = Annotated[str, Field(pattern=r"^0?\.\d{1,4}$", examples=["0.61"])]
SizeText = Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,2})?$", examples=["50"])]


class Answer(BaseModel):
    """Only what is described is answered."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Problem(Answer):
    """Why something was not done (RFC 9457). `code` is stable."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class Control(Answer):
    """One check that was made when the trade was proposed."""

    name: str
    passed: bool
    value: str
    limit: str
    detail: str


class ApprovalGiven(Answer):
    """One person's word for a trade that needs more than one, or a code."""

    actor: str
    at: Instant
    with_code: bool


class Intent(Answer):
    """A proposed trade and how it stands. Prices in pUSD per share, `edge` at the worst price."""

    id: str
    short_id: str
    digest: str
    status: str
    outcome: str | None
    intent_type: str
    scope: str
    regime: str
    question: str
    condition_id: str
    event_id: str | None
    category: str
    protocol_version: str
    neg_risk: bool
    end_date: Instant | None
    page_url: str
    resolution_source: str
    rules_hash: str
    rules_text: str
    outcome_label: str
    asset_id: str
    side: str | None
    order_type: str | None
    post_only: bool
    life_seconds: int | None
    worst_price: DecimalText | None
    amount: DecimalText | None
    shares: DecimalText | None
    least_shares: DecimalText | None
    tick: DecimalText | None
    fee_rate: DecimalText | None
    fee_exponent: DecimalText | None
    estimated_cost: DecimalText | None
    max_cost: DecimalText | None
    estimated_shares: DecimalText | None
    estimated_fee: DecimalText | None
    reference_price: DecimalText | None
    book_hash: str
    book_age_seconds: DecimalText | None
    best_bid: DecimalText | None
    best_ask: DecimalText | None
    model_name: str
    model_version: str
    model_validated: bool
    model_probability: DecimalText | None
    model_low: DecimalText | None
    model_high: DecimalText | None
    edge: DecimalText | None
    edge_now: DecimalText | None
    reason: str
    claim: dict[str, str] | None
    taken_back: dict[str, DecimalText] | None
    controls: list[Control]
    approvals_required: int
    code_required: bool
    created_at: Instant
    deadline: Instant
    parent_id: str | None
    target_order_id: str | None
    decided_at: Instant | None
    decided_by: str | None
    execute_by: Instant | None
    result: str | None
    result_detail: str
    seen_at: Instant | None
    order_id: str | None
    updated_at: Instant
    approvals: list[ApprovalGiven]


class Health(Answer):
    """The process answers and its database can be read."""

    status: str
    database: str
    version: str
    time: Instant


class SwitchOverride(Answer):
    """Who lets trading go on although a switch is tripped, and until when."""

    until: Instant
    by: str
    reason: str


class Switch(Answer):
    """One kill switch. `holds`: it is tripped, and nobody overrides it now."""

    type: str
    tripped: bool
    holds: bool
    at: Instant | None
    by: str
    reason: str
    value: str | None
    limit: str | None
    override: SwitchOverride | None


class SwitchNow(Switch):
    """The same with what a running engine measures. `now`, `trips_at` and `cause_holds` are null where
    none does; `known` is what was known when it tripped."""

    missing: bool
    stance: str
    now: str | None
    trips_at: str | None
    cause: str | None
    cause_holds: bool | None
    known: dict[str, Any]


class EngineState(Answer):
    """The engine's own row."""

    running: bool
    cycle: int | None
    started_at: Instant | None
    heard_at: Instant | None
    holder: str | None


class TradingWindow(Answer):
    """Whether the exchange takes orders, as the engine knows it."""

    kind: str
    since: Instant | None
    until: Instant | None


class Status(Answer):
    """Where this is, whether it may trade, what is at stake (pUSD)."""

    mode: str
    scope: str
    venue: str
    wallet: str
    regime: str
    stance: str
    trading_allowed: bool
    engine: EngineState
    switches: list[Switch]
    halt_file: bool
    waiting: int
    approved: int
    open_orders: int
    unknown_orders: int
    cash: DecimalText | None
    equity: DecimalText | None
    day: str | None
    day_result: DecimalText | None
    problem: str | None
    clock_skew_seconds: DecimalText | None
    window: TradingWindow
    at_risk: DecimalText
    too_small: str | None
    small_orders: str | None
    reserved: DecimalText
    missing: dict[str, str]


class ShownForm(BaseModel):
    """A smaller form or exits that a screen made and showed: made again here, they have to be the same."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    id: Annotated[str, Field(pattern=r"^[0-9abcdefghjkmnpqrstvwxyz]{16}$")]
    created_at: AwareDatetime
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Approval(BaseModel):
    """Optional, but with real money the digest: of the content that was seen; another content is refused.
    `shares` and `worst_price` approve less, `with_exits` the exits of what it buys as well; `code` is the
    one-time code of a trade that needs one. `shown_smaller` (with `shares`) and `shown_exits` hold the
    decision to exactly what was shown."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    digest: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    shares: SizeText | None = None
    worst_price: PriceText | None = None
    with_exits: bool = False
    code: Annotated[str | None, Field(pattern=r"^[0-9]{6}$", repr=False)] = None
    shown_smaller: ShownForm | None = None
    shown_exits: ShownForm | None = None


class SwitchReason(BaseModel):
    """Why; the journal keeps it."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class SwitchClearing(SwitchReason):
    """`accept_loss` is for DRAWDOWN: what the account is worth now is the peak from here on."""

    accept_loss: bool = False


class SwitchOverriding(SwitchReason):
    """For how long trading goes on although the cause holds."""

    lasting: Annotated[str, Field(alias="for", max_length=20, examples=["2h"])]


class Rejection(BaseModel):
    """Optional: why; the journal keeps it. `mute_hours` keeps its market away for so long."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    reason: Annotated[str, Field(max_length=500)] = ""
    mute_hours: Annotated[float | None, Field(gt=0, le=8_760)] = None


class Close(BaseModel):
    """Optional: how many shares, and under which price nothing is sold."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    shares: SizeText | None = None
    worst_price: PriceText | None = None


class OwnIdea(BaseModel):
    """A purchase of one's own: `amount` in pUSD, or `shares`."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    market: Annotated[str, Field(min_length=1, max_length=300)]
    outcome: Annotated[str, Field(min_length=1, max_length=300)]
    worst_price: PriceText
    amount: SizeText | None = None
    shares: SizeText | None = None


class Protection(BaseModel):
    """Optional: which exits, not under which price, for how many hours; and a one-time code if one is
    needed."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    triggers: Annotated[list[str] | None, Field(max_length=10)] = None
    worst_price: PriceText | None = None
    hours: Annotated[float | None, Field(gt=0, le=8_760)] = None
    code: Annotated[str | None, Field(pattern=r"^[0-9]{6}$", repr=False)] = None


class Standing(Answer):
    """An exit approved in advance, and the shares that it still covers."""

    id: str
    scope: str
    regime: str
    opening_id: str
    condition_id: str
    asset_id: str
    question: str
    outcome_label: str
    triggers: list[str]
    worst_price: DecimalText
    most_shares: DecimalText
    until: Instant
    approvals_required: int
    code_required: bool
    created_at: Instant
    digest: str
    version: int
    approved_by: str
    approved_at: Instant
    revoked_by: str | None
    revoked_at: Instant | None
    revoke_reason: str
    bought: DecimalText
    left: DecimalText


class Muted(Answer):
    """A market that nobody is asked about."""

    condition_id: str
    question: str
    until: Instant
    actor: str
    reason: str
    created_at: Instant
