"""Wallets of every kind: whose address is whose, who may sign, and what each wrong pair is told."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from eth_account import Account
from polymarket import SecureClient
from polymarket.models.clob import AcceptedOrder

from polyb0t.core.practice import practice_key
from polyb0t.sandbox.contracts import EXCHANGE_V2, EXCHANGE_V3
from polyb0t.sandbox.signatures import InvalidSignatureError, OrderFields, domain_separator, struct_hash
from polyb0t.sandbox.types import PracticeAccount
from polyb0t.sandbox.wallets import (
    DEPOSIT,
    EOA,
    PROXY,
    SAFE,
    deposit_wallet,
    old_deposit_wallet,
    proxy_wallet,
    safe_wallet,
)
from polyb0t.sandbox.wrapped import WRAPPED, signer_of
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.sdk import sdk_environment
from tests.support.trader import Trader, order_signature, tradable_book

OWNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
KEY = "0x" + "11" * 32
W = "0x" + "22" * 20
CTF_TOKEN = 71321045679252212594626385532706912750332728571942532289631379312455583992563
POSITION = 663574927012476832975694178961957910328055987427402067619466963999000625152
NOT_SIGNER = "the order signer address has to be the address of the API KEY"
NOT_ALLOWED = "maker address not allowed, please use the deposit wallet flow"
BY_KIND = {PROXY: 10, SAFE: 11, DEPOSIT: 12}  # position of a practice account of each kind
OLD_DEPOSIT = 13


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=12) as running:
        yield running


@pytest.fixture
def sandbox(shared: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield shared
    shared.world.sessions.clear()


def bid(trader: Trader, **rest: Any) -> httpx.Response:
    """A small bid far below the market, so that it rests."""
    book = tradable_book(trader.sandbox)
    return trader.place(book.token_id, "BUY", 50_000, 10_000_000, **rest)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_every_wallet_of_an_owner_has_the_address_that_the_factories_give_it() -> None:
    assert proxy_wallet(OWNER) == "0x6Cd089333445c89b55B7693c6009DCc229613738"
    assert safe_wallet(OWNER) == "0x75F00B003FBBBA193FABEB06284c3187a4C1232E"
    assert deposit_wallet(OWNER) == "0x8154deDBDAAA46c07453E47b5b6C0Ff60B8542b9"
    assert old_deposit_wallet(OWNER) == "0x7a57144fAfde87F5cE4a880D570BAe58eeBC83f2"


@pytest.mark.parametrize(
    ("contract", "token", "inner"),
    [
        (
            EXCHANGE_V2,
            CTF_TOKEN,
            (
                "0cf89581b580d6f14f6602afe05cb9a06b83625ec06840a392bd56d09bd2b6fe"
                "79579edd6c6236f411adad9a6f4c2b72743b51f0d20b92b290903696d603af551b"
            ),
        ),
        (
            EXCHANGE_V3,
            POSITION,
            (
                "6d5bf39b94f364d8d4db46ad30a0ed148385ecfb2a0ef5c9947d4deb61951dc2"
                "78fce229c24cb574eac09b64bc6c3678caab35c73b5c1ab11566ec7d800b01011c"
            ),
        ),
    ],
)
def test_a_wrapped_signature_is_the_official_one_and_gives_its_owner_away(
    contract: str, token: int, inner: str
) -> None:
    fields = OrderFields(
        123456789, W, W, token, 4_500_000, 10_000_000, 0, DEPOSIT, 1760000000000, bytes(32), bytes(32)
    )
    signature = order_signature(KEY, fields, contract)
    assert signature[2:132] == inner
    assert len(bytes.fromhex(signature[2:])) == WRAPPED == 317
    separator, contents = domain_separator(contract), struct_hash(fields)
    assert signer_of(W, signature, separator, contents).address == OWNER.lower()
    other = domain_separator(EXCHANGE_V3 if contract == EXCHANGE_V2 else EXCHANGE_V2)
    with pytest.raises(InvalidSignatureError):
        signer_of(W, signature, other, contents)
    assert signer_of("0x" + "33" * 20, signature, separator, contents).address != OWNER.lower()


def test_there_is_a_practice_account_of_each_kind_with_an_owner_of_its_own(sandbox: RunningSandbox) -> None:
    accounts = sandbox.world.accounts
    assert [account.signature_type for account in accounts] == [EOA] * 10 + [PROXY, SAFE, DEPOSIT, DEPOSIT]
    assert [account.index for account in accounts] == list(range(14))
    assert accounts[0].wallet == accounts[0].address
    assert accounts[10].wallet == proxy_wallet(accounts[10].address)
    assert accounts[11].wallet == safe_wallet(accounts[11].address)
    assert accounts[12].wallet == deposit_wallet(accounts[12].address)
    assert accounts[13].wallet == old_deposit_wallet(accounts[13].address)
    assert all(account.key == practice_key(account.index) for account in accounts)


@pytest.mark.parametrize("position", [0, BY_KIND[PROXY], BY_KIND[SAFE], BY_KIND[DEPOSIT], OLD_DEPOSIT])
def test_every_kind_of_wallet_places_fills_and_cancels_from_its_own_purse(
    sandbox: RunningSandbox, position: int
) -> None:
    trader = Trader(sandbox, sandbox.account(position))
    book, account = tradable_book(sandbox), trader.account
    placed = bid(trader)
    assert placed.json()["status"] == "live", placed.text
    (row,) = trader.get("/data/orders").json()["data"]
    assert row["maker_address"] == account.wallet
    assert trader.request("DELETE", "/order", {"orderID": row["id"]}).json()["canceled"] == [row["id"]]
    bought = trader.spend(book.token_id, 10_000_000, book.asks[-1][0])
    assert bought.json()["status"] == "matched", bought.text
    sandbox.step(10_000)
    assert sandbox.world.balance(account.wallet, book.token_id) > 0
    path = f"/balance-allowance?asset_type=COLLATERAL&signature_type={account.signature_type}"
    assert int(trader.get(path).json()["balance"]) == sandbox.world.balance(account.wallet)
    trader.http.close()


@pytest.mark.parametrize("position", [BY_KIND[SAFE], BY_KIND[DEPOSIT], OLD_DEPOSIT])
def test_the_vendors_client_trades_from_a_smart_wallet(sandbox: RunningSandbox, position: int) -> None:
    account, book = sandbox.account(position), tradable_book(sandbox)
    environment = sdk_environment(sandbox)
    with SecureClient.create(
        private_key=account.key, wallet=account.wallet, environment=environment
    ) as client:
        signed = client.create_limit_order(token_id=book.token_id, price=Decimal("0.05"), size=10, side="BUY")
        placed = client.post_order(signed)
        assert isinstance(placed, AcceptedOrder), placed
        assert client.get_balance_allowance(asset_type="COLLATERAL").balance > 0
        assert client.cancel_order(order_id=placed.order_id).canceled == (placed.order_id,)


@pytest.mark.parametrize(
    ("position", "wrong", "text"),
    [
        (0, {"maker": W}, NOT_ALLOWED),  # an EOA pays from somebody else's purse
        (0, {"signer": W}, NOT_SIGNER),
        (0, {"signature_type": PROXY}, NOT_ALLOWED),  # an EOA is not its own proxy
        (0, {"signature_type": DEPOSIT}, NOT_SIGNER),  # an EOA is not its own deposit wallet
        (0, {"signature_type": DEPOSIT, "maker": W}, NOT_SIGNER),
        (0, {"signature_type": 4}, "Invalid order payload"),
        (BY_KIND[DEPOSIT], {"signature_type": SAFE}, NOT_ALLOWED),  # right purse, wrong kind
        (BY_KIND[SAFE], {"signature_type": PROXY}, NOT_ALLOWED),
        (BY_KIND[SAFE], {"signature_type": DEPOSIT}, NOT_SIGNER),
        (BY_KIND[SAFE], {"signer": W}, NOT_SIGNER),
        (BY_KIND[DEPOSIT], {"signature": "0x" + "11" * 65}, "invalid signature"),  # not wrapped
        (BY_KIND[DEPOSIT], {"session": True}, "invalid signature"),  # the owner is no session key
        (BY_KIND[DEPOSIT], {"contract": EXCHANGE_V3}, "invalid signature"),
    ],
)
def test_a_wrong_pair_of_wallet_and_signature_is_told_in_the_venues_words(
    sandbox: RunningSandbox, position: int, wrong: dict[str, Any], text: str
) -> None:
    trader = Trader(sandbox, sandbox.account(position))
    assert error_of(bid(trader, **wrong)) == (400, text)
    trader.http.close()


@pytest.mark.parametrize("position", [BY_KIND[PROXY], BY_KIND[SAFE], BY_KIND[DEPOSIT]])
def test_a_new_account_may_not_pay_from_its_bare_address(sandbox: RunningSandbox, position: int) -> None:
    smart = sandbox.account(position)
    trader = Trader(sandbox, replace(smart, wallet=smart.address, signature_type=EOA))
    assert error_of(bid(trader)) == (400, NOT_ALLOWED)
    trader.http.close()


def test_a_deposit_wallet_that_was_never_made_cannot_trade(sandbox: RunningSandbox) -> None:
    plain = sandbox.account(0)
    trader = Trader(sandbox, replace(plain, wallet=deposit_wallet(plain.address), signature_type=DEPOSIT))
    assert error_of(bid(trader)) == (400, NOT_SIGNER)
    trader.http.close()


def test_the_relayer_knows_which_wallets_were_made(sandbox: RunningSandbox) -> None:
    def deployed(address: str) -> bool:
        params = {"address": address, "type": "WALLET"}
        answer = httpx.get(f"{sandbox.url}/relayer/deployed", params=params, trust_env=False)
        return bool(answer.json()["deployed"])

    assert deployed(sandbox.account(12).wallet)
    assert deployed(sandbox.account(11).wallet.lower())
    assert not deployed(deposit_wallet(sandbox.account(0).address))


# --- session keys -------------------------------------------------------------------------------


def session_trader(sandbox: RunningSandbox, index: int = 40) -> Trader:
    """A second key of the deposit wallet's; nobody has authorised it yet."""
    wallet = sandbox.account(BY_KIND[DEPOSIT]).wallet
    key = practice_key(index)
    address = str(Account.from_key(key).address)
    return Trader(sandbox, PracticeAccount(index, key, address, wallet, DEPOSIT, 0))


def authorise(sandbox: RunningSandbox, trader: Trader, seconds: int = 3_600) -> httpx.Response:
    body = {"wallet": trader.account.wallet, "address": trader.account.address, "seconds": seconds}
    return httpx.put(f"{sandbox.url}/sandbox/session-keys", json=body, trust_env=False)


def test_a_session_key_trades_only_while_it_is_authorised(sandbox: RunningSandbox) -> None:
    trader = session_trader(sandbox)
    assert error_of(bid(trader, session=True)) == (400, NOT_SIGNER)
    assert authorise(sandbox, trader).status_code == 200
    assert bid(trader, session=True).json()["status"] == "live"
    assert error_of(bid(trader, session=False)) == (400, "invalid signature")  # without its envelope
    sandbox.step(3_600_000)
    assert error_of(bid(trader, session=True)) == (400, NOT_SIGNER)
    trader.request("DELETE", "/cancel-all")
    trader.http.close()


def test_owner_and_session_key_do_not_see_each_others_orders(sandbox: RunningSandbox) -> None:
    owner, session = Trader(sandbox, sandbox.account(BY_KIND[DEPOSIT])), session_trader(sandbox)
    authorise(sandbox, session)
    theirs = bid(session, session=True).json()["orderID"]
    mine = bid(owner).json()["orderID"]
    assert [row["id"] for row in owner.get("/data/orders").json()["data"]] == [mine]
    assert [row["id"] for row in session.get("/data/orders").json()["data"]] == [theirs]
    assert owner.get(f"/data/order/{theirs}").status_code == 404
    assert session.get(f"/data/order/{mine}").status_code == 404
    assert owner.request("DELETE", "/cancel-all").json()["canceled"] == [mine]
    assert session.request("DELETE", "/cancel-all").json()["canceled"] == [theirs]
    path = "/balance-allowance?asset_type=COLLATERAL&signature_type=3"
    assert session.get(path).json()["balance"] == owner.get(path).json()["balance"]
    owner.http.close()
    session.http.close()


def test_an_envelope_of_another_session_key_is_no_signature(sandbox: RunningSandbox) -> None:
    trader, other = session_trader(sandbox), session_trader(sandbox, 41)
    authorise(sandbox, trader)
    authorise(sandbox, other)
    book = tradable_book(sandbox)
    body: Any = other.payload(book.token_id, "BUY", 50_000, 10_000_000, session=True)
    body["owner"] = trader.credentials.api_key
    assert error_of(trader.request("POST", "/order", body)) == (400, "invalid signature")
    trader.http.close()
    other.http.close()


def test_a_session_key_may_not_sign_under_the_name_of_another(sandbox: RunningSandbox) -> None:
    trader, other = session_trader(sandbox), session_trader(sandbox, 41)
    authorise(sandbox, trader)
    authorise(sandbox, other)
    book = tradable_book(sandbox)
    body: Any = trader.payload(book.token_id, "BUY", 50_000, 10_000_000, session=True)
    named = bytes.fromhex(body["order"]["signature"][2:])
    forged = named[:12] + bytes.fromhex(other.account.address[2:]) + named[32:]
    body["order"]["signature"] = "0x" + forged.hex()
    assert error_of(trader.request("POST", "/order", body)) == (400, "invalid signature")
    trader.http.close()
    other.http.close()


def test_authorised_session_keys_are_listed_and_revoked(sandbox: RunningSandbox) -> None:
    owner, trader = Trader(sandbox, sandbox.account(BY_KIND[DEPOSIT])), session_trader(sandbox)
    authorise(sandbox, trader)
    told = owner.get("/v1/user/session-signers").json()
    (listed,) = told["signers"]
    assert told["wallet"] == trader.account.wallet
    assert (listed["address"], listed["scopes"]) == (trader.account.address, ["CLOB"])
    body = {"address": trader.account.address}
    revoked = httpx.request("DELETE", f"{sandbox.url}/sandbox/session-keys", json=body, trust_env=False)
    assert revoked.json() == {"session_keys": []}
    assert error_of(bid(trader, session=True)) == (400, NOT_SIGNER)
    owner.http.close()
    trader.http.close()


@pytest.mark.parametrize(
    "body",
    [{}, {"wallet": W, "address": W}, {"wallet": 5, "address": OWNER}, {"wallet": W, "address": "0x1"}],
)
def test_only_a_practice_deposit_wallet_can_have_session_keys(sandbox: RunningSandbox, body: object) -> None:
    answer = httpx.put(f"{sandbox.url}/sandbox/session-keys", json=body, trust_env=False)
    assert answer.status_code in (400, 404)
    assert sandbox.world.sessions == {}
