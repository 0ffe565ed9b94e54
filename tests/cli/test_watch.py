"""The watch: nothing moves under the finger, two keys approve, and the terminal is put back."""

import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from decimal import Decimal
from fcntl import ioctl
from pathlib import Path

import pytest

from polyb0t.cli.render_watch import watch_screen
from polyb0t.cli.terminal import PLAIN
from polyb0t.cli.watch_offer import Offer, offer_of
from polyb0t.cli.watch_state import Manner, WatchState, Wish
from polyb0t.config.settings import load_settings
from polyb0t.core.errors import UsageError
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.runtime.deciding import Shape
from tests.cli.conftest import Place
from tests.cli.scenes import item, mayor, scene, tram

ROOT = Path(__file__).resolve().parents[2]
A, B, C = (IntentId(letter * 16) for letter in "abc")


def watching(*ids: IntentId) -> WatchState:
    state = WatchState()
    state.look(ids, 0)
    return state


def test_two_keys_approve() -> None:
    state = watching(A, B)
    assert state.key("a", 1) is Wish.NOTHING
    assert state.key("y", 2) is Wish.APPROVE
    assert state.selected == A


@pytest.mark.parametrize("key", ["n", "a", "Y", "\r", " ", "r", "j"])
def test_any_other_key_than_y_is_no(key: str) -> None:
    state = watching(A)
    state.key("a", 1)
    assert state.key(key, 2) is Wish.NOTHING
    assert state.key("y", 3) is Wish.NOTHING, "the question is over"


@pytest.mark.parametrize(("key", "manner"), [("e", Manner.WITH_EXITS), ("s", Manner.SMALLER)])
def test_with_exits_and_smaller_take_two_keys_as_well(key: str, manner: Manner) -> None:
    state = watching(A)
    assert state.key(key, 1) is Wish.NOTHING
    assert (state.asking, state.manner) == (A, manner)
    assert state.key("y", 2) is Wish.APPROVE


def test_another_question_after_a_no_is_about_the_whole_trade_again() -> None:
    state = watching(A)
    for key in ("s", "s", "n", "a"):
        state.key(key, 1)
    assert state.manner is Manner.AS_IS


def test_each_s_halves_what_is_asked_about_and_the_question_shows_it() -> None:
    state = watching(tram().id)
    state.key("s", 1)
    first = offer_of(item(tram()), state, load_settings(), scene().now)
    state.key("s", 2)
    second = offer_of(item(tram()), state, load_settings(), scene().now)
    smaller = [each.shape.smaller for each in (first, second)]
    assert [each and each.least_shares for each in smaller] == [75, Decimal("37.49")]
    (ask,) = watch_screen([item(tram())], state, scene(), PLAIN, 100, offer=second)[-1:]
    assert ask.startswith("BUY YES, pay at most 23.79 pUSD, 38 s left. y = approve, s = half of that")


def test_the_question_with_exits_says_how_low_and_until_when() -> None:
    state = watching(tram().id)
    state.key("e", 1)
    asked = offer_of(item(tram()), state, load_settings(), scene().now)
    ask = " ".join(watch_screen([item(tram())], state, scene(), PLAIN, 100, offer=asked)[-2:])
    assert "its exits without asking: take-profit, stop-loss, time, edge gone at 50¢ or more, until" in ask


def test_what_opens_nothing_has_no_exits() -> None:
    state = watching(mayor().id)
    state.key("e", 1)
    sale = item(mayor())
    assert sale.record.intent.intent_type is IntentType.CLOSE_POSITION
    with pytest.raises(UsageError):
        offer_of(sale, state, load_settings(), scene().now)


def test_a_y_alone_does_nothing() -> None:
    assert watching(A).key("y", 1) is Wish.NOTHING


def test_the_selection_sticks_to_the_intent_and_not_to_the_row() -> None:
    state = watching(A, B)
    state.key("j", 1)
    state.look([C, A, B], 2)
    assert state.selected == B


def test_a_question_whose_trade_has_ended_asks_nothing_any_more() -> None:
    state = watching(A, B)
    state.key("a", 1)
    state.look([B], 2)
    assert state.asking is None
    assert state.key("y", 2.3) is Wish.NOTHING, "a late y never hits the next trade"
    assert state.key("y", 3) is Wish.NOTHING


def test_keys_are_dead_for_a_moment_after_the_selection_moved_by_itself() -> None:
    state = watching(A, B)
    state.look([B], 10)
    assert state.key("r", 10.39) is Wish.NOTHING
    assert state.key("r", 10.41) is Wish.REJECT


def test_only_what_is_new_rings() -> None:
    state = watching(A)
    assert state.look([A, B], 1) == (B,)
    assert state.look([B], 2) == ()
    assert state.look([A, B], 3) == (), "seen before"


def test_numbers_and_arrows_select() -> None:
    state = watching(A, B, C)
    for key, expected in (("3", C), ("k", B), ("up", A), ("up", A), ("down", B), ("9", B)):
        state.key(key, 1)
        assert state.selected == expected


def test_h_twice_within_two_seconds_halts() -> None:
    state = watching(A)
    assert state.key("H", 1) is Wish.NOTHING
    assert state.key("H", 2.9) is Wish.HALT
    assert state.key("H", 10) is Wish.NOTHING
    assert state.key("H", 12.1) is Wish.NOTHING, "too late"
    state.key("j", 12.2)
    assert state.key("H", 12.3) is Wish.NOTHING, "something else was pressed between"


def test_with_nothing_waiting_keys_do_nothing() -> None:
    state = watching()
    assert [state.key(key, 1) for key in ("a", "y", "r", "j", "1")] == [Wish.NOTHING] * 5


def test_the_screen_shows_the_trade_and_the_question() -> None:
    state = watching(tram().id, mayor().id)
    items = [item(tram()), item(mayor())]
    screen = watch_screen(items, state, scene(), PLAIN, 100)
    assert any(
        line.startswith(">  k7m2  38 s   BUY YES 150.00+ sh          61¢ max  pay 95.16 max  +2.9¢  Will H")
        for line in screen
    )
    assert any("pay at most 95.16 pUSD, lose it all if NO, likely 92.96" in line for line in screen)
    assert any("UNVALIDATED model" in line for line in screen)
    state.key("a", 1)
    asked = Offer(items[0], Shape())
    assert watch_screen(items, state, scene(), PLAIN, 100, offer=asked)[-1] == (
        "BUY YES, pay at most 95.16 pUSD, 38 s left. y = approve, any other key = no"
    )


@pytest.mark.parametrize(("rows", "columns"), [(23, 80), (29, 100), (17, 80)])
@pytest.mark.parametrize("asks", [False, True])
def test_keys_question_and_selection_stay_on_a_small_screen(rows: int, columns: int, asks: bool) -> None:
    items = [item(tram(id=IntentId(f"{number:016x}"), rules_text="word " * 900)) for number in range(12)]
    for selected in range(12):
        state = watching(*(each.record.id for each in items))
        for _ in range(selected):
            state.key("j", 1)
        state.key("d", 1)  # the rules, which are longer than any screen
        state.say("something happened")
        if asks:
            state.key("a", 1)
        asked = Offer(items[selected], Shape()) if asks else None
        screen = watch_screen(items, state, scene(), PLAIN, columns, rows=rows, offer=asked)
        assert len(screen) <= rows
        assert [line for line in screen if len(line) > columns] == []
        assert sum(line.startswith(">") for line in screen) == 1
        assert "something happened" in screen
        assert ("y = approve" if asks else "q quit") in " ".join(screen[-2:])
        assert any("pay at most" in line for line in screen)


class Terminal:
    """A real pseudo-terminal of 100 x 30 with the program in it."""

    def __init__(self, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.screen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "polyb0t", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "PYTHONUTF8": "1"},
        )

    def until(self, text: str, seconds: float = 60) -> str:
        """Read until `text` appears; what was read."""
        end = time.monotonic() + seconds
        while text not in self.screen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} did not appear in\n{self.screen[-3000:]}"
            self.screen += os.read(self.master, 65_536).decode("utf-8", "replace")
        read, _, self.screen = self.screen.partition(text)
        return read + text

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        end = time.monotonic() + 10
        while self.process.poll() is None:
            assert time.monotonic() < end, "the program did not end"
            if select.select([self.master], [], [], 0.05)[0]:
                self.screen += os.read(self.master, 65_536).decode("utf-8", "replace")
        code = self.process.returncode
        self.after = termios.tcgetattr(self._slave)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for each in opened:
        each.close()


def test_a_person_approves_one_and_rejects_another_in_a_real_terminal(
    place: Place, terminals: list[Terminal]
) -> None:
    first, second = place.propose(seconds=300), place.propose(seconds=500, question="Rain?")
    terminal = Terminal("intents", "watch")
    terminals.append(terminal)
    seen = terminal.until("a approve  e with exits")
    assert place.short(first) in seen
    assert "\a" in terminal.until("\a")
    terminal.press("a")
    terminal.until("y = approve, any other key = no")
    terminal.press("y")
    terminal.until(f"{place.short(first)} approved")
    assert place.stores.intents.get(first.id).status is IntentStatus.APPROVED
    terminal.until("Rain?")
    terminal.until("q quit")
    terminal.until("q quit")  # a second has passed: keys were dead for 0.4 s after the list moved
    terminal.press("r")
    terminal.until("rejected. Nothing was sent.")
    assert place.stores.intents.get(second.id).status is IntentStatus.REJECTED
    assert place.stores.intents.get(second.id).seen_at is not None
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.after == terminal.before, "the terminal is as it was"


def test_with_exits_smaller_and_muted_in_a_real_terminal(place: Place, terminals: list[Terminal]) -> None:
    first, second, third = (place.propose(seconds=each, question=f"Rain {each}?") for each in (300, 400, 500))
    terminal = Terminal("intents", "watch")
    terminals.append(terminal)
    terminal.until("q quit")
    terminal.press("e")
    terminal.until("its exits without asking")
    terminal.press("y")
    terminal.until("approved with its exits")
    terminal.until("q quit")
    terminal.until("q quit")  # keys were dead for a moment
    terminal.press("s")
    terminal.until("s = half of that")
    terminal.press("y")
    terminal.until(", smaller")
    terminal.until("q quit")
    terminal.until("q quit")
    terminal.press("m")
    terminal.until("its market stays away until")
    terminal.press("q")
    assert terminal.end() == 0
    assert place.stores.standing.active()[0].standing.opening_id == first.id
    assert place.stores.intents.get(first.id).status is IntentStatus.APPROVED
    assert place.stores.intents.get(second.id).result == "superseded"
    (smaller,) = [each for each in place.stores.intents.list() if each.intent.parent_id == second.id]
    assert (smaller.status, smaller.intent.least_shares) == (IntentStatus.APPROVED, Decimal(75))
    assert place.stores.intents.get(third.id).status is IntentStatus.REJECTED
    assert [each.condition_id for each in place.stores.by_hand.mutes()] == [third.intent.condition_id]


def test_ctrl_c_puts_the_terminal_back(place: Place, terminals: list[Terminal]) -> None:
    place.propose()
    terminal = Terminal("intents", "watch")
    terminals.append(terminal)
    terminal.until("q quit")
    terminal.process.send_signal(2)
    assert terminal.end() in (0, 130)
    assert terminal.after == terminal.before
    assert "\x1b[?1049l" in terminal.until("\x1b[?1049l")


def test_without_a_terminal_there_is_nothing_to_watch(place: Place) -> None:
    answer = place.type("intents", "watch")
    assert answer.code == 2
    assert "polyb0t intents list" in answer.err


def test_a_person_is_asked_in_a_real_terminal(place: Place, terminals: list[Terminal]) -> None:
    record = place.propose()
    terminal = Terminal("intents", "approve", record.id[:6], "--no-wait")
    terminals.append(terminal)
    terminal.until("Approve? [y/N]")
    terminal.press("y\n")
    terminal.until("Approved by ")
    assert terminal.end() == 0
    assert place.stores.intents.get(record.id).status is IntentStatus.APPROVED


def test_ctrl_c_at_the_question_decides_nothing(place: Place, terminals: list[Terminal]) -> None:
    record = place.propose()
    terminal = Terminal("intents", "approve", record.id[:6])
    terminals.append(terminal)
    terminal.until("Approve? [y/N]")
    terminal.process.send_signal(2)
    assert terminal.end() == 130
    assert place.stores.intents.get(record.id).status is IntentStatus.PENDING
