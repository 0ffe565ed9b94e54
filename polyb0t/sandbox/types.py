"""The sandbox's nouns: what its world takes, answers and announces.

Everything here is frozen and pure. Amounts are whole millionths (`price_e6` of one pUSD per share,
`shares_e6`, `pusd_e6`), instants are whole milliseconds since 1970 (`_ms`). The wire turns them into
the venue's texts; nothing in this module knows about HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MILLION: Final = 1_000_000
YES: Final = 0  # the first outcome, whatever it is called
NO: Final = 1


class Side(StrEnum):
    """Which way an order goes, as the wire spells it."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """How long an order may wait."""

    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"


class OrderStatus(StrEnum):
    """Where an order is; the words of the venue's reads."""

    LIVE = "LIVE"
    DELAYED = "DELAYED"  # accepted, held for the market's taker delay, cannot be cancelled
    MATCHED = "MATCHED"
    CANCELED = "CANCELED"
    CANCELED_MARKET_RESOLVED = "CANCELED_MARKET_RESOLVED"
    CANCELED_EXPIRED_ORDER = "CANCELED_EXPIRED_ORDER"
    CANCELED_NOT_ENOUGH_BALANCE = "CANCELED_NOT_ENOUGH_BALANCE"
    UNMATCHED = "UNMATCHED"  # a delayed order that found nothing to match


class TradeStatus(StrEnum):
    """A trade's way to finality."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    RETRYING = "RETRYING"  # its transaction failed and comes again under another hash
    FAILED = "FAILED"  # never settled: the fill is void


@dataclass(frozen=True, slots=True)
class MarketSpec:
    """A binary market as it was created; what changes later is in `MarketView`.

    `kind` is the sandbox's own word for what is special about it (see kinds.py), "" for nothing.
    """

    gamma_id: str
    condition_id: str  # 0x + 64 hex, also for V2: there it ends in 00 and is the first outcome's id
    question_id: str
    slug: str
    question: str
    description: str
    category: str
    tags: tuple[str, ...]
    event_id: str
    event_slug: str
    event_title: str
    outcomes: tuple[str, str]
    token_ids: tuple[str, str]
    start_ms: int
    end_ms: int  # the scheduled end, not a trading cutoff
    version: str = "v1"
    neg_risk: bool = False
    neg_risk_market_id: str = ""
    group_item_title: str = ""
    tick_e6: int = 10_000
    min_size_e6: int = 5_000_000  # shares
    fee_rate: str = "0"  # a decimal; the fee formula is in fees.py
    fee_exponent: int = 1
    taker_only: bool = True
    fees_enabled: bool = True
    fee_type: str = ""
    seconds_delay: int = 0
    resolution_source: str = ""
    game_start_ms: int | None = None
    raw: Mapping[str, object] | None = field(default=None, compare=False)  # imported Gamma market
    raw_event: Mapping[str, object] | None = field(default=None, compare=False)  # imported Gamma event
    raw_clob: Mapping[str, object] | None = field(default=None, compare=False)  # imported /clob-markets
    first_bids: tuple[tuple[int, int], ...] = ()  # imported YES book: (price_e6, shares_e6)
    first_asks: tuple[tuple[int, int], ...] = ()
    first_price_e6: int | None = None  # of the first outcome, when there is no first book
    last_price_e6: int | None = None  # the last trade before this world began
    volume_e6: int = 0  # pUSD traded before this world began
    volume_24h_e6: int = 0
    kind: str = ""
    augmented: bool = False  # its event may grow: it has placeholder outcomes
    accepting: bool = True  # whether orders are accepted when it opens
    quoted: bool = True  # whether the crowd takes an interest
    hold_ms: int = 0  # a marketable order waits so long inside its request (`itode`)
    books_from_ms: int = 0  # before this instant the catalogue knows it and the exchange does not


@dataclass(frozen=True, slots=True)
class MarketView:
    """A market now. Best prices are those of the first outcome; `None` means an empty side."""

    spec: MarketSpec
    tick_e6: int
    accepting: bool
    closed: bool
    payouts_e6: tuple[int, int] | None  # per share, in outcome order, once resolved
    closed_ms: int | None
    best_bid_e6: int | None
    best_ask_e6: int | None
    last_price_e6: int | None  # of the first outcome
    volume_e6: int  # pUSD traded since the world began, plus what the market started with
    volume_24h_e6: int
    liquidity_e6: int  # pUSD resting in the book
    updated_ms: int
    proposed_e6: tuple[int, int] | None = None  # payouts that somebody says it will have
    disputes: int = 0
    stands_ms: int | None = None  # when the proposal becomes the result

    @property
    def oracle_status(self) -> str:
        """Where its result stands, in the venue's words."""
        if self.closed:
            return "resolved"
        if self.proposed_e6 is None:
            return "initialized"
        return ("proposed", "reproposed", "disputed")[min(self.disputes, 2)]


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order whose signature and credentials were already checked.

    BUY: the maker amount is pUSD, the taker amount shares. SELL: the other way round.
    """

    order_id: str  # 0x + 64 hex, the order's EIP-712 hash
    owner: str  # the API key
    maker: str  # the wallet that pays
    signer: str
    token_id: str
    side: Side
    maker_amount_e6: int
    taker_amount_e6: int
    order_type: OrderType
    post_only: bool = False
    expiration_s: int = 0
    signature_type: int = 0
    salt: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """An accepted order: `live`, `matched` or `delayed`, and what matched now."""

    order_id: str
    status: str
    making_e6: int = 0  # maker asset given now
    taking_e6: int = 0  # taker asset received now
    trade_ids: tuple[str, ...] = ()
    transaction_hashes: tuple[str, ...] = ()


class Refusal(Exception):
    """The venue's no: the HTTP status, its exact text, and sometimes the order's id in the body."""

    def __init__(self, http_status: int, text: str, order_id: str | None = None) -> None:
        super().__init__(text)
        self.http_status = http_status
        self.text = text
        self.order_id = order_id


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What a cancel did: ids cancelled, and why the others were not."""

    canceled: tuple[str, ...]
    not_canceled: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BookView:
    """One outcome's book. Bids ascend, asks descend: the best level is the last of both."""

    condition_id: str
    token_id: str
    timestamp_ms: int
    sequence: int  # grows with every change of this market's book; the same number, the same book
    bids: tuple[tuple[int, int], ...]  # (price_e6, shares_e6)
    asks: tuple[tuple[int, int], ...]
    tick_e6: int
    min_size_e6: int
    neg_risk: bool
    last_price_e6: int | None  # of this outcome
    version: str = "v1"


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as its owner reads it back. Sizes are shares."""

    order_id: str
    status: OrderStatus
    owner: str
    maker: str
    signer: str
    condition_id: str
    token_id: str
    outcome: str
    side: Side
    price_e6: int
    size_e6: int
    matched_e6: int
    order_type: OrderType
    post_only: bool
    expiration_s: int
    created_ms: int
    trade_ids: tuple[str, ...]
    signature_type: int = 0


@dataclass(frozen=True, slots=True)
class MakerFill:
    """One resting order's part in a trade. Its side and outcome may differ from the taker's."""

    order_id: str
    owner: str
    maker: str
    token_id: str
    outcome: str
    side: Side
    matched_e6: int  # shares
    price_e6: int  # of this order's own token
    pusd_e6: int  # what this order paid or received


@dataclass(frozen=True, slots=True)
class TradeView:
    """One settlement: a taker order against resting orders at one price."""

    trade_id: str
    taker_order_id: str
    condition_id: str
    token_id: str
    outcome: str
    side: Side
    size_e6: int
    price_e6: int
    pusd_e6: int  # what the taker paid (BUY) or received (SELL) before the fee
    fee_e6: int  # the taker's fee in pUSD
    status: TradeStatus
    match_ms: int
    update_ms: int
    bucket_index: int
    owner: str  # the taker's API key
    maker: str  # the taker's wallet (the venue calls it maker_address)
    transaction_hash: str
    maker_orders: tuple[MakerFill, ...]
    sequence: int  # the world's trade counter, rising


class ActivityType(StrEnum):
    """Why pUSD or shares moved; the Data API's words."""

    TRADE = "TRADE"
    SPLIT = "SPLIT"
    MERGE = "MERGE"
    REDEEM = "REDEEM"
    CONVERSION = "CONVERSION"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    MIGRATION = "MIGRATION"
    TIP = "TIP"
    REWARD = "REWARD"
    YIELD = "YIELD"
    MAKER_REBATE = "MAKER_REBATE"
    TAKER_REBATE = "TAKER_REBATE"
    REFERRAL_REWARD = "REFERRAL_REWARD"
    NOVELTY = "NOVELTY"  # the venue has no such word: what a client meets when one is added


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One settled movement of one wallet. `token_id`, `side` and `price_e6` only for trades."""

    wallet: str
    kind: ActivityType
    at_ms: int
    condition_id: str
    token_id: str
    outcome: str
    side: str
    shares_e6: int
    pusd_e6: int
    price_e6: int
    fee_e6: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class PositionView:
    """What a wallet holds of one outcome, with the average cost of what it bought."""

    wallet: str
    token_id: str
    condition_id: str
    outcome_index: int
    shares_e6: int
    cost_e6: int  # pUSD paid for the shares still held, without fees
    fees_e6: int  # fees paid on this outcome since the beginning
    bought_e6: int  # shares ever acquired
    realized_e6: int  # proceeds and payouts less the cost of what was given up
    price_e6: int  # the value of one share now: midpoint, last trade, or payout
    first_ms: int
    last_ms: int
    resolved: bool


@dataclass(frozen=True, slots=True)
class PracticeAccount:
    """A funded account that anybody may use: an externally owned one, so its wallet is its address."""

    index: int
    key: str
    address: str
    wallet: str
    signature_type: int
    funding_e6: int


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A level's new total size; 0 removes it."""

    token_id: str
    side: Side
    price_e6: int
    size_e6: int
    best_bid_e6: int | None
    best_ask_e6: int | None


@dataclass(frozen=True, slots=True)
class PriceChange:
    """Levels that changed, for both outcomes of a market."""

    condition_id: str
    at_ms: int
    changes: tuple[LevelChange, ...]


@dataclass(frozen=True, slots=True)
class BookEvent:
    """A market's books changed by a trade; ask `World.book` for both snapshots."""

    condition_id: str
    token_ids: tuple[str, str]
    at_ms: int


@dataclass(frozen=True, slots=True)
class LastTrade:
    """A trade printed on the tape."""

    condition_id: str
    token_id: str
    side: Side
    price_e6: int
    size_e6: int
    at_ms: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """`kind` is PLACEMENT, UPDATE or CANCELLATION; for the order's owner only."""

    kind: str
    order: OrderView
    at_ms: int


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """A trade reached a status; for the taker's and the makers' owners."""

    trade: TradeView
    owners: tuple[str, ...]
    at_ms: int


@dataclass(frozen=True, slots=True)
class MarketResolved:
    """A market paid out."""

    condition_id: str
    token_ids: tuple[str, str]
    payouts_e6: tuple[int, int]
    winning_token_id: str  # empty when the payout is split
    winning_outcome: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class TickSizeChange:
    """A market's tick changed, as a rule because its price left 0.04 to 0.96."""

    condition_id: str
    token_ids: tuple[str, str]
    old_tick_e6: int
    new_tick_e6: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class NewMarket:
    """A market opened."""

    condition_id: str
    token_ids: tuple[str, str]
    at_ms: int


WorldEvent = (
    PriceChange
    | BookEvent
    | LastTrade
    | OrderEvent
    | TradeEvent
    | MarketResolved
    | NewMarket
    | TickSizeChange
)
