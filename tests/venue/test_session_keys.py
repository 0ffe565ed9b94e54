"""Session keys: known as what they are, signed for as the vendor's SDK signs, taken by a venue that checks."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Literal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polymarket import SecureClient
from polymarket._internal.environment import PRODUCTION_CONFIG
from polymarket._internal.wallet import (
    classify_account,
    derive_beacon_deposit_wallet_address,
    derive_uups_deposit_wallet_address,
)

from polyb0t.core.clock import SystemClock
from polyb0t.core.practice import practice_key
from polyb0t.execution.gateway import Accepted, Found, Refused
from polyb0t.sandbox.types import PracticeAccount
from polyb0t.venue.account_api import AccountApi, TradingWallet
from polyb0t.venue.credentials import obtain_credentials
from polyb0t.venue.environment import VenueEnvironment, fetch_sandbox_environment
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.signing import POLY_1271, ExchangeDomain, OrderStruct, SigningKey, sign_order
from polyb0t.venue.wallets import deposit_wallets, is_session_key
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.sdk import sdk_environment
from tests.venue.connected import FEE, Connected, connected

SESSION = SigningKey(practice_key(40))
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


def deposit_account(sandbox: RunningSandbox) -> PracticeAccount:
    return next(one for one in sandbox.world.accounts if one.signature_type == POLY_1271)


@pytest.fixture
def account(sandbox: RunningSandbox) -> PracticeAccount:
    """A deposit wallet whose owner lets the session key trade."""
    found = deposit_account(sandbox)
    body = {"wallet": found.wallet, "address": SESSION.address, "seconds": 3_600}
    httpx.put(f"{sandbox.url}/sandbox/session-keys", json=body, trust_env=False).raise_for_status()
    return found


@contextmanager
def gateway_of(
    environment: VenueEnvironment, key: SigningKey, wallet: str, *, session: bool
) -> Iterator[PolymarketGateway]:
    clock, one_shot = SystemClock(), OneShot(SystemClock())
    credentials = obtain_credentials(one_shot, environment.clob_url, key, chain_id=137, at=clock.now())
    trading = TradingWallet(wallet, key.address, POLY_1271, session)  # type: ignore[arg-type]
    with HttpReader(clock, limits=ReadLimits(attempts=1), sandbox=True) as reader:
        api = AccountApi(
            environment.clob_url, trading, credentials, reader=reader, one_shot=one_shot, clock=clock
        )
        yield PolymarketGateway(environment, api, one_shot, fee_of=lambda _order: FEE, key=key)
    one_shot.close()


# --- whose wallet it is ------------------------------------------------------------------------------


@settings(max_examples=50)
@given(owner=ADDRESSES)
def test_an_owners_deposit_wallets_are_those_that_the_vendors_sdk_derives(owner: str) -> None:
    config = PRODUCTION_CONFIG.wallet_derivation
    assert deposit_wallets(owner) == (
        derive_beacon_deposit_wallet_address(owner, config),
        derive_uups_deposit_wallet_address(owner, config),
    )


@settings(max_examples=25)
@given(owner=ADDRESSES, other=ADDRESSES, old=st.booleans())
def test_a_key_is_a_session_key_where_the_sdk_takes_it_for_one(owner: str, other: str, old: bool) -> None:
    wallet = deposit_wallets(owner)[old]
    for key in (owner, other):
        theirs = classify_account(signer=key, wallet=wallet, config=PRODUCTION_CONFIG.wallet_derivation)
        assert is_session_key(key, wallet, POLY_1271) is (theirs.signer_type == "SESSION_KEY")


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_other_wallets_have_no_session_keys(kind: int) -> None:
    wallet = deposit_wallets(SESSION.address)[0]
    assert not is_session_key(practice_address(3), wallet, kind)


def test_nothing_is_signed_with_a_session_key_for_a_wallet_that_has_none() -> None:
    order = OrderStruct(1, SESSION.address, SESSION.address, 1, 1, 1, 0, 0, 1)
    domain = ExchangeDomain("2", 137, "0xE111180000d2663C0091e4f400237545B87B996B")
    with pytest.raises(ValueError, match="only deposit wallets"):
        sign_order(order, domain, SESSION, session=True)


def practice_address(index: int) -> str:
    return SigningKey(practice_key(index)).address


# --- the signature -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "price", "size"), [("BUY", "0.07", 12), ("SELL", "0.93", 7)])
def test_the_bytes_are_those_of_the_vendors_sdk_with_the_same_salt_and_time(
    sandbox: RunningSandbox,
    account: PracticeAccount,
    monkeypatch: pytest.MonkeyPatch,
    side: Literal["BUY", "SELL"],
    price: str,
    size: int,
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with connected(sandbox) as venue:
        token, environment = venue.book().token_id, venue.environment
    with SecureClient.create(
        private_key=practice_key(40), wallet=account.wallet, environment=sdk_environment(sandbox)
    ) as sdk:
        signed = sdk.create_limit_order(token_id=token, price=Decimal(price), size=size, side=side)
    ours = OrderStruct(
        salt=signed.salt,
        maker=account.wallet,
        signer=account.wallet,
        token_id=int(signed.token_id),
        maker_amount=signed.maker_amount,
        taker_amount=signed.taker_amount,
        side=0 if side == "BUY" else 1,
        signature_type=POLY_1271,
        timestamp=signed.timestamp,
    )
    domain = environment.exchange("v1", neg_risk=False)

    order_id, signature = sign_order(ours, domain, SESSION, session=True)

    assert signature == signed.signature
    assert len(signature) == 2 + 2 * 480
    assert order_id == sign_order(ours, domain, SESSION)[0]  # whoever signs, the order is the same one


# --- at a venue that checks --------------------------------------------------------------------------


def resting(venue: Connected, wallet: str) -> object:
    return venue.resting(scope=f"sandbox:137:{wallet}:{venue.environment.world_id}")


def test_an_order_signed_with_a_session_key_is_taken_found_and_cancelled(
    sandbox: RunningSandbox, account: PracticeAccount
) -> None:
    environment = fetch_sandbox_environment(sandbox.url, SystemClock())
    with (
        connected(sandbox) as venue,
        gateway_of(environment, SESSION, account.wallet, session=True) as gateway,
    ):
        prepared = gateway.prepare(resting(venue, account.wallet), venue.now())  # type: ignore[arg-type]
        assert isinstance(gateway.send(prepared), Accepted)
        found = gateway.lookup(prepared.order_id)
        assert isinstance(found, Found)
        assert prepared.order_id in {order.order_id for order in gateway.open_orders()}
        assert gateway.cancel([prepared.order_id]).cancelled == (prepared.order_id,)


def test_without_its_envelope_it_is_refused(sandbox: RunningSandbox, account: PracticeAccount) -> None:
    environment = fetch_sandbox_environment(sandbox.url, SystemClock())
    with (
        connected(sandbox) as venue,
        gateway_of(environment, SESSION, account.wallet, session=False) as gateway,
    ):
        prepared = gateway.prepare(resting(venue, account.wallet), venue.now())  # type: ignore[arg-type]
        assert isinstance(gateway.send(prepared), Refused)
