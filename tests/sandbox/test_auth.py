"""L1 and L2 authentication of the sandbox, against the venue's published vectors."""

from datetime import UTC, datetime

import pytest
from eth_account import Account

from polyb0t.core.practice import practice_key
from polyb0t.sandbox.auth import Credentials, KeyRing, credentials_of, l2_signature
from polyb0t.sandbox.signatures import clob_auth_hash
from polyb0t.sandbox.wire import Request, WireError
from tests.support.clock import FakeClock

SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NOW = 1_760_000_000
ME = Account.from_key(practice_key(0))


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing(FakeClock(datetime.fromtimestamp(NOW, UTC)))


def statement(
    changed: dict[str, str] | None = None, *, key: str = practice_key(0), at: int = NOW, nonce: int = 0
) -> Request:
    address = Account.from_key(key).address
    signed = Account.unsafe_sign_hash(clob_auth_hash(address, str(at), nonce), key)
    headers = {
        "poly_address": address,
        "poly_timestamp": str(at),
        "poly_nonce": str(nonce),
        "poly_signature": "0x" + signed.signature.hex(),
    }
    return Request("POST", "/clob/auth/api-key", "", headers | (changed or {}), b"")


def signed_request(
    who: Credentials,
    method: str = "GET",
    path: str = "/data/orders",
    body: bytes = b"",
    at: int = NOW,
    changed: dict[str, str] | None = None,
) -> Request:
    headers = {
        "poly_address": who.address,
        "poly_api_key": who.api_key,
        "poly_passphrase": who.passphrase,
        "poly_timestamp": str(at),
        "poly_signature": l2_signature(who.secret, str(at), method, path, body),
    }
    return Request(method, f"/clob{path}", "market=0x1", headers | (changed or {}), body)


def refusal(act: object, *args: object) -> tuple[int, str]:
    assert callable(act)
    with pytest.raises(WireError) as caught:
        act(*args)
    return caught.value.status, caught.value.text


def test_the_hmac_matches_the_published_vectors() -> None:
    assert (
        l2_signature(SECRET, str(NOW), "GET", "/data/orders", b"")
        == "ri4ufM9PbKL2ag7t13rKC0z8PPY-Qyde2dOuP-GbB18="
    )
    body = b'{"orderID":"0xabc"}'
    assert (
        l2_signature(SECRET, str(NOW), "DELETE", "/order", body)
        == "n1PuBDvPCuMcIwU_oVlyK1vfsTiCdo5IVkQTudovpTg="
    )


def test_credentials_follow_from_wallet_and_nonce_and_can_be_derived_again(ring: KeyRing) -> None:
    created = ring.create(statement())
    assert ring.derive(statement()) == created == credentials_of(ME.address, 0)
    assert ring.create(statement(nonce=1)).api_key != created.api_key
    assert ring.keys_of(ME.address) == [created.api_key, credentials_of(ME.address, 1).api_key]


def test_creating_twice_and_deriving_nothing_are_refused_in_the_venues_words(ring: KeyRing) -> None:
    assert refusal(ring.derive, statement()) == (400, "Could not derive api key!")
    ring.create(statement())
    assert refusal(ring.create, statement()) == (400, "Could not create api key")


@pytest.mark.parametrize(
    "changed",
    [
        {"poly_address": Account.from_key(practice_key(1)).address},
        {"poly_address": "0x12"},
        {"poly_nonce": "1"},
        {"poly_nonce": ""},
        {"poly_timestamp": str(NOW - 1)},
        {"poly_signature": "0x00"},
    ],
)
def test_a_statement_that_was_not_signed_like_this_is_refused(ring: KeyRing, changed: dict[str, str]) -> None:
    assert refusal(ring.create, statement(changed)) == (401, "Invalid L1 Request headers")
    assert ring.created() == []


@pytest.mark.parametrize("seconds", [-61, 61, -3600])
def test_stale_statements_and_requests_are_refused(ring: KeyRing, seconds: int) -> None:
    assert refusal(ring.create, statement(at=NOW + seconds))[0] == 401
    who = ring.create(statement())
    assert refusal(ring.authenticate, signed_request(who, at=NOW + seconds)) == (
        401,
        "Unauthorized/Invalid api key",
    )


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_a_minute_of_skew_is_tolerated(ring: KeyRing, seconds: int) -> None:
    who = ring.create(statement(at=NOW + seconds))
    assert ring.authenticate(signed_request(who, at=NOW + seconds)) == who


def test_the_path_is_signed_without_query_and_mount_and_the_body_as_raw_bytes(ring: KeyRing) -> None:
    who = ring.create(statement())
    body = b'{ "orderID" : "0xabc" }'
    assert ring.authenticate(signed_request(who, "DELETE", "/order", body)) == who
    respaced = Request(
        "DELETE",
        "/clob/order",
        "",
        signed_request(who, "DELETE", "/order", body).headers,
        b'{"orderID":"0xabc"}',
    )
    assert refusal(ring.authenticate, respaced)[0] == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"poly_api_key": "another"},
        {"poly_passphrase": "wrong"},
        {"poly_address": Account.from_key(practice_key(1)).address},
        {"poly_signature": "AAAA"},
        {"poly_timestamp": "soon"},
        {"poly_timestamp": str(NOW + 1)},
    ],
)
def test_any_wrong_header_is_401_and_does_not_say_which(ring: KeyRing, changed: dict[str, str]) -> None:
    who = ring.create(statement())
    assert refusal(ring.authenticate, signed_request(who, changed=changed)) == (
        401,
        "Unauthorized/Invalid api key",
    )


def test_a_revoked_key_opens_nothing(ring: KeyRing) -> None:
    who = ring.create(statement())
    ring.revoke(who)
    assert refusal(ring.authenticate, signed_request(who))[0] == 401
    assert refusal(ring.derive, statement())[0] == 400
    assert ring.socket_login(who.api_key, who.secret, who.passphrase) is None


def test_keys_survive_a_restart(ring: KeyRing) -> None:
    who = ring.create(statement())
    again = KeyRing(FakeClock(datetime.fromtimestamp(NOW, UTC)))
    again.restore(ring.created())
    assert again.authenticate(signed_request(who)) == who
