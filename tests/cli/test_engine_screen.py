"""The engine's own terminal: what happened, in lines that fit, with ids and people by name."""

import io
import os
import pty
import sys
from datetime import timedelta
from decimal import Decimal
from select import select

import pytest

from polyb0t.cli import words
from polyb0t.cli.engine_screen import EngineScreen
from polyb0t.cli.terminal import Terminal
from polyb0t.core.ids import OrderId, new_intent_id
from polyb0t.core.units import Pusd
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import PAPER_WALLET, Regime
from polyb0t.runtime.screen import Ended, StartFacts, StatusFacts, StopFacts
from tests.cli.conftest import Place
from tests.cli.scenes import NOW, ORDER
from tests.support.builders import a_scope


def a_screen(columns: int = 100) -> tuple[EngineScreen, io.StringIO]:
    out = io.StringIO()
    return EngineScreen(Terminal(out, out, columns)), out


def told(place: Place) -> str:
    """All that was journalled, as the terminal shows it."""
    screen, out = a_screen()
    screen.started(StartFacts(a_scope(), Regime.DRY_RUN, place.stores, "log", None, continued=False))
    for entry in place.stores.engine.journal():
        screen.happened(entry)
    return out.getvalue()


def a_minute(place: Place) -> IntentRecord:
    created = place.stores.intents.now()
    return place.propose(created_at=created, deadline=created + timedelta(seconds=180))


def test_a_new_proposal_has_all_the_time_that_is_promised(place: Place) -> None:
    a_minute(place)
    assert "180 s left" in told(place)


def test_what_a_person_ended_names_the_person_and_no_screen(place: Place) -> None:
    record = a_minute(place)
    place.stores.intents.expire(record.id, actor="user:anna", code="expired_by_hand")
    assert "by anna, before its time was up" in told(place)
    assert "on no screen" not in told(place)


def test_a_long_line_goes_on_under_its_words(place: Place) -> None:
    record = a_minute(place)
    place.stores.intents.reject(record.id, actor="user:anna", reason="not now, " * 20)
    lines = told(place).splitlines()
    assert all(words.width(line) <= 100 for line in lines)
    assert lines[-1].startswith(" " * 20 + "not") or lines[-1].startswith(" " * 20 + "now")


def test_ctrl_c_counts_what_is_known_to_be_open_and_names_one() -> None:
    screen, out = a_screen()
    screen.stopping((OrderId(ORDER),))
    assert out.getvalue().splitlines() == [
        "Finishing the cycle, at most 5 s. Ctrl-C again stops at once.",
        "Open orders stay at the exchange: 1 (cancel it: polyb0t orders cancel 0x7c1e).",
    ]
    screen, out = a_screen()
    screen.stopping(())
    assert "exchange" not in out.getvalue()


def test_the_end_tells_open_from_unknown() -> None:
    screen, out = a_screen()
    screen.stopped(StopFacts(0, 1, 1, "/var/log/polyb0t.log", Ended.ASKED))
    assert out.getvalue().splitlines() == [
        "Stopped after 1 cycle. The log is /var/log/polyb0t.log",
        "Of unknown outcome: 1 order, looked up at the next start.",
    ]


def test_the_end_says_who_took_the_lease_if_anybody_did() -> None:
    screen, out = a_screen()
    screen.stopped(StopFacts(0, 0, 1, "log", Ended.NOT_WRITTEN))
    assert "could not be written for 15 s; nothing was sent meanwhile" in out.getvalue()
    assert "another engine" not in out.getvalue()
    screen, out = a_screen()
    screen.stopped(StopFacts(0, 0, 1, "log", Ended.TAKEN_OVER))
    assert "another engine has taken over" in out.getvalue()


def test_the_status_line_counts_begun_seconds() -> None:
    screen, out = a_screen()
    facts = StatusFacts(NOW, 3, 0.1, 4.0, 1, NOW + timedelta(seconds=0.4), 0, None, (), None)
    screen.status(facts)
    assert "1 waiting, next 1 s" in out.getvalue()


def test_no_intents_id_looks_like_an_orders() -> None:
    from unittest.mock import patch

    letters = iter("0x" + "7" * 14 + "0k" + "7" * 14)
    with patch("polyb0t.core.ids.secrets.choice", lambda _alphabet: next(letters)):
        assert new_intent_id() == "0k" + "7" * 14


def test_a_paper_run_says_what_is_simulated_and_who_decides(place: Place) -> None:
    scope = a_scope(wallet=PAPER_WALLET)
    screen, out = a_screen()
    opened = Pusd(Decimal(10_000))
    screen.started(
        StartFacts(scope, Regime.PAPER, place.stores, "log", opened, continued=False, decides_itself=True)
    )
    assert out.getvalue().splitlines()[:3] == [
        "SANDBOX, paper   decides by itself   trading allowed",
        "Paper: fills are simulated on the books as they are. No key is read; nothing is signed or sent.",
        "It decides every proposal by itself. The account was opened with 10,000.00 pUSD that nobody has.",
    ]


@pytest.mark.parametrize(
    ("typed", "starts"),
    [
        ("95Bdf 500", False),
        ("5Bdf 500", True),
        ("  5Bdf   500 ", True),
        ("5Bdf", False),
        ("500", False),
        ("y", False),
    ],
)
def test_before_real_money_the_wallets_tail_and_the_budget_are_typed(
    place: Place, monkeypatch: pytest.MonkeyPatch, typed: str, starts: bool
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(os.dup(theirs), encoding="utf-8") as keys, os.fdopen(theirs, "w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdin", keys)
        os.write(ours, f"{typed}\n".encode())
        scope = a_scope(venue="polymarket", world="")
        facts = StartFacts(
            scope, Regime.LIVE, place.stores, "log", None, continued=True, budget_pusd=Pusd(Decimal(500))
        )

        assert EngineScreen(Terminal(out, out, 100)).confirm(facts) is starts

        asked = ""
        while "REAL orders" not in asked and select([ours], [], [], 5)[0]:  # the echo may come by itself
            asked += os.read(ours, 10_000).decode()
    os.close(ours)
    assert "REAL orders" in asked
    assert "at most 500.00 pUSD of it are used" in asked


def test_without_anybody_there_real_money_is_not_confirmed(place: Place) -> None:
    screen, out = a_screen()
    facts = StartFacts(a_scope(), Regime.LIVE, place.stores, "log", None, continued=True)

    assert screen.confirm(facts) is False
    assert "need a person" in out.getvalue()
