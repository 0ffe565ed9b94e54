"""Markets of histories that tell little of them: made into what the catalogue and the exchange would say.

Ids that a history does not have are drawn from its names, so that they are the same in every run.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import Price, Pusd, Shares, from_e6
from polyb0t.data.markets import Market, Outcome, ProtocolVersion, TradingTerms
from polyb0t.research.replay.assumptions import LevelsE6, mirrored
from polyb0t.research.replay.events import BookShown, Event, MarketTold, TermsTold
from polyb0t.research.replay.fees_by_date import fee_at, fee_changes

FINE_TICK_E6: Final = 1_000
LEAST_SHARES_E6: Final = 5_000_000
_RULES: Final = "The history does not tell the rules of this market."


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a history tells of one market. `told_us` is when it is told first, `opened_us` when it opened."""

    name: str
    question: str
    category: str
    event: str
    told_us: int
    ends_us: int | None  # as scheduled, known from the start
    depth_e6: int  # shares on each side that its books are taken to have
    opened_us: int | None = None
    labels: tuple[str, str] = ("Yes", "No")
    neg_risk: bool = False
    tick_e6: int = FINE_TICK_E6
    least_shares_e6: int = LEAST_SHARES_E6
    condition: str = ""
    assets: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        condition = self.condition or "0x" + sha256_hex(f"market {self.name}")
        first, second = self.assets
        object.__setattr__(self, "condition", condition)
        object.__setattr__(self, "assets", (first or drawn(condition, 0), second or drawn(condition, 1)))

    def told(self, until_us: int) -> Iterator[Event]:
        """The market and its terms, and these again on each day before `until_us` that changed the fee."""
        opened = None if self.opened_us is None else from_microseconds(self.opened_us)
        first, last = from_microseconds(self.told_us), from_microseconds(max(until_us, self.told_us))
        terms = self._terms()
        yield MarketTold(self.told_us, self._market())
        yield TermsTold(self.told_us, terms)
        for day, fee in fee_changes(self.category, first, last, opened):
            yield TermsTold(microseconds(day), replace(terms, fee=fee, observed_at=day))

    def books(self, at_us: int, bids: LevelsE6, asks: LevelsE6) -> tuple[BookShown, BookShown]:
        """The book of the first outcome and the second's, which mirrors it."""
        first, second = self.assets
        return (
            BookShown(at_us, first, self.condition, bids, asks),
            BookShown(at_us, second, self.condition, *mirrored(bids, asks)),
        )

    def _terms(self) -> TradingTerms:
        at = from_microseconds(self.told_us)
        opened = None if self.opened_us is None else from_microseconds(self.opened_us)
        return TradingTerms(
            condition_id=ConditionId(self.condition),
            tick=Price(from_e6(self.tick_e6)),
            min_shares=Shares(from_e6(self.least_shares_e6)),
            fee=fee_at(self.category, at, opened),
            taker_delay_seconds=0,
            neg_risk=self.neg_risk,
            observed_at=at,
        )

    def _market(self) -> Market:
        terms = self._terms()
        first, second = (
            Outcome(label, AssetId(asset)) for label, asset in zip(self.labels, self.assets, strict=True)
        )
        return Market(
            market_id=self.condition[2:18],
            condition_id=terms.condition_id,
            question=self.question,
            slug=self.name,
            page_url="",
            category=self.category.lower(),
            tags=(),
            event_id=EventId(self.event),
            event_title=self.event,
            outcomes=(first, second),
            version=ProtocolVersion.V2,
            neg_risk=self.neg_risk,
            active=True,
            closed=False,
            archived=False,
            accepting_orders=True,
            order_book_enabled=True,
            end_date=None if self.ends_us is None else from_microseconds(self.ends_us),
            game_start=None,
            tick=terms.tick,
            min_shares=terms.min_shares,
            fees_enabled=terms.fee is not None and terms.fee.rate > 0,
            fee=terms.fee,
            taker_delay_seconds=0,
            liquidity_pusd=Pusd(from_e6(self.depth_e6)),
            volume_24h_pusd=None,
            best_bid=None,
            best_ask=None,
            resolution_source="",
            resolution_status="",
            rules_text=_RULES,
            rules_hash=sha256_hex(_RULES),
            observed_at=terms.observed_at,
            opened_at=None if self.opened_us is None else from_microseconds(self.opened_us),
        )


def drawn(condition: str, outcome: int) -> str:
    """An id for an outcome that has none: a decimal string, as the exchange's are."""
    return str(int.from_bytes(hashlib.sha256(f"{condition}:{outcome}".encode()).digest(), "big"))
