"""What can happen to news on the account's socket around a fill, each by the name that the document uses."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from polyb0t.execution.intents import TradeIntent
from polyb0t.sandbox.types import MILLION
from tests.faults.history import History
from tests.faults.line import Trouble
from tests.faults.scenario import Scenario
from tests.faults.socket import Event, Wire, as_told
from tests.faults.troubles import lost_after, placing

Bend = Callable[[Wire, list[Event]], list[str]]
FOREIGN: Final = "0x" + "fe" * 32


def silent(_wire: Wire, _events: list[Event]) -> list[str]:
    return []


def some_lost(wire: Wire, events: list[Event]) -> list[str]:
    return [json.dumps(event) for event in events if wire.random.random() < 0.5]


def repeated(wire: Wire, events: list[Event]) -> list[str]:
    """Each two or three times, and now and then what was told long ago."""
    again = [event for event in events for _ in range(wire.random.choice((2, 3)))]
    again += wire.random.sample(wire.past, min(3, len(wire.past)))
    return [json.dumps(event) for event in again]


def shuffled(wire: Wire, events: list[Event]) -> list[str]:
    """In any order, with some of what was told before: an end may come before its match."""
    mixed = events + wire.random.sample(wire.past, min(2, len(wire.past)))
    wire.random.shuffle(mixed)
    return [json.dumps(event) for event in mixed]


def packed(wire: Wire, events: list[Event]) -> list[str]:
    """One array, stamps in seconds or milliseconds, blanks and pongs between, and a part nobody knows."""
    told = [_stamped(event, wire.random.choice((1, 1_000))) for event in events]
    odd: list[object] = [{"event_type": "weather"}, "PONG", 7, None, {"event_type": "trade", "id": "x"}]
    parts: list[object] = [*told, *wire.random.sample(odd, wire.random.randrange(3))]
    wire.random.shuffle(parts)
    return ["", json.dumps(parts), "PONG"]


def _stamped(event: Event, factor: int) -> Event:
    time = event.get("match_time")
    return event if time is None else {**event, "match_time": str(int(str(time)) * factor)}


def trades_say(**changes: object) -> Bend:
    """Trades with these fields in place of their own; what is said of orders is right."""

    def bend(_wire: Wire, events: list[Event]) -> list[str]:
        return [json.dumps(_bent(event, changes)) for event in events]

    return bend


def _bent(event: Event, changes: Mapping[str, object]) -> Event:
    if event["event_type"] != "trade":
        return event
    inside = {"price": changes["price"]} if "price" in changes else {}
    inside |= {"matched_amount": changes["size"]} if "size" in changes else {}
    makers = event["maker_orders"]
    assert isinstance(makers, list)
    return {**event, **changes, "maker_orders": [{**maker, **inside} for maker in makers]}


def enlarged(_wire: Wire, events: list[Event]) -> list[str]:
    def times(event: Event) -> Event:
        if event["event_type"] != "trade":
            return event
        return _bent(event, {"size": str(Decimal(str(event["size"])) * 10_000)})

    return [json.dumps(times(event)) for event in events]


def of_nobody(_wire: Wire, events: list[Event]) -> list[str]:
    """Beside the true news, the same trades as those of orders that nobody knows."""
    others = [
        {**event, "id": f"{event['id']}-other", "taker_order_id": FOREIGN, "maker_orders": []}
        for event in events
        if event["event_type"] == "trade"
    ]
    return [json.dumps(event) for event in (*events, *others)]


NEWS: Final[Mapping[str, Bend]] = {
    "socket silent around a fill": silent,
    "socket with a gap around a fill": some_lost,
    "socket repeats": repeated,
    "socket reorders": shuffled,
    "socket packs arrays, with parts that cannot be read": packed,
}
FATES: Final[Mapping[str, Bend]] = {  # the trade fails on chain after its match
    "FAILED after MATCHED on the socket": as_told,
    "FAILED and MATCHED in any order, repeated": shuffled,
    "socket says CONFIRMED of a trade that fails": trades_say(status="CONFIRMED"),
}
LIES: Final[Mapping[str, Bend]] = {
    "socket says FAILED of a trade that stands": trades_say(status="FAILED"),
    "socket tells trades of unknown orders": of_nobody,
    "socket tells a negative size": trades_say(size="-4"),
    "socket tells a price above one": trades_say(price="1.48"),
    "socket tells the price zero": trades_say(price="0"),
    "socket tells sizes 10,000 times too large": enlarged,
    "socket tells trades as another order's": trades_say(taker_order_id=FOREIGN, maker_orders=[]),
}


def _about(name: str, bend: Bend, *, fails: bool = False) -> Scenario:
    """An order is sent and trades in parts while the socket is as `name` says."""

    def run(history: History, intent: TradeIntent) -> None:
        random = history.random
        breaks, at_once = bend is some_lost, random.random() < 0.7
        history.listen(Wire(bend, random, at_once, breaks))
        intent_id = history.approve(intent)
        history.faults.append(name)
        if fails:
            history.exchange.world.fail_next = 1
        if random.random() < 0.3:
            history.engine.line.troubles.append(Trouble("reply lost", placing, lost_after))
            history.faults.append("reply lost")
        history.execute(intent_id)
        for _ in range(random.choice((1, 2))):
            history.wait(random.choice((0, 1, 3, 8)))
            history.exchange.trade_into(random.choice((5, 7)) * MILLION)
        if random.random() < 0.3:
            history.crash_and_restart()
            history.faults.append("the engine was restarted")
        history.wait(random.choice((0, 2)))
        if random.random() < 0.5:
            history.engine.turn()

    return Scenario(name, run)


SOCKET_SCENARIOS: Final = (
    *(_about(name, bend) for name, bend in NEWS.items()),
    *(_about(name, bend, fails=True) for name, bend in FATES.items()),
    *(_about(name, bend) for name, bend in LIES.items()),
)
