"""Controls of the moment: may we trade, is this market fit for it, do we see it as it is now."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from polyb0t.data.universe import QUIET_RESOLUTION
from polyb0t.models.kill_switches import permits
from polyb0t.models.risk import ControlContext, ProposedTrade, Verdict, not_for_closes, unknown
from polyb0t.models.wording import seconds

# Protocol versions whose exchange contract and domain the venue's adapter signs orders for.
_SIGNED_FOR: Final = ("v1", "v2")


def stance(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The kill switches permit this kind of trade."""
    if context.stance is None:
        return unknown("The stance of the kill switches is")
    allowed = permits(context.stance, trade.intent_type)
    detail = "" if allowed else f"The kill switches say: {context.stance.words}."
    return Verdict(allowed, context.stance.words, "", detail)


def identity_unproven(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """With money, an order whose id could not be looked up after a lost answer is never sent."""
    if not trade.opening or context.regime != "live":
        return not_for_closes() if not trade.opening else Verdict(True, "nothing is sent")
    if context.identity_proven:
        return Verdict(True, "proven")
    if trade.test_order:
        return Verdict(True, "this order proves it")  # and is held to next to nothing by `near_market`
    detail = (
        "It is not proven yet that this exchange gives our orders the id that we compute; "
        "a lost answer could then not be looked up."
    )
    return Verdict(False, "not proven", "proven", detail)


def not_tradable(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The market is the trade's, takes orders, is of a kind that we can sign for, and is not in play."""
    market = context.market
    if market is None or context.terms is None:
        return unknown("The market or its trading terms are")
    if market.condition_id != trade.condition_id or context.terms.condition_id != trade.condition_id:
        return Verdict(
            False, market.condition_id, trade.condition_id, "This is another market than the trade's."
        )
    market.outcome(trade.asset_id)
    if not market.trade_ready:
        return Verdict(False, "closed", "open", "The market does not take orders now.")
    if str(market.version) not in _SIGNED_FOR:
        return Verdict(
            False, market.version, ", ".join(_SIGNED_FOR), "Which contract settles its orders is not known."
        )
    if trade.opening and market.game_start is not None and market.game_start <= context.now:
        return Verdict(False, "in play", "not begun", "The game has begun; prices move faster than a person.")
    return Verdict(True, "open")


def denied(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Nobody has put the market, its event, its category or a word of it on the deny list."""
    if not trade.opening:
        return not_for_closes()
    if context.market is None or context.deny is None:
        return unknown("The market or the deny list is")
    why = context.deny.why(context.market)
    return Verdict(not why, "denied" if why else "not denied", "not denied", why)


def being_resolved(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Nobody has proposed a result, and none is disputed."""
    if not trade.opening:
        return not_for_closes()
    if context.market is None:
        return unknown("Whether a result has been proposed is")
    if context.market.event_id in context.frozen_events:
        detail = "A result on the same event is disputed; nobody knows how or when it ends."
        return Verdict(False, "disputed", "none", detail)
    status = context.market.resolution_status
    quiet = status in QUIET_RESOLUTION
    detail = "" if quiet else f"A result has been proposed or disputed for this market: {status}."
    return Verdict(quiet, "none" if quiet else status, "none", detail)


def rules_changed(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The rules text is the one that the trade was made for."""
    if not trade.opening:
        return not_for_closes()
    if context.market is None:
        return unknown("The market's rules are")
    same = bool(trade.rules_hash) and context.market.rules_hash == trade.rules_hash
    return Verdict(same, "same" if same else "changed", "same", "" if same else "The rules text has changed.")


def ends_soon(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The market's scheduled end leaves time to be right and to get out."""
    if not trade.opening:
        return not_for_closes()
    if context.market is None or context.market.end_date is None:
        return unknown("The market's scheduled end is")
    hours = Decimal((context.market.end_date - context.now) // timedelta(hours=1))
    enough = hours >= context.limits.hours_to_end_min
    detail = (
        ""
        if enough
        else f"It ends in {hours} h; nothing is opened under {context.limits.hours_to_end_min} h."
    )
    return Verdict(enough, f"{hours} h", f"{context.limits.hours_to_end_min} h", detail)


def book_stale(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The book is this asset's and was seen a moment ago."""
    if context.book is None:
        return unknown("The book is")
    if context.book.asset_id != trade.asset_id:
        return Verdict(False, context.book.asset_id, trade.asset_id, "This is another outcome's book.")
    limits = context.limits
    most = limits.book_age_submit_seconds if context.at_submit else limits.book_age_signal_seconds
    age = Decimal((context.now - context.book.observed_at) // timedelta(milliseconds=1)).scaleb(-3)
    fresh = -limits.clock_skew_seconds <= age <= most
    detail = "" if fresh else f"The book was seen {seconds(age)} ago; at most {most} s is trusted."
    return Verdict(fresh, seconds(age), f"{most} s", detail)


def clock_skew(_trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Our clocks and the exchange's agree."""
    skew, most = context.clock_skew_seconds, context.limits.clock_skew_seconds
    if skew is None:
        return unknown("The difference between the clocks is")
    agree = abs(skew) <= most
    return Verdict(
        agree, seconds(skew), f"{most} s", "" if agree else f"The clocks differ by {seconds(skew)}."
    )
