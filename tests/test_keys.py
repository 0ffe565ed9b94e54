"""Which key signs where: practice keys on the sandbox only, real keys on the real venue only."""

from decimal import Decimal

import pytest

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.core.practice import PRACTICE_ACCOUNTS, is_practice_key, practice_key
from polyb0t.core.units import Pusd
from polyb0t.runtime.keys import KEY_NAME, signing_key
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.environment import POLYMARKET, PracticeAccount, VenueEnvironment
from polyb0t.venue.signing import SigningKey

REAL_KEY = "0x" + "11" * 32
FIRST = SigningKey(practice_key(0)).address


def sandbox() -> Surroundings:
    account = PracticeAccount(0, practice_key(0), FIRST, 0, Pusd(Decimal(10_000)))
    names = {field: getattr(POLYMARKET, field) for field in VenueEnvironment.__dataclass_fields__}
    environment = VenueEnvironment(**{**names, "name": "sandbox", "world_id": "w", "accounts": (account,)})
    return Surroundings(environment, FIRST, 0)


def real_venue() -> Surroundings:
    return Surroundings(POLYMARKET, Wallet("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"), 3)


def code_of(around: Surroundings) -> str:
    with pytest.raises(ConfigurationError) as refused:
        signing_key(around)
    assert "11" * 32 not in str(refused.value)
    assert practice_key(0)[2:] not in str(refused.value)
    return refused.value.code


class TestOnTheSandbox:
    def test_without_a_key_the_practice_account_signs(self, monkeypatch):
        monkeypatch.delenv(KEY_NAME, raising=False)
        assert signing_key(sandbox()).address == FIRST

    def test_a_practice_key_is_used_as_given(self, monkeypatch):
        monkeypatch.setenv(KEY_NAME, practice_key(3))
        assert signing_key(sandbox()).address == SigningKey(practice_key(3)).address

    def test_any_other_key_is_refused(self, monkeypatch):
        monkeypatch.setenv(KEY_NAME, REAL_KEY)
        assert code_of(sandbox()) == "real_key_on_sandbox"


class TestOnTheRealVenue:
    def test_no_key_is_no_start(self, monkeypatch):
        monkeypatch.delenv(KEY_NAME, raising=False)
        assert code_of(real_venue()) == "no_key"

    @pytest.mark.parametrize("index", [0, 57, PRACTICE_ACCOUNTS - 1])
    def test_a_practice_key_is_refused(self, monkeypatch, index):
        monkeypatch.setenv(KEY_NAME, practice_key(index).upper().replace("0X", "0x"))
        assert code_of(real_venue()) == "practice_key_on_real_venue"

    @pytest.mark.parametrize("text", ["0x1234", "not a key", "0x" + "zz" * 32, "0x" + "00" * 32])
    def test_what_is_no_key_is_refused_without_being_repeated(self, monkeypatch, text):
        monkeypatch.setenv(KEY_NAME, text)
        with pytest.raises(ConfigurationError) as refused:
            signing_key(real_venue())
        assert text not in str(refused.value)


class TestPracticeKeys:
    def test_there_are_a_hundred_and_all_are_recognised(self):
        keys = {practice_key(index) for index in range(PRACTICE_ACCOUNTS)}
        assert len(keys) == PRACTICE_ACCOUNTS
        assert all(is_practice_key(key) for key in keys)
        assert not is_practice_key(REAL_KEY)

    @pytest.mark.parametrize("index", [-1, PRACTICE_ACCOUNTS])
    def test_others_do_not_exist(self, index):
        with pytest.raises(ValueError, match="numbered 0 to 99"):
            practice_key(index)
