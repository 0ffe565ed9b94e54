"""What a `y` in the watch approves: the trade as it waits, with its exits, or half of it and half again."""

from dataclasses import dataclass, replace
from datetime import datetime

from polyb0t.cli.exit_words import content_words
from polyb0t.cli.render_intents import Listed
from polyb0t.cli.watch_state import Manner, WatchState
from polyb0t.config.settings import Settings
from polyb0t.core.units import ZERO, Shares
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.smaller import smaller_form
from polyb0t.runtime.deciding import Shape
from polyb0t.runtime.standing_terms import NO_TERMS, standing_for


@dataclass(frozen=True, slots=True)
class Offer:
    """`item` is what the question shows; `shape` is what makes the waiting trade into it. Made once for
    each question, so that the digests on the screen are those that are approved."""

    item: Listed
    shape: Shape

    @property
    def besides(self) -> str:
        """What the same `y` approves with it."""
        exits = self.shape.exits
        return "" if exits is None else f", and its exits without asking: {content_words(exits)}"


def offer_of(item: Listed, state: WatchState, settings: Settings, now: datetime) -> Offer:
    """For the question that stands in `state`.

    Raises:
        UsageError: it opens nothing, so it has no exits; or it can not be any smaller.
    """
    intent = item.record.intent
    match state.manner:
        case Manner.AS_IS:
            return Offer(item, Shape())
        case Manner.WITH_EXITS:
            return Offer(item, Shape(exits=standing_for(intent, settings, now, NO_TERMS)))
        case Manner.SMALLER:
            less = smaller_form(intent, shares=_half(intent, state.halvings), worst_price=None, now=now)
            shown = replace(item, record=replace(item.record, intent=less, digest=less.digest))
            return Offer(shown, Shape(smaller=less))


def _half(intent: TradeIntent, times: int) -> Shares:
    size = intent.least_shares if intent.amount is not None else intent.shares
    return Shares((size or ZERO) / 2**times)
