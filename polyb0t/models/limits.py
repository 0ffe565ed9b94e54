"""Every pre-trade control, one small pure function each.

A control's name is its function's name and the stable code of its breach. The list is run when a
trade is proposed and again right before it is sent. Each answers with value and limit, and each
fails closed: what is not known does not pass. To add one, write the function and put it in `CONTROLS`.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from polyb0t.core.units import ZERO, Pusd, floor_to, plain
from polyb0t.data.markets import ProtocolVersion
from polyb0t.data.order_book import Side
from polyb0t.models.fees import FeeUnboundedError, effective_fee, worst_case_cost
from polyb0t.models.kill_switches import permits
from polyb0t.models.risk import (
    CLOSE_POSITION,
    OPEN_POSITION,
    TAKER_TYPES,
    ControlContext,
    ControlResult,
    Exposure,
    ProposedTrade,
    RiskLimits,
)
from polyb0t.models.wording import cents, money, seconds, signed_cents

__all__ = [
    "CLOSE_POSITION",
    "CONTROLS",
    "OPEN_POSITION",
    "ControlContext",
    "ControlResult",
    "Exposure",
    "ProposedTrade",
    "RiskLimits",
    "breaches",
    "check",
]

HUNDREDTH: Final = Decimal("0.01")


class Verdict(NamedTuple):
    """What a control found, before its name is put to it."""

    passed: bool
    value: str = ""
    limit: str = ""
    detail: str = ""


Control = Callable[[ProposedTrade, ControlContext], Verdict]


def _unknown(what: str) -> Verdict:
    return Verdict(False, "not known", "", f"{what} not known, so this does not pass.")


def _not_for_closes() -> Verdict:
    return Verdict(True, "", "", "Does not apply to a close.")


def check(trade: ProposedTrade, context: ControlContext) -> tuple[ControlResult, ...]:
    """The result of every control, in the order of the list. Nothing is raised: what cannot be judged
    does not pass."""
    return tuple(_run(control, trade, context) for control in CONTROLS)


def breaches(results: tuple[ControlResult, ...]) -> tuple[ControlResult, ...]:
    """The controls that did not pass."""
    return tuple(result for result in results if not result.passed)


def _run(control: Control, trade: ProposedTrade, context: ControlContext) -> ControlResult:
    try:
        verdict = control(trade, context)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # A value that makes no sense (NaN, a missing part) must refuse the trade, not the whole cycle.
        verdict = Verdict(
            False, "not judged", "", f"This could not be judged: {type(error).__name__} {error}."
        )
    return ControlResult(control.__name__, *verdict)


def stance(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The kill switches permit this kind of trade."""
    if context.stance is None:
        return _unknown("The stance of the kill switches is")
    allowed = permits(context.stance, trade.intent_type)
    detail = "" if allowed else f"The kill switches say: {context.stance.words}."
    return Verdict(allowed, context.stance.words, "", detail)


def not_tradable(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The market takes orders, is of a kind that we can sign for, and nobody has proposed its result."""
    market = context.market
    if market is None or context.terms is None:
        return _unknown("The market or its trading terms are")
    if market.condition_id != trade.condition_id or context.terms.condition_id != trade.condition_id:
        return Verdict(
            False, market.condition_id, trade.condition_id, "This is another market than the trade's."
        )
    market.outcome(trade.asset_id)
    if not market.trade_ready:
        return Verdict(False, "closed", "open", "The market does not take orders now.")
    if market.version is not ProtocolVersion.V1:
        return Verdict(False, market.version, ProtocolVersion.V1, "Orders are signed for version v1 only.")
    if trade.opening and market.resolution_status:
        return Verdict(False, market.resolution_status, "none", "A result has been proposed for this market.")
    if trade.opening and market.game_start is not None and market.game_start <= context.now:
        return Verdict(False, "in play", "not begun", "The game has begun; prices move faster than a person.")
    return Verdict(True, "open")


def rules_changed(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The rules text is the one that the trade was made for."""
    if not trade.opening:
        return _not_for_closes()
    if context.market is None:
        return _unknown("The market's rules are")
    same = bool(trade.rules_hash) and context.market.rules_hash == trade.rules_hash
    return Verdict(same, "same" if same else "changed", "same", "" if same else "The rules text has changed.")


def ends_soon(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The market's scheduled end leaves time to be right and to get out."""
    if not trade.opening:
        return _not_for_closes()
    if context.market is None or context.market.end_date is None:
        return _unknown("The market's scheduled end is")
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
        return _unknown("The book is")
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
        return _unknown("The difference between the clocks is")
    agree = abs(skew) <= most
    return Verdict(
        agree, seconds(skew), f"{most} s", "" if agree else f"The clocks differ by {seconds(skew)}."
    )


def price_worse(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Somebody offers the worst price or better."""
    if trade.order_type not in TAKER_TYPES:
        return Verdict(True, "", "", "Does not apply to an order that rests.")
    if context.book is None:
        return _unknown("The book is")
    buying = trade.side is Side.BUY
    best = context.book.best_ask if buying else context.book.best_bid
    allowed = f"{cents(trade.worst_price)} {'or less' if buying else 'or more'}"
    if best is None:
        return Verdict(False, "nothing offered", allowed, f"You allowed {allowed}; nobody offers anything.")
    fits = best <= trade.worst_price if buying else best >= trade.worst_price
    detail = (
        "" if fits else f"You allowed {allowed}; the best {'offer' if buying else 'bid'} is {cents(best)}."
    )
    return Verdict(fits, cents(best), allowed, detail)


def price_collar(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The worst price is near the market: near the mid for an opening, near the bid for a sale."""
    book, limits = context.book, context.limits
    anchor = None if book is None else (book.mid if trade.opening else book.best_bid)
    if anchor is None:
        return _unknown("The middle of the market is")
    reach = min(limits.collar_pusd, limits.collar_fraction * anchor)
    near = abs(trade.worst_price - anchor) <= reach
    if trade.side is Side.SELL and trade.worst_price > anchor:
        near = True  # a floor above the market loses nothing: it does not fill
    inside = not trade.opening or limits.price_low <= trade.worst_price <= limits.price_high
    limit = f"{cents(anchor)} ± {cents(reach)}"
    if not inside:
        limit = f"{cents(limits.price_low)} to {cents(limits.price_high)}"
    passed = near and inside
    detail = "" if passed else f"The worst price {cents(trade.worst_price)} is outside {limit}."
    return Verdict(passed, cents(trade.worst_price), limit, detail)


def spread_wide(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Bid and offer are close enough to know what the market thinks."""
    if not trade.opening:
        return _not_for_closes()
    if context.book is None or context.book.spread is None:
        return _unknown("The spread is")
    spread, most = context.book.spread, context.limits.spread_max
    narrow = ZERO <= spread <= most
    return Verdict(narrow, cents(spread), cents(most), "" if narrow else f"The spread is {cents(spread)}.")


def depth_thin(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Enough is offered at the worst price or better: several times the order when it is proposed, the
    order itself when it is sent (others may take from the book while a person reads)."""
    if not trade.opening:
        return _not_for_closes()
    if context.book is None or trade.least_shares is None:
        return _unknown("The book or the order's size is")
    fraction = Decimal(1) if context.at_submit else context.limits.depth_fraction
    depth = context.book.depth(trade.side, trade.worst_price)
    usable = fraction * depth
    enough = trade.least_shares <= usable
    detail = (
        "" if enough else f"{money(depth)} shares are offered; the order may use {money(usable)} of them."
    )
    return Verdict(enough, money(trade.least_shares), money(usable), detail)


def off_tick(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The worst price is on the market's present grid."""
    if context.terms is None:
        return _unknown("The market's tick is")
    tick = context.terms.tick
    fits = tick <= trade.worst_price <= 1 - tick and floor_to(trade.worst_price, tick) == trade.worst_price
    detail = "" if fits else f"{cents(trade.worst_price)} is not on the grid of {cents(tick)}."
    return Verdict(fits, cents(trade.worst_price), cents(tick), detail)


def below_minimum(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The order is as large as the exchange asks: in shares, and in pUSD for a taker BUY."""
    if context.terms is None or trade.least_shares is None:
        return _unknown("The exchange's minimum or the order's size is")
    least = context.terms.min_shares
    if trade.least_shares < least:
        return Verdict(
            False,
            f"{plain(trade.least_shares)} sh",
            f"{plain(least)} sh",
            f"The market's smallest order is {plain(least)} shares.",
        )
    dollars = context.limits.marketable_min_pusd
    if trade.spends_money and (trade.amount is None or trade.amount < dollars):
        return Verdict(
            False, str(trade.amount), plain(dollars), f"The smallest purchase is {plain(dollars)} pUSD."
        )
    return Verdict(True, f"{plain(trade.least_shares)} sh", f"{plain(least)} sh")


def decimals(trade: ProposedTrade, _context: ControlContext) -> Verdict:
    """The size has two decimals, as the exchange takes it."""
    size = trade.amount if trade.spends_money else trade.shares
    if size is None:
        return _unknown("The order's size is")
    fits = size > 0 and floor_to(size, HUNDREDTH) == size
    return Verdict(
        fits, plain(size), "0.01", "" if fits else f"{plain(size)} has more than two decimals or is not > 0."
    )


def unit_mismatch(trade: ProposedTrade, _context: ControlContext) -> Verdict:
    """Money for a taker BUY, shares for everything else, never both and never the other."""
    fits = (trade.amount is not None, trade.shares is not None) == (
        trade.spends_money,
        not trade.spends_money,
    )
    unit = "pUSD" if trade.spends_money else "shares"
    return Verdict(
        fits, unit, unit, "" if fits else f"This kind of order is sized in {unit} and in nothing else."
    )


def fee_unknown(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The fee schedule is known and the greatest possible cost of the trade covers it."""
    fee = effective_fee(context.market, context.terms)
    if fee is None:
        return _unknown("The market's fee schedule is")
    rate = f"{plain(fee.rate)}, exponent {plain(fee.exponent)}"
    if not trade.spends_money:
        return Verdict(True, rate)
    try:
        most = worst_case_cost(trade.amount or Pusd(ZERO), fee)
    except FeeUnboundedError as error:
        return Verdict(False, rate, "exponent 1 or more", error.why)
    covered = most <= trade.max_cost
    detail = (
        ""
        if covered
        else f"With the present fee it may cost {plain(most)}, more than {plain(trade.max_cost)}."
    )
    return Verdict(covered, rate, f"at most {plain(trade.max_cost)} pUSD", detail)


def balance(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What would be paid or sold is there and not spoken for."""
    buying = trade.side is Side.BUY
    needed: Decimal | None = trade.max_cost if buying else trade.shares
    held: Decimal | None = context.spendable_pusd if buying else context.closable_shares
    unit = "pUSD" if buying else "shares"
    if needed is None or held is None:
        return _unknown(f"The {unit} that can be used are")
    enough = ZERO < needed <= held
    detail = "" if enough else f"It needs {plain(needed)} {unit}; {plain(held)} can be used."
    return Verdict(enough, f"{plain(needed)} {unit}", f"{plain(held)} {unit}", detail)


def order_too_large(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """One order risks a small part of the bankroll only."""
    if not trade.opening:
        return _not_for_closes()
    if context.bankroll_pusd is None or trade.least_shares is None:
        return _unknown("The bankroll or the order's size is")
    limits = context.limits
    most = min(limits.order_fraction * context.bankroll_pusd, limits.order_max_pusd)
    if trade.least_shares > limits.order_max_shares:
        detail = f"An order is at most {plain(limits.order_max_shares)} shares."
        return Verdict(False, plain(trade.least_shares), plain(limits.order_max_shares), detail)
    return _against(trade.max_cost, most, "An order")


def exposure_market(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk on this market, with this trade."""
    if not trade.opening:
        return _not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return _unknown("What is at risk is")
    most = context.limits.market_fraction * context.bankroll_pusd
    return _against(context.exposure.market(context.market) + trade.max_cost, most, "This market")


def exposure_event(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk on this event, with this trade."""
    if not trade.opening:
        return _not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return _unknown("What is at risk is")
    most = context.limits.event_fraction * context.bankroll_pusd
    return _against(context.exposure.event(context.market) + trade.max_cost, most, "This event")


def exposure_category(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk in this category, with this trade."""
    if not trade.opening:
        return _not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return _unknown("What is at risk is")
    most = context.limits.category_fraction * context.bankroll_pusd
    return _against(context.exposure.category(context.market) + trade.max_cost, most, "This category")


def exposure_total(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Everything at risk, with this trade."""
    if not trade.opening:
        return _not_for_closes()
    if context.exposure is None or context.bankroll_pusd is None:
        return _unknown("What is at risk is")
    most = context.limits.total_fraction * context.bankroll_pusd
    return _against(context.exposure.total + trade.max_cost, most, "All together")


def cash_floor(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Some cash always stays."""
    if not trade.opening:
        return _not_for_closes()
    if context.spendable_pusd is None or context.bankroll_pusd is None:
        return _unknown("The cash is")
    floor = context.limits.cash_floor_fraction * context.bankroll_pusd
    left = context.spendable_pusd - trade.max_cost
    detail = "" if left >= floor else f"It would leave {money(left)} pUSD; {money(floor)} always stay."
    return Verdict(left >= floor, money(left), money(floor), detail)


def duplicate(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Nothing else is under way on this outcome."""
    if context.live_assets is None:
        return _unknown("What else is under way is")
    alone = trade.asset_id not in context.live_assets
    return Verdict(
        alone, "" if alone else "exists", "", "" if alone else "An intent or order on it exists already."
    )


def self_trade(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Nothing of ours is under way on the other outcome: both sides bought would meet each other."""
    if not trade.opening:
        return _not_for_closes()
    if context.live_assets is None or context.market is None:
        return _unknown("What else is under way is")
    other = context.market.opposite(trade.asset_id)
    alone = other.asset_id not in context.live_assets
    detail = "" if alone else f"An intent or order on the other outcome, {other.label}, exists already."
    return Verdict(alone, "" if alone else "exists", "", detail)


def edge_low(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """At the worst price the edge still pays for the risk of being wrong."""
    if not trade.opening:
        return _not_for_closes()
    if trade.edge_at_worst is None:
        return _unknown("The edge at the worst price is")
    least = max(context.limits.edge_min, trade.edge_required or ZERO)
    enough = trade.edge_at_worst >= least
    detail = (
        "" if enough else f"The edge is {signed_cents(trade.edge_at_worst)}, needed {signed_cents(least)}."
    )
    return Verdict(enough, signed_cents(trade.edge_at_worst), signed_cents(least), detail)


def edge_too_good(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The edge is not larger than the largest bias ever published: then quote, rules or model is wrong."""
    if not trade.opening:
        return _not_for_closes()
    if trade.edge_now is None:
        return _unknown("The edge at the present price is")
    most = context.limits.edge_suspicious
    passed = trade.edge_now <= most
    detail = "" if passed else "An edge this large usually means a wrong quote, rule or model."
    return Verdict(passed, signed_cents(trade.edge_now), signed_cents(most), detail)


def model_unvalidated(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """With money, only a model that has beaten the market price on our own data speaks."""
    if not trade.opening:
        return _not_for_closes()
    if trade.model_validated is None:
        return _unknown("Whether the model is validated is")
    if trade.model_validated:
        return Verdict(True, "validated")
    allowed = context.allow_unvalidated or context.regime in ("paper", "dry_run")
    detail = (
        ""
        if allowed
        else "The model is unvalidated; POLYBOT_ALLOW_UNVALIDATED_MODEL=true would let it trade."
    )
    return Verdict(allowed, "unvalidated", "allowed" if allowed else "validated", detail)


def _against(value: Decimal, most: Decimal, what: str) -> Verdict:
    passed = value <= most
    detail = "" if passed else f"{what} may risk {money(most)} pUSD; this would make it {money(value)}."
    return Verdict(passed, money(value), money(most), detail)


CONTROLS: Final[tuple[Control, ...]] = (
    stance,
    not_tradable,
    rules_changed,
    ends_soon,
    book_stale,
    clock_skew,
    price_worse,
    price_collar,
    spread_wide,
    depth_thin,
    off_tick,
    below_minimum,
    decimals,
    unit_mismatch,
    fee_unknown,
    balance,
    order_too_large,
    exposure_market,
    exposure_event,
    exposure_category,
    exposure_total,
    cash_floor,
    duplicate,
    self_trade,
    edge_low,
    edge_too_good,
    model_unvalidated,
)
