"""The values that risk decisions take and give: limits, exposure, the trade, what is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares
from polyb0t.data.deny_list import DenyList
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.kill_switches import Stance
from polyb0t.models.taken_back import TakenBack
from polyb0t.models.themes import themes
from polyb0t.models.usage import OwnOrder, SmallOrders, Usage, UsualSpread

TAKER_TYPES: Final = frozenset({"FAK", "FOK"})
OPEN_POSITION: Final = "OPEN_POSITION"
CLOSE_POSITION: Final = "CLOSE_POSITION"
NOTHING: Final = Pusd(ZERO)
_SECOND: Final = timedelta(seconds=1)
_DAY: Final = Decimal(86_400)


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Every threshold of sizing and of the controls. `_fraction` is of the bankroll unless said."""

    order_fraction: Decimal = Decimal("0.01")
    order_max_pusd: Decimal = Decimal(250)
    order_max_shares: Decimal = Decimal(5_000)
    market_fraction: Decimal = Decimal("0.02")
    event_fraction: Decimal = Decimal("0.04")
    theme_fraction: Decimal = Decimal("0.08")
    category_fraction: Decimal = Decimal("0.20")
    far_fraction: Decimal = Decimal("0.15")  # in markets that end more than `far_days` from now
    far_days: Decimal = Decimal(90)
    dependent_fraction: Decimal = Decimal("0.25")  # in trades without own information
    total_fraction: Decimal = Decimal("0.50")
    tail_fraction: Decimal = Decimal("0.08")  # expected loss of all positions in the worst twentieth of cases
    cash_floor_fraction: Decimal = Decimal("0.20")
    budget_pusd: Decimal | None = None  # the most of the wallet that may be used; None: all of it
    open_orders_max: Decimal = Decimal(20)
    open_fraction: Decimal = Decimal("0.20")  # in orders that are approved, under way or unknown
    turnover_multiple: Decimal = Decimal("0.5")  # bought in a UTC day, in bankrolls
    orders_hour_max: Decimal = Decimal(6)
    drift_fraction: Decimal = ZERO  # of each limit, left free for a bankroll that shrinks meanwhile
    depth_fraction: Decimal = Decimal("0.25")  # of the shares visible at the worst price or better
    kelly_fraction: Decimal = Decimal("0.25")  # of the growth-optimal stake
    kelly_fraction_dependent: Decimal = Decimal("0.125")  # when only the price itself was recalibrated
    drawdown_fraction: Decimal = Decimal("0.15")  # under its peak, at which an account's sizes are nothing
    edge_min: Decimal = Decimal("0.015")  # pUSD per share at the worst price, after fee and reserve
    edge_sd_multiple: Decimal = Decimal("1.64")  # and at least this many standard deviations
    edge_suspicious: Decimal = Decimal("0.08")  # pUSD per share; more means that something is wrong
    edge_given_up: Decimal = Decimal("0.35")  # share of the edge that the wait for a decision may cost
    spread_max: Decimal = Decimal("0.03")  # pUSD per share
    spread_multiple: Decimal = Decimal(3)  # of what is usual for the book; more is an anomaly
    spread_unjudged: Decimal = Decimal("0.01")  # pUSD per share; a narrower spread is never an anomaly
    collar_pusd: Decimal = Decimal("0.03")  # distance from the mid, pUSD per share
    collar_fraction: Decimal = Decimal("0.15")  # the same as a fraction of the mid
    price_low: Decimal = Decimal("0.03")
    price_high: Decimal = Decimal("0.97")
    book_age_signal_seconds: Decimal = Decimal(15)
    book_age_submit_seconds: Decimal = Decimal(2)
    clock_skew_seconds: Decimal = Decimal(2)
    hours_to_end_min: Decimal = Decimal(72)  # the time exit's two days and one more
    marketable_min_pusd: Decimal = Decimal(1)  # the exchange's own minimum for a taker BUY

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if value is None:
                continue
            if not value.is_finite() or value < 0:
                raise ValueError(f"{spec.name} is {value}; it has to be zero or more")
            if spec.name.endswith("_fraction") and value > 1:
                raise ValueError(f"{spec.name} is {value}; a fraction is at most 1")


@dataclass(frozen=True, slots=True)
class Exposure:
    """Money at risk at worst-case cost: positions at cost, and every reservation of an order that is
    open or whose fate is unknown. Never with the trade that is being judged in it.

    `far` is in markets that end late, `dependent` in trades of models that only corrected the price.
    """

    total: Pusd = NOTHING
    by_market: Mapping[ConditionId, Pusd] = field(default_factory=dict)
    by_event: Mapping[str, Pusd] = field(default_factory=dict)
    by_category: Mapping[str, Pusd] = field(default_factory=dict)
    by_theme: Mapping[str, Pusd] = field(default_factory=dict)
    far: Pusd = NOTHING
    dependent: Pusd = NOTHING

    def market(self, market: Market) -> Pusd:
        return self.by_market.get(market.condition_id, Pusd(ZERO))

    def event(self, market: Market) -> Pusd:
        return self.by_event.get(event_key(market), Pusd(ZERO))

    def category(self, market: Market) -> Pusd:
        return self.by_category.get(market.category, Pusd(ZERO))

    def theme(self, market: Market) -> Pusd:
        """On the theme of this market that has the most at risk; zero where it has none."""
        return Pusd(max((self.by_theme.get(theme, ZERO) for theme in themes(market)), default=ZERO))

    def plus(self, market: Market, cost: Pusd, *, far: bool = False, dependent: bool = False) -> "Exposure":
        """With another `cost` at risk on `market`."""
        key = event_key(market)
        return Exposure(
            total=Pusd(self.total + cost),
            by_market={**self.by_market, market.condition_id: Pusd(self.market(market) + cost)},
            by_event={**self.by_event, key: Pusd(self.event(market) + cost)},
            by_category={**self.by_category, market.category: Pusd(self.category(market) + cost)},
            by_theme={
                **self.by_theme,
                **{theme: Pusd(self.by_theme.get(theme, ZERO) + cost) for theme in themes(market)},
            },
            far=Pusd(self.far + cost) if far else self.far,
            dependent=Pusd(self.dependent + cost) if dependent else self.dependent,
        )


def ends_far(market: Market, now: datetime, limits: RiskLimits) -> bool:
    """Whether it ends more than `far_days` from now; a market without a scheduled end does."""
    return market.end_date is None or Decimal((market.end_date - now) // _SECOND) > limits.far_days * _DAY


def event_key(market: Market) -> str:
    """The event's id; a market without one is an event of its own."""
    return market.event_id or market.condition_id


@dataclass(frozen=True, slots=True)
class ProposedTrade:
    """What an intent would do, as far as the controls judge it.

    A taker BUY spends `amount` for `min_shares` or more; everything else trades `shares`. The edges
    are pUSD per share after fee and reserve, None where no model speaks (a close).
    """

    intent_type: str
    side: Side
    order_type: str  # FAK, FOK, GTC, GTD
    condition_id: ConditionId
    asset_id: AssetId
    worst_price: Price
    amount: Pusd | None
    shares: Shares | None
    min_shares: Shares | None
    max_cost: Pusd  # zero for a SELL
    rules_hash: str
    edge_now: Decimal | None = None
    edge_at_worst: Decimal | None = None
    edge_required: Decimal | None = None
    model_validated: bool | None = None
    model: str = ""  # name and version of whoever estimated the edge; empty where none did
    own_idea: bool = False  # a person's, without a model: nothing is claimed about its edge
    post_only: bool = False  # it only rests: the exchange refuses it where it would take
    dependent: bool = False  # the model only corrected the market's own price
    test_order: bool = False  # proves how the exchange names and cancels orders; `near_market` bounds it
    taken_back: TakenBack | None = None  # of an opening that rests: what the engine takes it back for

    @property
    def opening(self) -> bool:
        """Whether the controls of openings apply: to everything but the sale of a position."""
        return not (self.intent_type == CLOSE_POSITION and self.side is Side.SELL)

    @property
    def spends_money(self) -> bool:
        """A taker BUY: its size is pUSD, not shares."""
        return self.side is Side.BUY and self.order_type in TAKER_TYPES

    @property
    def least_shares(self) -> Shares | None:
        return self.min_shares if self.spends_money else self.shares


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of our pUSD the contract that settles a market may take. `pusd` None: it was not told."""

    spender: str  # checksummed address
    pusd: Pusd | None


@dataclass(frozen=True, slots=True)
class ShareAllowance:
    """How many shares of the traded asset the contract that settles its market may take. The approval
    is for all shares of a ledger or for none. `shares` None: it was not told."""

    spender: str  # checksummed address
    shares: Shares | None


class TailCheck(Protocol):
    """What everything at risk may lose together in the worst twentieth of cases (`portfolio_tail`)."""

    def loss(self) -> Pusd: ...

    def with_purchase(self, market: Market, asset_id: AssetId, shares: Shares, cost: Pusd) -> Pusd: ...


@dataclass(frozen=True, slots=True)
class ControlContext:
    """What is known when a trade is judged. None means not known, and then the control does not pass.

    `exposure`, `spendable_pusd`, `closable_shares`, `live_assets`, `usage` and `own_orders` are without
    the trade that is judged: at execution its own intent and reservation are left out.
    """

    now: datetime
    limits: RiskLimits
    regime: str  # paper, dry_run, live
    at_submit: bool  # False at proposal; the book has to be fresher at submit
    stance: Stance | None
    market: Market | None
    terms: TradingTerms | None
    book: OrderBook | None
    bankroll_pusd: Pusd | None
    spendable_pusd: Pusd | None
    exposure: Exposure | None
    live_assets: frozenset[AssetId] | None  # targets of other live intents and open orders
    closable_shares: Shares | None = None  # of the traded asset; only a SELL needs it
    clock_skew_seconds: Decimal | None = None
    allow_unvalidated: bool = False
    allowance: Allowance | None = None  # of the traded market; only a live purchase needs it
    share_allowance: ShareAllowance | None = None  # read before a live sale is sent, not when it is proposed
    identity_proven: bool = False  # the exchange was seen to give our orders the id that we compute
    deny: DenyList | None = None
    frozen_events: frozenset[EventId] = frozenset()  # a result on them is disputed
    usual_spread: UsualSpread | None = None  # of the traded asset
    usage: Usage | None = None
    own_orders: tuple[OwnOrder, ...] | None = None  # of ours, other than this one, that may be in a book
    small_orders: SmallOrders | None = None
    active_model: str | None = None  # name and version of the model that this engine runs
    tail: TailCheck | None = None


class ControlResult(NamedTuple):
    """What one control found. `name` is its stable code; value and limit are text as people read it."""

    name: str
    passed: bool
    value: str
    limit: str
    detail: str

    def as_dict(self) -> dict[str, str | bool]:
        """The JSON object that intents keep and that `from_dict` reads back."""
        return self._asdict()

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> "ControlResult":
        """The result that `as_dict` wrote. Only a literal true is a pass."""
        name, value, limit, detail = (
            str(stored.get(key, "")) for key in ("name", "value", "limit", "detail")
        )
        return cls(name, stored.get("passed") is True, value, limit, detail)


class Verdict(NamedTuple):
    """What a control found, before its name is put to it."""

    passed: bool
    value: str = ""
    limit: str = ""
    detail: str = ""


def unknown(what: str) -> Verdict:
    """Not passed, because an input is missing. `what` is a subject with its verb."""
    return Verdict(False, "not known", "", f"{what} not known, so this does not pass.")


def not_for_closes() -> Verdict:
    """Passed, because the control is about openings."""
    return Verdict(True, "", "", "Does not apply to a close.")


def room(limit_fraction: Decimal, bankroll: Pusd, used: Pusd) -> Pusd:
    """What a limit still leaves, in pUSD, never below zero."""
    return Pusd(max(ZERO, min(limit_fraction, ONE) * bankroll - used))
