"""Another practice account that ruins a price: it sells into every bid of an outcome, for real."""

from contextlib import closing
from types import SimpleNamespace
from typing import Any, cast

from polyb0t.core.clock import SystemClock
from polyb0t.sandbox.types import PracticeAccount
from tests.e2e.household import Household
from tests.support.sandbox import RunningSandbox
from tests.support.trader import Trader

SHARES = 200_000


def can_crash(trade: dict[str, Any]) -> bool:
    """The hand that signs here knows one contract only."""
    return trade["protocol_version"] == "v1" and not trade["neg_risk"]


def crash(home: Household, trade: dict[str, Any], *, to_e6: int = 40_000) -> None:
    """Sell the outcome of `trade` down to nothing, and leave one bid, at `to_e6` millionths of a pUSD."""
    trader = _stranger(home)
    wallet, condition = trader.account.wallet, trade["condition_id"]
    home.http("POST", "/sandbox/credits", {"wallet": wallet, "type": "REWARD", "amount": str(2 * SHARES)})
    home.http("POST", "/sandbox/sets", {"wallet": wallet, "condition": condition, "shares": str(SHARES)})
    with closing(trader.http):
        sold = trader.place(trade["asset_id"], "SELL", 50_000, 100_000 * 1_000_000, order_type="FAK")
        assert sold.status_code == 200, sold.text
        bid = trader.place(trade["asset_id"], "BUY", to_e6, 1_000 * 1_000_000)
        assert bid.status_code == 200, bid.text


def _stranger(home: Household) -> Trader:
    """The last practice account that signs by itself; nobody else uses it."""
    accounts = home.http("GET", "/sandbox/environment")["accounts"]
    own = [account for account in accounts if account["signature_type"] == 0][-1]
    account = PracticeAccount(
        index=own["index"],
        key=own["key"],
        address=own["address"],
        wallet=own["wallet"],
        signature_type=0,
        funding_e6=0,
    )
    clock = SimpleNamespace(right=SystemClock())
    place = SimpleNamespace(url=home.sandbox_url, app=SimpleNamespace(clock=clock))
    return Trader(cast("RunningSandbox", place), account)
