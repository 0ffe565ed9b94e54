"""Controls of the money: what it costs, whether it is there, how much is at risk, and what for."""

from decimal import Decimal
from typing import Final

from polyb0t.core.units import ZERO, Pusd, Shares, plain
from polyb0t.data.order_book import Side
from polyb0t.models.fees import FeeUnboundedError, effective_fee, worst_case_cost
from polyb0t.models.risk import ControlContext, ProposedTrade, Verdict, ends_far, not_for_closes, unknown
from polyb0t.models.themes import themes
from polyb0t.models.wording import at_most, limit, money, shares

NO_BOUND: Final = Pusd(Decimal(10) ** 15)  # without a limit it is a number that nobody could write out


def fee_unknown(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The fee schedule is known and the greatest possible cost of the trade covers it."""
    fee = effective_fee(context.market, context.terms)
    if fee is None:
        return unknown("The market's fee schedule is")
    rate = f"{plain(fee.rate)}, exponent {plain(fee.exponent)}"
    if trade.taken_back is not None and not fee.taker_only:
        return Verdict(
            False, rate, "takers only", "Orders that rest pay a fee here, too; how much is unknown."
        )
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
        else f"With the present fee it may cost {at_most(most)}, more than {money(trade.max_cost)}."
    )
    return Verdict(covered, rate, f"at most {at_most(trade.max_cost)} pUSD", detail)


def balance(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What would be paid or sold is there and not spoken for."""
    buying = trade.side is Side.BUY
    needed: Decimal | None = trade.max_cost if buying else trade.shares
    held: Decimal | None = context.spendable_pusd if buying else context.closable_shares
    unit = "pUSD" if buying else "shares"
    if needed is None or held is None:
        return unknown(f"The {unit} that can be used are")
    enough = ZERO < needed <= held
    wanted, there = (at_most(needed), limit(held)) if buying else (shares(needed), shares(held))
    detail = "" if enough else f"It needs {wanted} {unit}; {there} can be used."
    return Verdict(enough, f"{wanted} {unit}", f"{there} {unit}", detail)


def allowance_low(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The contract that settles this market may take what the trade may cost, or the shares that it sells."""
    if context.regime != "live":
        return Verdict(True, "not needed")
    if trade.side is not Side.BUY:
        return _shares_allowed(trade, context)
    known = context.allowance
    if known is None or known.pusd is None:
        return unknown("The allowance of pUSD is")
    if known.pusd >= trade.max_cost:
        may = "any sum" if known.pusd >= NO_BOUND else f"{plain(known.pusd)} pUSD"
        return Verdict(True, may, f"{plain(trade.max_cost)} pUSD")
    detail = (
        f"The contract {known.spender} may take {plain(known.pusd)} pUSD of this wallet and "
        f"{plain(trade.max_cost)} may be needed: approve pUSD for it on the exchange's website."
    )
    return Verdict(False, f"{plain(known.pusd)} pUSD", f"{plain(trade.max_cost)} pUSD", detail)


def _shares_allowed(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Read before the send only: who proposes a sale does not ask the exchange about each asset."""
    known = context.share_allowance
    if known is None and not context.at_submit:
        return Verdict(True, "read before it is sent")
    if known is None or known.shares is None or trade.shares is None:
        return unknown("The allowance of shares is")
    wanted = f"{shares(trade.shares)} shares"
    if known.shares >= trade.shares:
        return Verdict(True, "approved", wanted)
    allowed = f"{shares(known.shares)} shares"
    detail = (
        f"The contract {known.spender} may take {allowed} of this wallet and {wanted} are to be sold: "
        "approve outcome shares for it on the exchange's website."
    )
    return Verdict(False, allowed, wanted, detail)


def order_too_large(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """One order risks a small part of the bankroll only."""
    if not trade.opening:
        return not_for_closes()
    if context.bankroll_pusd is None or trade.least_shares is None:
        return unknown("The bankroll or the order's size is")
    limits = context.limits
    most = min(limits.order_fraction * context.bankroll_pusd, limits.order_max_pusd)
    if trade.least_shares > limits.order_max_shares:
        detail = f"An order is at most {plain(limits.order_max_shares)} shares."
        return Verdict(False, shares(trade.least_shares), plain(limits.order_max_shares), detail)
    return against(trade.max_cost, most, "An order")


def exposure_market(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk on this market, with this trade."""
    if not trade.opening:
        return not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return unknown("What is at risk is")
    most = context.limits.market_fraction * context.bankroll_pusd
    return against(context.exposure.market(context.market) + trade.max_cost, most, "This market")


def exposure_event(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk on this event, with this trade."""
    if not trade.opening:
        return not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return unknown("What is at risk is")
    most = context.limits.event_fraction * context.bankroll_pusd
    return against(context.exposure.event(context.market) + trade.max_cost, most, "This event")


def exposure_theme(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk on this market's themes, the tags that are narrower than a category, with this
    trade: the theme that has the most counts."""
    if not trade.opening:
        return not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return unknown("What is at risk is")
    if not themes(context.market):
        return Verdict(True, "no theme", "", "The catalogue gives this market no tag that is a theme.")
    most = context.limits.theme_fraction * context.bankroll_pusd
    return against(context.exposure.theme(context.market) + trade.max_cost, most, "This theme")


def exposure_category(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk in this category, with this trade."""
    if not trade.opening:
        return not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return unknown("What is at risk is")
    most = context.limits.category_fraction * context.bankroll_pusd
    return against(context.exposure.category(context.market) + trade.max_cost, most, "This category")


def exposure_far(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk in markets that end late, with this trade, where its market does."""
    if not trade.opening:
        return not_for_closes()
    if context.exposure is None or context.market is None or context.bankroll_pusd is None:
        return unknown("What is at risk is")
    limits = context.limits
    if not ends_far(context.market, context.now, limits):
        return Verdict(True, "ends soon enough", "", f"It ends within {plain(limits.far_days)} days.")
    most = limits.far_fraction * context.bankroll_pusd
    what = f"Everything that ends more than {plain(limits.far_days)} days from now"
    return against(context.exposure.far + trade.max_cost, most, what)


def exposure_dependent(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is at risk because a model corrected a market's own price, with this trade, where it is one."""
    if not trade.opening:
        return not_for_closes()
    if not trade.dependent:
        return Verdict(True, "own information", "", "More than this market's own price speaks for it.")
    if context.exposure is None or context.bankroll_pusd is None:
        return unknown("What is at risk is")
    most = context.limits.dependent_fraction * context.bankroll_pusd
    what = "Everything bought without own information"
    return against(context.exposure.dependent + trade.max_cost, most, what)


def exposure_total(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Everything at risk, with this trade."""
    if not trade.opening:
        return not_for_closes()
    if context.exposure is None or context.bankroll_pusd is None:
        return unknown("What is at risk is")
    most = context.limits.total_fraction * context.bankroll_pusd
    return against(context.exposure.total + trade.max_cost, most, "All together")


def portfolio_tail(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What everything at risk, with this trade, may lose together in the worst twentieth of cases."""
    if not trade.opening:
        return not_for_closes()
    if context.tail is None or context.market is None or context.bankroll_pusd is None:
        return unknown("What all positions may lose together is")
    most = context.limits.tail_fraction * context.bankroll_pusd
    shares = trade.least_shares or Shares(ZERO)
    after = context.tail.with_purchase(context.market, trade.asset_id, shares, trade.max_cost)
    verdict = against(after, most, "All positions together, in the worst twentieth of cases,")
    if not verdict.passed and after <= context.tail.loss():
        return Verdict(True, at_most(after), limit(most), "It takes nothing from what may be lost already.")
    return verdict


def cash_floor(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Some cash always stays."""
    if not trade.opening:
        return not_for_closes()
    if context.spendable_pusd is None or context.bankroll_pusd is None:
        return unknown("The cash is")
    floor = context.limits.cash_floor_fraction * context.bankroll_pusd
    left = context.spendable_pusd - trade.max_cost
    detail = "" if left >= floor else f"It would leave {money(left)} pUSD; {money(floor)} always stay."
    return Verdict(left >= floor, money(left), money(floor), detail)


def against(value: Decimal, most: Decimal, what: str) -> Verdict:
    """Passed where `value` pUSD is not above `most`."""
    passed = value <= most
    would, may = at_most(value), limit(most)
    detail = "" if passed else f"{what} may risk {may} pUSD; this would make it {would}."
    return Verdict(passed, would, may, detail)
