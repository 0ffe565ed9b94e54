"""Our gateway against the sandbox: kind of market x kind of wallet x form of order.

Each case goes the way of a real one: the market is read from the catalogue, its terms and its book from
the exchange, an intent is prepared, sent, looked up, its fills are read or the order is cancelled.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ONE, Price, Pusd, Shares, ceil_to, floor_to
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.markets import FeeSchedule, Market, TradingTerms
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.gateway import Accepted, AcceptedStatus, Found, PreparedOrder
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.models.fees import taker_fee
from polyb0t.sandbox.kinds import KINDS
from polyb0t.sandbox.world import World
from polyb0t.venue.account import PolymarketAccount
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.markets import PolymarketMarkets, PublicAddresses
from polyb0t.venue.query import CatalogueQuery
from polyb0t.venue.signing import SigningKey
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.connected import Connected, connected
from tests.venue.intents import an_intent

NO_BOOK = ("paused", "resolved", "resolved_half", "zombie", "announced")
TRADABLE = ("plain", *(kind for kind in KINDS if kind not in NO_BOOK))
WALLETS = {0: "plain wallet", 1: "proxy", 2: "Safe", 3: "deposit wallet"}
RESTING = ("GTC", "GTD", "post-only")


@dataclass
class Place:
    """One market as we read it now."""

    market: Market
    terms: TradingTerms
    book: OrderBook

    @property
    def asset(self) -> AssetId:
        return self.book.asset_id


@dataclass
class Trading:
    """One wallet's gateway, and the markets of the sandbox by kind."""

    link: Connected
    places: PolymarketMarkets
    gateway: PolymarketGateway
    account: PolymarketAccount
    fees: dict[OrderId, FeeSchedule] = field(default_factory=dict)

    def place(self, kind: str) -> Place:
        """The dearest market of a kind, by the catalogue; its terms and book by the exchange."""
        wanted = {
            view.spec.condition_id for view in self.link.sandbox.world.markets() if _kind(view.spec) == kind
        }
        listed = [each for each in self.places.catalogue().markets if each.condition_id in wanted]
        # Prices wander: the dearest of the kind is the furthest from the smallest order's minimum.
        market = max(listed, key=lambda each: each.best_bid or Decimal(0))
        terms = self.places.terms([market.condition_id])[market.condition_id]
        asset = market.outcomes[0].asset_id
        return Place(market, terms, self.places.books([asset])[asset])

    def intent(self, place: Place, **changes: Any) -> TradeIntent:
        fee = place.terms.fee or FeeSchedule(Decimal(0), Decimal(1))
        return an_intent(
            **{
                "scope": f"sandbox:137:{self.link.wallet}:{self.link.environment.world_id}",
                "condition_id": place.market.condition_id,
                "asset_id": place.asset,
                "protocol_version": place.market.version.value,
                "neg_risk": place.terms.neg_risk,
                "tick": place.terms.tick,
                "fee_rate": fee.rate,
                "fee_exponent": fee.exponent,
                "least_shares": None,
                "created_at": self.link.now(),
                **changes,
            }
        )

    def resting(self, place: Place, form: str) -> TradeIntent:
        """Ten shares well below the book."""
        return self.intent(
            place,
            order_type=OrderType.GTD if form == "GTD" else OrderType.GTC,
            life_seconds=300 if form == "GTD" else None,
            post_only=form == "post-only",
            amount=None,
            shares=Shares(Decimal(10)),
            worst_price=Price(floor_to(place.book.bids[0].price * Decimal("0.8"), place.terms.tick)),
        )

    def buying(self, place: Place, form: str) -> TradeIntent:
        """Six pUSD, up to three cents and a tick beyond the best offer."""
        reach = ceil_to(place.book.asks[0].price + Decimal("0.03"), place.terms.tick)
        worst = min(reach, ONE - place.terms.tick)
        return self.intent(
            place, order_type=OrderType(form), amount=Pusd(Decimal(6)), shares=None, worst_price=Price(worst)
        )

    def selling(self, place: Place, shares: Decimal) -> TradeIntent:
        """Down to half of the best bid."""
        worst = ceil_to(place.book.bids[0].price / 2, place.terms.tick)
        return self.intent(
            place, side=Side.SELL, amount=None, shares=Shares(shares), worst_price=Price(worst)
        )

    def send(self, place: Place, intent: TradeIntent) -> tuple[PreparedOrder, Accepted]:
        """Prepared, its id known beforehand, accepted under that id."""
        predicted = self.gateway.order_id(intent)
        prepared = self.gateway.prepare(intent, self.link.now())
        assert prepared.order_id == predicted
        self.fees[predicted] = place.terms.fee or FeeSchedule(Decimal(0), Decimal(1))
        outcome = self.gateway.send(prepared)
        assert isinstance(outcome, Accepted), outcome
        return prepared, outcome

    def filled(self, place: Place, intent: TradeIntent) -> tuple[Fill, ...]:
        """The final fills of an order that takes; a delayed one is waited for."""
        prepared, outcome = self.send(place, intent)
        held_back = place.market.taker_delay_seconds > 0
        assert outcome.status is (AcceptedStatus.DELAYED if held_back else AcceptedStatus.MATCHED)
        self.link.sandbox.step(60_000)
        found = self.gateway.lookup(prepared.order_id)
        assert isinstance(found, Found)
        assert found.order.status == "MATCHED"
        fills = self.gateway.fills(prepared.order_id, found.order.trade_ids)
        assert found.order.matched_shares == sum(fill.shares for fill in fills) > 0
        assert {fill.status for fill in fills} == {FillStatus.CONFIRMED}
        for fill in fills:
            assert (fill.order_id, fill.asset_id, fill.side) == (prepared.order_id, place.asset, intent.side)
            assert fill.fee == taker_fee(fill.shares, fill.price, self.fees[prepared.order_id])
        return fills


def _kind(spec: Any) -> str:
    return spec.kind or "plain"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    clock = SystemClock()
    world = World(seed=7, markets=4, kinds=KINDS, start_ms=milliseconds(clock.now()))
    with running_sandbox(world=world, clock=clock) as running:
        yield running


@pytest.fixture(scope="module")
def traders(sandbox: RunningSandbox) -> Iterator[Mapping[int, Trading]]:
    """One for each kind of wallet."""
    with ExitStack() as stack:
        found: dict[int, Trading] = {}
        for kind in WALLETS:
            account = next(one for one in sandbox.world.accounts if one.signature_type == kind)
            index = sandbox.world.accounts.index(account)
            found[kind] = _trading(stack.enter_context(connected(sandbox, account=index)), account.key)
        yield found


def _trading(link: Connected, key: str) -> Trading:
    addresses = PublicAddresses(link.environment.gamma_url, link.environment.clob_url)
    query = CatalogueQuery(least_liquidity_pusd=Decimal(0), most_days_to_end=400, most_markets=500)
    fees: dict[OrderId, FeeSchedule] = {}
    gateway = PolymarketGateway(
        link.environment, link.api, link.one_shot, fee_of=fees.__getitem__, key=SigningKey(key)
    )
    return Trading(
        link,
        PolymarketMarkets(link.reader, link.clock, addresses=addresses, query=query),
        gateway,
        PolymarketAccount(link.environment, link.wallet, link.reader, link.clock, api=link.api),
        fees,
    )


@pytest.fixture(params=list(WALLETS), ids=list(WALLETS.values()))
def trading(request: pytest.FixtureRequest, traders: Mapping[int, Trading]) -> Trading:
    return traders[request.param]


@pytest.mark.parametrize("kind", TRADABLE)
@pytest.mark.parametrize("form", RESTING)
def test_an_order_that_rests_is_found_listed_and_cancelled(trading: Trading, kind: str, form: str) -> None:
    place = trading.place(kind)
    intent = trading.resting(place, form)

    prepared, outcome = trading.send(place, intent)

    assert outcome.status is AcceptedStatus.LIVE
    found = trading.gateway.lookup(prepared.order_id)
    assert isinstance(found, Found)
    assert (found.order.status, found.order.asset_id) == ("LIVE", place.asset)
    assert (found.order.price, found.order.original_size) == (intent.worst_price, intent.shares)
    assert prepared.order_id in {order.order_id for order in trading.gateway.open_orders()}
    assert trading.gateway.cancel([prepared.order_id]).cancelled == (prepared.order_id,)
    ended = trading.gateway.lookup(prepared.order_id)
    assert isinstance(ended, Found)
    assert ended.order.status == "CANCELED"


@pytest.mark.parametrize("kind", TRADABLE)
@pytest.mark.parametrize("form", ["FAK", "FOK"])
def test_a_buy_that_takes_costs_what_was_signed_at_most_and_its_shares_arrive(
    trading: Trading, kind: str, form: str
) -> None:
    place = trading.place(kind)
    intent = trading.buying(place, form)
    before = trading.account.held_shares(place.asset)
    assert before is not None
    assert intent.worst_price is not None

    fills = trading.filled(place, intent)

    assert all(fill.price <= intent.worst_price for fill in fills)
    assert Decimal("5.9") < sum(fill.notional for fill in fills) <= 6
    assert trading.account.held_shares(place.asset) == before + sum(fill.shares for fill in fills)


@pytest.mark.parametrize("kind", TRADABLE)
def test_what_was_bought_can_be_sold(trading: Trading, kind: str) -> None:
    place = trading.place(kind)
    bought = sum((fill.shares for fill in trading.filled(place, trading.buying(place, "FAK"))), Decimal(0))
    again = replace(place, book=trading.places.books([place.asset])[place.asset])
    intent = trading.selling(again, floor_to(bought, Decimal("0.01")))
    assert intent.worst_price is not None

    fills = trading.filled(again, intent)

    assert sum(fill.shares for fill in fills) == intent.shares
    assert all(fill.price >= intent.worst_price for fill in fills)


@pytest.mark.parametrize("kind", NO_BOOK)
def test_a_market_without_a_book_is_not_ready_or_has_no_terms_yet(kind: str) -> None:
    clock = SystemClock()
    world = World(seed=7, markets=1, kinds=[kind], start_ms=milliseconds(clock.now()))
    conditions = {view.spec.condition_id for view in world.markets() if _kind(view.spec) == kind}
    with running_sandbox(world=world, clock=clock) as sandbox, connected(sandbox) as link:
        places = _trading(link, sandbox.account().key).places
        listed = [each for each in places.catalogue().markets if each.condition_id in conditions]
        terms = places.terms([market.condition_id for market in listed])
    assert conditions
    assert not any(market.trade_ready and market.condition_id in terms for market in listed)
