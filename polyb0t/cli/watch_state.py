"""What the watch screen remembers between two looks, and what a key means. No terminal in here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from polyb0t.core.ids import IntentId

DEAD_SECONDS: Final = 0.4  # after the selection moved by itself, so that a late y never hits the next trade
HALT_SECONDS: Final = 2.0  # H, H within this halts
SAID_SECONDS: Final = 15.0  # how long an answer to a key stays on the screen
MESSAGES: Final = 3
CODE_DIGITS: Final = 6
_LEAVE: Final = ("ctrl+c", "ctrl+d")  # always


class Wish(Enum):
    """What somebody wants done now."""

    NOTHING = "nothing"
    APPROVE = "approve"
    REJECT = "reject"
    MUTE = "mute"
    PAGE = "page"
    HALT = "halt"
    QUIT = "quit"


class Manner(Enum):
    """How the trade that is asked about would be approved."""

    AS_IS = "as it is"
    WITH_EXITS = "with exits"
    SMALLER = "smaller"


_MANNERS: Final = {"a": Manner.AS_IS, "e": Manner.WITH_EXITS, "s": Manner.SMALLER}


@dataclass(slots=True)
class WatchState:
    """The selection sticks to an intent, not to a row. Instants are seconds of one clock that never goes
    back; a key's is when it was pressed, not when it was read."""

    ids: tuple[IntentId, ...] = ()  # what waits, as the list shows it
    selected: IntentId | None = None
    asking: IntentId | None = None  # asked about this one; y approves it, anything else does not
    manner: Manner = Manner.AS_IS
    halvings: int = 0
    needs_code: bool = False  # the question is answered with digits and Enter
    code: str = ""
    rules: int = 0  # the page of the rules that is shown; 0: none
    help: bool = False
    held: bool = False  # the list stands still
    places: tuple[IntentId, ...] = ()  # what the list shows, in order: `ids`, and while held what has ended
    behind: int = 0  # how many new ones a list that stands still does not show
    _messages: list[tuple[float, str, bool]] = field(default_factory=list)
    _seen: set[IntentId] = field(default_factory=set)
    _dead_until: float = float("-inf")
    _halt_until: float = float("-inf")

    def look(
        self, ids: Sequence[IntentId], at: float, replaced: Mapping[IntentId, IntentId] | None = None
    ) -> tuple[IntentId, ...]:
        """Take in what waits now; which of it is new. Keys are dead for a moment if the selection moved.

        `replaced` are ended ones that a newer proposal of the same trade stands for: the selection goes
        over to it, and an open question is asked again about it.
        """
        new = tuple(each for each in ids if each not in self._seen)
        self._seen.update(ids)
        before = self.ids
        self.ids = self._still(ids) if self.held else tuple(ids)
        self.places = self.places if self.held else self.ids
        self.behind = len(set(ids) - set(self.ids))
        if self.selected not in self.ids:
            self._move_on(before, at, replaced or {})
        return new

    def _still(self, ids: Sequence[IntentId]) -> tuple[IntentId, ...]:
        """Nothing changes its place; what has ended goes out of reach."""
        return tuple(each for each in self.ids if each in ids)

    def _move_on(self, before: Sequence[IntentId], at: float, replaced: Mapping[IntentId, IntentId]) -> None:
        """The selected trade has ended."""
        moved = self.selected is not None
        follower = replaced.get(self.selected) if self.selected is not None else None
        asked = self.asking is not None
        if follower is not None and follower in self.ids:
            self.selected = follower
            self.asking = follower if asked else None
        else:
            self.selected = self._beside(before)
            self.asking = None
        self.code, self.rules = "", 0
        if moved:
            self._dead_until = at + DEAD_SECONDS

    def _beside(self, before: Sequence[IntentId]) -> IntentId | None:
        """What stands where the lost selection stood."""
        if not self.ids:
            return None
        index = before.index(self.selected) if self.selected in before else 0
        return self.ids[min(index, len(self.ids) - 1)]

    def say(self, message: str, at: float, *, refused: bool = False) -> None:
        """Keep the last few answers on the screen, for a while."""
        self._messages = [*self._messages, (at, message, refused)][-MESSAGES:]

    def messages(self, at: float) -> list[tuple[str, bool]]:
        """What is still to be read, and whether it is a refusal."""
        return [(text, refused) for said, text, refused in self._messages if at - said < SAID_SECONDS]

    def no(self) -> None:
        """The question is over, and the answer was not y."""
        self.asking, self.code = None, ""

    def key(self, key: str, at: float) -> Wish:
        """What one key means now."""
        if key in _LEAVE or (key == "q" and self.asking is None):
            return Wish.QUIT
        if key == "H":  # also with dead keys, and whatever is asked: a halt is never a mistake that costs
            self.no()
            return self._halt(at)
        self._halt_until = float("-inf")
        if at < self._dead_until:
            return Wish.NOTHING
        if self.asking is not None:
            return self._answer(key)
        if self.help:
            self.help = False
            return Wish.NOTHING
        if self.selected is not None and key in "aesrmo":
            return self._about_selected(key)
        self._look_around(key)
        return Wish.NOTHING

    def _about_selected(self, key: str) -> Wish:
        match key:
            case "r":
                return Wish.REJECT
            case "m":
                return Wish.MUTE
            case "o":
                return Wish.PAGE
            case _:
                self.asking, self.manner, self.halvings, self.code = self.selected, _MANNERS[key], 1, ""
                return Wish.NOTHING

    def _look_around(self, key: str) -> None:
        match key:
            case "j" | "down":
                self._move(1)
            case "k" | "up":
                self._move(-1)
            case "d":
                self.rules += 1
            case "?":
                self.help = True
            case "space":
                self.held = not self.held
            case "escape":
                self.rules = 0
            case _ if key.isdigit() and 0 < int(key) <= len(self.ids):
                self._select(self.ids[int(key) - 1])
            case _:
                pass

    def _answer(self, key: str) -> Wish:
        if key == "s" and self.manner is Manner.SMALLER:
            self.halvings += 1
            return Wish.NOTHING
        if self.needs_code and (key.isdigit() or key == "backspace"):
            self.code = self.code[:-1] if key == "backspace" else (self.code + key)[:CODE_DIGITS]
            return Wish.NOTHING
        asked, yes = self.asking, "enter" if self.needs_code else "y"
        complete = not self.needs_code or len(self.code) == CODE_DIGITS
        if key == yes and not complete:
            return Wish.NOTHING
        if key == yes and asked == self.selected:
            self.asking = None
            return Wish.APPROVE
        self.no()
        return Wish.NOTHING

    def _halt(self, at: float) -> Wish:
        if at <= self._halt_until:
            self._halt_until = float("-inf")
            return Wish.HALT
        self._halt_until = at + HALT_SECONDS
        self.say("H once more within 2 s halts all trading.", at)
        return Wish.NOTHING

    def _move(self, step: int) -> None:
        if self.selected is None:
            return
        index = self.ids.index(self.selected) + step
        self._select(self.ids[max(0, min(index, len(self.ids) - 1))])

    def _select(self, chosen: IntentId) -> None:
        if chosen != self.selected:
            self.rules = 0
        self.selected = chosen
