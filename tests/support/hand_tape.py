"""Histories made by hand: a few markets whose every book is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.clock import microseconds
from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule, Market, Outcome, ProtocolVersion, TradingTerms
from polyb0t.data.outside_views import OutsideView
from polyb0t.models.signals import Answer, LoneModel, MarketState, ProbEstimate
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.events import (
    BookLost,
    BookShown,
    Event,
    LevelChanged,
    MarketTold,
    Resolved,
    TermsTold,
    Traded,
    ViewTold,
    place,
)
from polyb0t.research.replay.tape import About, Fidelity, PastBooks

START = datetime(2026, 9, 1, tzinfo=UTC)
MILLION = 1_000_000
FREE = FeeSchedule(Decimal(0), Decimal(1))


def us(minutes: float) -> int:
    """The instant so many minutes after the start."""
    return microseconds(START) + round(minutes * 60 * MILLION)


def e6(text: str) -> int:
    return int(Decimal(text) * MILLION)


def a_market(name: str = "1", **changes: Any) -> Market:
    """Market `name` with the outcomes `<name>1` (Yes) and `<name>2` (No); its condition is `0x<name>`."""
    given: dict[str, Any] = {
        "market_id": name,
        "condition_id": ConditionId(f"0x{name}"),
        "question": f"Will {name} happen?",
        "slug": f"will-{name}",
        "page_url": "",
        "category": "politics",
        "tags": ("politics",),
        "event_id": EventId(f"event-{name}"),
        "event_title": f"Event {name}",
        "outcomes": (Outcome("Yes", AssetId(f"{name}1")), Outcome("No", AssetId(f"{name}2"))),
        "version": ProtocolVersion.V2,
        "neg_risk": False,
        "active": True,
        "closed": False,
        "archived": False,
        "accepting_orders": True,
        "order_book_enabled": True,
        "end_date": START + timedelta(days=30),
        "game_start": None,
        "tick": Price(Decimal("0.01")),
        "min_shares": Shares(Decimal(5)),
        "fees_enabled": False,
        "fee": FREE,
        "taker_delay_seconds": 0,
        "liquidity_pusd": Pusd(Decimal(50_000)),
        "volume_24h_pusd": Pusd(Decimal(50_000)),
        "best_bid": None,
        "best_ask": None,
        "resolution_source": "",
        "resolution_status": "",
        "rules_text": "",
        "rules_hash": sha256_hex(""),
        "observed_at": START,
    }
    return Market(**{**given, **changes})


def terms_for(market: Market, fee: FeeSchedule = FREE) -> TradingTerms:
    return TradingTerms(
        market.condition_id,
        Price(Decimal("0.01")),
        Shares(Decimal(5)),
        fee,
        0,
        neg_risk=False,
        observed_at=START,
    )


def told(minutes: float, market: Market) -> list[Event]:
    """The market and its terms become known."""
    return [MarketTold(us(minutes), market), TermsTold(us(minutes), terms_for(market))]


def books(
    minutes: float, name: str, bid: str, ask: str, shares: str = "5000", ask_shares: str | None = None
) -> list[Event]:
    """Both outcomes' books, one level a side, each the mirror of the other."""
    deep, offered = e6(shares), e6(ask_shares or shares)
    yes_bid, yes_ask = e6(bid), e6(ask)
    return [
        BookShown(us(minutes), f"{name}1", f"0x{name}", [(yes_bid, deep)], [(yes_ask, offered)]),
        BookShown(
            us(minutes),
            f"{name}2",
            f"0x{name}",
            [(MILLION - yes_ask, offered)],
            [(MILLION - yes_bid, deep)],
        ),
    ]


def level(minutes: float, asset: str, price: str, shares: str, *, bid: bool = False) -> Event:
    return LevelChanged(us(minutes), asset, bid, e6(price), e6(shares))


def lost(minutes: float, asset: str) -> Event:
    return BookLost(us(minutes), asset)


def traded(minutes: float, asset: str, price: str, shares: str) -> Event:
    return Traded(us(minutes), asset, e6(price), e6(shares), "BUY")


def said(minutes: float, name: str, q: str, *, of: float | None = None, source: str = "crowd") -> Event:
    """Somebody outside thinks that of market `name`; `of`: when he thought it, where that was earlier."""
    known, made = (START + timedelta(minutes=at) for at in (minutes, minutes if of is None else of))
    view = OutsideView(ConditionId(f"0x{name}"), source, Decimal(q), Decimal("0.01"), made, known)
    return ViewTold(us(minutes), view)


def resolved(minutes: float, name: str, first_pays: str, *, paid: float) -> Event:
    pays = e6(first_pays)
    return Resolved(us(minutes), f"0x{name}", (pays, MILLION - pays), us(paid))


@dataclass(frozen=True)
class HandTape:
    """Implements `Tape`."""

    told: Sequence[Event]
    minutes: float
    fidelity: Fidelity = Fidelity.OWN_BOOKS
    kind: str = "recorder"
    assumed: tuple[str, ...] = field(default=())

    @property
    def about(self) -> About:
        return About(
            name="a history made by hand",
            kind=self.kind,
            fidelity=self.fidelity,
            data_hash=sha256_hex(repr(list(self.told))),
            starts=START,
            ends=START + timedelta(minutes=self.minutes),
            markets=sum(isinstance(event, MarketTold) for event in self.told),
            assumed=self.assumed,
            problems=Problems(),
        )

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        end = microseconds(until)
        return iter([event for event in sorted(self.told, key=place) if event.at_us <= end])

    def past_books(self) -> PastBooks:
        raise NotImplementedError

    def with_events(self, events: Sequence[Event]) -> "HandTape":
        return replace(self, told=tuple(events))


class Sure(LoneModel):
    """Is sure of every first outcome: `q` of it, whatever the market says."""

    name = "sure"
    version = "1"
    validated = False
    requires = frozenset[str]()

    def __init__(self, q: str = "0.56") -> None:
        self.q = Decimal(q)
        self.asked: list[tuple[str, datetime]] = []

    def predict(self, state: MarketState) -> Answer:
        book = state.books[0]
        assert book is not None
        self.asked.append((state.market.condition_id, state.now))
        return ProbEstimate(
            q=self.q,
            low=self.q - Decimal("0.01"),
            high=self.q + Decimal("0.01"),
            sd=Decimal("0.005"),
            anchor=Price(book.mid or Decimal("0.5")),
            spread=book.spread or Decimal("0.01"),
            model=self.name,
            version=self.version,
            validated=False,
            independent=True,
            parts=(),
            because="It is sure.",
        )
