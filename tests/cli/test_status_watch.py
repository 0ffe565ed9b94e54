"""`status --watch`: the status as one live screen, problems on top, and nothing can be changed from it."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.cli.status_app import StatusApp
from polyb0t.cli.status_more import _bar
from polyb0t.cli.status_seen import see
from polyb0t.cli.terminal import PLAIN, Terminal
from polyb0t.cli.words import width
from polyb0t.config.settings import load_settings
from polyb0t.models.kill_switches import KillSwitchManager
from polyb0t.runtime.opened import open_store
from tests.cli.conftest import Place

FACTS: dict[str, Any] = {
    "cash_pusd": Decimal("9786.23"),
    "cycle_took": [Decimal("1.1"), "books", Decimal("0.7")],
    "switches": {
        "STALE_DATA": {"now": "newest price 0.4 s old", "trips_at": "60 s", "cause": ""},
        "API_ERROR_RATE": {"now": "1 of 214 calls in 5 min", "trips_at": "50%", "cause": ""},
        "RECONCILIATION": {"now": "agrees, 4 s ago", "trips_at": "any difference", "cause": ""},
    },
}


def status(steps: Callable[[StatusApp, Any], Awaitable[None]], size: tuple[int, int] = (100, 30)) -> None:
    async def act() -> None:
        opened = open_store(load_settings())
        terminal = Terminal(io.StringIO(), io.StringIO(), columns=size[0], paint=PLAIN)
        app = StatusApp(lambda: see(opened), terminal, polls=False)
        async with app.run_test(size=size) as pilot:
            await app.look_now()
            await steps(app, pilot)

    asyncio.run(act())


def publish(place: Place, **facts: Any) -> None:
    place.stores.engine.beat(place.lease, cycle=31, facts={**FACTS, **facts})


def test_it_shows_what_the_engine_sees(place: Place) -> None:
    place.runs()
    publish(place)
    place.stores.onlookers.look("b", actor="user:bob", looking_at=None)
    place.stores.engine.note(
        place.lease,
        kind="universe.observed",
        subject="universe",
        payload={"watched": 512, "tradable": 214, "proposed": 2},
        actor="engine",
    )
    place.stores.engine.note(
        place.lease,
        kind="independent.read",
        subject="independent",
        payload={"sources": ["consensus"], "views": 3, "newest": None, "unused": ["1 line."], "problems": []},
        actor="engine",
    )

    async def steps(app: StatusApp, _pilot: Any) -> None:
        text = "\n".join(app.board.lines)
        assert "cycle 31 took 1.1 s (books 0.7 s)" in text
        assert "Data       newest price 0.4 s old, limit 60 s; 1 of 214 calls failed in 5 min" in text
        assert "Agreement  our records and the exchange's agree, compared 4 s ago" in text
        assert "Markets    512 watched > 214 tradable > 2 proposed; see why: polyb0t universe --why" in text
        assert "Outside    heard from consensus; see polyb0t model list. 1 line." in text
        assert "1 person watching" in text
        assert app.board.lines[-1] == "q quit"

    status(steps)
    assert place.type("universe", "--why").code == 0, "the line that it shows works"


def test_it_is_the_status_that_is_printed_once(place: Place) -> None:
    place.runs()
    publish(place)
    once = place.type("status").out.splitlines()

    async def steps(app: StatusApp, _pilot: Any) -> None:
        live = app.board.lines[:-2]
        assert [line.partition("  ")[0] for line in live[1:]] == [
            line.partition("  ")[0] for line in once[1:]
        ]

    status(steps)


def test_a_problem_moves_to_the_top_while_it_watches(place: Place) -> None:
    place.runs()
    publish(place)

    async def steps(app: StatusApp, _pilot: Any) -> None:
        assert app.board.lines[1].startswith("Trading    ALLOWED")
        KillSwitchManager(place.stores.switches).halt(actor="user:bob", reason="a test")
        publish(place, problem="The exchange does not answer.")
        await app.look_now()
        assert app.board.lines[1].startswith("Trading    HALTED")
        assert any(
            line.startswith("Problem    The exchange does not answer.") for line in app.board.lines[:5]
        )

    status(steps)


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (60, 24), (60, 12)])
def test_it_fits(place: Place, size: tuple[int, int]) -> None:
    place.runs()
    publish(place)
    place.propose()

    async def steps(app: StatusApp, _pilot: Any) -> None:
        assert len(app.board.lines) <= size[1]
        assert [line for line in app.board.lines if width(line) > size[0]] == []
        assert app.board.lines[-1] == "q quit"

    status(steps, size)


def test_keys_change_nothing_and_q_ends_it(place: Place) -> None:
    record = place.propose()

    async def steps(app: StatusApp, pilot: Any) -> None:
        await pilot.press("a", "y", "r", "H", "H")
        assert app.is_running
        await pilot.press("q")
        assert not app.is_running

    status(steps)
    assert place.stores.intents.get(record.id).status == "PENDING"
    assert not any(state.tripped for state in place.stores.switches.list())


@pytest.mark.parametrize(
    ("part", "bar"),
    [("0", "-" * 20), ("0.001", "#" + "-" * 19), ("0.5", "#" * 10 + "-" * 10), ("3", "#" * 20)],
)
def test_the_bar_shows_what_has_begun(part: str, bar: str) -> None:
    assert _bar(Decimal(part)) == f"[{bar}]"


def test_without_a_terminal_it_is_refused_with_what_works(place: Place) -> None:
    answer = place.type("status", "--watch")
    assert (answer.code, "polyb0t status" in answer.err) == (2, True)
