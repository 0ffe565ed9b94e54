"""The sandbox without a server: its own routes, called as functions, over a new world for each history.

Everything above the socket is the product's: the gateway, its signatures, its parsing of every answer.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Final
from urllib.parse import urlencode, urlsplit

from polyb0t.core.clock import milliseconds
from polyb0t.core.practice import practice_key
from polyb0t.core.units import Price, Shares, from_e6
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.sandbox.app import SandboxApp, create_app
from polyb0t.sandbox.auth import Credentials, credentials_of
from polyb0t.sandbox.connections import Message
from polyb0t.sandbox.environment import environment
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.markets import birth
from polyb0t.sandbox.settlement import hex_of
from polyb0t.sandbox.types import MILLION, MarketSpec, OrderRequest, OrderType, PracticeAccount, Side
from polyb0t.sandbox.world import World
from polyb0t.venue.environment import VenueEnvironment, from_sandbox
from polyb0t.venue.one_shot import Reply
from polyb0t.venue.signing import SigningKey
from tests.support.clock import FakeClock
from tests.support.trading import a_book

WORLD: Final = "fa0175"
URL: Final = "http://127.0.0.1:8137"
KEY: Final = practice_key(0)
HOUSE: Final = "0x00000000000000000000000000000000000000A1"
FUNDING: Final = 1_000 * MILLION
DEPTH: Final = 400 * MILLION  # shares offered and wanted
ASK, BID = 480_000, 460_000


@cache
def signing_key() -> SigningKey:
    return SigningKey(KEY)


@cache
def credentials() -> Credentials:
    return credentials_of(signing_key().address, 0)


@cache
def market_spec(start_ms: int, number: int = 0) -> MarketSpec:
    """One plain market with a fee, far from its end."""
    born = birth(7, number, start_ms).spec
    return replace(born, tick_e6=10_000, fee_rate="0.04", fee_exponent=1, neg_risk=False, version="v1")


@cache
def known_environment() -> VenueEnvironment:
    """What the sandbox tells of itself; the same for every world here."""
    world = World(start_ms=0, markets=[], accounts=0, crowd=False, world_id=WORLD)
    key = signing_key()
    world.accounts = (PracticeAccount(0, KEY, key.address, key.address, 0, FUNDING),)
    return from_sandbox(environment(world, URL.removeprefix("http://")), URL)


class Exchange:
    """A market with one offer and one bid of the house, another that nobody quotes yet, and our account.

    `clock` is the exchange's own; signatures are checked against it and its trades settle by it.
    """

    def __init__(self, clock: FakeClock, seed: int) -> None:
        self.clock = clock
        now_ms = milliseconds(clock.now())
        self.spec, self.other = market_spec(now_ms), market_spec(now_ms, 1)
        self.world = World(
            start_ms=now_ms,
            seed=seed,
            markets=[self.spec, self.other],
            accounts=0,
            crowd=False,
            world_id=WORLD,
        )
        self.wallet = str(signing_key().address)
        self.token, self.other_token = self.spec.token_ids[0], self.other.token_ids[0]
        self._made = 0
        self.app = create_app(self.world, clock=clock)
        self.app.keys.restore([(credentials().address, 0)])
        self.world.fund(self.wallet, FUNDING)
        self.world.fund(HOUSE, 10_000 * MILLION)
        self.world.split(HOUSE, self.spec.condition_id, 4_000 * MILLION)
        self.quote(ASK, Side.SELL)
        self.quote(BID, Side.BUY)
        self.ever: dict[str, Order] = {}  # every order of ours that the exchange took, wiped or not
        self.by_hand: set[str] = set()  # orders of the same wallet that are none of ours

    def handle(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """What the exchange answers, and what it does."""
        reply = called(self.app, method, url, headers, body)
        self._remember()
        return reply

    def open_other(self) -> None:
        """The house quotes the other market too."""
        self.world.split(HOUSE, self.other.condition_id, 1_000 * MILLION)
        self.quote(ASK, Side.SELL, token=self.other_token)
        self.quote(BID, Side.BUY, token=self.other_token)

    def quote(self, price_e6: int, side: Side, shares_e6: int = DEPTH, token: str = "") -> None:
        """An order of the house."""
        self._made += 1
        pusd = price_e6 * shares_e6 // MILLION
        making, taking = (pusd, shares_e6) if side is Side.BUY else (shares_e6, pusd)
        self.world.place(
            OrderRequest(
                order_id="0x" + hex_of("house", self._made),
                owner="house",
                maker=HOUSE,
                signer=HOUSE,
                token_id=token or self.token,
                side=side,
                maker_amount_e6=making,
                taker_amount_e6=taking,
                order_type=OrderType.GTC,
            )
        )

    def withdraw_quotes(self) -> None:
        """The house leaves."""
        self.world.cancel_all("house")

    def trade_into(self, shares_e6: int) -> None:
        """Somebody sells into what of ours rests at 45 cents or more, and nobody else's order is in the way."""
        self.withdraw_quotes()
        self.quote(450_000, Side.SELL, shares_e6)

    def place_by_hand(self, price_e6: int, shares_e6: int) -> str:
        """The account's owner places an order on the website: same wallet, same key, none of ours."""
        self._made += 1
        order_id = "0x" + hex_of("by hand", self._made)
        self.by_hand.add(order_id)
        self.world.place(
            OrderRequest(
                order_id=order_id,
                owner=credentials().api_key,
                maker=self.wallet,
                signer=self.wallet,
                token_id=self.token,
                side=Side.BUY,
                maker_amount_e6=price_e6 * shares_e6 // MILLION,
                taker_amount_e6=shares_e6,
                order_type=OrderType.GTC,
            )
        )
        return order_id

    def our_orders(self) -> list[Order]:
        self._remember()
        return list(self.ever.values())

    def wipe_orders(self) -> None:
        """A restart of the exchange that forgets every order which rests; what traded stays."""
        for order in self.our_orders():
            if order.status in ("LIVE", "DELAYED"):
                self.world.cancel(order.owner, [order.order_id])
                self.app.house.forgotten.add(order.order_id)

    def pass_time(self, seconds: float) -> None:
        """The world follows the exchange's clock, which was moved by `seconds`."""
        self.world.step(round(seconds * 1_000))

    def book(self, observed: FakeClock, asset_id: str = "") -> OrderBook:
        other = asset_id == self.other_token
        token, spec = (self.other_token, self.other) if other else (self.token, self.spec)
        view = self.world.book(token)
        return a_book(
            asset_id=token,
            condition_id=spec.condition_id,
            bids=tuple(Level(Price(from_e6(p)), Shares(from_e6(s))) for p, s in reversed(view.bids)),
            asks=tuple(Level(Price(from_e6(p)), Shares(from_e6(s))) for p, s in reversed(view.asks)),
            observed_at=observed.now() - timedelta(seconds=0.2),
        )

    def _remember(self) -> None:
        for order in self.world.engine.orders.values():
            if order.maker == self.wallet and order.order_id not in self.by_hand:
                self.ever.setdefault(order.order_id, order)


def with_query(url: str, params: dict[str, str]) -> str:
    return f"{url}?{urlencode(params)}" if params else url


def called(app: SandboxApp, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """One request through the sandbox's ASGI door, without a loop: nothing on its way waits for anything."""
    parts = urlsplit(url)
    scope: Message = {
        "type": "http",
        "method": method,
        "path": parts.path,
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    with suppress(StopIteration):
        app(scope, receive, send).__await__().send(None)
    start, content = sent[0], b"".join(message["body"] for message in sent[1:])
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], told, content)
