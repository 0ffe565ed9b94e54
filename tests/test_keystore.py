"""The keystore: what it holds is opened by its password only, and by whoever reads the same format."""

import json
from pathlib import Path

import pytest
from eth_account import Account

from polyb0t.core.errors import ConfigurationError, ConflictError, NotAuthorisedError, NotFoundError
from polyb0t.runtime.keystore import SIGNING_KEY, Keystore

KEY = bytes([0x11]) * 32
ADDRESS = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
PASSWORD = "correct horse battery"
LIGHT = 1 << 10  # scrypt's cost, so that a test does not pay for what a thief shall pay


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keystore", LIGHT)


class TestWhatIsStored:
    def test_comes_back_with_its_password(self, keystore):
        keystore.write_secret(SIGNING_KEY, KEY, PASSWORD, address=ADDRESS)
        assert keystore.read_secret(SIGNING_KEY, PASSWORD) == KEY
        assert keystore.address(SIGNING_KEY) == ADDRESS.lower()

    @pytest.mark.parametrize("secret", [b"x", b"a relayer's key of any length " * 6, bytes(range(256))])
    def test_may_be_of_any_length_and_content(self, keystore, secret):
        keystore.write_secret("relayer-key", secret, PASSWORD)
        assert keystore.read_secret("relayer-key", PASSWORD) == secret
        assert keystore.address("relayer-key") is None

    def test_is_a_file_that_other_wallets_read_and_ours_reads_theirs(self, keystore):
        path = keystore.write_secret(SIGNING_KEY, KEY, PASSWORD, address=ADDRESS)
        assert bytes(Account.decrypt(path.read_text(), PASSWORD)) == KEY
        path.write_text(json.dumps(Account.encrypt(KEY, PASSWORD, iterations=LIGHT)))
        assert keystore.read_secret(SIGNING_KEY, PASSWORD) == KEY

    def test_is_named_and_not_shown(self, keystore):
        keystore.write_secret(SIGNING_KEY, KEY, PASSWORD, address=ADDRESS)
        keystore.write_secret("totp", b"seed-of-codes", PASSWORD)
        assert keystore.names() == (SIGNING_KEY, "totp")
        everything = b"".join(path.read_bytes() for path in keystore.folder.iterdir())
        assert KEY.hex().encode() not in everything
        assert b"seed-of-codes" not in everything
        assert PASSWORD.encode() not in everything

    def test_is_readable_by_its_owner_only(self, keystore):
        path = keystore.write_secret(SIGNING_KEY, KEY, PASSWORD)
        assert path.stat().st_mode & 0o777 == 0o600
        assert keystore.folder.stat().st_mode & 0o777 == 0o700

    def test_has_a_password_of_its_own(self, keystore):
        keystore.write_secret(SIGNING_KEY, KEY, PASSWORD)
        keystore.write_secret("totp", b"seed", "another password")
        with pytest.raises(NotAuthorisedError):
            keystore.read_secret(SIGNING_KEY, "another password")

    def test_the_same_secret_twice_is_not_the_same_file_twice(self, keystore):
        first = keystore.write_secret("one", KEY, PASSWORD).read_text()
        second = keystore.write_secret("two", KEY, PASSWORD).read_text()
        assert json.loads(first)["crypto"]["ciphertext"] != json.loads(second)["crypto"]["ciphertext"]


class TestWhatIsRefused:
    def test_another_password(self, keystore):
        keystore.write_secret(SIGNING_KEY, KEY, PASSWORD)
        with pytest.raises(NotAuthorisedError) as refused:
            keystore.read_secret(SIGNING_KEY, "Correct horse battery")
        assert refused.value.code == "wrong_password"
        assert "horse" not in str(refused.value)

    def test_a_short_password(self, keystore):
        with pytest.raises(ConfigurationError) as refused:
            keystore.write_secret(SIGNING_KEY, KEY, "1234567")
        assert refused.value.code == "weak_password"
        assert keystore.names() == ()

    def test_to_put_another_in_the_place_of_one_unless_that_is_said(self, keystore):
        keystore.write_secret(SIGNING_KEY, KEY, PASSWORD)
        with pytest.raises(ConflictError) as refused:
            keystore.write_secret(SIGNING_KEY, b"other", PASSWORD)
        assert refused.value.code == "secret_exists"
        keystore.write_secret(SIGNING_KEY, b"other", PASSWORD, replace=True)
        assert keystore.read_secret(SIGNING_KEY, PASSWORD) == b"other"

    def test_what_is_not_there(self, keystore):
        with pytest.raises(NotFoundError) as refused:
            keystore.read_secret(SIGNING_KEY, PASSWORD)
        assert refused.value.code == "no_secret"
        with pytest.raises(NotFoundError):
            keystore.remove(SIGNING_KEY)

    def test_a_file_that_others_can_read(self, keystore):
        keystore.write_secret(SIGNING_KEY, KEY, PASSWORD).chmod(0o640)
        with pytest.raises(ConfigurationError) as refused:
            keystore.read_secret(SIGNING_KEY, PASSWORD)
        assert refused.value.code == "keystore_exposed"

    @pytest.mark.parametrize(
        "content", ["", "[]", "{}", '{"crypto": {}}', '{"version": 3, "crypto": {"kdf": "none"}}', "\x00"]
    )
    def test_a_file_that_is_something_else(self, keystore, content):
        keystore.write_secret(SIGNING_KEY, KEY, PASSWORD).write_text(content)
        with pytest.raises(ConfigurationError) as refused:
            keystore.read_secret(SIGNING_KEY, PASSWORD)
        assert refused.value.code == "keystore_unusable"

    def test_a_file_of_which_one_digit_was_changed(self, keystore):
        path = keystore.write_secret(SIGNING_KEY, KEY, PASSWORD)
        content = json.loads(path.read_text())
        first = content["crypto"]["ciphertext"][0]
        content["crypto"]["ciphertext"] = ("0" if first != "0" else "1") + content["crypto"]["ciphertext"][1:]
        path.write_text(json.dumps(content))
        with pytest.raises(NotAuthorisedError):
            keystore.read_secret(SIGNING_KEY, PASSWORD)

    @pytest.mark.parametrize("name", ["../escape", "", "A", "a/b", "a b", "x" * 61, "-a"])
    def test_a_name_that_is_none(self, keystore, name):
        with pytest.raises(ValueError, match="no name"):
            keystore.write_secret(name, KEY, PASSWORD)


def test_a_real_one_takes_the_time_that_the_format_prescribes(tmp_path):
    path = Keystore(tmp_path).write_secret(SIGNING_KEY, KEY, PASSWORD)
    assert json.loads(path.read_text())["crypto"]["kdfparams"]["n"] == 262_144
