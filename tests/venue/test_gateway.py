"""Orders at a venue that checks what the real one checks: known by their id before they leave."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import polyb0t
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import OrderId
from polyb0t.core.units import Price, Shares
from polyb0t.data.fills import FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.execution.gateway import (
    Accepted,
    AcceptedStatus,
    Found,
    NoFill,
    NotFound,
    NotSent,
    Refused,
    Unknown,
    Unreadable,
)
from polyb0t.execution.intents import IntentType, OrderType
from polyb0t.execution.scope import Regime
from polyb0t.models.fees import taker_fee
from polyb0t.sandbox.faults import Fault
from polyb0t.venue.account_api import AccountApi
from polyb0t.venue.amounts import OrderBuildError, identity_of
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.signing import ExchangeDomain, OrderStruct, order_id_of
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.connected import FEE, Connected, connected

UNKNOWN_ID = OrderId("0x" + "ab" * 32)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


@pytest.fixture
def venue(sandbox: RunningSandbox) -> Iterator[Connected]:
    sandbox.faults.clear()
    with connected(sandbox) as link:
        yield link
    sandbox.faults.clear()


# --- the identity is known before anything leaves ----------------------------------------------------


def test_the_exchange_gives_an_order_the_id_that_its_intent_had(venue: Connected) -> None:
    intent = venue.resting()
    predicted = venue.gateway.order_id(intent)
    prepared = venue.gateway.prepare(intent, venue.now())
    assert prepared.order_id == predicted

    assert venue.gateway.send(prepared) == Accepted(AcceptedStatus.LIVE, ())

    found = venue.gateway.lookup(predicted)
    assert isinstance(found, Found)
    assert found.order.order_id == predicted
    assert (found.order.status, found.order.side) == ("LIVE", Side.BUY)
    assert (found.order.price, found.order.original_size) == (Decimal("0.05"), Decimal(10))
    assert predicted in {order.order_id for order in venue.gateway.open_orders()}


def test_preparing_again_at_another_time_gives_the_same_signed_order(venue: Connected) -> None:
    intent = venue.intent()
    first = venue.gateway.prepare(intent, venue.now())
    later = venue.gateway.prepare(intent, venue.now() + timedelta(seconds=30))
    assert later.signed_order == first.signed_order
    assert later.order_id == first.order_id
    assert later.l2_timestamp == first.l2_timestamp + 30


def test_another_intent_is_another_order(venue: Connected) -> None:
    intent = venue.intent()
    assert venue.gateway.order_id(replace(intent, reason="another")) != venue.gateway.order_id(intent)


def test_preparing_sends_nothing(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    assert venue.gateway.lookup(prepared.order_id) == NotFound()


def test_a_gtd_expires_a_minute_after_its_life_on_the_wire(venue: Connected) -> None:
    intent = venue.resting(order_type=OrderType.GTD, life_seconds=300)
    at = venue.now()
    prepared = venue.gateway.prepare(intent, at)
    assert json.loads(prepared.signed_order)["expiration"] == str(int(at.timestamp()) + 360)
    later = venue.gateway.prepare(intent, at + timedelta(seconds=9))
    assert later.order_id == prepared.order_id  # the expiry is no part of what is signed
    assert isinstance(venue.gateway.send(prepared), Accepted)


# --- taking, filling, selling ------------------------------------------------------------------------


def test_a_taker_buy_fills_and_its_fills_carry_the_fee_of_the_schedule(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.intent(), venue.now())
    outcome = venue.gateway.send(prepared)
    assert isinstance(outcome, Accepted)
    assert outcome.status is AcceptedStatus.MATCHED
    assert outcome.trade_ids

    fills = venue.gateway.fills(prepared.order_id, outcome.trade_ids)
    assert fills
    assert {(fill.order_id, fill.role, fill.side) for fill in fills} == {
        (prepared.order_id, Role.TAKER, Side.BUY)
    }
    assert all(fill.fee == taker_fee(fill.shares, fill.price, venue.fee) > 0 for fill in fills)
    assert sum(fill.notional for fill in fills) <= 10
    found = venue.gateway.lookup(prepared.order_id)
    assert isinstance(found, Found)
    assert found.order.matched_shares == sum(fill.shares for fill in fills)
    assert set(outcome.trade_ids) <= set(found.order.trade_ids)


def test_fills_move_forward_to_confirmed(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.intent(), venue.now())
    outcome = venue.gateway.send(prepared)
    assert isinstance(outcome, Accepted)
    before = {fill.status for fill in venue.gateway.fills(prepared.order_id, outcome.trade_ids)}
    venue.sandbox.step(30_000)
    after = {fill.status for fill in venue.gateway.fills(prepared.order_id, outcome.trade_ids)}
    assert before == {FillStatus.MATCHED}
    assert after == {FillStatus.CONFIRMED}


def test_shares_that_were_bought_can_be_sold(venue: Connected) -> None:
    bought = venue.gateway.prepare(venue.intent(), venue.now())
    assert isinstance(venue.gateway.send(bought), Accepted)
    venue.sandbox.step(30_000)
    sale = venue.gateway.prepare(venue.selling("5"), venue.now())
    outcome = venue.gateway.send(sale)
    assert isinstance(outcome, Accepted)
    fills = venue.gateway.fills(sale.order_id, outcome.trade_ids)
    assert {fill.side for fill in fills} == {Side.SELL}
    assert sum(fill.shares for fill in fills) == 5


def test_as_maker_only_our_own_part_of_a_trade_counts(venue: Connected) -> None:
    book = venue.book()
    above_bid = Price(Decimal(book.bids[-1][0] + 1_000_000 // 100) / 1_000_000)
    if above_bid * 1_000_000 >= book.asks[-1][0]:
        above_bid = Price(Decimal(book.bids[-1][0]) / 1_000_000)
    ours = venue.gateway.prepare(venue.resting(worst_price=above_bid), venue.now())
    assert isinstance(venue.gateway.send(ours), Accepted)
    with connected(venue.sandbox, account=1) as other:
        bought = other.gateway.prepare(other.intent(), other.now())
        assert isinstance(other.gateway.send(bought), Accepted)
        other.sandbox.step(30_000)
        sale = other.gateway.prepare(other.selling("12"), other.now())
        outcome = other.gateway.send(sale)
        assert isinstance(outcome, Accepted)
        found = venue.gateway.lookup(ours.order_id)
        assert isinstance(found, Found)
        fills = venue.gateway.fills(ours.order_id, found.order.trade_ids)
        assert fills
        assert {(fill.role, fill.fee, fill.side) for fill in fills} == {(Role.MAKER, Decimal(0), Side.BUY)}
        assert sum(fill.shares for fill in fills) == found.order.matched_shares


def test_a_kill_order_that_finds_nothing_is_no_fill(venue: Connected) -> None:
    low = Price(Decimal("0.02"))
    for order_type in (OrderType.FAK, OrderType.FOK):
        prepared = venue.gateway.prepare(venue.intent(order_type=order_type, worst_price=low), venue.now())
        assert isinstance(venue.gateway.send(prepared), NoFill)


def test_more_than_the_wallet_has_is_refused_with_the_exchanges_text(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(shares=Shares(Decimal(10_000_000))), venue.now())
    outcome = venue.gateway.send(prepared)
    assert isinstance(outcome, Refused)
    assert outcome.code == "not_enough_balance"
    assert "balance" in outcome.text


def test_a_post_only_order_that_would_cross_is_refused(venue: Connected) -> None:
    ask = Price(Decimal(venue.book().asks[-1][0]) / 1_000_000)
    prepared = venue.gateway.prepare(venue.resting(worst_price=ask, post_only=True), venue.now())
    outcome = venue.gateway.send(prepared)
    assert isinstance(outcome, Refused)
    assert outcome.code == "would_cross"


def test_the_same_bytes_twice_leave_one_order_and_prove_nothing(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    assert isinstance(venue.gateway.send(prepared), Accepted)
    second = venue.gateway.send(prepared)
    assert isinstance(second, Unknown)
    assert not second.foreign_id


# --- cancelling --------------------------------------------------------------------------------------


def test_cancelling_is_by_id_and_leaves_the_rest_alone(venue: Connected) -> None:
    first = venue.gateway.prepare(venue.resting(), venue.now())
    second = venue.gateway.prepare(venue.resting(reason="another"), venue.now())
    for prepared in (first, second):
        assert isinstance(venue.gateway.send(prepared), Accepted)

    answer = venue.gateway.cancel([first.order_id, UNKNOWN_ID])

    assert answer.cancelled == (first.order_id,)
    assert set(answer.not_cancelled) == {UNKNOWN_ID}
    gone, still = venue.gateway.lookup(first.order_id), venue.gateway.lookup(second.order_id)
    assert isinstance(gone, Found)
    assert gone.order.status.startswith("CANCELED")
    assert isinstance(still, Found)
    assert still.order.status == "LIVE"
    assert venue.gateway.cancel([]).cancelled == ()


def test_cancelling_and_asking_need_no_signing_key(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    venue.gateway.send(prepared)
    keyless = PolymarketGateway(venue.environment, venue.api, venue.one_shot, fee_of=lambda _order: FEE)
    assert isinstance(keyless.lookup(prepared.order_id), Found)
    assert keyless.order_id(venue.resting()) != prepared.order_id
    assert keyless.cancel([prepared.order_id]).cancelled == (prepared.order_id,)
    with pytest.raises(ConfigurationError) as refused:
        keyless.prepare(venue.resting(), venue.now())
    assert refused.value.code == "no_signing_key"


def test_a_cancel_without_an_answer_is_an_error_not_a_success(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    venue.gateway.send(prepared)
    for fault in (
        Fault("drop_after", "/clob/orders"),
        Fault("status", "/clob/orders", status=503, body={"error": "trading is disabled"}),
        Fault("status", "/clob/orders", status=200, body="<html>blocked</html>"),
        Fault("status", "/clob/orders", status=200, body={"canceled": "all"}),
    ):
        venue.sandbox.faults.replace([fault])
        with pytest.raises(VenueUnreachableError):
            venue.gateway.cancel([prepared.order_id])


# --- reads that fail are not reads of nothing --------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "/clob/data", status=500, body={"error": "Internal server error"}),
        Fault("status", "/clob/data", status=425, body={"error": "service not ready"}),
        Fault("status", "/clob/data", status=401, body={"error": "Unauthorized/Invalid api key"}),
        Fault("status", "/clob/data", status=404, body="<html>not found</html>"),
        Fault("status", "/clob/data", status=404, body={"message": "no such route"}),
        Fault("status", "/clob/data", status=200, body="<html>blocked</html>"),
        Fault("status", "/clob/data", status=200, body={"data": [], "limit": 100}),
        Fault("status", "/clob/data", status=200, body=[]),
        Fault("status", "/clob/data", status=200, body=""),
        Fault("drop_before", "/clob/data"),
        Fault("drop_after", "/clob/data"),
    ],
)
def test_a_failed_read_is_evidence_of_nothing(venue: Connected, fault: Fault) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    venue.gateway.send(prepared)
    venue.sandbox.faults.replace([fault])

    assert isinstance(venue.gateway.lookup(prepared.order_id), Unreadable)
    with pytest.raises(VenueUnreachableError):
        venue.gateway.open_orders()
    with pytest.raises(VenueUnreachableError):
        venue.gateway.fills(prepared.order_id, ["a-trade"])


def test_an_order_that_nobody_knows_is_not_found(venue: Connected) -> None:
    assert venue.gateway.lookup(UNKNOWN_ID) == NotFound()
    venue.sandbox.faults.replace([Fault("status", "/clob/data/order", status=200, body=None)])
    assert venue.gateway.lookup(UNKNOWN_ID) == NotFound()


def test_an_answer_about_another_order_is_not_believed(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    venue.gateway.send(prepared)
    other = venue.api.read(f"/data/order/{prepared.order_id}")
    venue.sandbox.faults.replace([Fault("status", "/clob/data/order", status=200, body=other)])
    assert isinstance(venue.gateway.lookup(UNKNOWN_ID), Unreadable)


def test_listings_are_read_to_their_last_page_and_one_that_never_ends_is_an_error(venue: Connected) -> None:
    ids = set()
    for number in range(102):  # a page has a hundred
        prepared = venue.gateway.prepare(
            venue.resting(shares=Shares(Decimal(5)), worst_price=Price(Decimal("0.01")), reason=str(number)),
            venue.now(),
        )
        assert isinstance(venue.gateway.send(prepared), Accepted)
        ids.add(prepared.order_id)
    assert ids <= {order.order_id for order in venue.gateway.open_orders()}
    assert set(venue.gateway.cancel(sorted(ids)).cancelled) == ids

    page = {"data": [], "next_cursor": "MTAw", "limit": 100, "count": 0}
    venue.sandbox.faults.replace([Fault("status", "/clob/data/orders", status=200, body=page)])
    with pytest.raises(VenueUnreachableError):
        venue.gateway.open_orders()


def test_orders_of_another_wallet_of_the_same_key_are_not_ours(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    venue.gateway.send(prepared)
    row = venue.api.read(f"/data/order/{prepared.order_id}")
    assert isinstance(row, dict)
    foreign = {**row, "maker_address": "0x" + "22" * 20}
    page = {"data": [row, foreign], "next_cursor": "LTE="}
    venue.sandbox.faults.replace([Fault("status", "/clob/data/orders", status=200, body=page)])
    assert [order.order_id for order in venue.gateway.open_orders()] == [prepared.order_id]


# --- what is never built -----------------------------------------------------------------------------


@pytest.mark.parametrize("regime", [Regime.PAPER, Regime.DRY_RUN])
def test_only_a_live_intent_is_ever_signed(venue: Connected, regime: Regime) -> None:
    with pytest.raises(OrderBuildError) as refused:
        venue.gateway.prepare(venue.intent(regime=regime), venue.now())
    assert refused.value.code == "foreign_regime"


def test_an_intent_of_another_scope_is_never_signed(venue: Connected) -> None:
    elsewhere = venue.intent().scope.replace("sandbox:", "polymarket:")
    for call in (
        lambda: venue.gateway.prepare(venue.intent(scope=elsewhere), venue.now()),
        lambda: venue.gateway.order_id(venue.intent(scope=elsewhere)),
    ):
        with pytest.raises(OrderBuildError) as refused:
            call()
        assert refused.value.code == "foreign_scope"


@pytest.mark.parametrize("kind", [IntentType.CANCEL_ORDER, IntentType.CLAIM_SETTLEMENT])
def test_an_intent_that_places_no_order_gets_none(venue: Connected, kind: IntentType) -> None:
    with pytest.raises(OrderBuildError):
        venue.gateway.order_id(venue.intent(intent_type=kind))


@pytest.mark.parametrize(
    ("version", "neg_risk", "contract"),
    [
        ("v1", False, ExchangeDomain("2", 137, "0xE111180000d2663C0091e4f400237545B87B996B")),
        ("v1", True, ExchangeDomain("2", 137, "0xe2222d279d744050d28e00520010520000310F59")),
        ("v2", False, ExchangeDomain("3", 137, "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa")),
        ("v2", True, ExchangeDomain("3", 137, "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa")),
    ],
)
def test_each_kind_of_market_is_signed_for_its_own_contract(
    venue: Connected, version: str, neg_risk: bool, contract: ExchangeDomain
) -> None:
    intent = venue.intent(protocol_version=version, neg_risk=neg_risk)
    identity = identity_of(intent)
    struct = OrderStruct(
        salt=identity.salt,
        maker=venue.wallet,
        signer=venue.wallet,
        token_id=int(intent.asset_id),
        maker_amount=10_000_000,
        taker_amount=identity.taker_amount_e6,
        side=0,
        signature_type=0,
        timestamp=identity.timestamp_ms,
    )
    assert venue.gateway.order_id(intent) == order_id_of(struct, contract)


def test_an_order_signed_for_another_contract_is_refused_as_a_bad_signature(venue: Connected) -> None:
    wrong = venue.gateway.prepare(venue.intent(neg_risk=True), venue.now())
    outcome = venue.gateway.send(wrong)
    assert isinstance(outcome, Refused)
    assert outcome.code == "bad_signature"


def test_a_market_of_an_unknown_protocol_is_refused(venue: Connected) -> None:
    with pytest.raises(ConfigurationError) as refused:
        venue.gateway.order_id(venue.intent(protocol_version="v3"))
    assert refused.value.code == "unknown_protocol"


def test_a_kill_order_can_not_be_post_only(venue: Connected) -> None:
    with pytest.raises(OrderBuildError):
        venue.gateway.prepare(venue.intent(post_only=True), venue.now())


def test_credentials_of_another_key_are_not_used(venue: Connected) -> None:
    stranger = replace(venue.credentials, address=venue.environment.accounts[1].wallet)
    api = AccountApi(
        venue.environment.clob_url,
        venue.api.wallet,
        stranger,
        reader=venue.reader,
        one_shot=venue.one_shot,
        clock=venue.clock,
    )
    with pytest.raises(ConfigurationError) as refused:
        api.get("/data/orders")
    assert refused.value.code == "no_credentials"


# --- secrets -----------------------------------------------------------------------------------------


def test_no_secret_is_stored_logged_or_shown(venue: Connected, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    venue.gateway.send(prepared)
    venue.gateway.lookup(prepared.order_id)
    secrets = (
        venue.environment.accounts[0].key,
        venue.environment.accounts[0].key[2:],
        venue.credentials.api_key,
        venue.credentials.secret,
        venue.credentials.passphrase,
    )
    shown = " ".join(
        (
            prepared.signed_order,
            prepared.credential_id,
            repr(venue.gateway),
            repr(venue.api),
            repr(venue.credentials),
            repr(venue.environment),
        )
    )
    assert not [secret for secret in secrets if secret in shown]
    assert not [secret for secret in secrets if secret in caplog.text]
    assert venue.credentials.api_key not in repr(prepared)


def test_nothing_of_ours_keeps_a_heartbeat_alive() -> None:
    """The exchange would cancel everything on the key once it stopped, other people's orders too."""
    ours = Path(polyb0t.__file__).parent
    sources = [file for file in ours.rglob("*.py") if "sandbox" not in file.relative_to(ours).parts]
    assert len(sources) > 100
    assert [file.name for file in sources if "/heartbeats" in file.read_text(encoding="utf-8")] == []


def test_a_send_to_nobody_is_known_not_to_have_left(venue: Connected) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    nobody = replace(venue.environment, clob_url="http://127.0.0.1:9")
    gateway = PolymarketGateway(nobody, venue.api, venue.one_shot, fee_of=lambda _order: FEE)
    assert isinstance(gateway.send(prepared), NotSent)
    assert isinstance(venue.gateway.send(prepared), Accepted)
