"""`intents watch`: the list that refreshes itself, and decisions with single keys."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from polyb0t.cli import door
from polyb0t.cli.exit_words import until_words
from polyb0t.cli.halting import halt_now
from polyb0t.cli.intents_read import load, mark_seen, still_waiting
from polyb0t.cli.keys import Keys, single_keys
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.render_watch import watch_screen
from polyb0t.cli.scene import look
from polyb0t.cli.terminal import Terminal
from polyb0t.cli.watch_offer import Offer, offer_of
from polyb0t.cli.watch_state import Manner, WatchState, Wish
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import PolybotError
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.outcome import outcome_of
from polyb0t.models import wording
from polyb0t.runtime.deciding import approve_as_shown, reject
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.resting import resting
from polyb0t.runtime.views import order_of

REFRESH_SECONDS: Final = 1.0
MUTE: Final = timedelta(hours=24)
_HOME: Final = "\x1b[H"
_END_OF_LINE: Final = "\x1b[K"
_REST: Final = "\x1b[J"
_BELL: Final = "\a"


def watch(terminal: Terminal, opened: OpenedStore) -> None:
    """Follow and decide until `q`.

    Raises:
        UsageError: this is no terminal.
    """
    with single_keys() as keys:
        Watching(terminal, opened, keys, SystemClock()).run()


class Watching:
    """One watch: looks once a second, acts on keys at once."""

    def __init__(self, terminal: Terminal, opened: OpenedStore, keys: Keys, clock: Clock) -> None:
        self._terminal = terminal
        self._opened = opened
        self._keys = keys
        self._clock = clock
        self._state = WatchState()
        self._shown: dict[str, Listed] = {}
        self._decided: dict[str, IntentRecord] = {}
        self._offer: tuple[object, Offer] | None = None  # the question it belongs to, and what it asks

    def run(self) -> None:
        """Until somebody quits."""
        while True:
            self._refresh()
            due = self._clock.boot_seconds() + REFRESH_SECONDS
            while (rest := due - self._clock.boot_seconds()) > 0:
                key = self._keys.wait(rest)
                if key is None:
                    break
                wish = self._state.key(key, self._clock.boot_seconds())
                if wish is Wish.QUIT:
                    return
                self._do(wish)
                self._refresh()

    def _refresh(self) -> None:
        """Look, mark as seen, draw. A database that is busy for a moment ends nothing."""
        try:
            stores = self._opened.stores
            waiting = stores.intents.list(statuses=(IntentStatus.PENDING,))
            self._follow_decided()
            scene = look(self._opened)
            items = load(stores, still_waiting(waiting, scene.now))
            rest = None if items else resting(self._opened, scene.regime, scene.now)
        except PolybotError as error:
            self._state.say(str(error))
            return
        before = self._state.selected
        new = self._state.look([item.record.id for item in items], self._clock.boot_seconds())
        if before is not None and self._state.selected != before:
            self._keys.drop()
        self._shown = {item.record.id: item for item in items}
        mark_seen(self._terminal, self._opened, [item.record for item in items])
        paint, columns = self._terminal.paint, self._terminal.columns
        lines = watch_screen(
            items, self._state, scene, paint, columns, rest, rows=_height() - 1, offer=self._asked()
        )
        self._draw(lines, bell=bool(new))

    def _asked(self) -> Offer | None:
        """What the open question is about; made once for each question, and closed where it can not be."""
        state = self._state
        item = self._shown.get(state.asking or "")
        question = (state.asking, state.manner, state.halvings)
        if item is None:
            self._offer = None
        elif self._offer is None or self._offer[0] != question:
            try:
                made = offer_of(item, state, self._opened.settings, self._opened.stores.intents.now())
                self._offer = question, made
            except PolybotError as error:
                self._offer, state.asking = None, None
                state.say(str(error))
        return None if self._offer is None else self._offer[1]

    def _draw(self, lines: list[str], *, bell: bool) -> None:
        shown = [self._terminal.spell(line) + _END_OF_LINE for line in lines[: _height() - 1]]
        text = _HOME + "\n".join(shown) + "\n" + _REST + (_BELL if bell else "")
        self._terminal.out.write(text)
        self._terminal.out.flush()

    def _do(self, wish: Wish) -> None:
        selected = self._shown.get(self._state.selected or "")
        match wish:
            case Wish.APPROVE if selected is not None:
                self._try(lambda: self._approve(selected))
            case Wish.REJECT if selected is not None:
                self._try(lambda: self._reject(selected))
            case Wish.MUTE if selected is not None:
                self._try(lambda: self._mute(selected))
            case Wish.HALT:
                self._try(self._halt)
            case _:
                pass

    def _try(self, act: Callable[[], None]) -> None:
        """A refusal is a sentence on the screen."""
        try:
            act()
        except PolybotError as error:
            self._state.say(str(error))

    def _approve(self, item: Listed) -> None:
        """Exactly the content on the screen: its digest, not whatever the id has now."""
        if self._offer is None:
            return
        offer, self._offer = self._offer[1], None
        approved = approve_as_shown(
            self._opened.stores,
            door.manager(self._opened),
            item.record,
            digest=item.record.digest,
            actor=door.actor(),
            shape=offer.shape,
        )
        (now,) = load(self._opened.stores, [approved])
        self._decided[now.short] = approved
        at = wording.clock_time(approved.decided_at or approved.updated_at)
        how = {
            Manner.AS_IS: "",
            Manner.WITH_EXITS: " with its exits",
            Manner.SMALLER: f" as {now.short}, smaller",
        }
        self._state.say(f"{at[:-4]} {item.short} approved{how[self._state.manner]}")

    def _reject(self, item: Listed) -> None:
        rejected = door.manager(self._opened).reject(item.record.id, actor=door.actor(), reason="")
        at = wording.clock_time(rejected.decided_at or rejected.updated_at)
        self._state.say(f"{at[:-4]} {item.short} rejected. Nothing was sent.")

    def _mute(self, item: Listed) -> None:
        """Rejected, and its market stays away."""
        stores = self._opened.stores
        until, manager = stores.intents.now() + MUTE, door.manager(self._opened)
        reject(stores, manager, item.record.id, actor=door.actor(), reason="", muted_until=until)
        again = f"polyb0t intents unmute {item.record.intent.condition_id[:8]}"
        self._state.say(f"{item.short} rejected, its market stays away until {until_words(until)}. {again}")

    def _halt(self) -> None:
        halt_now(self._opened, "halted in the watch screen")
        self._state.say('Halted: nothing new is sent. Go on: polyb0t resume --reason "..."')

    def _follow_decided(self) -> None:
        """What came of the trades that were approved here, once each."""
        for short, record in list(self._decided.items()):
            now = self._opened.stores.intents.get(record.id)
            if now.status in (IntentStatus.APPROVED, IntentStatus.EXECUTING):
                continue
            del self._decided[short]
            came_of_it = outcome_of(now, order_of(self._opened.stores, now.order_id))
            detail = wording.one_line(now.result_detail)
            self._state.say(f"{short} {now.status.value}, {came_of_it}. {detail}".rstrip())


def _height() -> int:
    """Rows of the screen; some terminals do not say."""
    return os.get_terminal_size(sys.stdout.fileno()).lines or 24
