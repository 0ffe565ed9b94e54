"""What the account's owner and the exchange do underneath: money, shares and orders come, go and hide."""

from collections.abc import Callable
from typing import Final

from polyb0t.execution.intents import TradeIntent
from polyb0t.sandbox.types import MILLION
from tests.faults.history import History
from tests.faults.line import Trouble
from tests.faults.scenario import Scenario
from tests.faults.troubles import lost_after, placing

RESTING: Final = ("gtc", "gtd", "post_only", "gtc_crossing")


def shares_leave(history: History) -> None:
    """Half of the shares are merged back into money on the website."""
    exchange, tokens = history.exchange, history.exchange.spec.token_ids
    here = min(exchange.world.ledger.available(exchange.wallet, token) for token in tokens)
    history.exchange.world.ledger.split(exchange.wallet, exchange.spec.condition_id, tokens, -(here // 2))
    history.shares_given -= here // 2
    history.pusd_given += here // 2


def order_by_hand(history: History) -> None:
    """The owner's own order rests beside ours, on the same asset and with the same key."""
    history.exchange.place_by_hand(300_000, 11 * MILLION)


def _changed(name: str, change: Callable[[History], None], shapes: tuple[str, ...] = ()) -> Scenario:
    """Before the order is sent, or afterwards; now and then its reply is lost too."""

    def run(history: History, intent: TradeIntent) -> None:
        first = history.random.random() < 0.5
        intent_id = history.approve(intent)
        history.faults.append(name)
        if history.random.random() < 0.3:
            history.engine.line.troubles.append(Trouble("reply lost", placing, lost_after))
            history.faults.append("reply lost")
        if first:
            change(history)
        history.execute(intent_id)
        if not first:
            change(history)
        history.wait(history.random.choice((1, 6)))
        history.engine.turn()
        if name.startswith("owner"):
            _by_hand_stands(history)

    return Scenario(name, run, shapes=shapes)


def _by_hand_stands(history: History) -> None:
    """Halted, too, only ours are taken back."""
    if history.random.random() < 0.5:
        history.trip()
        history.engine.turn()


def _vanished(history: History, intent: TradeIntent) -> None:
    """The exchange no longer knows the order that rests, and later knows it again; it may trade meanwhile."""
    history.execute(history.approve(intent))
    history.wait(1)
    ids = {order.order_id for order in history.exchange.our_orders()}
    history.exchange.app.house.forgotten |= ids
    history.faults.append("the order vanished")
    for _ in range(history.random.choice((1, 3))):
        history.wait(history.random.choice((10, 40, 70)))
        history.engine.turn()
    if history.random.random() < 0.5:
        history.exchange.trade_into(5 * MILLION)
        history.faults.append("it traded meanwhile")
    if history.random.random() < 0.3:
        history.crash_and_restart()
    history.exchange.app.house.forgotten -= ids
    history.wait(1)
    history.engine.turn()


def _late(history: History, intent: TradeIntent) -> None:
    """The exchange accepted it, the answer is lost, and for a while nobody can read it."""
    history.exchange.app.house.order_lag_ms = history.random.choice((5_000, 20_000, 45_000))
    intent_id = history.approve(intent)
    history.faults.append("visible late")
    history.engine.line.troubles.append(Trouble("reply lost", placing, lost_after))
    history.execute(intent_id)
    for wait in (3, 12):
        history.wait(wait)
        history.engine.turn()
    if history.random.random() < 0.3:
        history.crash_and_restart()


UNDERNEATH_SCENARIOS: Final = (
    _changed("shares leave the account", shares_leave, ("fak_sell",)),
    _changed("owner's own order on the same asset", order_by_hand),
    Scenario("order vanishes and is found again", _vanished, shapes=RESTING),
    Scenario("reply lost, visible late", _late),
)
