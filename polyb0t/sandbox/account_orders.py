"""Placing and cancelling orders over HTTP: region, key, rate, window, person, and then the order itself."""

from typing import Final

import msgspec

from polyb0t.sandbox.auth import Credentials, KeyRing
from polyb0t.sandbox.house import House
from polyb0t.sandbox.identifiers import long
from polyb0t.sandbox.orders import checked_request, claims_post_only, decode_payload
from polyb0t.sandbox.rates import Headers, Rates, What
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import Cancellation, Placement, Refusal
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body

MOST_ORDERS: Final = 15
MOST_CANCELS: Final = 1000


class CancelOne(msgspec.Struct, frozen=True):
    """The body of `DELETE /order`."""

    order_id: str = msgspec.field(name="orderID")


class CancelMarket(msgspec.Struct, frozen=True):
    """The body of `DELETE /cancel-market-orders`."""

    market: str = ""
    asset_id: str = ""


def add_routes(router: Router, keys: KeyRing, house: House, rates: Rates) -> None:
    """The routes that change orders, under `/clob`."""
    counter = Counter(keys, house, rates)
    router.add("POST", "/clob/order", counter.place)
    router.add("POST", "/clob/orders", counter.place_many)
    router.add("DELETE", "/clob/order", counter.cancel_one)
    router.add("DELETE", "/clob/orders", counter.cancel_many)
    router.add("DELETE", "/clob/cancel-all", counter.cancel_all)
    router.add("DELETE", "/clob/cancel-market-orders", counter.cancel_market)


class Counter:
    """Where orders are handed in and withdrawn."""

    def __init__(self, keys: KeyRing, house: House, rates: Rates) -> None:
        self._world = house.world
        self._keys = keys
        self._house = house
        self._rates = rates

    def place(self, request: Request) -> Reply:
        """`POST /order`."""
        self._house.check_region()
        who = self._keys.authenticate(request)
        headers = self._rates.charge(who.address, What.ORDERS, 1)
        try:
            placement = self._placed(request.body, who)
        except Refusal as refusal:
            extra = {"orderID": refusal.order_id} if refusal.order_id else None
            raise WireError(refusal.http_status, refusal.text, extra, headers) from refusal
        return json_reply(_placement_json(placement), headers=headers)

    def place_many(self, request: Request) -> Reply:
        """`POST /orders`: each leg stands alone; a refused one answers 200 with a text and no id."""
        self._house.check_region()
        who = self._keys.authenticate(request)
        legs = parse_body(request, list[msgspec.Raw])
        if len(legs) > MOST_ORDERS:
            raise WireError(400, f"Too many orders in payload: {len(legs)}, max allowed: {MOST_ORDERS}")
        if not legs:
            raise WireError(400, "Invalid order payload")
        headers = self._rates.charge(who.address, What.ORDERS, len(legs))
        self._house.check_orders(post_only=all(map(claims_post_only, legs)))
        return json_reply([self._leg(leg, who) for leg in legs], headers=headers)

    def cancel_one(self, request: Request) -> Reply:
        """`DELETE /order`."""
        who = self._canceller(request)
        wanted = parse_body(request, CancelOne)
        return self._cancel(who, [wanted.order_id])

    def cancel_many(self, request: Request) -> Reply:
        """`DELETE /orders`."""
        who = self._canceller(request)
        wanted = parse_body(request, list[str])
        if len(wanted) > MOST_CANCELS:
            raise WireError(400, f"Too many orders in payload: {len(wanted)}, max allowed: {MOST_CANCELS}")
        return self._cancel(who, wanted)

    def cancel_all(self, request: Request) -> Reply:
        """`DELETE /cancel-all`: everything that this key placed."""
        who = self._canceller(request)
        headers = self._rates.charge(who.address, What.CANCELS, 1)
        return self._cancelled(who, self._world.cancel_all(who.api_key), headers)

    def cancel_market(self, request: Request) -> Reply:
        """`DELETE /cancel-market-orders`: by market, by token, or both."""
        who = self._canceller(request)
        wanted = parse_body(request, CancelMarket)
        if not wanted.market and not wanted.asset_id:
            raise WireError(400, "Invalid order payload")
        headers = self._rates.charge(who.address, What.CANCELS, 1)
        market = long(wanted.market)
        done = self._world.cancel_market(who.api_key, market=market, asset_id=wanted.asset_id)
        return self._cancelled(who, done, headers)

    def _placed(self, raw: bytes | msgspec.Raw, who: Credentials) -> Placement:
        payload = decode_payload(raw)
        self._house.check_orders(post_only=payload.post_only)
        self._house.check_person(who.address, opening=payload.order.side == "BUY")
        return self._world.place(checked_request(payload, who, self._world))

    def _leg(self, raw: msgspec.Raw, who: Credentials) -> dict[str, object]:
        try:
            return _placement_json(self._placed(raw, who))
        except (Refusal, WireError) as refusal:
            # The venue calls a failed leg a success without an id, and its status means nothing.
            return _placement_json(Placement(order_id="", status="delayed")) | {"errorMsg": refusal.text}

    def _canceller(self, request: Request) -> Credentials:
        who = self._keys.authenticate(request)
        self._house.check_cancels()
        return who

    def _cancel(self, who: Credentials, order_ids: list[str]) -> Reply:
        headers = self._rates.charge(who.address, What.CANCELS, len(order_ids))
        return _cancelled(self._world.cancel(who.api_key, order_ids), headers)

    def _cancelled(self, who: Credentials, done: Cancellation, headers: Headers) -> Reply:
        """A sweeping cancel costs what it cancelled, which is known afterwards."""
        self._rates.owe(who.address, What.CANCELS, len(done.canceled))
        return _cancelled(done, headers)


def _placement_json(placement: Placement) -> dict[str, object]:
    return {
        "success": True,
        "errorMsg": "",
        "orderID": placement.order_id,
        "status": placement.status,
        "makingAmount": e6_text(placement.making_e6) if placement.making_e6 else "",
        "takingAmount": e6_text(placement.taking_e6) if placement.taking_e6 else "",
        "transactionsHashes": list(placement.transaction_hashes),
        "tradeIDs": list(placement.trade_ids),
    }


def _cancelled(result: Cancellation, headers: Headers) -> Reply:
    body = {"canceled": list(result.canceled), "not_canceled": dict(result.not_canceled)}
    return json_reply(body, headers=headers)
