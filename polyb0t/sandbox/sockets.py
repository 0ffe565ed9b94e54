"""The market and the user socket: who listens to what, and what they are told.

A world event is encoded once, whoever listens. Each connection has a list of texts waiting and one
task that sends them, several in one array frame when they came together, as the venue does.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from polyb0t.sandbox.account_json import order_event_json, trade_event_json
from polyb0t.sandbox.auth import KeyRing
from polyb0t.sandbox.books import Books
from polyb0t.sandbox.connections import Connection, Receive, Send
from polyb0t.sandbox.identifiers import long
from polyb0t.sandbox.market_frames import MarketFrames
from polyb0t.sandbox.socket_faults import SocketFaults
from polyb0t.sandbox.types import NewMarket, OrderEvent, TradeEvent, WorldEvent
from polyb0t.sandbox.wire import UNREADABLE
from polyb0t.sandbox.world import World

INVALID: Final = "INVALID OPERATION"
_Frame = TypeVar("_Frame")


class MarketFrame(msgspec.Struct):
    """What a client says on the market socket; the first frame has a type, later ones an operation."""

    type: str = ""
    operation: str = ""
    assets_ids: list[str] = []
    custom_feature_enabled: bool | None = None


class UserAuth(msgspec.Struct):
    """Credentials in the first frame of the user socket."""

    api_key: object = msgspec.field(name="apiKey", default="")
    secret: object = ""
    passphrase: object = ""


class UserFrame(msgspec.Struct):
    """What a client says on the user socket."""

    type: str = ""
    operation: str = ""
    auth: UserAuth = msgspec.field(default_factory=UserAuth)
    markets: list[str] | None = None


class Sockets:
    """Every open socket of one world."""

    def __init__(self, world: World, books: Books, keys: KeyRing, faults: SocketFaults) -> None:
        self._world = world
        self._keys = keys
        self._faults = faults
        self._frames = MarketFrames(world, books)
        self._by_token: dict[str, set[Connection]] = {}
        self._by_owner: dict[str, set[Connection]] = {}
        self._open: set[Connection] = set()
        self._deaf: Callable[[], None] | None = None

    def on_event(self, event: WorldEvent) -> None:
        """Tell whoever listens; nothing is encoded when nobody does."""
        if isinstance(event, OrderEvent):
            self._tell_owner(event.order.owner, event.order.condition_id, event)
        elif isinstance(event, TradeEvent):
            for owner in event.owners:
                self._tell_owner(owner, event.trade.condition_id, event)
        elif isinstance(event, NewMarket):
            self._tell_opening(event)
        else:
            self._tell_market(event)

    def connections(self) -> tuple[Connection, ...]:
        """Every open socket."""
        return tuple(self._open)

    def listeners(self, owner: str) -> int:
        """How many user sockets of an API key are logged in."""
        return len(self._by_owner.get(owner, ()))

    def cut_all(self) -> int:
        """Cut every socket without a goodbye."""
        cut = [one for one in self._open if one.cut is not None]
        for one in cut:
            if one.cut is not None:
                one.cut()
        return len(cut)

    async def market(self, receive: Receive, send: Send, cut: Callable[[], None] | None) -> None:
        """Serve `/ws/market`."""
        await self._serve(receive, Connection(send, cut, "market", self._faults), self._market_text)

    async def user(self, receive: Receive, send: Send, cut: Callable[[], None] | None) -> None:
        """Serve `/ws/user`."""
        await self._serve(receive, Connection(send, cut, "user", self._faults), self._user_text)

    async def _serve(
        self, receive: Receive, one: Connection, heard: Callable[[Connection, str], bool]
    ) -> None:
        pump = asyncio.create_task(one.pump())
        self._open.add(one)
        if self._deaf is None:  # a world that nobody listens to does not describe its changes
            self._deaf = self._world.subscribe(self.on_event)
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    return
                if message["type"] != "websocket.receive":
                    continue
                text = message.get("text")
                if text == "PING":
                    await one.say("PONG")
                elif not heard(one, text or ""):
                    await one.close(1008)
                    return
        finally:
            pump.cancel()
            self._forget(one)

    def _market_text(self, one: Connection, text: str) -> bool:
        """Act on a frame; False closes the socket."""
        frame = _decoded(text, MarketFrame)
        if frame is not None and frame.operation == "unsubscribe":
            self._drop_tokens(one, set(frame.assets_ids))
        elif frame is not None and (frame.operation == "subscribe" or frame.type.lower() == "market"):
            if frame.custom_feature_enabled is not None:
                one.custom = frame.custom_feature_enabled
            self._add_tokens(one, frame.assets_ids)
        else:
            one.put(INVALID)
        return True

    def _add_tokens(self, one: Connection, tokens: list[str]) -> None:
        """Listen to more tokens. Their books come in one array; unknown ids are passed over."""
        wanted = dict.fromkeys(tokens)
        fresh = [
            token
            for token in wanted
            if token not in one.tokens and self._world.condition_of(token) is not None
        ]
        for token in fresh:
            one.tokens.add(token)
            self._by_token.setdefault(token, set()).add(one)
        if fresh:
            one.put(f"[{','.join(map(self._frames.snapshot, fresh))}]")

    def _drop_tokens(self, one: Connection, tokens: set[str]) -> None:
        for token in tokens & one.tokens:
            one.tokens.discard(token)
            self._by_token[token].discard(one)

    def _user_text(self, one: Connection, text: str) -> bool:
        """Act on a frame; wrong credentials close the socket without a word."""
        frame = _decoded(text, UserFrame)
        if frame is None:
            one.put(INVALID)
        elif one.owner:
            self._user_update(one, frame)
        else:
            return self._login(one, frame)
        return True

    def _login(self, one: Connection, frame: UserFrame) -> bool:
        who = self._keys.socket_login(frame.auth.api_key, frame.auth.secret, frame.auth.passphrase)
        if who is None or frame.type.lower() != "user":
            return False
        one.owner = who.api_key
        one.markets = {long(market) for market in frame.markets} if frame.markets else None
        self._by_owner.setdefault(one.owner, set()).add(one)
        return True

    def _user_update(self, one: Connection, frame: UserFrame) -> None:
        named = {long(market) for market in frame.markets or []}
        if frame.operation == "subscribe":
            one.markets = named if one.markets is None else one.markets | named
        elif frame.operation == "unsubscribe":
            one.markets = ((one.markets or set()) - named) or None
        else:
            one.put(INVALID)

    def _tell_owner(self, owner: str, condition: str, event: OrderEvent | TradeEvent) -> None:
        listeners = self._by_owner.get(owner)
        if not listeners:
            return
        if isinstance(event, OrderEvent):
            body = order_event_json(event.kind, event.order, event.at_ms)
        else:
            body = trade_event_json(event.trade, owner, event.at_ms)
        text = msgspec.json.encode(body).decode()
        for one in listeners:
            if one.markets is None or long(condition) in one.markets:
                one.put(text)

    def _tell_opening(self, event: NewMarket) -> None:
        custom = [one for one in self._open if one.custom]
        text = self._frames.opened(event) if custom else ""
        for one in custom:
            one.put(text)

    def _tell_market(self, event: WorldEvent) -> None:
        tokens = self._frames.tokens_of(event)
        listeners: set[Connection] = set().union(*(self._by_token.get(token, ()) for token in tokens))
        if not listeners:
            return
        custom = [one for one in listeners if one.custom]
        for about, text in self._frames.plain(event):
            for one in listeners:
                if not about or about in one.tokens:
                    one.put(text)
        for about, text in self._frames.custom(event) if custom else ():
            for one in custom:
                if not about or about in one.tokens:
                    one.put(text)

    def _forget(self, one: Connection) -> None:
        self._open.discard(one)
        self._faults.forget(id(one))
        if not self._open and self._deaf is not None:
            self._deaf()
            self._deaf = None
        self._drop_tokens(one, set(one.tokens))
        self._by_owner.get(one.owner, set()).discard(one)


def _decoded(text: str, kind: type[_Frame]) -> _Frame | None:
    try:
        return msgspec.json.decode(text, type=kind)
    except UNREADABLE:
        return None
