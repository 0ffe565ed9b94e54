"""Our orders at the exchange: built and signed here, sent once, asked for by id, cancelled by id.

The identity of an order is a pure function of its intent. Only `prepare` uses the signing key.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from polyb0t.core.clock import milliseconds
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import ConditionId, OrderId
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.data.windows import OPEN
from polyb0t.execution.gateway import (
    CancelAnswer,
    Found,
    Lookup,
    NotFound,
    NotSent,
    PreparedOrder,
    SendOutcome,
    Unknown,
    Unreadable,
)
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.execution.scope import Regime, Scope
from polyb0t.venue.account_api import AccountApi
from polyb0t.venue.account_parsing import account_order, maker_address, parse_balance, parse_order
from polyb0t.venue.amounts import OrderBuildError, expiration_of, identity_of
from polyb0t.venue.answers import classify
from polyb0t.venue.buckets import ORDERS, Throttle
from polyb0t.venue.environment import VenueEnvironment
from polyb0t.venue.http import Answer
from polyb0t.venue.one_shot import NeverLeft, NoAnswer, OneShot, Reply
from polyb0t.venue.parsing import Refused, as_object, decode_json, text
from polyb0t.venue.signing import DigestSigner, ExchangeDomain, OrderStruct, order_id_of, sign_order
from polyb0t.venue.trade_parsing import fills_of, parse_trade
from polyb0t.venue.windows import VenueWindows

_ORDER_PATH: Final = "/order"
_NOT_FOUND: Final = frozenset({404})


class PolymarketGateway:
    """`execution.gateway.OrderGateway` for one wallet at one venue. Safe to share between threads."""

    def __init__(
        self,
        environment: VenueEnvironment,
        api: AccountApi,
        one_shot: OneShot,
        *,
        fee_of: Callable[[OrderId], FeeSchedule],
        key: DigestSigner | None = None,
        throttle: Throttle | None = None,
        windows: VenueWindows | None = None,
    ) -> None:
        """`fee_of` gives the schedule that an order's intent was proposed under; `key` is for `prepare`."""
        self._environment = environment
        self._api = api
        self._one_shot = one_shot
        self._fee_of = fee_of
        self._key = key
        self._throttle = throttle
        self._windows = windows
        wallet = api.wallet.maker
        self._scope = str(Scope(environment.name, environment.chain_id, wallet, environment.world_id))

    def prepare(self, intent: TradeIntent, at: datetime) -> PreparedOrder:
        """Raises OrderBuildError or ConfigurationError; nothing was sent."""
        if intent.regime is not Regime.LIVE:
            raise OrderBuildError(
                "This intent is not signed.",
                why=f"Its regime is {intent.regime}, and only live intents become orders.",
                code="foreign_regime",
            )
        key, credentials, seconds = self._signing_key(), self._api.credentials, milliseconds(at) // 1_000
        struct, domain = self._struct(intent)
        order_id, signature = sign_order(struct, domain, key, session=self._api.wallet.session)
        signed = _wire_order(struct, expiration_of(intent, seconds), signature)
        body = _compact(_wire_body(intent, signed, credentials.api_key))
        return PreparedOrder(
            order_id=order_id,
            signed_order=_compact(signed).decode(),
            l2_timestamp=seconds,
            credential_id=credentials.id,
            body=body,
            headers={
                **credentials.headers(at=seconds, method="POST", path=_ORDER_PATH, body=body),
                "Content-Type": "application/json",
            },
            post_only=intent.post_only,
        )

    @property
    def credential_id(self) -> str:
        return self._api.credentials.id

    def order_id(self, intent: TradeIntent) -> OrderId:
        """Raises OrderBuildError or ConfigurationError."""
        return order_id_of(*self._struct(intent))

    def send(self, prepared: PreparedOrder) -> SendOutcome:
        url = f"{self._environment.clob_url}{_ORDER_PATH}"
        window = OPEN if self._windows is None else self._windows.current()
        if not window.takes(post_only=prepared.post_only):
            return NotSent(window.sentence)  # it may have closed while this order waited for its turn
        if self._throttle is not None and self._throttle.take(ORDERS):
            return NotSent("Our own limit for orders per second is used up.")
        try:
            reply = self._one_shot.call("POST", url, headers=prepared.headers, body=prepared.body)
        except NeverLeft as error:
            return NotSent(str(error))
        except NoAnswer as error:
            return Unknown(str(error))
        self._learn(reply, prepared)
        return classify(reply.status, reply.headers, reply.body, prepared.order_id)

    def _learn(self, reply: Reply, prepared: PreparedOrder) -> None:
        """What the answer says of every order: the limit, and whether orders are taken at all."""
        if self._throttle is not None:
            self._throttle.answered(ORDERS, reply.status, reply.headers)
        if self._windows is not None:
            self._windows.order_answered(
                reply.status, reply.headers, reply.body, post_only=prepared.post_only
            )

    def lookup(self, order_id: OrderId) -> Lookup:
        """Never raises for an answer of the exchange: what can not be read is evidence of nothing."""
        try:
            answer = self._api.get(f"/data/order/{order_id}", also=_NOT_FOUND)
            return _found(answer, order_id)
        except VenueUnreachableError as error:
            return Unreadable(error.why or error.what)
        except Refused as refused:
            return Unreadable(refused.what)

    def fills(self, order_id: OrderId, trade_ids: Sequence[str]) -> tuple[Fill, ...]:
        fee = self._fee_of(order_id)
        fills: list[Fill] = []
        for trade_id in dict.fromkeys(trade_ids):
            rows = self._api.rows("/data/trades", {"id": trade_id})
            try:
                trades = [trade for trade in map(parse_trade, rows) if trade.trade_id == trade_id]
                fills.extend(fill for trade in trades for fill in fills_of(trade, order_id, fee))
            except Refused as refused:
                raise self._api.unusable(refused) from refused
        return tuple(fills)

    def market_fills(self, order_id: OrderId, condition_id: ConditionId, since: datetime) -> tuple[Fill, ...]:
        fee = self._fee_of(order_id)
        window = {"market": condition_id, "after": str(milliseconds(since) // 1_000)}
        rows = self._api.rows("/data/trades", window)
        try:
            return tuple(fill for trade in map(parse_trade, rows) for fill in fills_of(trade, order_id, fee))
        except Refused as refused:
            raise self._api.unusable(refused) from refused

    def control_read(self) -> None:
        """The collateral's balance: no account is without one."""
        kind = {"asset_type": "COLLATERAL", "signature_type": str(self._api.wallet.signature_type)}
        try:
            parse_balance(self._api.read("/balance-allowance", kind))
        except Refused as refused:
            raise self._api.unusable(refused) from refused

    def open_orders(self) -> tuple[AccountOrder, ...]:
        rows = self._api.rows("/data/orders")
        ours = self._api.wallet.maker.lower()
        try:
            # One key may serve several wallets; only this one's orders are this scope's.
            return tuple(account_order(parse_order(row)) for row in rows if maker_address(row) == ours)
        except Refused as refused:
            raise self._api.unusable(refused) from refused

    def open_on_the_key(self) -> tuple[AccountOrder, ...]:
        rows = self._api.rows("/data/orders")
        try:
            return tuple(account_order(parse_order(row)) for row in rows)
        except Refused as refused:
            raise self._api.unusable(refused) from refused

    def cancel(self, order_ids: Sequence[OrderId]) -> CancelAnswer:
        return self._api.cancel(order_ids)

    def _signing_key(self) -> DigestSigner:
        if self._key is None or self._key.address != self._api.wallet.owner:
            raise ConfigurationError(
                "The order can not be signed.",
                why="This process has no signing key, or the key of another wallet.",
                do="Set POLYBOT_PRIVATE_KEY to the key of the wallet in use.",
                code="no_signing_key",
            )
        return self._key

    def _struct(self, intent: TradeIntent) -> tuple[OrderStruct, ExchangeDomain]:
        if intent.scope != self._scope:
            raise OrderBuildError(
                "This intent belongs elsewhere.",
                why=f"Its scope is {intent.scope}, this gateway's is {self._scope}.",
                code="foreign_scope",
            )
        if not intent.intent_type.places_order:
            raise OrderBuildError(f"A {intent.intent_type} places no order.", code="no_order")
        identity, wallet = identity_of(intent), self._api.wallet
        struct = OrderStruct(
            salt=identity.salt,
            maker=wallet.maker,
            signer=wallet.signer,
            token_id=int(intent.asset_id),
            maker_amount=identity.maker_amount_e6,
            taker_amount=identity.taker_amount_e6,
            side=0 if intent.side is Side.BUY else 1,
            signature_type=wallet.signature_type,
            timestamp=identity.timestamp_ms,
        )
        return struct, self._environment.exchange(intent.protocol_version, neg_risk=intent.neg_risk)


def _found(answer: Answer, order_id: OrderId) -> Lookup:
    """Raises Refused for anything that is neither the order nor the exchange's own 'not found'."""
    raw = decode_json(answer.body)
    if answer.status == 404:
        if "not found" in text(as_object(raw, "the answer"), "error").lower():
            return NotFound()
        raise Refused("malformed", "a 404 that is not the exchange's own")
    if raw is None:
        return NotFound()
    order = parse_order(raw)
    if order.order_id != order_id:
        raise Refused("malformed", f"asked for {order_id}, told about {order.order_id}")
    return Found(order)


def _wire_order(struct: OrderStruct, expiration: int, signature: str) -> dict[str, object]:
    """The order as JSON carries it: numbers that pass 2^53 as texts, the salt as a number."""
    return {
        "salt": struct.salt,
        "maker": struct.maker,
        "signer": struct.signer,
        "tokenId": str(struct.token_id),
        "makerAmount": str(struct.maker_amount),
        "takerAmount": str(struct.taker_amount),
        "side": "SELL" if struct.side else "BUY",
        "expiration": str(expiration),
        "signatureType": struct.signature_type,
        "timestamp": str(struct.timestamp),
        "metadata": "0x" + struct.metadata.hex(),
        "builder": "0x" + struct.builder.hex(),
        "signature": signature,
    }


def _wire_body(intent: TradeIntent, signed: dict[str, object], api_key: str) -> dict[str, object]:
    order_type = intent.order_type
    body = {"order": signed, "owner": api_key, "orderType": str(order_type), "deferExec": False}
    if intent.post_only:
        if order_type not in (OrderType.GTC, OrderType.GTD):
            raise OrderBuildError("Only an order that rests can be post-only.", code="bad_order")
        body["postOnly"] = True
    return body


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
