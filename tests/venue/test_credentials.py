"""API credentials: obtained without side effects where possible, kept private, never shown."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError, NotAuthorisedError, PolybotError, VenueUnreachableError
from polyb0t.core.ids import Wallet
from polyb0t.core.practice import practice_key
from polyb0t.sandbox.faults import Fault
from polyb0t.venue.credentials import (
    ApiCredentials,
    load_credentials,
    obtain_credentials,
    save_credentials,
)
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.signing import SigningKey
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.rogue import reply, rogue

EOA = Wallet("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")
MADE = ApiCredentials(
    address=EOA,
    api_key="canary-key",
    secret="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    passphrase="canary-passphrase",
)
CANARIES = (MADE.api_key, MADE.secret, MADE.passphrase)


# --- signing requests ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "signature"),
    [
        ("GET", "/data/orders", b"", "ri4ufM9PbKL2ag7t13rKC0z8PPY-Qyde2dOuP-GbB18="),
        ("DELETE", "/order", b'{"orderID":"0xabc"}', "n1PuBDvPCuMcIwU_oVlyK1vfsTiCdo5IVkQTudovpTg="),
    ],
)
def test_a_request_is_signed_as_both_official_sdks_sign_it(
    method: str, path: str, body: bytes, signature: str
) -> None:
    assert MADE.headers(at=1_760_000_000, method=method, path=path, body=body) == {
        "POLY_ADDRESS": EOA,
        "POLY_API_KEY": MADE.api_key,
        "POLY_PASSPHRASE": MADE.passphrase,
        "POLY_TIMESTAMP": "1760000000",
        "POLY_SIGNATURE": signature,
    }


def test_a_secret_without_its_padding_is_the_same_secret() -> None:
    bare = replace(MADE, secret=MADE.secret.rstrip("="))
    request = {"at": 1_760_000_000, "method": "GET", "path": "/data/orders"}
    assert bare.headers(**request) == MADE.headers(**request)  # type: ignore[arg-type]


def test_credentials_are_never_shown_and_their_id_gives_nothing_away() -> None:
    assert not [canary for canary in CANARIES if canary in f"{MADE!r} {MADE!s} {MADE.id}"]
    assert MADE.id == ApiCredentials(EOA, MADE.api_key, "", "").id
    assert MADE.id != ApiCredentials(EOA, "another", MADE.secret, MADE.passphrase).id


# --- obtaining them -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=2) as running:
        yield running


def obtained(url: str, index: int = 0) -> ApiCredentials:
    clock = SystemClock()
    sender = OneShot(clock, budget_seconds=2)
    try:
        return obtain_credentials(sender, url, SigningKey(practice_key(index)), chain_id=137, at=clock.now())
    finally:
        sender.close()


def test_credentials_are_created_once_and_derived_ever_after(sandbox: RunningSandbox) -> None:
    clob = sandbox.urls()["clob"]
    first = obtained(clob)
    assert first.address == sandbox.account(0).wallet
    sandbox.faults.replace([Fault("status", "/clob/auth/api-key", status=500)])  # creating would fail
    assert obtained(clob) == first
    sandbox.faults.clear()
    assert obtained(clob, 1) != first


def test_credentials_are_created_only_where_deriving_answers_400(sandbox: RunningSandbox) -> None:
    for status in (401, 403, 404, 425, 429, 500, 503):
        sandbox.faults.replace([Fault("status", "/clob/auth/derive-api-key", status=status)])
        with pytest.raises((NotAuthorisedError, VenueUnreachableError)):
            obtained(sandbox.urls()["clob"], 2)
        assert not [one for one in sandbox.faults.listing() if one["struck"] != 1]
    sandbox.faults.clear()
    with pytest.raises(PolybotError):
        obtained("http://127.0.0.1:9", 2)


@pytest.mark.parametrize(
    "body",
    [
        {"apiKey": "canary-key", "secret": "not base64 canary-secret!", "passphrase": "p"},
        {"apiKey": "canary-key", "secret": "AAEC"},
        {"apiKey": "canary-key\r\nX-Evil: 1", "secret": "AAEC", "passphrase": "p"},
        {"apiKey": 7, "secret": "canary-secret", "passphrase": "p"},
        ["canary-key"],
        None,
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error_without_its_content(body: object) -> None:
    with (
        rogue(reply(200, json.dumps(body).encode())) as server,
        pytest.raises(VenueUnreachableError) as raised,
    ):
        obtained(server.url)
    assert "canary" not in f"{raised.value} {raised.value!r}"
    assert raised.value.__suppress_context__


# --- the file -----------------------------------------------------------------------------------------


def test_what_was_saved_is_loaded_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "scope" / "credentials.json"
    assert load_credentials(path) is None
    save_credentials(path, MADE)
    save_credentials(path, MADE)
    assert load_credentials(path) == MADE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    save_credentials(path, MADE)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError) as refused:
        load_credentials(path)
    assert refused.value.code == "credentials_exposed"


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"address":"0x1","api_key":"canary"', '{"address":"x"}']
)
def test_a_damaged_file_is_refused_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError) as refused:
        load_credentials(path)
    assert "canary" not in str(refused.value)


def test_a_place_that_can_not_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ConfigurationError):
        save_credentials(blocked / "credentials.json", MADE)
