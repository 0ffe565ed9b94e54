"""`intents watch` as a Textual application: looks, keys and decisions joined. `render_watch` draws it."""

import os
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from polyb0t.cli import notices
from polyb0t.cli.board import LiveApp
from polyb0t.cli.exit_words import until_words
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.render_watch import View, changed_words, waiting_rows, watch_screen
from polyb0t.cli.terminal import Terminal
from polyb0t.cli.watch_offer import Offer, as_it_is, smaller, with_exits
from polyb0t.cli.watch_source import Source, listed
from polyb0t.cli.watch_state import Manner, WatchState, Wish
from polyb0t.core.clock import awake_seconds
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.execution.onlookers import MARK_SECONDS
from polyb0t.models import wording
from polyb0t.runtime.watch_look import Row, WatchLook

MUTE: Final = timedelta(hours=24)
_KNOWN: Final = 500  # trades of which the last row is remembered
_PAGE: Final = "https://"
_HALTED: Final = 'Halted: nothing new is sent. Go on: polyb0t resume --reason "..."'
_TOLD: Final = {
    Manner.AS_IS: "approved",
    Manner.WITH_EXITS: "approved with its exits",
    Manner.SMALLER: "approved, smaller",
}


class WatchApp(LiveApp[WatchLook]):
    """`viewer` names this screen among those that are open; `me` is who sits here, as the journal says it."""

    def __init__(
        self,
        source: Source,
        terminal: Terminal,
        *,
        viewer: str,
        me: str,
        first: WatchLook | None = None,
        note: str = "",
        quiet: bool = False,
        polls: bool = True,
        clock: Callable[[], float] = awake_seconds,
    ) -> None:
        super().__init__(source.look, paint=terminal.paint, polls=polls)
        self._source = source
        self._terminal = terminal
        self._viewer = viewer
        self._me = me
        self._quiet = quiet
        self._note = note
        self._now = clock
        self.state = WatchState()
        self._look: WatchLook | None = None
        self._known: dict[IntentId, Row] = {}
        self._rung: set[tuple[IntentType, str]] = set()  # what was an idea before is no new one
        self._trouble = ""
        self._offer: tuple[object, Offer] | None = None  # the question it belongs to, and what it asks
        self._changed = ""
        self._title = ""
        self._marked: tuple[float, IntentId | None] | None = None
        self._first = first

    async def on_mount(self) -> None:
        await super().on_mount()
        self.write_raw(notices.KEEP_TITLE)
        if self._first is not None:
            self.took(self._first)
            self.draw()

    def exit(self, *args: Any, **kwargs: Any) -> None:
        self.write_raw(notices.OLD_TITLE)
        super().exit(*args, **kwargs)

    # -- looks -------------------------------------------------------------------------------------

    def took(self, seen: WatchLook) -> None:
        at, self._trouble = self._now(), ""
        self._look = seen
        waiting = waiting_rows(seen)
        self._known.update({row.record.id: row for row in seen.rows})
        for forgotten in list(self._known)[:-_KNOWN]:
            del self._known[forgotten]
        before = self.state.selected
        replaced = self._replaced(waiting)
        asked = self.state.asking
        new = self.state.look([row.record.id for row in waiting], at, replaced)
        if asked is not None and self.state.asking not in (asked, None):
            before_it, now = (self._known[each].record.intent for each in (asked, self.state.asking))
            self._changed = changed_words(before_it, now)
        self._ask()
        self._announce([row for row in waiting if row.record.id in new])
        self._entitle(waiting, seen)
        self._mark(at, moved=before != self.state.selected)

    def failed(self, error: PolybotError) -> None:
        self._trouble = str(error)

    def _replaced(self, waiting: list[Row]) -> dict[IntentId, IntentId]:
        """The newer proposal of the same trade, for the one that is selected and was superseded."""
        chosen = self._known.get(self.state.selected or IntentId(""))
        if chosen is None or chosen.record.result != "superseded":
            return {}
        intent = chosen.record.intent
        same = (intent.intent_type, intent.target)
        newer = [row for row in waiting if idea(row) == same]
        return {intent.id: newer[0].record.id} if newer else {}

    def _announce(self, new: list[Row]) -> None:
        """One bell for what is new, not for the same idea at another price."""
        ideas = [row for row in new if idea(row) not in self._rung]
        self._rung.update(idea(row) for row in new)
        if not ideas or self._quiet:
            return
        self.write_raw(notices.BELL)
        trade, intent = listed(ideas[0]).trade, ideas[0].record.intent
        text = f"{trade.column()}, {trade.worst_case_column()}: {wording.one_line(intent.question)}"
        self.write_raw(notices.notification(text, os.environ))

    def _entitle(self, waiting: list[Row], seen: WatchLook) -> None:
        soonest = waiting[0].record.intent.deadline - seen.now if waiting else timedelta()
        title = notices.title(len(waiting), wording.left(soonest.total_seconds(), column=True))
        if title != self._title:
            self._title = title
            self.write_raw(title)

    def _mark(self, at: float, *, moved: bool) -> None:
        """Leave a mark every few seconds, and when another trade is selected."""
        selected = self.state.selected
        marked = self._marked
        if marked is None or moved or at - marked[0] >= MARK_SECONDS or marked[1] != selected:
            self._marked = at, selected
            showing = self.state.ids
            self._soon(lambda: self._source.mark(self._viewer, selected, showing))

    # -- the screen --------------------------------------------------------------------------------

    def sight(self) -> object:
        """A second that has not passed and nothing new: nothing to draw."""
        look = self._look
        if look is None:
            return None
        books = {asset: book.observed_at for asset, book in look.books.items()}
        people = [(each.actor, each.looking_at) for each in look.onlookers]
        return look.mark, int(look.now.timestamp()), books, people, self._trouble, self.state.places

    def lines(self, columns: int, rows: int) -> list[str]:
        if self._look is None:
            return [wording.one_line(self._trouble) or "Looking.."]
        view = View(
            look=self._look,
            state=self.state,
            columns=columns,
            rows=rows,
            at=self._now(),
            me=self._me,
            offer=None if self.state.asking is None or self._offer is None else self._offer[1],
            known=self._known,
            trouble=self._trouble,
            note=self._note,
        )
        return [self._terminal.spell(line) for line in watch_screen(view, self.paint)]

    # -- keys --------------------------------------------------------------------------------------

    def pressed(self, key: str, at: float) -> None:
        offered = None if self._offer is None else self._offer[1]
        wish = self.state.key(key, at)
        if self.state.asking is None:
            self._changed = ""
        self._do(wish, offered)
        self._ask()
        self.draw()

    def _do(self, wish: Wish, offered: Offer | None) -> None:
        chosen = self._known.get(self.state.selected or IntentId(""))
        match wish:
            case Wish.QUIT:
                self.exit()
            case Wish.HALT:
                self._soon(self._source.halt, _HALTED)
            case Wish.APPROVE if offered is not None and offered.waiting.record.id == self.state.selected:
                self._approve(offered)
            case Wish.REJECT if chosen is not None:
                self._reject(listed(chosen), None)
            case Wish.MUTE if chosen is not None:
                self._reject(listed(chosen), MUTE)
            case Wish.PAGE if chosen is not None:
                self._page(listed(chosen))
            case _:
                pass

    def _approve(self, offer: Offer) -> None:
        """Exactly the content on the screen: its digest, not whatever the id has now."""
        code = self.state.code or None
        self.state.code = ""

        def approve() -> str:
            status, word = self._source.approve(offer, code), _TOLD[offer.manner]
            if status is IntentStatus.PENDING:
                return f"{offer.waiting.short} {word} by you; it needs another person's approval."
            return f"{offer.waiting.short} {word}."

        self.run_worker(self._told(approve))

    def _reject(self, item: Listed, mute: timedelta | None) -> None:
        def reject() -> str:
            until = self._source.reject(item, mute)
            if until is None:
                return f"{item.short} rejected. Nothing was sent."
            again = f"polyb0t intents unmute {item.record.intent.condition_id[:8]}"
            return f"{item.short} rejected, its market stays away until {until_words(until)}. {again}"

        self.run_worker(self._told(reject))

    def _page(self, item: Listed) -> None:
        """Open it where there is a desktop to open it on, and say the address in any case."""
        address = item.trade.page
        if not address.startswith(_PAGE):
            self._say(address or "This market has no page: the sandbox invents its markets.")
            return
        desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt"
        if desktop or os.uname().sysname == "Darwin":
            self._soon(lambda: webbrowser.open(address))
        self._say(address)

    # -- questions ---------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Make the offer that the open question is about, once; without one there is no question."""
        state = self.state
        question = (state.asking, state.manner, state.halvings)
        if state.asking is None:
            self._offer = None
        elif self._offer is None or self._offer[0] != question:
            self._offer = None
            row = self._known.get(state.asking)
            if row is None:
                state.no()
                return
            state.needs_code = row.record.intent.code_required
            self._make(question, listed(row))

    def _make(self, question: object, item: Listed) -> None:
        match self.state.manner:
            case Manner.AS_IS:
                self._offered(question, as_it_is(item))
            case Manner.SMALLER:
                assert self._look is not None
                try:
                    self._offered(question, smaller(item, self.state.halvings, self._look.now))
                except PolybotError as error:
                    self._refused(error)
            case Manner.WITH_EXITS:
                self.run_worker(self._fetch_exits(question, item))

    async def _fetch_exits(self, question: object, item: Listed) -> None:
        try:
            exits = await self.in_thread(lambda: self._source.exits(item.record.intent))
        except PolybotError as error:
            self._refused(error)
        else:
            self._offered(question, with_exits(item, exits))
        self.draw()

    def _offered(self, question: object, offer: Offer) -> None:
        state = self.state
        if question == (state.asking, state.manner, state.halvings):
            self._offer = question, replace(offer, changed=self._changed)
            exits = offer.shape.exits
            state.needs_code = state.needs_code or (exits is not None and exits.code_required)

    def _refused(self, error: PolybotError) -> None:
        self.state.no()
        self._say(str(error), refused=True)

    # -- what takes its time -----------------------------------------------------------------------

    def _say(self, sentence: str, *, refused: bool = False) -> None:
        self.state.say(sentence, self._now(), refused=refused)

    def _soon(self, work: Callable[[], object], sentence: str = "") -> None:
        def done() -> str:
            work()
            return sentence

        self.run_worker(self._told(done))

    async def _told(self, work: Callable[[], str]) -> None:
        """Do it beside the screen; its answer, or its refusal, is a sentence on the screen."""
        try:
            sentence, refused = await self.in_thread(work), False
        except PolybotError as error:
            sentence, refused = str(error), True
        if sentence:
            self._say(sentence, refused=refused)
            await self.look_now()
        self.draw()


def idea(row: Row) -> tuple[IntentType, str]:
    """What a proposal is about: the same at another price is no new idea."""
    return row.record.intent.intent_type, row.record.intent.target
