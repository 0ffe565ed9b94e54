"""`polyb0t auth`: keys go in by a prompt or a descriptor, and never come out."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from polyb0t.cli.main import run
from polyb0t.core.errors import NotAuthorisedError, UsageError
from polyb0t.core.practice import practice_key
from polyb0t.runtime import keystore as keystores
from polyb0t.runtime.keystore import RELAYER_KEY, SIGNING_KEY, Keystore
from polyb0t.runtime.passwords import Passwords
from polyb0t.venue.signing import SigningKey
from tests.cli.conftest import Answer
from tests.support.sandbox import RunningSandbox, running_sandbox

PASSWORD = "correct horse battery"
REAL_KEY = "0x" + "1f" * 32
SESSION = practice_key(40)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keystores, "WORK_FACTOR", 1 << 10)


@pytest.fixture
def shell(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "Shell":
    monkeypatch.setenv("POLYBOT_VENUE", "sandbox")
    monkeypatch.setenv("POLYBOT_SANDBOX_URL", sandbox.url)
    monkeypatch.setenv("POLYBOT_SIGNATURE_TYPE", "3")
    return Shell(capsys)


def descriptor(text: str) -> str:
    """A pipe with `text` in it, as `3<file` makes one."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return str(reading)


class Shell:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def type(self, *arguments: str) -> Answer:
        self._capsys.readouterr()
        code = run(arguments)
        said = self._capsys.readouterr()
        return Answer(code, said.out, said.err)

    def store(self, key: str, *more: str, password: str = PASSWORD) -> Answer:
        fds = ("--key-fd", descriptor(key), "--password-fd", descriptor(password + "\n"))
        return self.type("auth", "import", *fds, *more)

    def states(self) -> dict[str, str]:
        answer = self.type("auth", "check", "--json")
        return {row["name"]: row["state"] for row in answer.json["checks"]}


def stored(tmp_path: Path) -> Keystore:
    [folder] = (tmp_path / "data").glob("*/keystore")
    return Keystore(folder)


# --- import ------------------------------------------------------------------------------------------


def test_a_key_goes_in_encrypted_and_is_named_for_what_it_is(shell: Shell, tmp_path: Path) -> None:
    answer = shell.store(SESSION)
    assert answer.code == 0, answer.err
    assert SigningKey(SESSION).address in answer.out
    assert "a session key of it, once its owner has authorised it" in answer.out
    assert SESSION[2:] not in answer.out + answer.err
    assert stored(tmp_path).read_secret(SIGNING_KEY, PASSWORD).hex() == SESSION[2:]


def test_a_new_key_is_made_and_only_its_address_shown(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyb0t.runtime.keys.is_practice_key", lambda _key: True)  # as the real venue would
    answer = shell.type("auth", "import", "--new", "--password-fd", descriptor(PASSWORD), "--json")
    assert answer.code == 0, answer.err
    assert answer.json["address"].startswith("0x")
    assert "session key" in answer.json["is"]


def test_another_wallets_file_is_taken(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "UTC--exported.json"
    file.write_text(
        json.dumps(Account.encrypt(bytes.fromhex(SESSION[2:]), "their password", iterations=1 << 10))
    )
    monkeypatch.setattr("polyb0t.cli.auth_import._somebody", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _question: "their password")
    answer = shell.type("auth", "import", "--file", str(file), "--password-fd", descriptor(PASSWORD))
    assert answer.code == 0, answer.err
    assert stored(tmp_path).read_secret(SIGNING_KEY, PASSWORD).hex() == SESSION[2:]
    monkeypatch.setattr("getpass.getpass", lambda _question: "wrong")
    again = shell.type("auth", "import", "--file", str(file), "--password-fd", descriptor(PASSWORD))
    assert again.code == 5


@pytest.mark.parametrize(
    ("key", "code"),
    [(REAL_KEY, "real_key_on_sandbox"), ("no key at all", "bad_private_key"), ("", "bad_private_key")],
)
def test_what_is_no_key_for_this_venue_is_refused_and_not_repeated(
    shell: Shell, tmp_path: Path, key: str, code: str
) -> None:
    answer = shell.store(key, "--json")
    assert (answer.code, answer.problem["code"]) == (2, code)
    assert not key or key[2:] not in answer.err
    assert not list((tmp_path / "data").glob("*/keystore/*"))


def test_a_key_is_never_an_argument(shell: Shell) -> None:
    assert shell.type("auth", "import", SESSION).code == 2
    assert shell.type("auth", "import", "--key", SESSION).code == 2


def test_where_nobody_sits_a_descriptor_is_asked_for(shell: Shell) -> None:
    answer = shell.type("auth", "import", "--json")
    assert (answer.code, answer.problem["code"]) == (2, "answer_required")
    assert "--key-fd 4" in answer.problem["detail"]


def test_one_that_is_there_is_replaced_only_if_that_is_said(shell: Shell, tmp_path: Path) -> None:
    shell.store(SESSION)
    assert shell.store(practice_key(41)).code == 4
    assert shell.store(practice_key(41), "--replace").code == 0
    assert stored(tmp_path).read_secret(SIGNING_KEY, PASSWORD).hex() == practice_key(41)[2:]


def test_a_session_key_is_not_stored_for_claims(shell: Shell) -> None:
    answer = shell.store(SESSION, "--for", "claims", "--json")
    assert (answer.code, answer.problem["code"]) == (2, "session_key_cannot_claim")


def test_the_relayers_key_goes_in_with_its_owner(shell: Shell, tmp_path: Path) -> None:
    owner = SigningKey(practice_key(12)).address
    answer = shell.store("relayer-secret-1234", "--for", "relayer", "--address", owner)
    assert answer.code == 0, answer.err
    assert "relayer-secret" not in answer.out
    assert stored(tmp_path).read_secret(RELAYER_KEY, PASSWORD) == b"relayer-secret-1234"
    assert shell.store("x", "--for", "relayer", "--address", "nobody", "--replace").code == 2


# --- check and derive --------------------------------------------------------------------------------


def test_check_opens_nothing_and_says_what_is_missing(shell: Shell) -> None:
    assert shell.states() == {"signing key": "ok", "credentials": "warning"}
    shell.store(SESSION)
    states = shell.states()  # without any password
    assert states == {"signing key": "ok", "credentials": "warning"}


def test_derive_stores_credentials_and_check_lets_them_answer(
    shell: Shell, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = next(one for one in sandbox.world.accounts if one.signature_type == 3).wallet
    address = SigningKey(SESSION).address
    shell.store(SESSION)
    assert shell.type("auth", "derive").code == 5  # nobody can be asked for the password

    monkeypatch.setenv("POLYBOT_KEYSTORE_PASSWORD_FD", descriptor(f"not this one\n{PASSWORD}\n"))
    sandbox.world.sessions[address.lower()] = (wallet, sandbox.world.now_ms // 1_000 + 90 * 86_400)
    answer = shell.type("auth", "derive", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["address"] == address
    assert answer.json["new"] is True

    assert shell.states() == {
        "signing key": "ok",
        "credentials": "ok",
        "session keys": "ok",
        "open orders": "ok",
    }


def test_a_session_key_that_ends_soon_or_is_not_authorised_is_told(
    shell: Shell, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, address = sandbox.world, SigningKey(SESSION).address
    wallet = next(one for one in world.accounts if one.signature_type == 3).wallet
    shell.store(SESSION)
    monkeypatch.setenv("POLYBOT_KEYSTORE_PASSWORD_FD", descriptor(PASSWORD))
    world.sessions[address.lower()] = (wallet, world.now_ms // 1_000 + 3 * 86_400)
    shell.type("auth", "derive")
    assert shell.states()["session keys"] == "warning"
    world.sessions.clear()
    assert shell.states()["session keys"] == "not_run"  # the exchange answers such a key nothing


def test_credentials_that_the_exchange_has_forgotten_fail(
    shell: Shell, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_SIGNATURE_TYPE", "0")
    assert shell.type("auth", "derive").code == 0
    assert shell.states()["credentials"] == "ok"
    sandbox.app.keys._by_key.clear()
    answer = shell.type("auth", "check", "--json")
    assert answer.code == 1
    assert {row["name"]: row["state"] for row in answer.json["checks"]}["credentials"] == "failed"


def test_the_screen_fits_its_columns(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.store(SESSION)
    for columns in (60, 80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        answer = shell.type("auth", "check")
        assert max(len(line) for line in answer.out.splitlines()) <= columns


# --- rotate ------------------------------------------------------------------------------------------


def test_without_an_engine_the_command_replaces_them_itself(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_SIGNATURE_TYPE", "0")
    first = shell.type("auth", "derive", "--json").json
    answer = shell.type("auth", "rotate", "--json")
    assert answer.code == 0, answer.err
    done = answer.json
    assert (done["old"], done["revoked"], done["by_engine"]) == (first["credential"], True, False)
    assert shell.states()["credentials"] == "ok"
    assert shell.type("auth", "derive", "--json").json["credential"] == done["new"]


# --- passwords ---------------------------------------------------------------------------------------


def test_a_typed_password_has_three_tries(tmp_path: Path) -> None:
    keystore = Keystore(tmp_path / "k", 1 << 10)
    keystore.write_secret(SIGNING_KEY, b"x" * 32, PASSWORD)
    typed = iter(["wrong one", "wrong two", PASSWORD])
    assert Passwords(ask=lambda _question: next(typed)).open(keystore, SIGNING_KEY) == b"x" * 32
    wrong = iter(["wrong one", "wrong two", "wrong three", PASSWORD])
    with pytest.raises(NotAuthorisedError) as refused:
        Passwords(ask=lambda _question: next(wrong)).open(keystore, SIGNING_KEY)
    assert refused.value.code == "wrong_password"


def test_a_new_password_is_typed_twice_and_the_two_are_the_same() -> None:
    typed = iter([PASSWORD, PASSWORD])
    assert Passwords(ask=lambda _question: next(typed)).new("it") == PASSWORD
    differ = iter([PASSWORD, PASSWORD + "!"])
    with pytest.raises(UsageError) as refused:
        Passwords(ask=lambda _question: next(differ)).new("it")
    assert refused.value.code == "passwords_differ"
