"""The watch: two keys approve exactly what stood there, nothing else does, and the terminal is put back."""

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

from polyb0t.execution.intents import IntentStatus
from polyb0t.models.kill_switches import KillSwitchType
from tests.cli.conftest import Place
from tests.cli.scenes import mayor
from tests.cli.watching import Hand, watch

ROOT = Path(__file__).resolve().parents[2]


class TestDeciding:
    def test_a_and_y_approve_what_is_selected(self, place: Place) -> None:
        first, second = place.propose(seconds=300), place.propose(seconds=500)

        async def steps(hand: Hand) -> None:
            await hand.press("a")
            assert "pay at most 95.16 pUSD" in hand.lines[-1]
            assert hand.lines[-1].endswith("y = approve, any other key = no")
            await hand.press("y")
            assert f"{place.short(first)} approved." in hand.text

        watch(steps)
        assert place.stores.intents.get(first.id).status is IntentStatus.APPROVED
        assert place.stores.intents.get(second.id).status is IntentStatus.PENDING

    def test_a_late_y_never_hits_the_next_trade(self, place: Place) -> None:
        first, second = place.propose(seconds=300), place.propose(seconds=500)

        async def steps(hand: Hand) -> None:
            await hand.press("a")
            place.stores.intents.reject(first.id, actor="user:bob", reason="")
            await hand.look()
            await hand.press("y", "a", "y")

        watch(steps)
        assert place.stores.intents.get(second.id).status is IntentStatus.PENDING

    def test_who_was_faster_is_told(self, place: Place) -> None:
        first = place.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("a")
            place.stores.intents.reject(first.id, actor="user:bob", reason="")
            await hand.press("y")
            assert f"Not approved: bob rejected {place.short(first)}" in hand.text

        watch(steps)

    def test_e_approves_its_exits_as_well_and_shows_them_first(self, place: Place) -> None:
        first = place.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("e")
            assert "and its exits without asking: take-profit, stop-loss" in hand.text
            await hand.press("y")
            assert "approved with its exits" in hand.text

        watch(steps)
        (standing,) = place.stores.standing.active()
        assert standing.standing.opening_id == first.id

    def test_a_sale_has_no_exits_and_says_so(self, place: Place) -> None:
        sale = place.propose(intent_type=mayor().intent_type, side=mayor().side, amount=None, least_shares=None,
                             shares=mayor().shares, max_cost=mayor().max_cost)  # fmt: skip

        async def steps(hand: Hand) -> None:
            await hand.press("e")
            assert "exits belong to a purchase" in hand.text
            await hand.press("y")

        watch(steps)
        assert place.stores.intents.get(sale.id).status is IntentStatus.PENDING

    def test_s_s_y_approves_a_quarter_with_the_digest_that_stood_there(self, place: Place) -> None:
        first = place.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("s")
            assert "pay at most 47.58 pUSD" in hand.lines[-1]
            await hand.press("s")
            assert "pay at most 23.79 pUSD" in hand.lines[-1]
            await hand.press("y")

        watch(steps)
        (smaller,) = [each for each in place.stores.intents.list() if each.intent.parent_id == first.id]
        assert (smaller.status, smaller.intent.least_shares) == (IntentStatus.APPROVED, Decimal("37.49"))

    def test_r_rejects_and_m_keeps_the_market_away(self, place: Place) -> None:
        first, second = place.propose(seconds=300), place.propose(seconds=500)

        async def steps(hand: Hand) -> None:
            await hand.press("r")
            hand.rested()
            await hand.press("m")
            assert "its market stays away until" in hand.text
            again = hand.text.partition("polyb0t intents unmute ")[2].split()[0]
            assert place.type("intents", "unmute", again).code == 0, "the line that it shows works"

        watch(steps)
        assert {place.stores.intents.get(each.id).status for each in (first, second)} == {
            IntentStatus.REJECTED
        }

    def test_h_h_halts_and_the_line_that_ends_it_works(self, place: Place) -> None:
        place.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("H", "H")
            assert 'polyb0t resume --reason "..."' in hand.text

        watch(steps)
        manual = [each for each in place.stores.switches.list() if each.type is KillSwitchType.MANUAL]
        assert manual[0].tripped
        assert place.type("resume", "--reason", "a test").code == 0

    def test_o_says_that_invented_markets_have_no_page(self, place: Place) -> None:
        place.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("o")
            assert "has no page" in hand.text

        watch(steps)


class TestTheScreen:
    def test_what_ended_stays_with_its_outcome_and_the_selection_goes_on(self, place: Place) -> None:
        first, second = place.propose(seconds=300), place.propose(seconds=500)

        async def steps(hand: Hand) -> None:
            place.stores.intents.reject(first.id, actor="user:bob", reason="")
            await hand.look()
            assert any(line.startswith(f"> {place.short(second)}") for line in hand.lines)
            assert any(line.startswith(f"  {place.short(first)}  REJECTED by bob") for line in hand.lines)

        watch(steps)

    def test_a_proposal_that_is_replaced_while_it_is_asked_about_asks_again_and_says_what_changed(
        self, place: Place
    ) -> None:
        first = place.propose(asset_id="71")

        async def steps(hand: Hand) -> None:
            await hand.press("a")
            newer = place.supersede(first, worst_price=Decimal("0.63"))
            await hand.look()
            assert "CHANGED: worst price 61¢ to 63¢." in hand.text
            await hand.press("y")
            assert place.stores.intents.get(newer.id).status is IntentStatus.PENDING
            hand.rested()
            await hand.press("y")
            assert place.stores.intents.get(newer.id).status is IntentStatus.APPROVED

        watch(steps)

    def test_the_bell_rings_once_for_an_idea_and_not_for_its_new_price(self, place: Place) -> None:
        first = place.propose(asset_id="71")

        async def steps(hand: Hand) -> None:
            hand.raw.clear()
            await hand.look()
            place.supersede(first, worst_price=Decimal("0.63"))
            await hand.look()
            assert "\a" not in hand.raw
            place.propose(asset_id="72")
            await hand.look()
            await hand.look()
            assert hand.raw.count("\a") == 1

        watch(steps)

    def test_quiet_rings_no_bell_and_asks_for_no_notification(self, place: Place) -> None:
        async def steps(hand: Hand) -> None:
            place.propose()
            await hand.look()
            assert not any(each == "\a" or each.startswith(("\x1b]9", "\x1b]777")) for each in hand.raw)
            assert any(each.startswith("\x1b]2;(1) ") for each in hand.raw), "the title is no noise"

        watch(steps, quiet=True)

    def test_help_lists_every_key_and_any_key_ends_it(self, place: Place) -> None:
        place.propose()

        async def steps(hand: Hand) -> None:
            await hand.press("question_mark")
            for key in ("a ", "e ", "s ", "r ", "m ", "d ", "o ", "j k", "space", "H H", "q "):
                assert any(line.startswith(f"  {key}") for line in hand.lines), key
            await hand.press("a")
            assert hand.app.state.asking is None
            assert any(line.startswith("> ") for line in hand.lines)

        watch(steps, size=(80, 24))

    def test_a_database_that_is_away_for_a_moment_ends_nothing(self, place: Place) -> None:
        place.propose()

        async def steps(hand: Hand) -> None:
            away = place.folder / "away"
            for name in ("polyb0t.db", "polyb0t.db-wal", "polyb0t.db-shm"):
                (place.folder / name).rename(place.folder / f"{name}.away")
            hand.app._source.opened.stores.database.engine.dispose()  # type: ignore[attr-defined]
            (place.folder / "polyb0t.db").mkdir()
            await hand.look()
            assert "Not read since" in hand.text
            (place.folder / "polyb0t.db").rmdir()
            for name in ("polyb0t.db", "polyb0t.db-wal", "polyb0t.db-shm"):
                (place.folder / f"{name}.away").rename(place.folder / name)
            await hand.look()
            assert "Not read since" not in hand.text
            assert not away.exists()

        watch(steps)

    def test_a_window_that_changes_its_size_is_drawn_anew(self, place: Place) -> None:
        place.propose()

        async def steps(hand: Hand) -> None:
            await hand.resize(60, 24)
            assert max(len(line) for line in hand.lines) <= 60
            await hand.resize(100, 30)
            assert any("WORST PRICE" in line for line in hand.lines)

        watch(steps)

    def test_where_more_is_to_be_read_than_fits_the_line_that_shows_it_works(self, place: Place) -> None:
        place.propose(rules_text="word " * 900)

        async def steps(hand: Hand) -> None:
            await hand.press("d")
            hint = hand.text.partition("more than fits: polyb0t ")[2].split()[:3]
            assert hint[:2] == ["intents", "show"]
            assert place.type(*hint, "--rules").code == 0

        watch(steps, size=(80, 20))

    @pytest.mark.parametrize("line", [("universe", "--why"), ("intents", "list", "--all")])
    def test_the_lines_of_an_empty_screen_work(self, place: Place, line: tuple[str, ...]) -> None:
        place.stores.engine.note(
            place.lease, kind="universe.observed", subject="universe", payload={"watched": 1}, actor="engine"
        )

        async def steps(hand: Hand) -> None:
            assert " ".join(("polyb0t", *line)) in hand.text

        watch(steps)
        assert place.type(*line).code == 0


class TestSeenMarks:
    def test_an_open_watch_marks_what_it_shows_and_who_looks_at_what(self, place: Place) -> None:
        first, second = place.propose(seconds=300), place.propose(seconds=500)

        async def steps(hand: Hand) -> None:
            (mark,) = place.stores.onlookers.onlookers()
            assert mark.looking_at == first.id
            await hand.press("j")
            await hand.look()
            (mark,) = place.stores.onlookers.onlookers()
            assert mark.looking_at == second.id

        watch(steps)
        assert place.stores.intents.get(second.id).seen_at is not None

    def test_bob_is_seen_to_look(self, place: Place) -> None:
        first = place.propose()
        place.stores.onlookers.look("b", actor="user:bob", looking_at=first.id)

        async def steps(hand: Hand) -> None:
            assert f"bob is looking at {place.short(first)}" in hand.text

        watch(steps)

    def test_what_nobody_saw_expires_unseen_and_the_rest_does_not(self, place: Place) -> None:
        seen, unseen = place.propose(), place.propose()
        place.stores.intents.mark_seen([seen.id], actor="user:bob")
        for each in (seen, unseen):
            place.stores.intents.expire(each.id, actor="engine", code="expired")

        async def steps(hand: Hand) -> None:
            assert f"{place.short(unseen)} expired, unseen" in hand.text
            assert f"{place.short(seen)} expired" in hand.text
            assert f"{place.short(seen)} expired, unseen" not in hand.text

        watch(steps)


class Terminal:
    """A real pseudo-terminal of 100 x 30 with the program in it."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (30, 100), **environment: str) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.screen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "polyb0t", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "PYTHONUTF8": "1", **environment},
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
        end = time.monotonic() + 20
        while self.process.poll() is None:
            assert time.monotonic() < end, "the program did not end"
            if select.select([self.master], [], [], 0.05)[0]:
                self.screen += os.read(self.master, 65_536).decode("utf-8", "replace")
        while select.select([self.master], [], [], 0)[0]:
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


class TestInARealTerminal:
    def test_a_person_approves_one_and_leaves_and_the_terminal_is_as_it_was(
        self, place: Place, terminals: list[Terminal]
    ) -> None:
        first = place.propose(seconds=500)
        terminal = Terminal("intents", "watch")
        terminals.append(terminal)
        assert place.short(first) in terminal.until("e approve with exits")
        assert "\a" in terminal.until("polyb0t\a"), "the title, and before it the bell"
        terminal.press("a")
        terminal.until("y = approve, any other key = no")
        terminal.press("y")
        terminal.until(" approved.")
        terminal.press("q")
        assert terminal.end() == 0
        assert place.stores.intents.get(first.id).status is IntentStatus.APPROVED
        assert terminal.after == terminal.before
        assert "\x1b[?1049l" in terminal.screen
        assert place.stores.onlookers.onlookers() == (), "nobody is watching any more"

    def test_ctrl_c_leaves_as_well(self, place: Place, terminals: list[Terminal]) -> None:
        place.propose()
        terminal = Terminal("intents", "watch", "--quiet", NO_COLOR="1", size=(24, 80))
        terminals.append(terminal)
        terminal.until("polyb0t\a")
        terminal.press("\x03")
        assert terminal.end() in (0, 130)
        assert terminal.after == terminal.before

    def test_a_window_that_is_closed_ends_it(self, place: Place, terminals: list[Terminal]) -> None:
        place.propose()
        terminal = Terminal("intents", "watch")
        terminal.until("polyb0t\a")
        os.close(terminal._slave)
        os.close(terminal.master)
        assert terminal.process.wait(30) is not None

    def test_a_person_is_asked_by_approve(self, place: Place, terminals: list[Terminal]) -> None:
        record = place.propose()
        terminal = Terminal("intents", "approve", record.id[:6], "--no-wait")
        terminals.append(terminal)
        terminal.until("Approve? [y/N]")
        terminal.press("y\n")
        terminal.until("Approved by ")
        assert terminal.end() == 0
        assert place.stores.intents.get(record.id).status is IntentStatus.APPROVED

    def test_ctrl_c_at_the_question_decides_nothing(self, place: Place, terminals: list[Terminal]) -> None:
        record = place.propose()
        terminal = Terminal("intents", "approve", record.id[:6])
        terminals.append(terminal)
        terminal.until("Approve? [y/N]")
        terminal.process.send_signal(2)
        assert terminal.end() == 130
        assert place.stores.intents.get(record.id).status is IntentStatus.PENDING


def test_without_a_terminal_there_is_nothing_to_watch(place: Place) -> None:
    answer = place.type("intents", "watch")
    assert answer.code == 2
    assert "polyb0t intents list" in answer.err
