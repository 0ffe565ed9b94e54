"""CLOB reads that need no account: books, prices, trading parameters, time.

Errors in the venue's words. Prices and sizes are decimal strings; ticks and fees in
`/clob-markets` and `/tick-size` are JSON numbers.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from polyb0t.core.clock import Clock
from polyb0t.sandbox import history
from polyb0t.sandbox.books import Books
from polyb0t.sandbox.clob_json import clob_market_json, full_market_json
from polyb0t.sandbox.gamma_json import number
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import NO, YES, BookView, MarketView
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World

MOST_IDS: Final = 500
_HALF: Final = 500_000


class TokenAsk(msgspec.Struct, frozen=True):
    """One element of a batch request."""

    token_id: str
    side: str = ""


def add_routes(router: Router, world: World, books: Books, clock: Clock) -> None:
    """The public routes under `/clob`."""
    clob = Clob(world, books, clock)
    single: dict[str, Callable[[Request], Reply]] = {
        "/ok": clob.ok,
        "/time": clob.time,
        "/version": clob.version,
        "/book": clob.book,
        "/books": clob.books_by_query,
        "/midpoint": clob.midpoint,
        "/price": clob.price,
        "/spread": clob.spread,
        "/last-trade-price": clob.last_trade,
        "/tick-size": clob.tick_size,
        "/neg-risk": clob.neg_risk,
        "/fee-rate": clob.fee_rate,
        "/prices-history": clob.history,
        "/markets-by-token/{}": clob.market_by_token,
        "/clob-markets/{}": clob.clob_market,
        "/markets/{}": clob.full_market,
    }
    batch: dict[str, Callable[[Request], Reply]] = {
        "/books": clob.books,
        "/midpoints": clob.midpoints,
        "/prices": clob.prices,
        "/spreads": clob.spreads,
        "/last-trades-prices": clob.last_trades,
    }
    for path, handler in single.items():
        router.add("GET", f"/clob{path}", handler)
    for path, handler in batch.items():
        router.add("POST", f"/clob{path}", handler)


class Clob:
    """Market data of one world."""

    def __init__(self, world: World, books: Books, clock: Clock) -> None:
        self._world = world
        self._books = books
        self._clock = clock

    def ok(self, _request: Request) -> Reply:
        """`GET /ok`."""
        return json_reply("OK")

    def time(self, _request: Request) -> Reply:
        """`GET /time`: the clock that signatures are checked against, whole seconds."""
        return json_reply(int(self._clock.now().timestamp()))

    def version(self, _request: Request) -> Reply:
        """`GET /version`: the generation of the CLOB, not of the market protocol."""
        return json_reply({"version": 2})

    def book(self, request: Request) -> Reply:
        """`GET /book`."""
        view = self._open_book(request)
        return Reply(200, self._books.text(view.token_id).encode())

    def books(self, request: Request) -> Reply:
        """`POST /books`; unknown ids are missing in the answer."""
        return self._books_of([ask.token_id for ask in self._asked(request)])

    def books_by_query(self, request: Request) -> Reply:
        """`GET /books?token_ids=a,b`."""
        return self._books_of((request.param("token_ids") or "").split(","))

    def midpoint(self, request: Request) -> Reply:
        """`GET /midpoint`."""
        return json_reply({"mid": _midpoint(self._open_book(request))})

    def price(self, request: Request) -> Reply:
        """`GET /price`: BUY is the best bid, SELL the best ask, the view of a maker."""
        side = (request.param("side") or "").upper()
        if side not in ("BUY", "SELL"):
            raise WireError(400, "Invalid side")
        return json_reply({"price": _best(self._open_book(request), side)})

    def spread(self, request: Request) -> Reply:
        """`GET /spread`."""
        return json_reply({"spread": _spread(self._open_book(request))})

    def last_trade(self, request: Request) -> Reply:
        """`GET /last-trade-price`."""
        return json_reply(self._last(self._open_book(request)))

    def tick_size(self, request: Request) -> Reply:
        """`GET /tick-size`."""
        return json_reply({"minimum_tick_size": number(self._open_book(request).tick_e6)})

    def neg_risk(self, request: Request) -> Reply:
        """`GET /neg-risk`."""
        return json_reply({"neg_risk": self._open_book(request).neg_risk})

    def fee_rate(self, request: Request) -> Reply:
        """`GET /fee-rate`: the legacy number, of no use for fees, kept for old clients."""
        fees = self._market_of(request.param("token_id")).spec.fees_enabled
        return json_reply({"base_fee": 1000 if fees else 0})

    def midpoints(self, request: Request) -> Reply:
        """`POST /midpoints`."""
        return json_reply({view.token_id: _midpoint(view) for view in self._known(request)})

    def prices(self, request: Request) -> Reply:
        """`POST /prices`."""
        answer: dict[str, dict[str, str]] = {}
        for ask in self._asked(request):
            side = ask.side.upper()
            if side not in ("BUY", "SELL"):
                raise WireError(400, "Invalid side")
            if view := self._live_book(ask.token_id):
                answer.setdefault(ask.token_id, {})[side] = _best(view, side)
        return json_reply(answer)

    def spreads(self, request: Request) -> Reply:
        """`POST /spreads`."""
        return json_reply({view.token_id: _spread(view) for view in self._known(request)})

    def last_trades(self, request: Request) -> Reply:
        """`POST /last-trades-prices`."""
        return json_reply([{"token_id": view.token_id} | self._last(view) for view in self._known(request)])

    def market_by_token(self, request: Request) -> Reply:
        """`GET /markets-by-token/{token}`."""
        spec = self._market_of(request.values[0], "market not found").spec
        return json_reply(
            {
                "condition_id": spec.condition_id,
                "primary_token_id": spec.token_ids[YES],
                "secondary_token_id": spec.token_ids[NO],
            }
        )

    def clob_market(self, request: Request) -> Reply:
        """`GET /clob-markets/{condition}`: trading parameters in short keys."""
        return json_reply(clob_market_json(self._market_by_condition(request.values[0])))

    def full_market(self, request: Request) -> Reply:
        """`GET /markets/{condition}`."""
        return json_reply(full_market_json(self._market_by_condition(request.values[0])))

    def history(self, request: Request) -> Reply:
        """`GET /prices-history`. Of a resolved market an interval gives nothing, as at the venue."""
        token = request.param("market") or ""
        view = self._market_of(token)
        window = history.clob_window(request, self._world.now_ms // 1000)
        if view.closed and request.param("startTs") is None:
            return json_reply({"history": []})
        seen = history.points(self._world, token, window)
        return json_reply({"history": [{"t": at_s, "p": number(price)} for at_s, price in seen]})

    def _market_of(
        self, token: str | None, absent: str = "No orderbook exists for the requested token id"
    ) -> MarketView:
        if not token or not (token.isascii() and token.isdigit()) or len(token) > 78:
            raise WireError(400, "Invalid token id")
        condition = self._world.condition_of(token)
        if condition is None:
            raise WireError(404, absent)
        return self._world.market(condition)

    def _market_by_condition(self, condition: str) -> MarketView:
        """The short form of a V2 condition is not known here, nor is a market that is only announced."""
        try:
            view = self._world.market(condition)
        except KeyError:
            raise WireError(404, "market not found") from None
        if view.spec.books_from_ms > self._world.now_ms:
            raise WireError(404, "market not found")
        return view

    def _open_book(self, request: Request) -> BookView:
        token = request.param("token_id")
        if self._market_of(token).closed or token is None:
            raise WireError(404, "No orderbook exists for the requested token id")
        return self._world.book(token)

    def _live_book(self, token: str) -> BookView | None:
        condition = self._world.condition_of(token)
        if condition is None or self._world.market(condition).closed:
            return None
        return self._world.book(token)

    def _asked(self, request: Request) -> list[TokenAsk]:
        asked = parse_body(request, list[TokenAsk], "Invalid payload")
        if len(asked) > MOST_IDS:
            raise WireError(400, "Payload exceeds the limit")
        return asked

    def _known(self, request: Request) -> list[BookView]:
        found = (self._live_book(ask.token_id) for ask in self._asked(request))
        return [view for view in found if view is not None]

    def _books_of(self, tokens: list[str]) -> Reply:
        if len(tokens) > MOST_IDS:
            raise WireError(400, "Payload exceeds the limit")
        known = (token for token in tokens if self._live_book(token) is not None)
        return Reply(200, f"[{','.join(map(self._books.text, known))}]".encode())

    def _last(self, view: BookView) -> dict[str, str]:
        """The last print; half and no side where nothing was traded yet."""
        tape = self._world.tape(view.condition_id)
        if not tape or view.last_price_e6 is None:
            return {"price": "0.5", "side": ""}
        same = tape[0].token_id == view.token_id
        side = tape[0].side if same else ("SELL" if tape[0].side == "BUY" else "BUY")
        return {"price": e6_text(view.last_price_e6), "side": side}


def _midpoint(view: BookView) -> str:
    bid = view.bids[-1][0] if view.bids else 0
    ask = view.asks[-1][0] if view.asks else 2 * _HALF
    return e6_text((bid + ask) // 2)


def _best(view: BookView, side: str) -> str:
    levels = view.bids if side == "BUY" else view.asks
    return e6_text(levels[-1][0]) if levels else "0"


def _spread(view: BookView) -> str:
    bid = view.bids[-1][0] if view.bids else 0
    ask = view.asks[-1][0] if view.asks else 2 * _HALF
    return e6_text(ask - bid)
