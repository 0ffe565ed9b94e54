"""The markets that `model collect` read, as a history that can be replayed. Prices only."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.core.errors import ConfigurationError
from polyb0t.research.history.past_markets import PastMarket, read_history
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.assumptions import KEPT_US, MILLION, Assumptions, book_around
from polyb0t.research.replay.described import Described
from polyb0t.research.replay.events import Event, Resolved, place
from polyb0t.research.replay.fees_by_date import is_known
from polyb0t.research.replay.file_tape import kept_sentence
from polyb0t.research.replay.known_first import known_first
from polyb0t.research.replay.losing import with_losses
from polyb0t.research.replay.past_books import ScannedBooks
from polyb0t.research.replay.scheduled_ends import scheduled_end_us
from polyb0t.research.replay.tape import About, Fidelity, PastBooks

_SAID = (
    "Prices are the last ones of their stretch of six hours, known at its end; nobody quoted them.",
    "Scheduled ends are what the catalogue said after the end; they may have been moved before it.",
    "Fees are those of the category and the day.",
    "The file has no market that is still open: markets are in it because they ended.",
)


@dataclass(frozen=True, slots=True)
class _Market:
    past: PastMarket
    described: Described


@dataclass(frozen=True)
class PastMarketTape:
    """Every market of the file; its prices are kept in memory, 16 bytes each."""

    about: About
    _markets: tuple[_Market, ...] = field(repr=False)
    _assumed: Assumptions = field(repr=False)

    def events(self, since: datetime, until: datetime) -> Iterator[Event]:
        since_us, until_us = microseconds(since), microseconds(until)
        each = [self._of(market, since_us, until_us) for market in self._markets]
        return known_first(with_losses(heapq.merge(*each, key=place), KEPT_US, until_us), since_us)

    def past_books(self) -> PastBooks:
        return ScannedBooks(self.events)

    def _of(self, market: _Market, since_us: int, until_us: int) -> Iterator[Event]:
        past, described = market.past, market.described
        if past.resolved_us < since_us or described.told_us >= until_us:
            return iter(())
        told = described.told(min(until_us, past.resolved_us))
        return heapq.merge(told, self._prices(market, since_us, until_us), key=place)

    def _prices(self, market: _Market, since_us: int, until_us: int) -> Iterator[Event]:
        past = market.past
        first = max(int(past.at_us.searchsorted(since_us)) - 1, 0)
        last = int(past.at_us.searchsorted(until_us))
        for n in range(first, last):
            price_e6 = round(float(past.price[n]) * MILLION)
            bids, asks = book_around(price_e6, self._assumed.spread)
            yield from market.described.books(int(past.at_us[n]), bids, asks)
        if past.resolved_us < until_us:
            yes = round(past.outcome * MILLION)
            condition = market.described.condition
            paid_us = self._assumed.payment.paid_us(condition, past.resolved_us)
            yield Resolved(past.resolved_us, condition, (yes, MILLION - yes), paid_us)


def past_market_tape(path: Path, assumed: Assumptions | None = None) -> PastMarketTape:
    """The tape of a file that `write_history` made.

    Raises:
        ConfigurationError: it cannot be read, is of another format, or has no market that can be used.
    """
    assumed = assumed or Assumptions()
    history = read_history(path)
    if not history.markets:
        raise ConfigurationError(
            f"{path.name} was not used.",
            why="It has no market with prices and an end.",
            do=f"What was left out: {' '.join(history.problems.sentences()) or 'nothing'}",
            code="history_file",
        )
    history.problems.forget("end_not_told")  # told anew, by what stands in for it here
    markets = tuple(_described(each, assumed, history.problems) for each in history.markets)
    about = About(
        name=path.name,
        kind="past_markets",
        fidelity=Fidelity.PRICES,
        data_hash=history.data_hash,
        starts=from_microseconds(min(each.described.told_us for each in markets)),
        ends=from_microseconds(1 + max(each.past.resolved_us for each in markets)),
        markets=len(markets),
        assumed=(
            *_said(markets, assumed),
            assumed.spread.sentence,
            kept_sentence(KEPT_US),
            assumed.payment.sentence,
        ),
        problems=history.problems,
        looks_ahead=assumed.looks_ahead if any(not each.past.end_told for each in markets) else (),
    )
    return PastMarketTape(about, markets, assumed)


def _described(past: PastMarket, assumed: Assumptions, problems: Problems) -> _Market:
    if not is_known(past.category):
        problems.note("category_unknown", f"{past.market}: {past.category}")
    told_us = min(past.opens_us, int(past.at_us[0]))
    ends_us: int | None = past.ends_us
    if not past.end_told:
        ends_us = scheduled_end_us(
            assumed,
            problems,
            name=past.market,
            question=past.question,
            told_us=told_us,
            last_us=past.ends_us,
        )
    described = Described(
        name=past.market,
        question=past.question,
        category=past.category,
        event=past.event,
        told_us=told_us,
        opened_us=past.opens_us,
        ends_us=ends_us,
        depth_e6=assumed.spread.depth_e6,
        labels=("Side A", "Side B") if past.named_sides else ("Yes", "No"),
        condition=past.market if past.market.startswith("0x") else "",
    )
    return _Market(past, described)


def _said(markets: tuple[_Market, ...], assumed: Assumptions) -> tuple[str, ...]:
    untold = any(not each.past.end_told for each in markets)
    return (*_SAID, *_early(markets), *((assumed.end_sentence,) if untold else ()))


def _early(markets: tuple[_Market, ...]) -> tuple[str, ...]:
    """Who is there only because it came early: of those like them the others still ran."""
    last_us = max(each.past.resolved_us for each in markets)
    early = sum(each.past.end_told and each.past.ends_us > last_us for each in markets)
    if not early:
        return ()
    said = (
        f"{early:,} of its {len(markets):,} markets were to end after the last result of the file, and are "
        "in it because they ended early. Those like them that ran on are not: near its end what happened is "
        "there, and what did not is missing."
    )
    return (said,)
