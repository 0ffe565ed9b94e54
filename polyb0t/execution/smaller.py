"""Approving less: a smaller form of a waiting trade, stricter in every respect, as an intent of its own.

Only ever downwards: fewer shares or less money, a lower price for a purchase or a higher one for a sale.
Everything else stays as it was proposed, the deadline included; who could make it anything else could
smuggle a trade past the person who looked at the first.
"""

from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.errors import UsageError
from polyb0t.core.ids import new_intent_id
from polyb0t.core.units import ONE, Price, Pusd, Shares, ceil_to, floor_e6, floor_to, plain
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import Purpose, TradeIntent
from polyb0t.models.fees import cost_per_share, taker_fee, worst_case_cost
from polyb0t.models.wording import cents

CENT: Final = Decimal("0.01")
# What a smaller form may differ in; a field that is not named here is the same to the last digit.
MAY_DIFFER: Final = frozenset(
    {
        *("id", "created_at", "parent_id", "purpose"),
        *("worst_price", "amount", "shares", "least_shares", "max_cost"),
        *("estimated_cost", "estimated_shares", "estimated_fee", "edge_worst"),
    }
)


def smaller_form(
    intent: TradeIntent, *, shares: Shares | None, worst_price: Price | None, now: datetime
) -> TradeIntent:
    """`intent` for at most `shares` and at no worse than `worst_price`; it supersedes the other.

    Raises:
        UsageError: that would not be less, or is not possible.
    """
    if intent.worst_price is None or intent.tick is None or intent.fee_rate is None or intent.side is None:
        raise _refused(intent, "It places no order that could be smaller.")
    buys = intent.side is Side.BUY
    price = intent.worst_price if worst_price is None else _on_grid(worst_price, intent.tick, buys=buys)
    size = intent.least_shares if intent.amount is not None else intent.shares
    wanted = Shares(floor_to(size or Decimal(0) if shares is None else shares, CENT))
    if wanted <= 0 or not 0 < price < ONE:
        raise _refused(intent, "A size and a price above zero are needed.")
    fee = FeeSchedule(intent.fee_rate, intent.fee_exponent or ONE)
    made = _bought_less(intent, wanted, price, fee) if buys else _sold_less(intent, wanted, price, fee)
    new = replace(
        made,
        id=new_intent_id(),
        created_at=now,
        parent_id=intent.parent_id if not buys else intent.id,
        purpose=Purpose.PERSON,
    )
    refused = why_not_smaller(intent, new)
    if refused is not None:
        raise _refused(intent, refused)
    return new


def why_not_smaller(old: TradeIntent, new: TradeIntent) -> str | None:
    """Why `new` is no stricter form of `old`; None when it is. Judged again where it is stored."""
    other = [
        spec.name
        for spec in fields(old)
        if spec.name not in MAY_DIFFER and getattr(old, spec.name) != getattr(new, spec.name)
    ]
    if other:
        return f"It differs in {', '.join(other)}."
    if new.purpose is not Purpose.PERSON or new.worst_price is None or old.worst_price is None:
        return "It is not a person's smaller form."
    buys = old.side is Side.BUY
    worse = new.worst_price > old.worst_price if buys else new.worst_price < old.worst_price
    if worse:
        bound = f"{cents(old.worst_price)} or {'less' if buys else 'more'}"
        return f"The price may only be better than {bound}."
    pairs = ((old.amount, new.amount), (old.shares, new.shares), (old.max_cost, new.max_cost))
    for before, after in pairs:
        if (before is None) != (after is None) or (before is not None and (after or 0) > before):
            return "It may only be smaller."
    least = (old.least_shares, new.least_shares)
    if (least[0] is None) != (least[1] is None):
        return "It may only be smaller."
    same_size = (old.amount, old.shares) == (new.amount, new.shares)
    if same_size and new.worst_price == old.worst_price:
        return "It is the same trade: approve it as it is."
    return None


def _bought_less(intent: TradeIntent, shares: Shares, price: Price, fee: FeeSchedule) -> TradeIntent:
    if intent.amount is None:  # a purchase that rests is sized in shares
        return replace(intent, shares=shares, worst_price=price, max_cost=Pusd(shares * price))
    worst = intent.worst_price or price
    asked_less = intent.least_shares is None or shares < intent.least_shares
    spent = min(intent.amount, floor_to(shares * price, CENT)) if asked_less else intent.amount
    amount = Pusd(floor_to(spent, CENT))
    part = amount / intent.amount
    edge = intent.edge_worst
    if edge is not None:
        edge = edge + cost_per_share(worst, fee) - cost_per_share(price, fee)
    return replace(
        intent,
        amount=amount,
        worst_price=price,
        least_shares=Shares(floor_to(amount / price, CENT)),
        max_cost=worst_case_cost(amount, fee),
        estimated_cost=_part(intent.estimated_cost, part),
        estimated_shares=_part(intent.estimated_shares, part),
        estimated_fee=_part(intent.estimated_fee, part),
        edge_worst=edge,
    )


def _sold_less(intent: TradeIntent, shares: Shares, price: Price, fee: FeeSchedule) -> TradeIntent:
    part = shares / intent.shares if intent.shares else ONE
    at = intent.reference_price if intent.reference_price is not None else price
    likely = min(shares, Shares(floor_e6((intent.estimated_shares or shares) * part)))
    paid = taker_fee(likely, at, fee)
    return replace(
        intent,
        shares=shares,
        worst_price=price,
        estimated_cost=_part(intent.estimated_cost, part),
        estimated_shares=likely,
        estimated_fee=paid,
    )


def _part(value: Decimal | None, part: Decimal) -> Any:
    return None if value is None else floor_e6(value * part)


def _on_grid(price: Price, tick: Price, *, buys: bool) -> Price:
    return Price(floor_to(price, tick) if buys else ceil_to(price, tick))


def _refused(intent: TradeIntent, why: str) -> UsageError:
    at = "" if intent.worst_price is None else f" at {cents(intent.worst_price)}"
    size = intent.least_shares if intent.amount is not None else intent.shares
    now = f"It is {plain(size)} shares{at} now." if size is not None else ""
    return UsageError(
        "Not approved: that is not less than what was proposed. Nothing was sent.",
        why=why,
        do=f"{now} Name fewer shares, or a better price.".strip(),
        code="not_smaller",
    )
