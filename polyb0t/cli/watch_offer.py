"""What a `y` in the watch approves: the trade as it waits, with its exits, or half of it and half again."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from polyb0t.cli.exit_words import content_words
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.watch_state import Manner
from polyb0t.core.units import ZERO, Shares, floor_to
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.smaller import smaller_form
from polyb0t.execution.standing import StandingApproval
from polyb0t.runtime.deciding import Shape

_HUNDREDTH: Final = Decimal("0.01")  # of a share: no order is finer


@dataclass(frozen=True, slots=True)
class Offer:
    """`shown` is what the question shows; `shape` is what makes the waiting trade `waiting` into it. Made
    once for each question, so that the digests on the screen are those that are approved."""

    waiting: Listed
    shown: Listed
    shape: Shape
    manner: Manner = Manner.AS_IS
    shares: Shares | None = None  # of a smaller form: how many were asked for
    changed: str = ""  # what is different from the trade that was asked about before

    @property
    def besides(self) -> str:
        """What the same `y` approves with it."""
        exits = self.shape.exits
        return "" if exits is None else f", and its exits without asking: {content_words(exits)}"


def as_it_is(item: Listed) -> Offer:
    return Offer(item, item, Shape())


def with_exits(item: Listed, exits: StandingApproval) -> Offer:
    return Offer(item, item, Shape(exits=exits), Manner.WITH_EXITS)


def smaller(item: Listed, halvings: int, now: datetime) -> Offer:
    """Half of it, `halvings` times.

    Raises:
        UsageError: it can not be any smaller.
    """
    intent = item.record.intent
    shares = _half(intent, halvings)
    less = smaller_form(intent, shares=shares, worst_price=None, now=now)
    shown = replace(item, record=replace(item.record, intent=less, digest=less.digest))
    return Offer(item, shown, Shape(smaller=less), Manner.SMALLER, shares)


def _half(intent: TradeIntent, times: int) -> Shares:
    size = intent.least_shares if intent.amount is not None else intent.shares
    return Shares(floor_to((size or ZERO) / 2**times, _HUNDREDTH))
