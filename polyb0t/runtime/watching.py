"""The markets that are watched: catalogue, universe, terms and books, and the record of why."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import structlog

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Price, plain
from polyb0t.data.declared_links import NO_LINKS, NOTHING_LINKED, DeclaredLinks, LinkedMarkets
from polyb0t.data.markets import Catalogue, Market, MarketProvider, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.outside_views import NO_VIEWS, Views
from polyb0t.data.universe import Universe, UniverseRules, select
from polyb0t.execution.store import EngineStore, Lease
from polyb0t.models.movement import MidHistory, Movement
from polyb0t.models.opening import Openings
from polyb0t.models.signals import MarketState
from polyb0t.research.observing import Observation

log = structlog.get_logger()

FUNNEL = "universe.observed"
_NAMED = 20  # of skipped markets and misses, in the record


class Books(Protocol):
    """Books for many assets, from the stream where it is sure and from a read for the rest."""

    def read(self, asset_ids: Sequence[AssetId], /) -> Mapping[AssetId, OrderBook]: ...


class Stream(Protocol):
    """The market socket: told which assets matter."""

    def watch(self, asset_ids: Iterable[AssetId], /) -> None: ...


@dataclass(frozen=True, slots=True)
class WatchSettings:
    rules: UniverseRules
    refresh_seconds: float
    links: DeclaredLinks = NO_LINKS


class MarketWatch:
    """Refreshed by the cycle's thread; read by the executor's threads. Parts are replaced, never changed."""

    def __init__(
        self,
        provider: MarketProvider,
        books: Books,
        stream: Stream,
        clock: Clock,
        settings: WatchSettings,
        *,
        outside: Callable[[], Views] = lambda: NO_VIEWS,
    ) -> None:
        self._provider = provider
        self._books_source = books
        self._stream = stream
        self._clock = clock
        self._settings = settings
        self._refreshed_at: float | None = None
        self._catalogue: Catalogue | None = None
        self._universe: Universe | None = None
        self._markets: Mapping[ConditionId, Market] = {}
        self._terms: Mapping[ConditionId, TradingTerms] = {}
        self._books: Mapping[AssetId, OrderBook] = {}
        self._funnel_due = False
        self._observed: Catalogue | None = None
        self._held: tuple[AssetId, ...] = ()
        self._mids = MidHistory()
        self._linked = NOTHING_LINKED
        self._outside = outside

    @property
    def links(self) -> LinkedMarkets:
        """What a person declared of the markets that the catalogue lists."""
        return self._linked

    @property
    def universe(self) -> Universe | None:
        return self._universe

    def refresh(self) -> bool:
        """Read the catalogue anew when it is due; whether it was.

        Raises:
            VenueUnreachableError: what was known before stays in use.
        """
        if not self._due():
            return False
        catalogue = self._with_links(self._provider.catalogue())
        universe = select(catalogue.markets, self._books, self._clock.now(), self._settings.rules)
        terms = self._provider.terms([market.condition_id for market in universe.tradable])
        self._stream.watch(self._wanted(universe.tradable))
        self._catalogue, self._universe = catalogue, universe
        self._markets = {**self._markets, **{market.condition_id: market for market in catalogue.markets}}
        self._terms = {**self._terms, **terms}
        self._refreshed_at = self._clock.boot_seconds()
        self._funnel_due = True
        return True

    def read_books(self) -> None:
        """Books of every watched market, no older than the source allows.

        Raises:
            VenueUnreachableError: none could be read; the old ones keep their age and are refused by it.
        """
        wanted = self._wanted(self._universe.tradable if self._universe is not None else ())
        if wanted:
            self._books = self._books_source.read(wanted)
            self._sample_mids()

    def movement(self, condition_id: ConditionId) -> Movement | None:
        """How much a watched market's price moves; None while too little was seen of it."""
        return self._mids.movement(condition_id)

    def _sample_mids(self) -> None:
        at = self._clock.boot_seconds()
        if self._universe is None or not self._mids.due(at):
            return
        books = {
            market.condition_id: self._books.get(market.outcomes[0].asset_id)
            for market in self._universe.tradable
        }
        mids = {key: book.mid for key, book in books.items() if book is not None and book.mid is not None}
        self._mids.observe(mids, at)

    def hold(self, asset_ids: Sequence[AssetId]) -> None:
        """What is held is watched as well, whatever has become of its market."""
        self._held = tuple(asset_ids)

    def _with_links(self, catalogue: Catalogue) -> Catalogue:
        """Every market with the tags of its links: to the limits each is a theme like any other."""
        if not self._settings.links.links:
            return catalogue
        linked = self._settings.links.among(catalogue.markets)
        if linked.unknown and linked.unknown != self._linked.unknown:
            log.warning("links.unknown", count=len(linked.unknown), example=linked.unknown[0])
        self._linked = linked
        return replace(catalogue, markets=tuple(linked.tagged(market) for market in catalogue.markets))

    def _wanted(self, markets: Iterable[Market]) -> list[AssetId]:
        return list(dict.fromkeys([*_assets(markets), *self._held]))

    def states(self, now: datetime) -> list[MarketState]:
        """Every watched market with what is known of it."""
        watched = self._universe.tradable if self._universe else ()
        return [self.state(market, now) for market in watched]

    def states_with_held(self, now: datetime) -> list[MarketState]:
        """These, and what is held besides: a model is asked about it for as long as it is."""
        watched = self.states(now)
        known, held = {each.market.condition_id for each in watched}, frozenset(self._held)
        besides = (
            self.state(market, now)
            for market in self._markets.values()
            if market.condition_id not in known and any(each.asset_id in held for each in market.outcomes)
        )
        return [*watched, *besides]

    def state(self, market: Market, now: datetime) -> MarketState:
        """One market with what is known of it."""
        return MarketState(
            market=market,
            terms=self._terms.get(market.condition_id),
            books=(
                self._books.get(market.outcomes[0].asset_id),
                self._books.get(market.outcomes[1].asset_id),
            ),
            now=now,
            outside=self._outside().of(market, now),
        )

    def learn(self, markets: Iterable[Market], terms: Mapping[ConditionId, TradingTerms]) -> None:
        """What the catalogue does not list and is held all the same."""
        known = tuple(markets)
        linked = self._settings.links.among(known)
        self._markets = {**self._markets, **{each.condition_id: linked.tagged(each) for each in known}}
        self._terms = {**self._terms, **terms}

    def listed(self) -> Sequence[Market]:
        """Every market of the catalogue as it was last read."""
        return self._catalogue.markets if self._catalogue is not None else ()

    def market(self, condition_id: ConditionId) -> Market | None:
        return self._markets.get(condition_id)

    def terms(self, condition_id: ConditionId) -> TradingTerms | None:
        return self._terms.get(condition_id)

    def bid(self, asset_id: AssetId) -> Price | None:
        """The best bid as last seen."""
        book = self._books.get(asset_id)
        return None if book is None else book.best_bid

    def observation(self) -> Observation:
        """What was seen now; the catalogue and its terms only once after each refresh."""
        catalogue = self._catalogue if self._catalogue is not self._observed else None
        self._observed = self._catalogue
        now, outside = self._clock.now(), self._outside()
        return Observation(
            now,
            tuple(self._books.values()),
            catalogue.markets if catalogue else (),
            tuple(self._terms.values()) if catalogue else (),
            outside=tuple(view for market in self._markets.values() for view in outside.of(market, now)),
        )

    def book(self, asset_id: AssetId) -> OrderBook | None:
        """The book as last seen, with its own age."""
        return self._books.get(asset_id)

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        """Implements `BookSource`: read now, from the exchange, whatever the stream says.

        Raises:
            VenueUnreachableError: there is no such book now.
        """
        book = self._provider.books([asset_id]).get(asset_id)
        if book is None:
            raise VenueUnreachableError(
                "The exchange has no order book for this outcome now.", code="no_book"
            )
        return book

    def note_again(self) -> None:
        """Write down with the next cycle why markets are not traded: something that mattered is known now."""
        self._funnel_due = self._universe is not None

    def note_funnel(self, openings: Openings, engine: EngineStore, lease: Lease) -> None:
        """Once a refresh: how many markets were looked at, and why the others were not traded."""
        if not self._funnel_due or self._universe is None or self._catalogue is None:
            return
        self._funnel_due = False
        engine.note(
            lease,
            kind=FUNNEL,
            subject="universe",
            payload={
                **funnel(self._catalogue, self._universe, openings),
                "links_unknown": self._linked.unknown[:_NAMED],
                "links_unknown_count": len(self._linked.unknown),
            },
            actor="engine",
        )

    def _due(self) -> bool:
        return (
            self._refreshed_at is None
            or self._clock.boot_seconds() - self._refreshed_at >= self._settings.refresh_seconds
        )


def funnel(catalogue: Catalogue, universe: Universe, openings: Openings) -> dict[str, object]:
    """The record that `universe --why` shows."""
    passed = Counter((each.code, each.reason) for each in openings.passed)
    excluded = [
        {"code": code, "sentence": universe.sentences.get(code, code), "count": count}
        for code, count in universe.counts().items()
    ]
    undecided = [
        {"code": code, "sentence": sentence, "count": count}
        for (code, sentence), count in passed.most_common(_NAMED)
    ]
    return {
        "watched": len(catalogue.markets) + len(catalogue.skipped),
        "tradable": len(universe.tradable),
        "proposed": len(openings.proposals),
        "reasons": excluded,
        "passed": undecided,
        "passed_count": len(openings.passed),
        "missed": openings.missed,
        "no_slot": [
            {"question": each.question, "place": each.place}
            for each in sorted(openings.passed, key=lambda each: each.rank)
            if each.rank
        ],
        "misses": [
            {"question": miss.question, "edge": plain(miss.edge), "needed": plain(miss.needed)}
            for miss in openings.near_misses[:_NAMED]
        ],
        "skipped": [{"name": each.name, "reason": each.reason} for each in catalogue.skipped[:_NAMED]],
        "skipped_count": len(catalogue.skipped),
    }


def _assets(markets: Iterable[Market]) -> list[AssetId]:
    return [outcome.asset_id for market in markets for outcome in market.outcomes]
