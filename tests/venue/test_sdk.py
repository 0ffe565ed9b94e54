"""The vendor's current SDK as a second opinion on everything that we say and send ourselves.

It is pinned and used in tests only; when its pin moves, these say what has changed.
"""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polymarket import SecureClient
from polymarket._internal.actions.orders.post import build_post_order_request
from polymarket._internal.environment import PRODUCTION_CONFIG
from polymarket._internal.hmac import build_hmac_signature
from polymarket.models.clob import AcceptedOrder
from polymarket.models.clob.orders import SignedOrder

from polyb0t.core.ids import OrderId, Wallet
from polyb0t.execution.gateway import Accepted, Found
from polyb0t.execution.intents import OrderType
from polyb0t.venue.credentials import ApiCredentials
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.signing import OrderStruct, order_id_of
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.sdk import sdk_environment
from tests.venue.connected import Connected, connected

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


@pytest.fixture
def venue(sandbox: RunningSandbox) -> Iterator[Connected]:
    with connected(sandbox) as link:
        yield link


@pytest.fixture
def sdk(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecureClient]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    account = sandbox.account()
    with SecureClient.create(
        private_key=account.key, wallet=account.wallet, environment=sdk_environment(sandbox)
    ) as client:
        yield client


def test_the_sdk_reads_and_cancels_what_we_placed(venue: Connected, sdk: SecureClient) -> None:
    prepared = venue.gateway.prepare(venue.resting(), venue.now())
    assert isinstance(venue.gateway.send(prepared), Accepted)

    order = sdk.get_order(order_id=prepared.order_id)

    assert (order.price, order.original_size, order.side) == (Decimal("0.05"), Decimal(10), "BUY")
    assert prepared.order_id in {one.id for one in sdk.list_open_orders().iter_items()}
    assert [str(one) for one in sdk.cancel_order(order_id=prepared.order_id).canceled] == [prepared.order_id]


def test_we_know_the_id_of_what_the_sdk_signed_and_can_read_and_cancel_it(
    venue: Connected, sdk: SecureClient
) -> None:
    token = venue.book().token_id
    signed = sdk.create_limit_order(token_id=token, price=Decimal("0.07"), size=12, side="BUY")
    struct = OrderStruct(
        salt=signed.salt,
        maker=signed.maker,
        signer=signed.signer,
        token_id=int(signed.token_id),
        maker_amount=signed.maker_amount,
        taker_amount=signed.taker_amount,
        side=0,
        signature_type=signed.signature_type,
        timestamp=signed.timestamp,
    )
    predicted = order_id_of(struct, venue.environment.exchange("v1", neg_risk=False))
    placed = sdk.post_order(signed)

    assert isinstance(placed, AcceptedOrder)
    assert str(placed.order_id) == predicted
    found = venue.gateway.lookup(predicted)
    assert isinstance(found, Found)
    assert (found.order.price, found.order.original_size) == (Decimal("0.07"), Decimal(12))
    assert venue.gateway.cancel([OrderId(predicted)]).cancelled == (predicted,)


def test_the_request_for_an_order_is_the_one_that_the_sdk_would_send(venue: Connected) -> None:
    for intent in (
        venue.intent(),
        venue.resting(post_only=True),
        venue.resting(order_type=OrderType.GTD, life_seconds=300),
    ):
        prepared = venue.gateway.prepare(intent, venue.now())
        ours = json.loads(prepared.body)
        order = ours["order"]
        path, theirs = build_post_order_request(
            SignedOrder(
                builder=order["builder"],
                expiration=int(order["expiration"]),
                maker=order["maker"],
                maker_amount=int(order["makerAmount"]),
                metadata=order["metadata"],
                order_type=ours["orderType"],
                salt=order["salt"],
                side=order["side"],
                signature=order["signature"],
                signature_type=order["signatureType"],
                signer=order["signer"],
                taker_amount=int(order["takerAmount"]),
                timestamp=int(order["timestamp"]),
                token_id=order["tokenId"],
                post_only=intent.post_only,
            ),
            owner_api_key=venue.credentials.api_key,
        )
        assert path == "/order"
        assert ours == theirs
        assert json.loads(prepared.signed_order) == order


@given(
    at=st.integers(1, 2**40),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.sampled_from(["/order", "/data/orders", "/data/order/0xab"]),
    body=st.text(max_size=50),
)
def test_requests_are_signed_as_the_sdk_signs_them(at: int, method: str, path: str, body: str) -> None:
    mine = ApiCredentials(Wallet("0x"), "k", SECRET, "p").headers(
        at=at, method=method, path=path, body=body.encode()
    )
    theirs = build_hmac_signature(secret=SECRET, timestamp=at, method=method, path=path, body=body)
    assert mine["POLY_SIGNATURE"] == theirs


def test_our_credentials_are_the_ones_that_the_sdk_obtains(venue: Connected, sdk: SecureClient) -> None:
    assert (sdk.credentials.key, sdk.credentials.secret, sdk.credentials.passphrase) == (
        venue.credentials.api_key,
        venue.credentials.secret,
        venue.credentials.passphrase,
    )


def test_the_sdk_knows_the_same_venue() -> None:
    known = {
        "collateral": PRODUCTION_CONFIG.collateral_token,
        "conditional_tokens": PRODUCTION_CONFIG.conditional_tokens,
        "exchange_v2": PRODUCTION_CONFIG.standard_exchange,
        "neg_risk_exchange_v2": PRODUCTION_CONFIG.neg_risk_exchange,
        "exchange_v3": PRODUCTION_CONFIG.exchange_v3,
        "position_manager": PRODUCTION_CONFIG.position_manager,
    }
    assert known.items() <= POLYMARKET.contracts.items()
    assert (
        PRODUCTION_CONFIG.chain_id,
        PRODUCTION_CONFIG.clob_url,
        PRODUCTION_CONFIG.gamma_url,
        PRODUCTION_CONFIG.data_url,
        PRODUCTION_CONFIG.relayer_url,
        PRODUCTION_CONFIG.clob_market_ws_url,
        PRODUCTION_CONFIG.clob_user_ws_url,
    ) == (
        POLYMARKET.chain_id,
        POLYMARKET.clob_url,
        POLYMARKET.gamma_url,
        POLYMARKET.data_url,
        POLYMARKET.relayer_url,
        POLYMARKET.market_ws_url,
        POLYMARKET.user_ws_url,
    )


def test_what_runs_imports_none_of_the_vendors_packages() -> None:
    code = (
        "import sys, polyb0t.venue.gateway, polyb0t.venue.account, polyb0t.venue.preflight\n"
        "print([name for name in ('polymarket', 'py_clob_client_v2', 'eth_account') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_sdk_has_no_service_that_the_tests_do_not_redirect() -> None:
    """A new URL in its private configuration would keep pointing at the real venue."""
    known = {field.name for field in dataclasses.fields(PRODUCTION_CONFIG) if field.name.endswith("_url")}
    assert known == {
        "builder_gateway_url",
        "clob_market_ws_url",
        "clob_url",
        "clob_user_ws_url",
        "collateral_return_url",
        "data_url",
        "gamma_url",
        "perps_url",
        "perps_ws_url",
        "realtime_ws_url",
        "relayer_url",
        "rfq_quoter_ws_url",
        "rfq_url",
        "rpc_url",
        "rtds_ws_url",
        "sports_ws_url",
    }
    assert len(dataclasses.fields(PRODUCTION_CONFIG)) == 39
