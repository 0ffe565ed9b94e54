"""The vendor's former Python clients, of the present generation and of the one before: `... SCENE v2|v1`."""

import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.strangers.drivers.judge import KINDS, Judge, Place, Refused, expect

ORDER_CASES = ("GTC", "GTD", "FOK", "FAK", "post-only", "batch")


def accepted(response: Any, *statuses: str) -> Any:
    if isinstance(response, dict) and response.get("errorMsg"):
        raise Refused(response["errorMsg"])
    expect(isinstance(response, dict) and response.get("status") in statuses, response)
    return response


class Second:
    """py-clob-client-v2."""

    trades = True

    def __init__(self, judge: Judge) -> None:
        import py_clob_client_v2

        self.judge = judge
        self.library: ModuleType = py_clob_client_v2

    def connect(self, who: dict[str, Any]) -> Any:
        client = self.library.ClobClient(
            host=self.judge.url("clob"),
            chain_id=self.judge.scene["chain_id"],
            key=who["key"],
            signature_type=who["signature_type"],
            funder=who["wallet"],
        )
        client.set_api_creds(client.create_or_derive_api_key())
        return client

    def limit(self, client: Any, place: Place, size: float, expiration: int = 0) -> Any:
        args = self.library.OrderArgs(
            price=float(place.low), size=size, side="BUY", expiration=expiration, **self._asset(place)
        )
        return client.create_order(args)

    def market(self, client: Any, place: Place, kind: str) -> Any:
        args = self.library.MarketOrderArgs(
            amount=5, side="BUY", price=float(place.worst), order_type=kind, **self._asset(place)
        )
        return client.create_market_order(args)

    def batched(self, order: Any) -> Any:
        return self.library.PostOrdersV2Args(order=order, orderType="GTC")

    def cancel(self, client: Any, order_id: str) -> Any:
        return client.cancel_order(self.library.OrderPayload(orderID=order_id))

    def _asset(self, place: Place) -> dict[str, str]:
        """The newer protocol's positions have an argument of their own."""
        newer = self.judge.place("v2").token
        return {"position_id" if place.token == newer else "token_id": place.token}


class First(Second):
    """py-clob-client, whose orders the venue no longer takes: it reads an empty list of trades."""

    trades = False

    def __init__(self, judge: Judge) -> None:
        import py_clob_client.client
        import py_clob_client.clob_types

        self.judge = judge
        self.library = py_clob_client.clob_types
        self.client = py_clob_client.client.ClobClient

    def connect(self, who: dict[str, Any]) -> Any:
        client = self.client(
            self.judge.url("clob"),
            chain_id=self.judge.scene["chain_id"],
            key=who["key"],
            signature_type=who["signature_type"],
            funder=who["wallet"],
        )
        client.set_api_creds(client.create_or_derive_api_creds())
        return client

    def batched(self, order: Any) -> Any:
        return self.library.PostOrdersArgs(order=order, orderType="GTC")

    def cancel(self, client: Any, order_id: str) -> Any:
        return client.cancel(order_id)

    def _asset(self, place: Place) -> dict[str, str]:
        return {"token_id": place.token}


def run(judge: Judge, library: Second) -> None:
    judge.lacks("stream")
    client = judge.note("credentials", lambda: library.connect(judge.account))
    judge.note("list", lambda: expect(len(client.get_markets()["data"]) > 5, "few"))
    for kind in KINDS:
        _orders(judge, library, client, kind, judge.place(kind))
    first = judge.place("v1")
    judge.note("trades", lambda: expect(client.get_trades() or not library.trades, "no trade"))
    judge.note("cancel", lambda: _cancel(library, client, first))
    judge.note("deposit wallet", lambda: _deposit(library, judge.deposit, first))


def _orders(judge: Judge, library: Second, client: Any, kind: str, place: Place) -> None:
    def rest(order_type: str = "GTC", size: float = 10, expiration: int = 0, **more: Any) -> Any:
        order = library.limit(client, place, size, expiration)
        return accepted(client.post_order(order, order_type, **more), "live")

    def take(order_type: str) -> Any:
        order = library.market(client, place, order_type)
        return accepted(client.post_order(order, order_type), "matched")

    def batch() -> None:
        answers = client.post_orders(
            [library.batched(library.limit(client, place, size)) for size in (11, 12)]
        )
        expect(isinstance(answers, list), answers)
        for response in answers:
            accepted(response, "live")

    later = int(time.time()) + 600  # noqa: TID251 - a client's clock
    cases: dict[str, Callable[[], Any]] = {
        "GTC": rest,
        "GTD": lambda: rest("GTD", expiration=later),
        "FOK": lambda: take("FOK"),
        "FAK": lambda: take("FAK"),
        "post-only": lambda: rest(size=13, post_only=True),
        "batch": batch,
    }
    for name in ORDER_CASES:
        judge.note(f"{name} {kind}", cases[name])


def _cancel(library: Second, client: Any, place: Place) -> None:
    placed = accepted(client.post_order(library.limit(client, place, 14), "GTC"), "live")
    answer = library.cancel(client, placed["orderID"])
    expect(answer["canceled"] == [placed["orderID"]], answer)


def _deposit(library: Second, deposit: dict[str, Any], place: Place) -> None:
    client = library.connect(deposit)
    accepted(client.post_order(library.limit(client, place, 15), "GTC"), "live")
    accepted(client.post_order(library.market(client, place, "FAK"), "FAK"), "matched")


if __name__ == "__main__":
    judge = Judge.from_arguments()
    run(judge, Second(judge) if sys.argv[2] == "v2" else First(judge))
    judge.finish()
