"""Which stored key a process uses: the engine the signing key, claims the owner's, and nobody another's."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.config.settings import Settings, load_settings
from polyb0t.core.errors import ConfigurationError, NotAuthorisedError
from polyb0t.core.practice import practice_key
from polyb0t.core.units import Pusd
from polyb0t.runtime.keys import KEY_NAME, engines_key, owners_key
from polyb0t.runtime.keystore import OWNER_KEY, RELAYER_KEY, SIGNING_KEY, Keystore, keystore_of
from polyb0t.runtime.passwords import Passwords
from polyb0t.runtime.relayer_key import (
    RELAYER_ADDRESS_NAME,
    RELAYER_KEY_NAME,
    relayer_key,
    stored_relayer_key,
)
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.environment import POLYMARKET, PracticeAccount
from polyb0t.venue.signing import SigningKey
from polyb0t.venue.wallets import deposit_wallets

OWNER, SESSION = practice_key(12), practice_key(40)
OWNERS_ADDRESS = SigningKey(OWNER).address
WALLET = deposit_wallets(OWNERS_ADDRESS)[0]
PASSWORD = "correct horse battery"
LIGHT = 1 << 10


def address_of(key: str) -> str:
    return SigningKey(key).address


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in (KEY_NAME, RELAYER_KEY_NAME, RELAYER_ADDRESS_NAME):
        monkeypatch.delenv(name, raising=False)
    return load_settings(venue="sandbox", data_dir=str(tmp_path))


@pytest.fixture
def around() -> Surroundings:
    """A deposit wallet on the sandbox that is no practice account's, so that nothing is there by itself."""
    account = PracticeAccount(0, practice_key(0), SigningKey(practice_key(0)).address, 0, Pusd(Decimal(1)))
    environment = replace(POLYMARKET, name="sandbox", world_id="w", accounts=(account,))
    return Surroundings(environment, WALLET, 3)


@pytest.fixture
def keystore(settings: Settings, around: Surroundings) -> Keystore:
    return Keystore(keystore_of(settings, around.scope).folder, LIGHT)


@pytest.fixture
def store(keystore: Keystore) -> Callable[[str, str], None]:
    def stored(name: str, key: str) -> None:
        keystore.write_secret(name, bytes.fromhex(key[2:]), PASSWORD, address=address_of(key))

    return stored


def knows() -> Passwords:
    return Passwords(ask=lambda _question: PASSWORD)


def must_not_ask(_question: str) -> str:
    raise AssertionError("a password was asked for")


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises((ConfigurationError, NotAuthorisedError)) as refused:
        act()
    assert OWNER[2:] not in str(refused.value)
    return refused.value.code


def test_the_engine_signs_with_the_stored_key(settings, around, store):
    store(SIGNING_KEY, SESSION)
    assert engines_key(settings, around, knows()).address == address_of(SESSION)


def test_what_the_environment_gives_comes_first_and_nothing_is_opened(settings, around, store, monkeypatch):
    store(SIGNING_KEY, SESSION)
    monkeypatch.setenv(KEY_NAME, OWNER)
    assert engines_key(settings, around, Passwords(ask=must_not_ask)).address == OWNERS_ADDRESS


def test_the_engine_never_takes_what_was_stored_for_claims(settings, around, store):
    store(OWNER_KEY, OWNER)
    assert code_of(lambda: engines_key(settings, around, knows())) == "not_a_practice_wallet"


def test_a_locked_key_is_no_start(settings, around, store):
    store(SIGNING_KEY, SESSION)
    locked = Passwords(ask=lambda _question: None)
    assert code_of(lambda: engines_key(settings, around, locked)) == "keystore_locked"
    wrong = Passwords(ask=lambda _question: "not the password")
    assert code_of(lambda: engines_key(settings, around, wrong)) == "wrong_password"


def test_a_stored_key_of_the_other_kind_of_venue_is_refused(settings, around, store):
    store(SIGNING_KEY, "0x" + "1f" * 32)
    assert code_of(lambda: engines_key(settings, around, knows())) == "real_key_on_sandbox"


def test_claims_are_signed_with_the_owners_key_beside_a_session_key(settings, around, store):
    store(SIGNING_KEY, SESSION)
    store(OWNER_KEY, OWNER)
    assert owners_key(settings, around, knows()).address == OWNERS_ADDRESS


def test_a_signing_key_that_is_the_owners_signs_claims_as_well(settings, around, store):
    store(SIGNING_KEY, OWNER)
    assert owners_key(settings, around, knows()).address == OWNERS_ADDRESS


def test_a_session_key_never_signs_a_claim(settings, around, store, monkeypatch):
    store(SIGNING_KEY, SESSION)
    asked = Passwords(ask=must_not_ask)
    assert code_of(lambda: owners_key(settings, around, asked)) == "not_a_practice_wallet"
    monkeypatch.setenv(KEY_NAME, SESSION)
    assert code_of(lambda: owners_key(settings, around, asked)) == "session_key_cannot_claim"


def test_the_relayers_key_comes_from_the_keystore_with_its_owner(settings, around, keystore):
    known = around.environment.relayer_keys
    around = replace(around, environment=replace(around.environment, relayer_keys={OWNERS_ADDRESS: "r-key"}))
    assert not known
    assert stored_relayer_key(settings, around, knows()) is None
    keystore.write_secret(RELAYER_KEY, b"r-key", PASSWORD, address=OWNERS_ADDRESS)
    found = relayer_key(around, OWNERS_ADDRESS, lambda: stored_relayer_key(settings, around, knows()))
    assert found is not None
    assert (found.secret, found.address) == ("r-key", OWNERS_ADDRESS)
