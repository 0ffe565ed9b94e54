"""Answers about our orders that cannot be true, for a while: they are alerted and applied nowhere."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from polyb0t.execution.intents import TradeIntent
from polyb0t.venue.one_shot import Reply as Got
from tests.faults.history import History
from tests.faults.line import Letter, Line, Trouble
from tests.faults.scenario import Scenario
from tests.faults.troubles import Strike, looking_up, lost_after, lost_before, placing

FOREIGN: Final = "0x" + "fe" * 32


def order_says(**changes: object) -> Strike:
    """The order's own answer with these fields in place of its own."""

    def strike(line: Line, letter: Letter) -> Got:
        got = line.deliver(letter)
        if got.status != 200:
            return got
        return Got(200, got.headers, json.dumps({**json.loads(got.body), **changes}).encode())

    return strike


def listed_beside(line: Line, letter: Letter) -> Got:
    """Among our open orders some that are none of ours, of absurd sizes and prices."""
    got = line.deliver(letter)
    page: dict[str, Any] = json.loads(got.body)
    known = page.get("data") or [_row(line)]
    odd = [{**known[0], "id": FOREIGN, "size_matched": size, "price": "0.5"} for size in ("0", "9999999")]
    return Got(got.status, got.headers, json.dumps({**page, "data": [*page.get("data", []), *odd]}).encode())


def _row(line: Line) -> dict[str, object]:
    exchange = line.exchange
    return {
        "id": FOREIGN,
        "status": "LIVE",
        "owner": "x",
        "maker_address": exchange.wallet,
        "market": exchange.spec.condition_id,
        "asset_id": exchange.token,
        "side": "BUY",
        "original_size": "5",
        "size_matched": "0",
        "price": "0.5",
        "outcome": "Yes",
        "expiration": "0",
        "order_type": "GTC",
        "associate_trades": [],
        "created_at": 1,
    }


def listing(letter: Letter) -> bool:
    return letter.url.split("?")[0].endswith("/data/orders")


ANSWERS: Final[Mapping[str, tuple[Callable[[Letter], bool], Strike]]] = {
    "order read under another's id": (looking_up, order_says(id=FOREIGN, status="CANCELED")),
    "order read with a negative fill": (looking_up, order_says(size_matched="-3", status="CANCELED")),
    "order read with more filled than it has": (looking_up, order_says(size_matched="98765")),
    "order read with the price 1.2": (looking_up, order_says(price="1.2", status="CANCELED")),
    "order read on another asset": (looking_up, order_says(asset_id="7", status="CANCELED")),
    "order read with an unknown status": (looking_up, order_says(status="PONDERING")),
    "order read as a number": (looking_up, order_says(size_matched={"x": 1}, id=7)),
    "unknown orders listed as ours": (listing, listed_beside),
}


def _bad(name: str, fits: Callable[[Letter], bool], strike: Strike) -> Scenario:
    def run(history: History, intent: TradeIntent) -> None:
        intent_id = history.approve(intent)
        history.faults.append(name)
        if history.random.random() < 0.4:
            trouble = history.random.choice((lost_after, lost_before))
            history.engine.line.troubles.append(Trouble("no reply", placing, trouble))
        history.engine.line.troubles.append(Trouble(name, fits, strike, 3))
        history.execute(intent_id)
        for wait in (1, 5):
            history.wait(wait)
            history.engine.turn()

    return Scenario(name, run)


BAD_ANSWER_SCENARIOS: Final = tuple(_bad(name, *how) for name, how in ANSWERS.items())
