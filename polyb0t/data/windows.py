"""When the exchange takes no orders, or not all of them, as a value that travels."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from polyb0t.core.clock import from_microseconds


class WindowKind(StrEnum):
    """What the exchange takes now, as far as its answers have told."""

    OPEN = "open"
    RESTARTING = "restarting"
    POST_ONLY = "post_only"
    CANCEL_ONLY = "cancel_only"
    DISABLED = "disabled"


_SENTENCES: Final = {
    WindowKind.OPEN: "The exchange takes orders.",
    WindowKind.RESTARTING: "The exchange restarts and takes no orders.",
    WindowKind.POST_ONLY: "The exchange takes post-only orders and cancels.",
    WindowKind.CANCEL_ONLY: "The exchange takes cancels only.",
    WindowKind.DISABLED: "The exchange has stopped trading.",
}


@dataclass(frozen=True, slots=True)
class Window:
    """`until` is when an order is tried again, by this machine's clock; None while it is open."""

    kind: WindowKind = WindowKind.OPEN
    since: datetime | None = None
    until: datetime | None = None

    @property
    def takes_orders(self) -> bool:
        return self.kind is WindowKind.OPEN

    def takes(self, *, post_only: bool) -> bool:
        """Whether an order would be looked at: while only resting orders are taken, a post-only one is."""
        return self.takes_orders or (post_only and self.kind is WindowKind.POST_ONLY)

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.kind]

    def as_dict(self) -> dict[str, object]:
        """As published beside the engine's lease."""
        return {"kind": self.kind, "since": self.since, "until": self.until}


OPEN: Final = Window()


def read_window(stored: object) -> Window:
    """The inverse of `Window.as_dict` after a trip through canonical JSON.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(stored, Mapping):
        raise ValueError("no window")
    since, until = stored.get("since"), stored.get("until")
    return Window(WindowKind(str(stored.get("kind"))), _instant(since), _instant(until))


def _instant(value: object) -> datetime | None:
    return None if value is None else from_microseconds(int(str(value)))
