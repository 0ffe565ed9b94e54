"""One contract, two gateways: the exchange in memory, and the real one against the sandbox."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from polyb0t.core.ids import new_intent_id
from polyb0t.core.units import Price, Shares
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.intents import OrderType, TradeIntent
from tests.contracts.gateway_contract import Bench, GatewayContract
from tests.support.builders import an_intent
from tests.support.fake_gateway import FakeGateway
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.connected import Connected, connected


class InMemory(Bench):
    def __init__(self) -> None:
        self.gateway: OrderGateway = FakeGateway()

    def taking(self) -> TradeIntent:
        return an_intent()

    def missing(self) -> TradeIntent:
        return an_intent(worst_price=Price(Decimal("0.05")))

    def resting(self) -> TradeIntent:
        return an_intent(
            order_type=OrderType.GTC,
            amount=None,
            shares=Shares(Decimal(10)),
            least_shares=None,
            worst_price=Price(Decimal("0.05")),
        )


class AtTheSandbox(Bench):
    def __init__(self, link: Connected) -> None:
        self.gateway: OrderGateway = link.gateway
        self._link = link

    def taking(self) -> TradeIntent:
        return self._link.intent(id=new_intent_id())

    def missing(self) -> TradeIntent:
        return self._link.intent(id=new_intent_id(), worst_price=Price(Decimal("0.05")))

    def resting(self) -> TradeIntent:
        return self._link.resting(id=new_intent_id())


class TestInMemory(GatewayContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return InMemory()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


class TestAtTheSandbox(GatewayContract):
    @pytest.fixture
    def bench(self, sandbox: RunningSandbox) -> Iterator[Bench]:
        with connected(sandbox) as link:
            yield AtTheSandbox(link)
