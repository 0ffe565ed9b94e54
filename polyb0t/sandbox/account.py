"""CLOB routes of an account: credentials, reads, balances, heartbeats; orders are in account_orders.

L1 proves a wallet, L2 an API key. What a key sees and cancels is what that key placed.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from polyb0t.sandbox import account_orders
from polyb0t.sandbox.account_json import order_json, trade_json
from polyb0t.sandbox.auth import Credentials, KeyRing
from polyb0t.sandbox.contracts import EXCHANGE_V2, EXCHANGE_V3, NEG_RISK_EXCHANGE_V2
from polyb0t.sandbox.heartbeats import Heartbeats, WrongHeartbeatError
from polyb0t.sandbox.house import House
from polyb0t.sandbox.identifiers import long
from polyb0t.sandbox.makers import sessions_of, wallet_of
from polyb0t.sandbox.paging import page
from polyb0t.sandbox.rates import Rates
from polyb0t.sandbox.types import OrderView
from polyb0t.sandbox.wallets import DEPOSIT
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World

_SPENDERS: Final = {
    "COLLATERAL": (EXCHANGE_V2, NEG_RISK_EXCHANGE_V2, EXCHANGE_V3),
    "CONDITIONAL": (EXCHANGE_V2, NEG_RISK_EXCHANGE_V2),
    "CONDITIONAL-V2": (EXCHANGE_V3,),
}


class Beat(msgspec.Struct, frozen=True):
    """The body of `POST /v1/heartbeats`."""

    heartbeat_id: str | None = ""


def add_routes(router: Router, keys: KeyRing, heartbeats: Heartbeats, house: House, rates: Rates) -> None:
    """The account's routes under `/clob`."""
    account_orders.add_routes(router, keys, house, rates)
    account = Account(keys, heartbeats, house, rates)
    routes: list[tuple[str, str, Callable[[Request], Reply]]] = [
        ("POST", "/auth/api-key", lambda request: json_reply(keys.create(request).wire())),
        ("GET", "/auth/derive-api-key", lambda request: json_reply(keys.derive(request).wire())),
        ("GET", "/auth/api-keys", account.api_keys),
        ("DELETE", "/auth/api-key", account.revoke_key),
        ("GET", "/auth/ban-status/closed-only", account.closed_only),
        ("GET", "/data/order/{}", account.order),
        ("GET", "/data/orders", account.orders),
        ("GET", "/data/trades", account.trades),
        ("GET", "/balance-allowance", account.balance),
        ("GET", "/balance-allowance/update", account.balance),
        ("GET", "/v1/user/session-signers", account.session_keys),
        ("GET", "/v1/user/rate-limit-tier", account.tier),
        ("POST", "/v1/heartbeats", account.beat),
        ("POST", "/heartbeats", account.beat_plainly),
    ]
    for method, path, handler in routes:
        router.add(method, f"/clob{path}", handler)


class Account:
    """The routes that need an API key."""

    def __init__(self, keys: KeyRing, heartbeats: Heartbeats, house: House, rates: Rates) -> None:
        self._world: World = house.world
        self._keys = keys
        self._heartbeats = heartbeats
        self._house = house
        self._rates = rates

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
        who = self._keys.authenticate(request)
        return json_reply({"closed_only": who.address.lower() in self._house.closed_only})

    def session_keys(self, request: Request) -> Reply:
        """`GET /v1/user/session-signers`: of the deposit wallet of whoever asks."""
        who = self._keys.authenticate(request)
        wallet = wallet_of(who.address, DEPOSIT, self._world)
        if wallet is None:
            raise WireError(404, "deposit wallet not found")
        return json_reply({"wallet": wallet, "signers": sessions_of(wallet, self._world)})

    def tier(self, request: Request) -> Reply:
        """`GET /v1/user/rate-limit-tier`."""
        self._keys.authenticate(request)
        return json_reply({"tier": self._rates.tier})

    def order(self, request: Request) -> Reply:
        """`GET /data/order/{id}`: any status, but only one's own."""
        who = self._reader(request)
        found = self._world.order(request.values[0].lower())
        if found is None or found.owner != who.api_key or not self._readable(found):
            raise WireError(404, "order not found")
        return json_reply(order_json(found))

    def orders(self, request: Request) -> Reply:
        """`GET /data/orders`: live ones; with `id` that one in any status."""
        who = self._reader(request)
        found = self._world.orders(
            who.api_key,
            market=long(request.param("market") or ""),
            asset_id=request.param("asset_id") or "",
            order_id=(request.param("id") or "").lower(),
        )
        return page(request, [order_json(order) for order in found if self._readable(order)])

    def trades(self, request: Request) -> Reply:
        """`GET /data/trades`: those in which this key took part, newest first."""
        who = self._reader(request)
        found = self._world.trades(
            who.api_key,
            maker=request.param("maker_address") or "",
            trade_id=request.param("id") or "",
            market=long(request.param("market") or ""),
            asset_id=request.param("asset_id") or "",
            after_s=_seconds(request, "after"),
            before_s=_seconds(request, "before"),
        )
        lag_ms, now_ms = self._house.order_lag_ms, self._world.now_ms
        seen = [trade for trade in found if trade.match_ms + lag_ms <= now_ms]
        return page(request, [trade_json(trade, who.api_key) for trade in seen])

    def balance(self, request: Request) -> Reply:
        """`GET /balance-allowance`: base units, of the wallet that follows from key and signature type.

        Where there is no such wallet the answer is nothing, truthfully, and not an error; and each
        protocol's shares are in a ledger of its own, where the other's ids hold nothing.
        """
        who = self._keys.authenticate(request)
        kind = request.param("asset_type") or ""
        if kind not in _SPENDERS:
            raise WireError(400, "Invalid asset type")
        token = None if kind == "COLLATERAL" else request.param("token_id") or ""
        condition = None if token is None else self._world.condition_of(token)
        if token is not None and condition is None:
            raise WireError(400, "Invalid token id")
        newer = condition is not None and self._world.market(condition).spec.version == "v2"
        elsewhere = token is not None and newer is not (kind == "CONDITIONAL-V2")
        asked = request.param("signature_type") or "0"
        wallet = wallet_of(who.address, int(asked), self._world) if asked in ("0", "1", "2", "3") else None
        return json_reply(
            {
                "balance": str(self._world.balance(wallet, token) if wallet and not elsewhere else 0),
                "allowances": {
                    spender: str(self._world.allowance(wallet, spender, token) if wallet else 0)
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

    def beat_plainly(self, request: Request) -> Reply:
        """`POST /heartbeats`: the same without ids."""
        self._heartbeats.beat_plainly(self._keys.authenticate(request).api_key)
        return json_reply({"status": "ok"})

    def _reader(self, request: Request) -> Credentials:
        who = self._keys.authenticate(request)
        self._house.check_reads()
        return who

    def _readable(self, order: OrderView) -> bool:
        return self._house.readable(order.order_id, order.created_ms)


def _seconds(request: Request, name: str) -> int | None:
    text = request.param(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 14):
        raise WireError(400, f"invalid {name}")
    return int(text)
