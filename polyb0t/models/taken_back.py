"""What a resting purchase is taken back for, as a person approved it with the purchase itself.

An order that rests is left alone with the market for a while. The conditions under which the engine takes
it back by itself are part of what is approved: they stand in the intent, and so in its digest. But for a
halt, nothing else lets the engine cancel without asking.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from polyb0t.models.wording import cents

MID_MOVE: Final = Decimal("0.01")  # against us, in pUSD per share; further where a fill takes more
SPREAD_MULTIPLE: Final = 2
UNSEEN_SECONDS: Final = 60.0  # without a book nobody watches over it


class TakenBack(NamedTuple):
    """In pUSD per share of the outcome that is bought: where its middle falls under `below`, or its spread
    reaches `spread`, the order is taken back. `mid` is the middle at which it was proposed."""

    mid: Decimal
    below: Decimal
    spread: Decimal

    @property
    def sentence(self) -> str:
        """All of it, as an approver reads it."""
        return (
            f"if the middle falls from {cents(self.mid)} to under {cents(self.below)}, the spread reaches "
            f"{cents(self.spread)}, the rules change, a result is proposed or trading pauses, or if the "
            "model sees no edge in it any more or its book is not seen for a minute"
        )


class TakeBackCode(StrEnum):
    """Why an order was taken back."""

    BOOK_UNSEEN = "book_unseen"
    MID_MOVED = "mid_moved"
    SPREAD_WIDER = "spread_wider"
    RULES_CHANGED = "rules_changed"
    BEING_RESOLVED = "being_resolved"
    NOT_TRADABLE = "not_tradable"
    PAUSED = "paused"
    EDGE_GONE = "edge_gone"


@dataclass(frozen=True, slots=True)
class TakeBack:
    """One reason; `detail` in one sentence."""

    code: TakeBackCode
    detail: str


UNSEEN: Final = TakeBack(TakeBackCode.BOOK_UNSEEN, "Its book was not seen for a minute.")


def terms_at(mid: Decimal, spread: Decimal, fills_at: Decimal) -> TakenBack:
    """Those of a purchase that is proposed at this middle and spread.

    `fills_at` is the middle at which it fills. What is taken back before that never fills: where a cent is
    too near for that, as it is on a grid of one cent, the fall to there is allowed, and no more.
    """
    return TakenBack(mid, min(mid - MID_MOVE, fills_at), spread * SPREAD_MULTIPLE)


def moved(approved: TakenBack, mid: Decimal | None, spread: Decimal | None) -> TakeBack | None:
    """Whether the market has moved as far as was approved; a one-sided book has moved furthest of all."""
    if mid is None or spread is None:
        return TakeBack(TakeBackCode.SPREAD_WIDER, "One side of its book is empty.")
    if mid < approved.below:
        detail = f"The middle is {cents(mid)}; it was {cents(approved.mid)} when it was proposed."
        return TakeBack(TakeBackCode.MID_MOVED, detail)
    if spread >= approved.spread:
        detail = f"The spread is {cents(spread)}; it was {cents(approved.spread / SPREAD_MULTIPLE)}."
        return TakeBack(TakeBackCode.SPREAD_WIDER, detail)
    return None
