"""Tokens, large trades and codes at the command line."""

import getpass
import os
import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from polyb0t.cli.as_whom import one_of
from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.runtime.codes import enrol, new_seed
from polyb0t.runtime.opened import open_store
from polyb0t.runtime.tokens import identify
from tests.cli.conftest import Place


def made(place: Place, name: str = "anna", *more: str) -> str:
    """A token, from the one time that it is shown."""
    text: str = place.type("auth", "token", "create", name, *more, "--json").json["token"]
    return text


def approving(place: Place, record: IntentRecord, token: str | None, *more: str, monkeypatch: Any) -> Any:
    if token is None:
        monkeypatch.delenv("POLYBOT_TOKEN", raising=False)
    else:
        monkeypatch.setenv("POLYBOT_TOKEN", token)
    return place.type("intents", "approve", record.id, "--yes", *more)


class TestTokens:
    def test_it_is_shown_once_and_never_again(self, place: Place) -> None:
        answer = place.type("auth", "token", "create", "Anna")
        (text,) = re.findall(r"pbt_[A-Za-z0-9_-]{43}", answer.out)
        assert (answer.code, answer.err) == (0, "")
        for command in (("list",), ("list", "--all"), ("list", "--json"), ("revoke", "anna", "--json")):
            said = place.type("auth", "token", *command)
            assert "anna" in said.out
            assert text not in said.out

    def test_two_tokens_are_never_alike(self, place: Place) -> None:
        texts = {made(place, f"p{number}") for number in range(20)}
        assert len(texts) == 20

    def test_the_list_says_who_may_what_until_when(self, place: Place) -> None:
        made(place, "anna", "--days", "2")
        made(place, "vic", "--role", "viewer")
        rows = {row["name"]: row for row in place.type("auth", "token", "list", "--json").json}
        assert {name: row["role"] for name, row in rows.items()} == {"anna": "approver", "vic": "viewer"}
        assert rows["anna"]["state"] == "active"
        assert rows["anna"]["created_by"] == f"user:{getpass.getuser()}"
        assert not {"digest", "token"} & rows["anna"].keys()

    def test_an_empty_list_says_what_to_do(self, place: Place) -> None:
        assert "polyb0t auth token create NAME" in place.type("auth", "token", "list").out
        made(place)
        place.type("auth", "token", "revoke", "anna")
        assert "1 ended" in place.type("auth", "token", "list").out

    @pytest.mark.parametrize(
        ("words", "exit_code", "code"),
        [
            (("create", "an na"), 2, "token_name"),
            (("create", "../x"), 2, "token_name"),
            (("create", "a" * 33), 2, "token_name"),
            (("create", ""), 2, "token_name"),
            (("create", "-"), 2, "token_name"),
            (("create", "a--b"), 2, "token_name"),
            (("create", "anna\nbob"), 2, "token_name"),
            (("create", "anna", "--role", "root"), 2, "no_such_role"),
            (("create", "anna", "--days", "0"), 2, "usage"),
            (("revoke", "nobody"), 3, "token_not_found"),
        ],
    )
    def test_what_makes_no_sense_makes_none(
        self, place: Place, words: tuple[str, ...], exit_code: int, code: str
    ) -> None:
        answer = place.type("auth", "token", *words, "--json")
        assert (answer.code, answer.problem["code"], answer.out) == (exit_code, code, "")
        assert place.stores.access.tokens() == ()

    def test_a_name_that_is_taken_is_said_with_its_end(self, place: Place) -> None:
        made(place)
        answer = place.type("auth", "token", "create", "anna")
        assert answer.code == 4
        assert "auth token revoke anna" in answer.err

    def test_in_a_file_it_is_refused_by_name(self, place: Place) -> None:
        (place.folder / ".env").write_text(f"POLYBOT_TOKEN={made(place)}\n")
        answer = place.type("intents", "list", "--json")
        assert answer.problem["code"] == "key_in_file"


class TestLargeTrades:
    def test_two_people_and_each_is_told_how_far_it_is(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = place.propose(approvals_required=2)
        anna, bob, _ = made(place), made(place, "bob"), made(place, "carla")
        first = approving(place, record, anna, monkeypatch=monkeypatch)
        assert first.code == 0
        assert "1 of 2 approvals (anna). bob or carla must approve within " in first.out
        assert place.stores.intents.get(record.id).status is IntentStatus.PENDING
        shown = place.type("intents", "show", record.id)
        assert "1 of 2 approvals (anna)." in shown.out
        again = approving(place, record, anna, monkeypatch=monkeypatch)
        assert (again.code, "you have approved it already" in again.err) == (4, True)
        second = approving(place, record, bob, monkeypatch=monkeypatch)
        assert (second.code, "Approved by bob" in second.out) == (0, True)
        assert place.stores.intents.get(record.id).decided_by == "token:bob"

    def test_without_a_token_this_shell_is_nobody(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = place.propose(approvals_required=2)
        for token, code in ((None, "token_needed"), ("pbt_" + "x" * 43, "token_refused")):
            answer = approving(place, record, token, "--json", monkeypatch=monkeypatch)
            assert (answer.code, answer.problem["code"]) == (5, code)
        viewer = approving(
            place, record, made(place, "vic", "--role", "viewer"), "--json", monkeypatch=monkeypatch
        )
        assert (viewer.code, viewer.problem["code"]) == (5, "role_too_low")
        assert place.stores.intents.get(record.id).status is IntentStatus.PENDING

    def test_a_small_trade_stays_the_users_own(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = approving(place, place.propose(), made(place), "--json", monkeypatch=monkeypatch)
        assert answer.json["decided_by"] == f"user:{getpass.getuser()}"

    def test_with_a_code_once(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        anna = made(place)
        opened = open_store(load_settings())
        identity = identify(opened, anna, opened.stores.intents.now())
        seed = new_seed(opened, identity)
        clock = SystemClock()
        shows = pyotp.TOTP(seed.text)
        enrol(opened, identity, seed, shows.at(clock.now()), actor="user:anna")
        first, second = place.propose(code_required=True), place.propose(code_required=True)
        missing = approving(place, first, anna, "--json", monkeypatch=monkeypatch)
        assert missing.problem["code"] == "code_needed"
        code = shows.at(clock.now() + timedelta(seconds=30))
        done = approving(place, first, anna, "--code", code, "--json", monkeypatch=monkeypatch)
        assert (done.code, done.json["status"]) == (0, "APPROVED")
        replayed = approving(place, second, anna, "--code", code, "--json", monkeypatch=monkeypatch)
        assert (replayed.code, replayed.problem["code"]) == (5, "code_used")
        assert "Nothing was sent" in replayed.problem["title"]

    def test_who_could_if_codes_were_set_up_is_told_to(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = place.propose(code_required=True)
        made(place)
        monkeypatch.setenv("COLUMNS", "100")
        assert "polyb0t auth code" in place.type("intents", "show", record.id).out

    def test_codes_are_set_up_in_a_terminal_only(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("POLYBOT_TOKEN", made(place))
        answer = place.type("auth", "code")
        assert (answer.code, answer.out) == (2, "")
        assert "Key:" not in answer.err


@pytest.mark.parametrize(
    ("names", "said"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c")]
)
def test_names_are_a_sentence(names: list[str], said: str) -> None:
    assert one_of(names) == said


def test_no_command_takes_a_token_or_a_seed_as_an_argument() -> None:
    """What stands on a command line is seen by every user of the machine, and kept by the shell."""
    from typer.main import get_command

    from polyb0t.cli.auth_command import app

    def options(command: Any) -> set[str]:
        own = {name for each in command.params for name in each.opts}
        for child in getattr(command, "commands", {}).values():
            own |= options(child)
        return own

    assert not {name for name in options(get_command(app)) if name in ("--token", "--seed", "--secret")}
    assert "POLYBOT_TOKEN" not in os.environ
