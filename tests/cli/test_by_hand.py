"""By hand in a shell: less than proposed, exits in advance, markets that stay away, with every refusal."""

from typing import Any

import pytest

from polyb0t.execution.intents import IntentStatus
from tests.cli.conftest import Place


class Seat:
    """A person at a terminal who sees the dialog and types one word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.shown: list[str] = []

    def take(self, place: Place, monkeypatch: pytest.MonkeyPatch, *line: str) -> Any:
        from polyb0t.cli.terminal import Terminal

        monkeypatch.setattr(Terminal, "somebody_sits_here", True)

        def ask(_terminal: Terminal, _question: str) -> bool:
            return self.word == "y"

        monkeypatch.setattr(Terminal, "ask", ask)
        return place.type(*line)


def test_less_is_shown_and_approved_with_its_own_digest(place: Place, monkeypatch: Any) -> None:
    record = place.propose()
    answer = Seat("y").take(
        place, monkeypatch, "intents", "approve", record.id, "--shares", "50", "--no-wait"
    )
    assert answer.code == 0, answer.err
    assert "BUY YES, 50 shares or more" in answer.out
    (new,) = place.stores.intents.list(statuses=(IntentStatus.APPROVED,))
    assert new.intent.parent_id == record.id
    assert place.stores.intents.get(record.id).result == "superseded"


def test_an_n_changes_nothing(place: Place, monkeypatch: Any) -> None:
    record = place.propose()
    answer = Seat("n").take(
        place, monkeypatch, "intents", "approve", record.id, "--shares", "50", "--with-exits"
    )
    assert answer.code == 1
    assert [each.status for each in place.stores.intents.list()] == [IntentStatus.PENDING]
    assert place.stores.standing.active() == ()


def test_exits_are_shown_with_their_own_digest_before_the_same_y(place: Place, monkeypatch: Any) -> None:
    record = place.propose()
    answer = Seat("y").take(place, monkeypatch, "intents", "approve", record.id, "--with-exits", "--no-wait")
    (standing,) = place.stores.standing.active()
    assert answer.code == 0
    assert "take-profit, stop-loss, time, edge gone at" in answer.out
    assert f"{standing.digest[:4]} {standing.digest[4:8]}" in answer.out
    shown = place.type("intents", "show", record.id).out
    assert "Exits        approved: take-profit" in shown


def test_without_it_show_says_how_to_get_them(place: Place) -> None:
    shown = place.type("intents", "show", place.propose().id).out
    assert "none approved: a later exit will wait for you" in shown
    assert "--with-exits" in shown


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--shares", "100000"), "not_smaller"),
        (("--worst-price", "99c"), "not_smaller"),
        (("--worst-price", "much"), "bad_price"),
        (("--shares", "1.234"), "bad_size"),
    ],
)
def test_what_is_not_less_is_refused(place: Place, words: tuple[str, ...], code: str) -> None:
    record = place.propose()
    answer = place.type("intents", "approve", record.id, *words, "--yes", "--json")
    assert (answer.code, answer.problem["code"]) == (2, code)
    assert place.stores.intents.get(record.id).status is IntentStatus.PENDING


def test_a_muted_market_is_listed_and_comes_back(place: Place) -> None:
    record = place.propose()
    said = place.type("intents", "reject", record.id, "--mute", "24h").out
    assert "stays away until" in said
    assert record.intent.question[:20] in place.type("intents", "mutes").out
    answer = place.type("intents", "unmute", record.intent.condition_id[:6])
    assert answer.code == 0, answer.err
    assert place.type("intents", "mutes").out.startswith("No market is muted.")
    assert place.type("intents", "unmute", "0xzz").code == 3


@pytest.mark.parametrize("act", ["close", "protect", "unprotect"])
def test_what_is_not_held_is_not_found(place: Place, act: str) -> None:
    answer = place.type("positions", act, "pzzz", *(("--yes",) if act != "unprotect" else ()), "--json")
    assert (answer.code, answer.problem["code"]) == (3, "position_not_found")


def test_nobody_to_ask_is_told_to_say_yes(place: Place) -> None:
    record = place.propose()
    answer = place.type("intents", "approve", record.id, "--with-exits", "--json")
    assert (answer.code, answer.problem["code"]) == (2, "confirmation_required")
