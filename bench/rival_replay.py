"""Runs in the rival's environment: nautilus_trader's event engine on changes of book levels.

    python rival_replay.py CHANGES MARKETS

prints {"changes_per_second": ...} of CPU. Data are made, sorted and added beforehand; a strategy listens to
the changes of every book and does nothing.
"""

import json
import sys
import time
from random import Random

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USDC
from nautilus_trader.model.data import BookOrder, OrderBookDelta
from nautilus_trader.model.enums import AccountType, AssetClass, BookAction, BookType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import BinaryOption
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

LEVELS = 10
START_NS = 1_788_000_000_000_000_000
STEP_NS = 1_000_000
VENUE = Venue("RIVAL")


class Listener(Strategy):
    """Hears everything."""

    def __init__(self, instruments):
        super().__init__()
        self.instruments = instruments
        self.heard = 0

    def on_start(self):
        for each in self.instruments:
            self.subscribe_order_book_deltas(each.id, book_type=BookType.L2_MBP)

    def on_order_book_deltas(self, _deltas):
        self.heard += 1


def instrument(number, outcome):
    symbol = Symbol(f"{number}-{outcome}")
    return BinaryOption(
        instrument_id=InstrumentId(symbol, VENUE),
        raw_symbol=symbol,
        asset_class=AssetClass.ALTERNATIVE,
        currency=USDC,
        price_precision=2,
        size_precision=0,
        price_increment=Price.from_str("0.01"),
        size_increment=Quantity.from_int(1),
        activation_ns=0,
        expiration_ns=2 * START_NS,
        ts_event=0,
        ts_init=0,
        outcome="Yes" if outcome == 0 else "No",
    )


def delta(each, at_ns, bid, cents, shares):
    action = BookAction.UPDATE if shares else BookAction.DELETE
    side = OrderSide.BUY if bid else OrderSide.SELL
    order = BookOrder(side, Price(cents / 100, 2), Quantity.from_int(shares), cents)
    return OrderBookDelta(each.id, action, order, 0, 0, at_ns, at_ns)


def middle(number, outcome):
    yes = 30 + number % 41
    return yes if outcome == 0 else 101 - yes


def history(instruments, count, markets):
    found = []
    for number in range(markets):
        for outcome in range(2):
            best = middle(number, outcome)
            for far in range(LEVELS):
                found.append(delta(instruments[number][outcome], START_NS, True, best - far - 1, 500))
                found.append(delta(instruments[number][outcome], START_NS, False, best + far, 500))
    chance, at_ns = Random(1), START_NS
    for _ in range(count):
        at_ns += STEP_NS
        number, outcome, bid = chance.randrange(markets), chance.randrange(2), chance.random() < 0.5
        far = chance.randrange(1, LEVELS + 1)
        cents = middle(number, outcome) + (-far if bid else far - 1)
        shares = 0 if far > 2 and chance.random() < 0.2 else chance.randrange(20, 900)
        found.append(delta(instruments[number][outcome], at_ns, bid, cents, shares))
    return found


def main(count, markets):
    engine = BacktestEngine(config=BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=USDC,
        starting_balances=[Money(10_000, USDC)],
        book_type=BookType.L2_MBP,
    )
    instruments = [[instrument(number, outcome) for outcome in range(2)] for number in range(markets)]
    for pair in instruments:
        for each in pair:
            engine.add_instrument(each)
    listener = Listener([each for pair in instruments for each in pair])
    engine.add_strategy(listener)
    engine.add_data(history(instruments, count, markets), sort=False)
    begun = time.process_time()
    engine.run()
    taken = time.process_time() - begun
    assert listener.heard >= count, listener.heard
    print(json.dumps({"changes_per_second": count / taken}))
    engine.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
