"""What the watch screen remembers between two looks, and what a key means. No terminal in here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from polyb0t.core.ids import IntentId

DEAD_SECONDS: Final = 0.4  # after the selection moved by itself, so that a late y never hits the next trade
HALT_SECONDS: Final = 2.0  # H, H within this halts
MESSAGES: Final = 4
_LEAVE: Final = ("\x03", "\x04")  # Ctrl-C, Ctrl-D: always


class Wish(Enum):
    """What somebody wants done now."""

    NOTHING = "nothing"
    APPROVE = "approve"
    REJECT = "reject"
    MUTE = "mute"
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
    """The selection sticks to an intent, not to a row."""

    ids: tuple[IntentId, ...] = ()
    selected: IntentId | None = None
    asking: IntentId | None = None  # asked about this one; y approves it, anything else does not
    manner: Manner = Manner.AS_IS
    halvings: int = 0
    rules: bool = False
    messages: list[str] = field(default_factory=list)
    _seen: set[IntentId] = field(default_factory=set)
    _dead_until: float = float("-inf")
    _halt_until: float = float("-inf")

    def look(self, ids: Sequence[IntentId], at: float) -> tuple[IntentId, ...]:
        """Take in what waits now; which of it is new. Keys are dead for a moment if the selection moved."""
        new = tuple(each for each in ids if each not in self._seen)
        self._seen.update(ids)
        before, self.ids = self.ids, tuple(ids)
        if self.selected not in self.ids:
            moved = self.selected is not None
            self.selected = self._beside(before)
            self.asking = None
            if moved:
                self._dead_until = at + DEAD_SECONDS
        return new

    def _beside(self, before: Sequence[IntentId]) -> IntentId | None:
        """What stands where the lost selection stood."""
        if not self.ids:
            return None
        index = before.index(self.selected) if self.selected in before else 0
        return self.ids[min(index, len(self.ids) - 1)]

    def say(self, message: str) -> None:
        """Keep the last few sentences on the screen."""
        self.messages = [*self.messages, message][-MESSAGES:]

    def key(self, key: str, at: float) -> Wish:
        """What one key means now."""
        if key in _LEAVE or (key == "q" and self.asking is None):
            return Wish.QUIT
        if at < self._dead_until:
            return Wish.NOTHING
        if self.asking is not None:
            return self._answer(key)
        if key == "H":
            return self._halt(at)
        self._halt_until = float("-inf")
        match key:
            case "j" | "down":
                self._move(1)
            case "k" | "up":
                self._move(-1)
            case "d":
                self.rules = not self.rules
            case "a" | "e" | "s" if self.selected is not None:
                self.asking, self.manner, self.halvings = self.selected, _MANNERS[key], 1
            case "r" if self.selected is not None:
                return Wish.REJECT
            case "m" if self.selected is not None:
                return Wish.MUTE
            case _ if key.isdigit() and 0 < int(key) <= len(self.ids):
                self.selected = self.ids[int(key) - 1]
            case _:
                pass
        return Wish.NOTHING

    def _answer(self, key: str) -> Wish:
        if key == "s" and self.manner is Manner.SMALLER:
            self.halvings += 1
            return Wish.NOTHING
        asked, self.asking = self.asking, None
        if key == "y" and asked == self.selected:
            return Wish.APPROVE
        return Wish.NOTHING

    def _halt(self, at: float) -> Wish:
        if at <= self._halt_until:
            self._halt_until = float("-inf")
            return Wish.HALT
        self._halt_until = at + HALT_SECONDS
        self.say("H once more within 2 s halts all trading.")
        return Wish.NOTHING

    def _move(self, step: int) -> None:
        if self.selected is None:
            return
        index = self.ids.index(self.selected) + step
        self.selected = self.ids[max(0, min(index, len(self.ids) - 1))]
