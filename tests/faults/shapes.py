"""The trades that histories are about: every order type, both sides, and those that end otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Level
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.sandbox.types import MILLION, Side
from tests.faults.history import History
from tests.faults.process import buying, resting, selling

Shape = Callable[[History], TradeIntent]


def fak_buy(history: History) -> TradeIntent:
    return buying(history.exchange, history.machine.clock, history.scope)


def fok_buy(history: History) -> TradeIntent:
    """9.60 pUSD buy whole units of the offer, so that it fills to the last millionth."""
    changes = {"amount": Pusd(Decimal("9.6")), "least_shares": Shares(Decimal("19.2"))}
    return buying(history.exchange, history.machine.clock, history.scope, order_type=OrderType.FOK, **changes)


def fak_partial(history: History) -> TradeIntent:
    """Less is offered than the order wants."""
    intent = fak_buy(history)
    _see_now(history)
    history.exchange.withdraw_quotes()
    history.exchange.quote(480_000, Side.SELL, 9 * MILLION)
    return intent


def fak_no_fill(history: History) -> TradeIntent:
    """Somebody took the offer away after the last look at the book."""
    intent = fak_buy(history)
    _see_now(history)
    history.exchange.withdraw_quotes()
    return intent


def fak_sell(history: History) -> TradeIntent:
    """Twenty shares are there to be sold, bought before this database began."""
    _give_shares(history)
    return selling(history.exchange, history.machine.clock, history.scope)


def gtc(history: History) -> TradeIntent:
    _see_depth(history)
    return resting(history.exchange, history.machine.clock, history.scope)


def gtd(history: History) -> TradeIntent:
    _see_depth(history)
    changes = {"order_type": OrderType.GTD, "life_seconds": 120}
    return resting(history.exchange, history.machine.clock, history.scope, **changes)


def post_only(history: History) -> TradeIntent:
    _see_depth(history)
    return resting(history.exchange, history.machine.clock, history.scope, post_only=True)


def gtc_crossing(history: History) -> TradeIntent:
    """More than is offered: a part trades at once, the rest waits."""
    changes = {"worst_price": Price(Decimal("0.49")), "shares": Shares(Decimal(30))}
    _see_now(history)
    history.exchange.withdraw_quotes()
    history.exchange.quote(480_000, Side.SELL, 12 * MILLION)
    changes["max_cost"] = Decimal("15.3")
    return resting(history.exchange, history.machine.clock, history.scope, **changes)


SHAPES: Final[Mapping[str, Shape]] = {
    shape.__name__: shape
    for shape in (fak_buy, fok_buy, fak_partial, fak_no_fill, fak_sell, gtc, gtd, post_only, gtc_crossing)
}


def _see_now(history: History) -> None:
    """What the engine sees of the book is from a moment ago."""
    history.engine.books.stale = history.exchange.book(history.machine.clock)


def _see_depth(history: History) -> None:
    """The engine takes its own price for one that fills; the exchange lets the order rest."""
    books = history.engine.books
    book = books.fresh_book(AssetId(history.exchange.token))
    books.stale = replace(book, asks=_depth("0.45"), bids=_depth("0.44"))


def _give_shares(history: History) -> None:
    exchange = history.exchange
    exchange.world.split(exchange.wallet, exchange.spec.condition_id, 20 * MILLION)
    history.pusd_given -= 20 * MILLION
    history.shares_given += 20 * MILLION


def _depth(price: str) -> tuple[Level, ...]:
    return (Level(Price(Decimal(price)), Shares(Decimal(100_000))),)
