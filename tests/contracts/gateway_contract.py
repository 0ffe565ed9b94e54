"""What any `OrderGateway` has to do. The one in memory and the real one pass the same tests, so that
what is proven with the first holds for the second."""

from abc import ABC, abstractmethod
from datetime import timedelta

from polyb0t.core.ids import OrderId
from polyb0t.data.fills import FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.execution.gateway import (
    Accepted,
    AcceptedStatus,
    Found,
    NoFill,
    NotFound,
    OrderGateway,
    SendOutcome,
    Unknown,
)
from polyb0t.execution.intents import TradeIntent

STRANGER = OrderId("0x" + "ab" * 32)


class Bench(ABC):
    """A gateway and intents that meet a known book."""

    gateway: OrderGateway

    @abstractmethod
    def taking(self) -> TradeIntent:
        """A FAK BUY that fills whole."""

    @abstractmethod
    def missing(self) -> TradeIntent:
        """A FAK BUY far below the best offer."""

    @abstractmethod
    def resting(self) -> TradeIntent:
        """A GTC BUY far below the best offer."""

    def send(self, intent: TradeIntent) -> SendOutcome:
        return self.gateway.send(self.gateway.prepare(intent, intent.created_at))


class GatewayContract:
    """Inherit and provide the fixture `bench`."""

    def test_an_intent_has_one_identity_however_often_it_is_signed(self, bench: Bench) -> None:
        intent = bench.resting()
        first = bench.gateway.prepare(intent, intent.created_at)
        again = bench.gateway.prepare(intent, intent.created_at + timedelta(seconds=30))

        assert first.order_id == again.order_id == bench.gateway.order_id(intent)
        assert first.signed_order == again.signed_order
        assert bench.gateway.order_id(bench.resting()) != first.order_id

    def test_signing_tells_the_exchange_nothing(self, bench: Bench) -> None:
        intent = bench.resting()
        bench.gateway.prepare(intent, intent.created_at)

        assert bench.gateway.lookup(bench.gateway.order_id(intent)) == NotFound()

    def test_a_resting_order_is_found_listed_and_cancelled_once(self, bench: Bench) -> None:
        intent = bench.resting()
        order_id = bench.gateway.order_id(intent)

        assert bench.send(intent) == Accepted(AcceptedStatus.LIVE, ())

        found = bench.gateway.lookup(order_id)
        assert isinstance(found, Found)
        assert (found.order.order_id, found.order.status) == (order_id, "LIVE")
        assert (found.order.asset_id, found.order.side) == (intent.asset_id, intent.side)
        assert found.order.matched_shares == 0
        assert order_id in {order.order_id for order in bench.gateway.open_orders()}
        assert order_id in {order.order_id for order in bench.gateway.open_on_the_key()}

        assert bench.gateway.cancel([order_id]).cancelled == (order_id,)
        again = bench.gateway.cancel([order_id])
        assert again.cancelled == ()
        assert order_id in again.not_cancelled
        found = bench.gateway.lookup(order_id)
        assert isinstance(found, Found)
        assert found.order.status == "CANCELED"
        assert order_id not in {order.order_id for order in bench.gateway.open_orders()}

    def test_a_taking_order_matches_and_its_fills_are_read_by_trade(self, bench: Bench) -> None:
        intent = bench.taking()
        order_id = bench.gateway.order_id(intent)

        answer = bench.send(intent)

        assert isinstance(answer, Accepted)
        assert answer.status is AcceptedStatus.MATCHED
        found = bench.gateway.lookup(order_id)
        assert isinstance(found, Found)
        assert found.order.status == "MATCHED"
        assert set(found.order.trade_ids) == set(answer.trade_ids)
        fills = bench.gateway.fills(order_id, answer.trade_ids)
        assert {fill.trade_id for fill in fills} == set(answer.trade_ids)
        assert sum(fill.shares for fill in fills) == found.order.matched_shares
        assert intent.worst_price is not None
        for fill in fills:
            assert (fill.order_id, fill.asset_id, fill.side) == (order_id, intent.asset_id, Side.BUY)
            assert fill.role is Role.TAKER
            assert fill.price <= intent.worst_price
            assert fill.status is not FillStatus.FAILED

    def test_fills_are_found_by_market_too_as_a_proof_of_absence_asks(self, bench: Bench) -> None:
        intent = bench.taking()
        order_id, since = bench.gateway.order_id(intent), intent.created_at - timedelta(minutes=5)
        assert bench.gateway.market_fills(order_id, intent.condition_id, since) == ()
        answer = bench.send(intent)
        assert isinstance(answer, Accepted)

        found = bench.gateway.market_fills(order_id, intent.condition_id, since)

        assert {fill.trade_id for fill in found} == set(answer.trade_ids)
        assert bench.gateway.market_fills(STRANGER, intent.condition_id, since) == ()
        bench.gateway.control_read()

    def test_what_is_signed_names_the_credential_that_sees_it(self, bench: Bench) -> None:
        intent = bench.resting()

        assert bench.gateway.prepare(intent, intent.created_at).credential_id == bench.gateway.credential_id

    def test_a_trade_of_somebody_else_gives_no_fill_of_ours(self, bench: Bench) -> None:
        answer = bench.send(bench.taking())
        assert isinstance(answer, Accepted)

        assert bench.gateway.fills(STRANGER, answer.trade_ids) == ()

    def test_a_fak_that_finds_nothing_is_a_no_fill(self, bench: Bench) -> None:
        assert isinstance(bench.send(bench.missing()), NoFill)

    def test_a_second_copy_proves_nothing(self, bench: Bench) -> None:
        intent = bench.resting()
        prepared = bench.gateway.prepare(intent, intent.created_at)
        bench.gateway.send(prepared)

        assert isinstance(bench.gateway.send(prepared), Unknown)

    def test_a_strangers_id_is_not_found_and_not_cancelled(self, bench: Bench) -> None:
        assert bench.gateway.lookup(STRANGER) == NotFound()
        assert STRANGER in bench.gateway.cancel([STRANGER]).not_cancelled
