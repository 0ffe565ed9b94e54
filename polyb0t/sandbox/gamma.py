"""Gamma: the catalogue of markets and events, read-only and without authentication.

Spelling as the venue's: `outcomes`, `outcomePrices` and `clobTokenIds` are JSON inside strings,
volumes appear as text and as numbers, prices are those of the first outcome.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from polyb0t.sandbox.gamma_filters import wanted
from polyb0t.sandbox.gamma_json import event_json, market_json
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import MarketView
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply
from polyb0t.sandbox.world import World

PAGE: Final = 100
DEFAULT_PAGE: Final = 20


def add_routes(router: Router, world: World) -> None:
    """The catalogue under `/gamma`."""
    gamma = Gamma(world)
    router.add("GET", "/gamma/markets/keyset", gamma.markets_page)
    router.add("GET", "/gamma/events/keyset", gamma.events_page)
    router.add("GET", "/gamma/markets", gamma.markets_list)
    router.add("GET", "/gamma/markets/slug/{}", gamma.market_by_slug)
    router.add("GET", "/gamma/markets/{}", gamma.market_by_id)
    router.add("GET", "/gamma/events/slug/{}", gamma.event_by_slug)
    router.add("GET", "/gamma/events/{}", gamma.event_by_id)


class Gamma:
    """The catalogue's routes over one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[tuple[str, bool], tuple[tuple[object, ...], msgspec.Raw]] = {}

    def markets_page(self, request: Request) -> Reply:
        """`GET /markets/keyset`."""
        query = request.params()
        if "offset" in query:
            raise WireError(422, "offset is not allowed on keyset endpoints", {"type": "validation error"})
        page, cursor = self._page(self._selected(query), query)
        body: dict[str, object] = {"markets": [self._market(view, query) for view in page]}
        return json_reply(body | ({"next_cursor": cursor} if cursor else {}))

    def markets_list(self, request: Request) -> Reply:
        """`GET /markets`, the older list with an offset."""
        query = request.params()
        start, size = _whole(query, "offset", 0), _whole(query, "limit", DEFAULT_PAGE)
        if start > 2_000:
            raise WireError(422, "offset too large, use /markets/keyset", {"type": "validation error"})
        chosen = self._selected(query)[start : start + min(size, PAGE)]
        return json_reply([self._market(view, query) for view in chosen])

    def market_by_id(self, request: Request) -> Reply:
        """`GET /markets/{id}`."""
        return self._one(request, lambda view: view.spec.gamma_id == request.values[0], "id not found")

    def market_by_slug(self, request: Request) -> Reply:
        """`GET /markets/slug/{slug}`."""
        return self._one(request, lambda view: view.spec.slug == request.values[0], "slug not found")

    def events_page(self, request: Request) -> Reply:
        """`GET /events/keyset`; an event is in the list while one of its markets is."""
        query = request.params()
        if "offset" in query:
            raise WireError(422, "offset is not allowed on keyset endpoints", {"type": "validation error"})
        first = {view.spec.event_id: view for view in reversed(self._selected(query))}
        ordered = sorted(first.values(), key=lambda view: _natural(view.spec.event_id))
        page, cursor = _slice(ordered, query)
        body: dict[str, object] = {"events": [self._event(view.spec.event_id) for view in page]}
        return json_reply(body | ({"next_cursor": cursor} if cursor else {}))

    def event_by_id(self, request: Request) -> Reply:
        """`GET /events/{id}`."""
        return json_reply(self._event(request.values[0]))

    def event_by_slug(self, request: Request) -> Reply:
        """`GET /events/slug/{slug}`."""
        for view in self._every():
            if view.spec.event_slug == request.values[0]:
                return json_reply(self._event(view.spec.event_id))
        raise WireError(404, "slug not found", {"type": "not found error"})

    def _one(self, request: Request, wanted: Callable[[MarketView], bool], refusal: str) -> Reply:
        query = request.params()
        for view in self._every():
            if wanted(view):
                return json_reply(self._market(view, query))
        raise WireError(404, refusal, {"type": "not found error"})

    def _event(self, event_id: str) -> dict[str, object]:
        views = [view for view in self._world.markets() if view.spec.event_id == event_id]
        if not views:
            views = [view for view in self._world.archive.views() if view.spec.event_id == event_id]
        if not views:
            raise WireError(404, "id not found", {"type": "not found error"})
        return event_json(views) | {"markets": [self._market(view, {}) for view in views]}

    def _market(self, view: MarketView, query: Mapping[str, list[str]]) -> msgspec.Raw:
        with_tags = query.get("include_tag", [""])[-1].lower() == "true"
        key = (view.spec.condition_id, with_tags)
        listed = view.spec.books_from_ms <= self._world.now_ms
        mark = (
            view.updated_ms,
            view.volume_e6,
            view.volume_24h_e6,
            view.best_bid_e6,
            view.best_ask_e6,
            view.liquidity_e6,
            view.closed,
            view.accepting,
            view.last_price_e6,
            view.tick_e6,
            listed,
        )
        kept = self._kept.get(key)
        if kept is None or kept[0] != mark:
            kept = (
                mark,
                msgspec.Raw(msgspec.json.encode(market_json(view, with_tags=with_tags, listed=listed))),
            )
            self._kept[key] = kept
        return kept[1]

    def _selected(self, query: Mapping[str, list[str]]) -> list[MarketView]:
        keeps = wanted(query)
        closed = query.get("closed", ["false"])[-1].lower() != "false"
        return [view for view in self._world.catalogue(closed=closed) if all(keep(view) for keep in keeps)]

    def _every(self) -> Iterator[MarketView]:
        """Every market, the archive's last: it is made only for those who look that far."""
        yield from self._world.markets()
        yield from self._world.archive.views()

    def _page(self, views: list[MarketView], query: Mapping[str, list[str]]) -> tuple[list[MarketView], str]:
        falling = query.get("ascending", ["true"])[-1].lower() == "false"
        return _slice(sorted(views, key=_sort_key(query), reverse=falling), query)


def _slice(views: list[MarketView], query: Mapping[str, list[str]]) -> tuple[list[MarketView], str]:
    """One page and the cursor of the next; a cursor names the last market shown."""
    size = max(1, min(_whole(query, "limit", DEFAULT_PAGE), PAGE))
    start = 0
    if cursor := query.get("after_cursor", [""])[-1]:
        place, shown = _read_cursor(cursor)
        after = [i for i, view in enumerate(views) if view.spec.gamma_id == shown]
        start = after[0] + 1 if after else place  # the market left the list: go by its place
    page = views[start : start + size]
    if start + size >= len(views):
        return page, ""
    name = f"{start + size}|{page[-1].spec.gamma_id}"
    return page, base64.urlsafe_b64encode(name.encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, str]:
    try:
        place, shown = base64.urlsafe_b64decode(cursor).decode().split("|", 1)
        return max(0, int(place)), shown
    except (binascii.Error, ValueError) as error:
        raise WireError(422, "invalid cursor", {"type": "validation error"}) from error


def _natural(text: str) -> tuple[int, str]:
    """Ids are decimal texts; 9 comes before 10."""
    return (len(text), text)


def _sort_key(query: Mapping[str, list[str]]) -> Callable[[MarketView], Any]:
    """The order asked for. `volume` and `liquidity` sort as text, as the venue's do."""
    keys: dict[str, Callable[[MarketView], object]] = {
        "volumeNum": lambda view: view.volume_e6,
        "volume24hr": lambda view: view.volume_24h_e6,
        "liquidityNum": lambda view: view.liquidity_e6,
        "volume": lambda view: e6_text(view.volume_e6),
        "liquidity": lambda view: e6_text(view.liquidity_e6),
        "endDate": lambda view: view.spec.end_ms,
        "startDate": lambda view: view.spec.start_ms,
        "createdAt": lambda view: view.spec.start_ms,
    }
    first = keys.get(query.get("order", ["id"])[-1])
    if first is None:
        return lambda view: _natural(view.spec.gamma_id)
    return lambda view: (first(view), _natural(view.spec.gamma_id))


def _whole(query: Mapping[str, list[str]], name: str, default: int) -> int:
    text = query.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise WireError(422, f"{name} must be a whole number", {"type": "validation error"})
    return int(text)
