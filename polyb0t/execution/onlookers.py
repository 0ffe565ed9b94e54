"""Who looks at what, and the books that the engine shows beside it. Hints for screens: they decide nothing,
are not journalled, take no gate, and an approval never waits for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from polyb0t.core.ids import AssetId, IntentId
from polyb0t.data.order_book import Level, OrderBook

LOOKING_SECONDS: Final = 10.0  # without a mark for so long somebody has gone
MARK_SECONDS: Final = 4.0  # how often an open screen leaves its mark
LEVELS_SHOWN: Final = 3  # of each side of a book


@dataclass(frozen=True, slots=True)
class Onlooker:
    """One open screen. `actor` as the journal names people; `looking_at` is what is selected there."""

    viewer: str
    actor: str
    looking_at: IntentId | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ShownBook:
    """The best levels of an outcome's book as the engine had them, best first."""

    asset_id: AssetId
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    observed_at: datetime

    @classmethod
    def of(cls, book: OrderBook) -> "ShownBook":
        return cls(book.asset_id, book.bids[:LEVELS_SHOWN], book.asks[:LEVELS_SHOWN], book.observed_at)


@dataclass(frozen=True, slots=True)
class Glance:
    """What tells in one short read whether anything has changed: the journal's end and the engine's beat."""

    now: datetime
    sequence: int
    beat: tuple[int, datetime] | None  # token of the engine's lease and when it was last heard
    onlookers: tuple[Onlooker, ...]  # those of the last `LOOKING_SECONDS`
    books: Mapping[AssetId, ShownBook]


class OnlookerStore(Protocol):
    """Marks of open screens, and books for them."""

    def glance(self) -> Glance: ...

    def look(self, viewer: str, *, actor: str, looking_at: IntentId | None) -> None:
        """`viewer` is an open screen's own random name; its newest mark replaces the one before."""
        ...

    def leave(self, viewer: str) -> None:
        """The screen was closed."""
        ...

    def onlookers(self) -> tuple[Onlooker, ...]:
        """The screens that left a mark within the last `LOOKING_SECONDS`."""
        ...

    def show(self, books: Sequence[ShownBook], *, keep: Collection[AssetId]) -> None:
        """Replace these books; what is not in `keep` goes."""
        ...


def people(onlookers: Sequence[Onlooker]) -> tuple[str, ...]:
    """Their names, each once, however many screens they have open."""
    return tuple(dict.fromkeys(each.actor for each in onlookers))
