"""CLOB routes of an account: credentials, orders, cancels, reads, balances, heartbeats.

L1 proves a wallet, L2 an API key. What a key sees and cancels is what that key placed.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from polyb0t.sandbox.account_json import order_json, trade_json
from polyb0t.sandbox.auth import Credentials, KeyRing
from polyb0t.sandbox.contracts import EXCHANGE_V2, EXCHANGE_V3, NEG_RISK_EXCHANGE_V2
from polyb0t.sandbox.heartbeats import Heartbeats, WrongHeartbeatError
from polyb0t.sandbox.orders import checked_request, decode_payload
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.types import Cancellation, Placement, Refusal
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World

MOST_ORDERS: Final = 15
MOST_CANCELS: Final = 1000
PAGE: Final = 100
FIRST_CURSOR: Final = "MA=="
END_CURSOR: Final = "LTE="
_SPENDERS: Final = {
    "COLLATERAL": (EXCHANGE_V2, NEG_RISK_EXCHANGE_V2, EXCHANGE_V3),
    "CONDITIONAL": (EXCHANGE_V2, NEG_RISK_EXCHANGE_V2),
    "CONDITIONAL-V2": (EXCHANGE_V3,),
}


class CancelOne(msgspec.Struct, frozen=True):
    """The body of `DELETE /order`."""

    order_id: str = msgspec.field(name="orderID")


class CancelMarket(msgspec.Struct, frozen=True):
    """The body of `DELETE /cancel-market-orders`."""

    market: str = ""
    asset_id: str = ""


class Beat(msgspec.Struct, frozen=True):
    """The body of `POST /v1/heartbeats`."""

    heartbeat_id: str | None = ""


def add_routes(router: Router, world: World, keys: KeyRing, heartbeats: Heartbeats) -> None:
    """The account's routes under `/clob`."""
    account = Account(world, keys, heartbeats)
    routes: list[tuple[str, str, Callable[[Request], Reply]]] = [
        ("POST", "/auth/api-key", lambda request: json_reply(keys.create(request).wire())),
        ("GET", "/auth/derive-api-key", lambda request: json_reply(keys.derive(request).wire())),
        ("GET", "/auth/api-keys", account.api_keys),
        ("DELETE", "/auth/api-key", account.revoke_key),
        ("GET", "/auth/ban-status/closed-only", account.closed_only),
        ("POST", "/order", account.place),
        ("POST", "/orders", account.place_many),
        ("DELETE", "/order", account.cancel_one),
        ("DELETE", "/orders", account.cancel_many),
        ("DELETE", "/cancel-all", account.cancel_all),
        ("DELETE", "/cancel-market-orders", account.cancel_market),
        ("GET", "/data/order/{}", account.order),
        ("GET", "/data/orders", account.orders),
        ("GET", "/data/trades", account.trades),
        ("GET", "/balance-allowance", account.balance),
        ("GET", "/balance-allowance/update", account.balance),
        ("POST", "/v1/heartbeats", account.beat),
    ]
    for method, path, handler in routes:
        router.add(method, f"/clob{path}", handler)


class Account:
    """The routes that need an API key."""

    def __init__(self, world: World, keys: KeyRing, heartbeats: Heartbeats) -> None:
        self._world = world
        self._keys = keys
        self._heartbeats = heartbeats

    def api_keys(self, request: Request) -> Reply:
        """`GET /auth/api-keys`."""
        who = self._keys.authenticate(request)
        return json_reply({"apiKeys": self._keys.keys_of(who.address)})

    def revoke_key(self, request: Request) -> Reply:
        """`DELETE /auth/api-key`: the key that signed this request."""
        self._keys.revoke(self._keys.authenticate(request))
        return json_reply("OK")

    def closed_only(self, request: Request) -> Reply:
        """`GET /auth/ban-status/closed-only`."""
        self._keys.authenticate(request)
        return json_reply({"closed_only": False})

    def place(self, request: Request) -> Reply:
        """`POST /order`."""
        who = self._keys.authenticate(request)
        try:
            placement = self._placed(request.body, who)
        except Refusal as refusal:
            extra = {"orderID": refusal.order_id} if refusal.order_id else None
            raise WireError(refusal.http_status, refusal.text, extra) from refusal
        return json_reply(_placement_json(placement))

    def place_many(self, request: Request) -> Reply:
        """`POST /orders`: each leg stands alone; a refused one answers 200 with a text and no id."""
        who = self._keys.authenticate(request)
        legs = parse_body(request, list[msgspec.Raw])
        if len(legs) > MOST_ORDERS:
            raise WireError(400, f"Too many orders in payload: {len(legs)}, max allowed: {MOST_ORDERS}")
        return json_reply([self._leg(leg, who) for leg in legs])

    def cancel_one(self, request: Request) -> Reply:
        """`DELETE /order`."""
        who = self._keys.authenticate(request)
        wanted = parse_body(request, CancelOne)
        return _cancelled(self._world.cancel(who.api_key, [wanted.order_id]))

    def cancel_many(self, request: Request) -> Reply:
        """`DELETE /orders`."""
        who = self._keys.authenticate(request)
        wanted = parse_body(request, list[str])
        if len(wanted) > MOST_CANCELS:
            raise WireError(400, f"Too many orders in payload: {len(wanted)}, max allowed: {MOST_CANCELS}")
        return _cancelled(self._world.cancel(who.api_key, wanted))

    def cancel_all(self, request: Request) -> Reply:
        """`DELETE /cancel-all`: everything that this key placed."""
        return _cancelled(self._world.cancel_all(self._keys.authenticate(request).api_key))

    def cancel_market(self, request: Request) -> Reply:
        """`DELETE /cancel-market-orders`: by market, by token, or both."""
        who = self._keys.authenticate(request)
        wanted = parse_body(request, CancelMarket)
        if not wanted.market and not wanted.asset_id:
            raise WireError(400, "Invalid order payload")
        return _cancelled(
            self._world.cancel_market(who.api_key, market=wanted.market, asset_id=wanted.asset_id)
        )

    def order(self, request: Request) -> Reply:
        """`GET /data/order/{id}`: any status, but only one's own."""
        who = self._keys.authenticate(request)
        found = self._world.order(request.values[0].lower())
        if found is None or found.owner != who.api_key:
            raise WireError(404, "order not found")
        return json_reply(order_json(found))

    def orders(self, request: Request) -> Reply:
        """`GET /data/orders`: live ones; with `id` that one in any status."""
        who = self._keys.authenticate(request)
        found = self._world.orders(
            who.api_key,
            market=request.param("market") or "",
            asset_id=request.param("asset_id") or "",
            order_id=(request.param("id") or "").lower(),
        )
        return _page(request, [order_json(order) for order in found])

    def trades(self, request: Request) -> Reply:
        """`GET /data/trades`: those in which this key took part, newest first."""
        who = self._keys.authenticate(request)
        found = self._world.trades(
            who.api_key,
            maker=request.param("maker_address") or "",
            trade_id=request.param("id") or "",
            market=request.param("market") or "",
            asset_id=request.param("asset_id") or "",
            after_s=_seconds(request, "after"),
            before_s=_seconds(request, "before"),
        )
        return _page(request, [trade_json(trade, who.api_key) for trade in found])

    def balance(self, request: Request) -> Reply:
        """`GET /balance-allowance`: base units. A wallet of another type is empty, truthfully."""
        who = self._keys.authenticate(request)
        kind = request.param("asset_type") or ""
        if kind not in _SPENDERS:
            raise WireError(400, "Invalid asset type")
        token = None if kind == "COLLATERAL" else request.param("token_id") or ""
        if token is not None and self._world.condition_of(token) is None:
            raise WireError(400, "Invalid token id")
        own = (request.param("signature_type") or "0") == "0"
        return json_reply(
            {
                "balance": str(self._world.balance(who.address, token) if own else 0),
                "allowances": {
                    spender: str(self._world.allowance(who.address, spender, token) if own else 0)
                    for spender in _SPENDERS[kind]
                },
            }
        )

    def beat(self, request: Request) -> Reply:
        """`POST /v1/heartbeats`: once begun, ten seconds without one cancel the key's orders."""
        who = self._keys.authenticate(request)
        try:
            given = self._heartbeats.beat(who.api_key, parse_body(request, Beat).heartbeat_id or "")
        except WrongHeartbeatError as error:
            body = {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": error.expected}
            return json_reply(body, 400)
        return json_reply({"heartbeat_id": given})

    def _placed(self, raw: bytes | msgspec.Raw, who: Credentials) -> Placement:
        return self._world.place(checked_request(decode_payload(raw), who, self._world))

    def _leg(self, raw: msgspec.Raw, who: Credentials) -> dict[str, object]:
        try:
            return _placement_json(self._placed(raw, who))
        except (Refusal, WireError) as refusal:
            return _placement_json(Placement(order_id="", status="")) | {"errorMsg": refusal.text}


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


def _cancelled(result: Cancellation) -> Reply:
    return json_reply({"canceled": list(result.canceled), "not_canceled": dict(result.not_canceled)})


def _page(request: Request, rows: Sequence[dict[str, object]]) -> Reply:
    """One page; the cursor is the base64 of an offset, the end is `LTE=`."""
    start = _offset(request.param("next_cursor") or FIRST_CURSOR)
    shown = rows[start : start + PAGE]
    after = start + PAGE
    cursor = base64.b64encode(str(after).encode()).decode() if after < len(rows) else END_CURSOR
    return json_reply({"data": shown, "next_cursor": cursor, "limit": PAGE, "count": len(shown)})


def _offset(cursor: str) -> int:
    if cursor == END_CURSOR:
        return 1 << 40
    try:
        offset = int(base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, ValueError) as error:
        raise WireError(400, "invalid next_cursor") from error
    return max(0, offset)


def _seconds(request: Request, name: str) -> int | None:
    text = request.param(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 14):
        raise WireError(400, f"invalid {name}")
    return int(text)
