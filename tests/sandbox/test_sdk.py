"""The vendor's own clients against the sandbox over real sockets: the judges that nobody here wrote."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest
from polymarket import AsyncSecureClient, PublicClient, SecureClient
from polymarket.errors import RequestRejectedError
from polymarket.models.clob import AcceptedOrder, MarketOrderType
from polymarket.streams import MarketSpec, UserSpec

from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.sandbox.contracts import EXCHANGE_V2
from polyb0t.sandbox.importer import import_directory
from polyb0t.sandbox.world import World
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.sdk import sdk_environment
from tests.support.shared import shared_path
from tests.support.trader import tradable_book

E6 = Decimal(1_000_000)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_sandbox(markets=12) as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[SecureClient]:
    account = sandbox.account()
    with SecureClient.create(
        private_key=account.key, wallet=account.wallet, environment=sdk_environment(sandbox)
    ) as client:
        yield client


def accepted(order: object) -> AcceptedOrder:
    assert isinstance(order, AcceptedOrder), order
    return order


def test_a_public_client_lists_markets_and_reads_books(sandbox: RunningSandbox) -> None:
    with PublicClient(environment=sdk_environment(sandbox)) as public:
        listed = [market for page in public.list_markets(page_size=5) for market in page.items]
        assert len(listed) == 12
        token = listed[0].outcomes.yes.token_id
        assert token is not None
        book = public.get_order_book(token_id=token)
        seen = sandbox.world.book(token)
        assert [(level.price, level.size) for level in book.bids] == [
            (price / E6, size / E6) for price, size in seen.bids
        ]
        assert book.tick_size == seen.tick_e6 / E6
        assert public.get_midpoint(token_id=token) is not None


def test_a_resting_order_is_placed_read_back_and_cancelled(
    sandbox: RunningSandbox, client: SecureClient
) -> None:
    book = tradable_book(sandbox)
    signed = client.create_limit_order(
        token_id=book.token_id, price=Decimal("0.05"), size=10, side="BUY", post_only=True
    )
    placed = accepted(client.post_order(signed))
    assert placed.status == "live"
    order = client.get_order(order_id=placed.order_id)
    assert (order.status, order.price, order.original_size) == ("LIVE", Decimal("0.05"), Decimal(10))
    assert [one.id for one in client.list_open_orders().iter_items()] == [placed.order_id]
    assert client.cancel_order(order_id=placed.order_id).canceled == (placed.order_id,)
    assert client.get_order(order_id=placed.order_id).status == "CANCELED"
    assert list(client.list_open_orders().iter_items()) == []


@pytest.mark.parametrize("kind", ["FAK", "FOK"])
def test_a_market_buy_fills_and_settles(
    sandbox: RunningSandbox, client: SecureClient, kind: MarketOrderType
) -> None:
    book = tradable_book(sandbox)
    worst = book.asks[-1][0] / E6
    before = client.get_balance_allowance(asset_type="COLLATERAL").balance
    signed = client.create_market_order(
        token_id=book.token_id,
        side="BUY",
        amount=10,
        max_price=worst,
        order_type=kind,
    )
    placed = accepted(client.post_order(signed))
    assert placed.status == "matched"
    assert placed.making_amount == 10
    assert placed.taking_amount >= 10 / worst - 1
    trade = next(iter(client.list_account_trades().iter_items()))
    assert trade.id in placed.trade_ids
    assert (trade.status, trade.trader_side, trade.taker_order_id) == ("MATCHED", "TAKER", placed.order_id)
    sandbox.step(20_000)
    assert next(iter(client.list_account_trades().iter_items())).status == "CONFIRMED"
    assert client.get_order(order_id=placed.order_id).status == "MATCHED"
    held = client.get_balance_allowance(asset_type="CONDITIONAL", token_id=book.token_id)
    assert Decimal(held.balance) / E6 == placed.taking_amount
    spent = before - client.get_balance_allowance(asset_type="COLLATERAL").balance
    assert 10_000_000 <= spent < 10_600_000  # with the taker's fee
    position = next(iter(client.list_positions(user=sandbox.account().wallet).iter_items()))
    assert (position.token_id, position.current_size) == (book.token_id, placed.taking_amount)


def test_a_crossing_post_only_and_an_unfillable_fok_are_refused_in_the_venues_words(
    sandbox: RunningSandbox, client: SecureClient
) -> None:
    book = tradable_book(sandbox)
    ask = book.asks[-1][0] / E6
    crossing = client.create_limit_order(
        token_id=book.token_id, price=ask, size=10, side="BUY", post_only=True
    )
    with pytest.raises(RequestRejectedError, match="order crosses book"):
        client.post_order(crossing)
    too_much = client.create_market_order(
        token_id=book.token_id, side="BUY", amount=9_000, max_price=ask, order_type="FOK"
    )
    with pytest.raises(RequestRejectedError, match="FOK orders are fully filled or killed"):
        client.post_order(too_much)


def test_batches_cancel_all_and_by_market(sandbox: RunningSandbox, client: SecureClient) -> None:
    book = tradable_book(sandbox)
    orders = [
        client.create_limit_order(token_id=book.token_id, price=f"0.0{cents}", size=10, side="BUY")
        for cents in (2, 3, 4)
    ]
    placed = [accepted(one).order_id for one in client.post_orders(orders)]
    assert client.cancel_orders(order_ids=placed[:1]).canceled == tuple(placed[:1])
    assert set(client.cancel_market_orders(token_id=book.token_id).canceled) == set(placed[1:])
    again = client.create_limit_order(token_id=book.token_id, price="0.05", size=10, side="BUY")
    last = accepted(client.post_order(again)).order_id
    assert client.cancel_all().canceled == (last,)


def test_credentials_survive_a_second_client(sandbox: RunningSandbox, client: SecureClient) -> None:
    account = sandbox.account()
    environment = sdk_environment(sandbox)
    with SecureClient.create(
        private_key=account.key, wallet=account.wallet, environment=environment
    ) as second:
        assert second.credentials == client.credentials
    with SecureClient.create(
        private_key=account.key,
        wallet=account.wallet,
        environment=environment,
        credentials=client.credentials,
    ) as third:
        assert third.get_closed_only_mode() is False


def test_the_async_client_streams_the_market_and_its_own_orders(sandbox: RunningSandbox) -> None:
    asyncio.run(asyncio.wait_for(_stream(sandbox), timeout=30))


async def _stream(sandbox: RunningSandbox) -> None:
    book, account = tradable_book(sandbox), sandbox.account()
    async with await AsyncSecureClient.create(
        private_key=account.key, wallet=account.wallet, environment=sdk_environment(sandbox)
    ) as client:
        market = await client.subscribe(MarketSpec(token_ids=[book.token_id], custom_feature_enabled=True))
        user = await client.subscribe(UserSpec())
        while sandbox.app.sockets.listeners(client.credentials.key) == 0:  # noqa: ASYNC110 - other thread
            await asyncio.sleep(0)
        first = await anext(market)
        assert first.type == "book"
        assert first.payload.bids[-1].price == book.bids[-1][0] / E6
        signed = await client.create_market_order(
            token_id=book.token_id, side="BUY", amount=10, max_price=book.asks[-1][0] / E6
        )
        placed = accepted(await client.post_order(signed))
        kinds = {(await anext(market)).type for _ in range(3)}
        assert {"price_change", "last_trade_price"} <= kinds
        mine = await anext(user)
        while mine.type != "trade":
            mine = await anext(user)
        assert mine.payload.taker_order_id == placed.order_id
        assert mine.payload.status == "MATCHED"


def test_an_account_is_fully_approved_until_an_approval_is_taken_away(
    sandbox: RunningSandbox, client: SecureClient
) -> None:
    assert client.get_trading_approvals_state().is_fully_approved
    sandbox.call(lambda: sandbox.world.set_allowance(sandbox.account().wallet, EXCHANGE_V2, 0))
    (missing,) = client.get_trading_approvals_state().missing.erc20
    assert missing.spender == EXCHANGE_V2
    sandbox.call(lambda: sandbox.world.set_allowance(sandbox.account().wallet, EXCHANGE_V2, 0, "any"))
    (missing_too,) = client.get_trading_approvals_state().missing.erc1155
    assert missing_too.operator == EXCHANGE_V2
    token = tradable_book(sandbox).token_id
    with pytest.raises(RequestRejectedError, match="the allowance is not enough"):
        client.post_order(client.create_limit_order(token_id=token, price="0.05", size=10, side="BUY"))


def test_the_account_reads_its_value_and_history(sandbox: RunningSandbox, client: SecureClient) -> None:
    book, wallet = tradable_book(sandbox), sandbox.account().wallet
    signed = client.create_market_order(
        token_id=book.token_id, side="BUY", amount=10, max_price=book.asks[-1][0] / E6
    )
    placed = accepted(client.post_order(signed))
    sandbox.step(30_000)
    (trade,) = client.list_trades(user=wallet).iter_items()
    assert (trade.asset_id, trade.size) == (book.token_id, placed.taking_amount)
    kinds = [one.type for one in client.list_activity(user=wallet).iter_items()]
    assert "TRADE" in kinds
    assert 0 < client.get_portfolio_value(user=wallet).value < 20
    sandbox.call(lambda: sandbox.world.resolve(book.condition_id, (1_000_000, 0)))
    (resolution,) = client.get_resolutions(condition_ids=[book.condition_id])
    assert resolution.status == "resolved"
    assert resolution.payouts == (Decimal(1), Decimal(0))
    assert client.get_portfolio_value(user=wallet).value == placed.taking_amount


def test_prices_of_the_past_are_what_the_world_saw(sandbox: RunningSandbox) -> None:
    token = tradable_book(sandbox).token_id
    sandbox.step(3 * 3_600_000)
    since_ms = sandbox.world.now_ms - 3_600_000
    seen = {price / E6 for _, price in sandbox.world.price_history(token, since_ms - 60_000)}
    with PublicClient(environment=sdk_environment(sandbox)) as public:
        points = list(public.list_price_history(asset_id=token, interval="max").iter_items())
        hour = list(public.list_price_history(asset_id=token, interval="1h").iter_items())
        assert 10 <= len(hour) < len(points), "a sample every five minutes, and days from before"
        assert {one.price for one in hour} <= seen


def test_recorded_markets_are_listed_and_traded_by_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clock = SystemClock()
    now_ms = milliseconds(clock.now())
    specs = import_directory(shared_path("recorded"), now_ms=now_ms).specs
    world = World(seed=1, markets=0, imported=specs, start_ms=now_ms)
    with running_sandbox(world=world, clock=clock) as sandbox:
        account = sandbox.account()
        with SecureClient.create(
            private_key=account.key, wallet=account.wallet, environment=sdk_environment(sandbox)
        ) as client:
            listed = {one.condition_id: one for one in client.list_markets(page_size=50).iter_items()}
            assert set(listed) == {spec.condition_id for spec in specs}
            for spec in specs:
                token = spec.token_ids[0]
                signed = client.create_limit_order(
                    token_id=token, price=spec.tick_e6 / E6, size=100, side="BUY"
                )
                assert accepted(client.post_order(signed)).status == "live", spec.question
            assert {spec.neg_risk for spec in specs} == {True, False}
