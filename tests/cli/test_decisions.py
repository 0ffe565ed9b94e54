"""Deciding in a shell: exactly one decision counts, and every refusal says why and that nothing was sent."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from polyb0t.cli.approve import Request, approve
from polyb0t.cli.terminal import Terminal
from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import UsageError
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.scope import Regime
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.opened import open_store
from tests.cli.conftest import Place

PROMISED = (
    "id digest status outcome intent_type scope regime question outcome_label asset_id side order_type shares "
    "amount worst_price max_cost edge model_probability reason controls created_at deadline decided_at "
    "decided_by result order_id"
).split()


def test_the_list_as_json_is_an_array_with_the_promised_names(place: Place) -> None:
    record = place.propose()
    answer = place.type("intents", "list", "--json")
    assert answer.code == 0
    assert answer.err == ""
    (row,) = answer.json
    assert [name for name in PROMISED if name not in row] == []
    assert row["id"] == record.id
    assert (row["worst_price"], row["max_cost"], row["amount"]) == ("0.61", "95.16", "91.5")
    assert row["shares"] is None, "unknown is null, never 0"
    assert row["created_at"].endswith("Z")


def test_show_as_json_is_the_same_object(place: Place) -> None:
    record = place.propose()
    (row,) = place.type("intents", "list", "--json").json
    assert place.type("intents", "show", record.id[:5], "--json").json == row


def test_an_empty_list_is_an_empty_array_and_on_a_screen_an_explanation(place: Place) -> None:
    assert place.type("intents", "list", "--json").json == []
    screen = place.type("intents", "list").out
    assert "Nothing is waiting for you." in screen
    assert "universe --why" in screen


def test_every_command_on_the_screen_is_complete_and_works(place: Place) -> None:
    place.propose()
    screen = place.type("intents", "list").out
    typed = next(line for line in screen.splitlines() if "Closer look" in line)
    words = typed.split("polyb0t ")[1].split("  ")[0].split()
    assert place.type(*words).code == 0


def test_approving_fixes_who_when_and_until_when(place: Place) -> None:
    record = place.propose()
    answer = place.type("intents", "approve", place.short(record), "--yes")
    assert answer.code == 0
    assert "\nApproved by " in answer.out
    now = place.stores.intents.get(record.id)
    assert now.status is IntentStatus.APPROVED
    assert now.decided_by is not None and now.decided_by.startswith("user:")
    assert now.execute_by is not None


def test_who_is_not_asked_reads_afterwards_what_was_approved(place: Place) -> None:
    record = place.propose()
    first, second = place.type("intents", "approve", record.id, "--yes").out.splitlines()[:2]
    assert first == (
        f"{place.short(record)}: BUY YES, 150 shares or more, at 61¢ or less: "
        "pay at most 95.16 pUSD, lose it all if NO"
    )
    assert second == "Will Harbor City approve the tram line by 22 January?"


def test_what_a_trip_rejected_is_told_in_whole_sentences(place: Place) -> None:
    record = place.propose()
    place.type("halt", "--reason", "enough")
    answer = place.type("intents", "approve", record.id, "--yes")
    assert answer.code == 4
    assert f"enough. {place.short(record)} was rejected with it." in " ".join(answer.err.split())


def test_as_data_the_list_has_the_order_of_the_table(place: Place) -> None:
    late, soon = place.propose(seconds=900), place.propose(seconds=300)
    over = place.propose(deadline=SystemClock().now() + timedelta(milliseconds=1))
    listed = place.type("intents", "list", "--json").json
    assert place.ids(listed) == [soon.id, late.id]
    assert over.id in place.ids(place.type("intents", "list", "--all", "--json").json)


def test_approving_twice_names_the_first(place: Place) -> None:
    record = place.propose()
    place.type("intents", "approve", record.id, "--yes")
    answer = place.type("intents", "approve", record.id, "--yes", "--json")
    assert (answer.code, answer.out) == (4, "")
    assert answer.problem["code"] == "already_decided"
    assert "already approved" in answer.problem["title"]


def test_too_late_is_written_as_expired(place: Place) -> None:
    now = SystemClock().now()
    record = place.propose(created_at=now - timedelta(seconds=66), deadline=now - timedelta(seconds=6))
    answer = place.type("intents", "approve", record.id, "--yes")
    assert answer.code == 4
    assert answer.err.startswith("Not approved: ")
    assert "Nothing was sent." in answer.err
    assert place.stores.intents.get(record.id).status is IntentStatus.EXPIRED


def test_another_digest_is_refused_and_the_intent_still_waits(place: Place) -> None:
    record = place.propose()
    answer = place.type("intents", "approve", record.id, "--yes", "--digest", "0" * 64, "--json")
    assert (answer.code, answer.problem["code"]) == (4, "digest_mismatch")
    assert place.stores.intents.get(record.id).status is IntentStatus.PENDING


def test_the_digest_as_the_screen_shows_it_is_enough(place: Place) -> None:
    record = place.propose()
    shown = f"{record.digest[:4]} {record.digest[4:8]}"
    assert place.type("intents", "approve", record.id, "--yes", "--digest", shown).code == 0


def test_while_trading_is_halted_no_opening_is_approved(place: Place) -> None:
    place.propose()
    place.stores.switches.trip(KillSwitchType.MANUAL, actor="user:bob", reason="lunch")
    now = place.type("intents", "list", "--status", "REJECTED", "--json").json
    answer = place.type("intents", "approve", now[0]["id"], "--yes", "--json")
    assert (answer.code, answer.problem["code"]) == (4, "halted")


def test_an_unknown_id_and_an_ambiguous_one(place: Place) -> None:
    for tail in ("1", "2"):
        place.propose(id=IntentId("abcd" + tail * 12))
    unknown = place.type("intents", "approve", "zzzz", "--yes", "--json")
    assert (unknown.code, unknown.problem["status"]) == (3, 404)
    ambiguous = place.type("intents", "approve", "abcd", "--yes", "--json")
    assert ambiguous.code == 3
    assert ambiguous.problem["code"].startswith("ambiguous")
    assert "abcd1" in str(ambiguous.problem)
    assert "abcd2" in str(ambiguous.problem)


def test_a_database_of_the_sandbox_is_no_place_for_another_venue(place: Place) -> None:
    record = place.propose()
    answer = place.type("--venue", "polymarket", "intents", "approve", record.id, "--yes", "--json")
    assert (answer.code, answer.problem["code"]) == (4, "foreign_scope")
    assert place.stores.intents.get(record.id).status is IntentStatus.PENDING


def test_without_a_terminal_nobody_is_asked_and_nothing_is_decided(place: Place) -> None:
    record = place.propose()
    answer = place.type("intents", "approve", record.id)
    assert answer.code == 2
    assert "Use --yes" in answer.err
    assert place.type("intents", "approve", record.id, "--json").problem["code"] == "confirmation_required"
    assert place.stores.intents.get(record.id).status is IntentStatus.PENDING


class _Person(Terminal):
    """Somebody at a terminal with one answer, who may do something while the question stands there."""

    __slots__ = ()
    answer = "y"

    @property
    def somebody_sits_here(self) -> bool:
        return True

    def ask(self, question: str) -> bool:
        self.say(question)
        return type(self).answer == "y"


def test_a_person_is_shown_the_trade_and_anything_but_y_is_no(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    record = place.propose()
    place.capsys.readouterr()
    opened = open_store(load_settings())
    person = _Person(sys.stdout, sys.stderr)
    monkeypatch.setattr(_Person, "answer", "yes")
    assert approve(person, opened, Request(record.id, wait=0)) == 1
    said = place.capsys.readouterr()
    assert "BUY YES, 150 shares or more, at 61¢ or less: pay at most 95.16 pUSD" in said.out
    assert "Approve? [y/N]" in said.err, "questions go to standard error"
    assert place.stores.intents.get(record.id).status is IntentStatus.PENDING
    monkeypatch.setattr(_Person, "answer", "y")
    assert approve(person, opened, Request(record.id, wait=0)) == 0
    assert place.stores.intents.get(record.id).status is IntentStatus.APPROVED


def test_with_real_money_yes_needs_the_whole_id_or_the_digest(place: Place) -> None:
    import sys

    from tests.cli.scenes import tram

    opened = open_store(load_settings())
    record = place.propose()
    real = replace(tram(), regime=Regime.LIVE, scope="polymarket:137:0x" + "1" * 40)

    class _Found:
        def find(self, _: str) -> object:
            return replace(record, intent=real)

    there = replace(opened, stores=replace(opened.stores, intents=cast("Any", _Found())))
    with pytest.raises(UsageError) as refused:
        approve(Terminal(sys.stdout, sys.stderr), there, Request("k7m2", yes=True))
    assert refused.value.code == "digest_required"


def test_rejecting_keeps_the_reason_and_says_that_nothing_was_sent(place: Place) -> None:
    record = place.propose()
    answer = place.type("intents", "reject", record.id, "--reason", "wording is unclear")
    assert answer.code == 0
    assert answer.out.startswith(f"Rejected: {place.short(record)}, by ")
    assert place.stores.intents.get(record.id).status is IntentStatus.REJECTED
    journal = place.stores.engine.journal(subject=record.id)
    assert any("wording is unclear" in entry.payload for entry in journal)
    again = place.type("intents", "reject", record.id)
    assert again.code == 4
    assert "rejected" in again.err


def test_ending_the_time_by_hand(place: Place) -> None:
    record = place.propose()
    assert place.type("intents", "expire", record.id, "--json").json["status"] == "EXPIRED"
    assert place.type("intents", "expire", record.id).code == 4


def test_a_status_that_does_not_exist_is_named(place: Place) -> None:
    answer = place.type("intents", "list", "--status", "OPEN")
    assert answer.code == 2
    assert "PENDING" in answer.err


def test_halt_works_and_resume_needs_a_reason(place: Place) -> None:
    record = place.propose()
    halted = place.type("halt", "--reason", "lunch")
    assert halted.code == 0
    assert halted.out.startswith("Halted: nothing new is sent")
    assert place.stores.intents.get(record.id).status is IntentStatus.REJECTED
    opened = open_store(load_settings())
    assert opened.halt_file.present()
    assert place.type("status").code in (1, 4)
    assert place.type("resume").code == 2
    assert place.type("resume", "--reason", " ").code == 2
    assert opened.halt_file.present(), "a refused resume lifts nothing"
    assert place.type("resume", "--reason", "back").out == "Resumed: trading allowed.\n"
    assert not opened.halt_file.present()


def test_orders_positions_and_status_of_a_new_place(place: Place) -> None:
    assert place.type("orders", "list", "--json").json == []
    assert place.type("positions", "--json").json == []
    status = place.type("status", "--json")
    assert status.code == 1, "no engine runs"
    assert status.json["stance"] == "ACTIVE"
    assert place.type("orders", "show", "0x12", "--json").code == 3


def test_why_nothing_is_proposed(place: Place) -> None:
    assert place.type("universe").code == 3
    place.stores.engine.note(
        place.lease,
        kind="universe.observed",
        subject="universe",
        payload={
            "watched": 60,
            "tradable": 41,
            "proposed": 0,
            "reasons": [{"code": "ends_too_soon", "sentence": "enough time before the end", "count": 12}],
            "passed": [],
            "misses": [{"question": "Rain?", "edge": "0.009", "needed": "0.015"}],
            "skipped": [{"name": "odd-market", "reason": "no outcomes"}],
        },
        actor="engine:h",
    )
    text = place.type("universe", "--why").out
    assert "60 markets watched, 41 tradable, 0 worth proposing" in text
    assert "12  end too soon" in text
    assert '"Rain?" +0.9¢, needs +1.5¢.' in text
    assert "odd-market: no outcomes" in text
    assert 'Nearest miss: "Rain?"' in place.type("intents", "list").out
    assert "contradict" not in text


def test_prices_that_contradict_each_other_are_named_with_the_advice_to_read_the_rules(place: Place) -> None:
    for kind, subject, payload in (
        ("universe.observed", "universe", {"watched": 2}),
        (
            "coherence.observed",
            "coherence",
            {
                "gaps": [{"sentence": "'By June?' is bid 40¢.\x1b[2J", "gross": "0.08", "net": "0.063"}],
                "gaps_count": 3,
                "sums": [{"event": "Mayor", "markets": 3, "mids": "0.95", "kept": "0.15"}],
            },
        ),
    ):
        place.stores.engine.note(place.lease, kind=kind, subject=subject, payload=payload, actor="engine:h")
    text = " ".join(place.type("universe", "--why").out.split())
    assert "contradict each other. Read both rules before you believe it:" in text
    assert "'By June?' is bid 40¢.[2J After fees: +6.3¢ a share." in text
    assert "and 2 more" in text
    assert "95¢ 3 markets of Mayor, 15¢ of it without a name" in text
    assert "contradict" not in place.type("universe").out
    assert place.type("universe", "--json").json["coherence"]["gaps_count"] == 3


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("y\n", True),
        ("Y\n", True),
        ("yes\n", False),
        ("\n", False),
        ("", False),
        ("n\n", False),
        ("yy\n", False),
    ],
)
def test_only_y_is_a_yes(monkeypatch: pytest.MonkeyPatch, typed: str, means: bool) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert Terminal(io.StringIO(), io.StringIO()).ask("Approve? [y/N]") is means


def test_every_reason_to_leave_a_market_out_has_words_that_follow_a_number() -> None:
    import re
    from pathlib import Path

    from polyb0t.data import universe
    from polyb0t.data.universe_words import left_out

    source = Path(str(universe.__file__)).read_text(encoding="utf-8")
    codes = set(re.findall(r'Reason\(\s*"([a-z_]+)"', source))
    assert len(codes) > 10
    assert [code for code in codes if left_out(code) == code.replace("_", " ")] == []
    assert [code for code in codes if left_out(code, 1) == left_out(code, 2)] == []


def test_where_the_engine_cannot_read_the_markets_every_screen_says_so(place: Place) -> None:
    problem = "The last cycle could not do markets: the exchange does not answer."
    place.runs(problem)
    listed = place.type("intents", "list")
    assert problem in " ".join(listed.out.split())
    assert "The engine works" not in listed.out
    assert "engine has a problem" in listed.out
    asked = place.type("universe", "--why")
    assert asked.code == 3
    assert "the engine runs" in asked.err and problem in asked.err
    assert "make run" not in asked.err
    status = place.type("status").out.splitlines()
    assert status[1].startswith("Problem"), "on top, above what is allowed"


def test_a_resumption_without_a_reason_is_refused_in_sentences(place: Place) -> None:
    answer = place.type("resume")
    assert answer.code == 2
    assert answer.err.startswith("Not resumed: no reason was given.")
    assert 'polyb0t resume --reason "..."' in answer.err


def test_the_help_names_arguments_bare_and_offers_no_completion(place: Place) -> None:
    assert "polyb0t intents show [OPTIONS] ID" in place.type("intents", "show", "--help").out
    assert "completion" not in place.type("status", "--help").out


def test_an_empty_list_says_what_rests_and_until_when(place: Place) -> None:
    record = place.propose()
    place.type("intents", "reject", record.id)
    assert "1 idea rests after its end; it may come back at " in place.type("intents", "list").out


def test_what_has_run_out_waits_no_longer_even_if_nobody_has_written_it_down(place: Place) -> None:
    now = SystemClock().now()
    place.propose(created_at=now - timedelta(seconds=66), deadline=now - timedelta(seconds=6))
    assert "Nothing is waiting for you." in place.type("intents", "list").out
