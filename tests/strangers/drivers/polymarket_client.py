"""The vendor's Python SDK, synchronous or asynchronous: `python -m ... SCENE sync|async`."""

import asyncio
import sys
import time
from decimal import Decimal
from typing import Any

from polymarket import AsyncPublicClient, AsyncSecureClient, PublicClient, SecureClient
from polymarket.streams import MarketSpec, UserSpec

from tests.strangers.drivers.judge import KINDS, Judge, Place, expect
from tests.support.sdk import environment_at


def accepted(response: Any, *statuses: str) -> Any:
    expect(getattr(response, "status", None) in statuses, response)
    return response


def limit(place: Place, **more: Any) -> dict[str, Any]:
    return {"asset_id": place.token, "price": Decimal(place.low), "size": 10, "side": "BUY", **more}


def market(place: Place, kind: str) -> dict[str, Any]:
    return {
        "asset_id": place.token,
        "side": "BUY",
        "amount": 5,
        "max_price": Decimal(place.worst),
        "order_type": kind,
    }


def run_sync(judge: Judge) -> None:
    environment = environment_at(judge.url("sandbox").removesuffix("/sandbox"), judge.scene["urls"])
    with PublicClient(environment=environment) as public:
        judge.note(
            "list", lambda: expect(len(public.list_markets(page_size=5).first_page().items) == 5, "few")
        )
    judge.lacks("stream")  # only its asynchronous half streams
    account = judge.account
    client = judge.note(
        "credentials",
        lambda: SecureClient.create(
            private_key=account["key"], wallet=account["wallet"], environment=environment
        ),
    )
    for kind in KINDS:
        _orders_sync(judge, client, kind, judge.place(kind))
    first = judge.place("v1")
    judge.note("trades", lambda: expect(list(client.list_account_trades().iter_items()), "no trade"))
    judge.note("cancel", lambda: _cancel_sync(client, first))
    judge.note("deposit wallet", lambda: _deposit_sync(judge.deposit, environment, first))


def _orders_sync(judge: Judge, client: SecureClient, kind: str, place: Place) -> None:
    def rest(**more: Any) -> Any:
        return accepted(client.post_order(client.create_limit_order(**limit(place, **more))), "live")

    def take(order_type: str) -> Any:
        order = client.create_market_order(**market(place, order_type))
        return accepted(client.post_order(order), "matched")

    def batch() -> None:
        orders = [client.create_limit_order(**limit(place, size=size)) for size in (11, 12)]
        for response in client.post_orders(orders):
            accepted(response, "live")

    judge.note(f"GTC {kind}", rest)
    judge.note(f"GTD {kind}", lambda: rest(expiration=int(time.time()) + 600))  # noqa: TID251 - a client's clock
    judge.note(f"FOK {kind}", lambda: take("FOK"))
    judge.note(f"FAK {kind}", lambda: take("FAK"))
    judge.note(f"post-only {kind}", lambda: rest(post_only=True, size=13))
    judge.note(f"batch {kind}", batch)


def _cancel_sync(client: SecureClient, place: Place) -> None:
    placed = accepted(client.post_order(client.create_limit_order(**limit(place, size=14))), "live")
    answer = client.cancel_order(order_id=placed.order_id)
    expect(answer.canceled == (placed.order_id,), answer)


def _deposit_sync(deposit: dict[str, Any], environment: Any, place: Place) -> None:
    with SecureClient.create(
        private_key=deposit["key"], wallet=deposit["wallet"], environment=environment
    ) as client:
        accepted(client.post_order(client.create_limit_order(**limit(place, size=15))), "live")
        accepted(client.post_order(client.create_market_order(**market(place, "FAK"))), "matched")


async def run_async(judge: Judge) -> None:
    environment = environment_at(judge.url("sandbox").removesuffix("/sandbox"), judge.scene["urls"])
    async with AsyncPublicClient(environment=environment) as public:

        async def listed() -> None:
            page = await public.list_markets(page_size=5).first_page()
            expect(len(page.items) == 5, "few")

        await judge.watch("list", listed)
    account = judge.account
    client = await judge.watch(
        "credentials",
        lambda: AsyncSecureClient.create(
            private_key=account["key"], wallet=account["wallet"], environment=environment
        ),
    )
    first = judge.place("v1")
    await judge.watch("stream", lambda: _stream(client, first))
    for kind in KINDS:
        await _orders_async(judge, client, kind, judge.place(kind))

    async def traded() -> None:
        expect([trade async for trade in client.list_account_trades().iter_items()], "no trade")

    await judge.watch("trades", traded)
    await judge.watch("cancel", lambda: _cancel_async(client, first))
    await judge.watch("deposit wallet", lambda: _deposit_async(judge.deposit, environment, first))
    await client.close()


async def _stream(client: AsyncSecureClient, place: Place) -> None:
    """A snapshot, our order's placement on the user socket, and its level on the market socket."""
    books = await client.subscribe(MarketSpec(token_ids=[place.token], custom_feature_enabled=True))
    mine = await client.subscribe(UserSpec())
    first = await asyncio.wait_for(anext(books), 10)
    expect(first.type == "book", first)
    order_id = ""
    for attempt in range(20):  # the subscription of the user's socket is not acknowledged
        order = await client.create_limit_order(**limit(place, size=20 + attempt))
        order_id = accepted(await client.post_order(order), "live").order_id
        try:
            event = await asyncio.wait_for(anext(mine), 1)
        except TimeoutError:
            continue
        expect(event.type == "order", event)
        break
    change = await asyncio.wait_for(anext(books), 10)
    expect(change.type == "price_change" and order_id, change)


async def _orders_async(judge: Judge, client: AsyncSecureClient, kind: str, place: Place) -> None:
    async def rest(**more: Any) -> Any:
        order = await client.create_limit_order(**limit(place, **more))
        return accepted(await client.post_order(order), "live")

    async def take(order_type: str) -> Any:
        order = await client.create_market_order(**market(place, order_type))
        return accepted(await client.post_order(order), "matched")

    async def batch() -> None:
        orders = [await client.create_limit_order(**limit(place, size=size)) for size in (11, 12)]
        for response in await client.post_orders(orders):
            accepted(response, "live")

    later = int(time.time()) + 600  # noqa: TID251 - a client's clock
    await judge.watch(f"GTC {kind}", rest)
    await judge.watch(f"GTD {kind}", lambda: rest(expiration=later))
    await judge.watch(f"FOK {kind}", lambda: take("FOK"))
    await judge.watch(f"FAK {kind}", lambda: take("FAK"))
    await judge.watch(f"post-only {kind}", lambda: rest(post_only=True, size=13))
    await judge.watch(f"batch {kind}", batch)


async def _cancel_async(client: AsyncSecureClient, place: Place) -> None:
    order = await client.create_limit_order(**limit(place, size=14))
    placed = accepted(await client.post_order(order), "live")
    answer = await client.cancel_order(order_id=placed.order_id)
    expect(answer.canceled == (placed.order_id,), answer)


async def _deposit_async(deposit: dict[str, Any], environment: Any, place: Place) -> None:
    async with await AsyncSecureClient.create(
        private_key=deposit["key"], wallet=deposit["wallet"], environment=environment
    ) as client:
        accepted(await client.post_order(await client.create_limit_order(**limit(place, size=15))), "live")
        accepted(await client.post_order(await client.create_market_order(**market(place, "FAK"))), "matched")


if __name__ == "__main__":
    judge = Judge.from_arguments()
    if sys.argv[2] == "sync":
        run_sync(judge)
    else:
        asyncio.run(run_async(judge))
    judge.finish()
