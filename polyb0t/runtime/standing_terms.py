"""What a standing approval says when nobody names anything else, and how a position is protected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.errors import UsageError
from polyb0t.core.ids import AssetId, OrderId, new_intent_id
from polyb0t.core.units import ONE, ZERO, Price, Shares, ceil_to, floor_to
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentType, TradeIntent
from polyb0t.execution.standing import StandingApproval, StandingRecord
from polyb0t.execution.store import Stores
from polyb0t.models.exit_rules import UNATTENDED, ExitTrigger
from polyb0t.models.portfolio import Position

HUNDREDTH: Final = Decimal("0.01")
MOST_OF_LEAST: Final = 2  # a purchase at half the price brings twice the shares; beyond that a person decides


@dataclass(frozen=True, slots=True)
class Terms:
    """What was typed; None: the default."""

    triggers: tuple[str, ...] | None = None
    worst_price: Price | None = None
    hours: float | None = None


NO_TERMS: Final = Terms()


def standing_for(opening: TradeIntent, settings: Settings, now: datetime, terms: Terms) -> StandingApproval:
    """The standing approval for what `opening` buys.

    Raises:
        UsageError: it is no purchase, or what was typed is not possible.
    """
    size = opening.least_shares if opening.amount is not None else opening.shares
    if opening.intent_type is not IntentType.OPEN_POSITION or size is None or opening.worst_price is None:
        raise UsageError(
            "Nothing was approved: exits belong to a purchase.",
            why=f"{opening.id} is a {opening.intent_type}.",
            code="not_an_opening",
        )
    return StandingApproval(
        id=new_intent_id(),
        scope=opening.scope,
        regime=opening.regime,
        opening_id=opening.id,
        condition_id=opening.condition_id,
        asset_id=opening.asset_id,
        question=opening.question,
        outcome_label=opening.outcome_label,
        triggers=_triggers(terms),
        worst_price=_worst(opening, settings, terms),
        most_shares=Shares(floor_to(size * MOST_OF_LEAST, HUNDREDTH)),
        until=_until(settings, now, terms),
        approvals_required=opening.approvals_required,
        created_at=now,
        code_required=opening.code_required,
    )


def held_position(stores: Stores, prefix: str) -> Position:
    """The held position that a person means.

    Raises:
        NotFoundError, AmbiguousError.
    """
    # Who approves a trade needs no holdings, and does not wait for what reads them.
    from polyb0t.runtime.holdings import find_holding, read_holdings  # noqa: PLC0415

    return find_holding(read_holdings(stores).ours, prefix).position


def openings_of(stores: Stores, asset_id: AssetId) -> Sequence[TradeIntent]:
    """The purchases behind what is held of an asset, oldest first, since it was last nothing."""
    fills = [each for each in stores.orders.fills() if each.asset_id == asset_id]
    ids = [stores.orders.order(order).intent_id for order in orders_behind(fills)]
    return [stores.intents.get(intent_id).intent for intent_id in ids]


def orders_behind(fills: Sequence[Fill]) -> Sequence[OrderId]:
    """The purchases among one asset's fills that what is held comes from, oldest first."""
    orders: list[OrderId] = []
    held = ZERO
    for fill in sorted(fills, key=lambda each: (each.matched_at, each.side is Side.SELL)):
        if fill.status is FillStatus.FAILED:
            continue
        held += fill.shares if fill.side is Side.BUY else -fill.shares
        if fill.side is Side.BUY:
            orders.append(fill.order_id)
        elif held <= 0:
            orders, held = [], ZERO
    return list(dict.fromkeys(orders))


def in_force(stores: Stores, asset_id: AssetId) -> Sequence[StandingRecord]:
    """The standing approvals of an asset, spent ones left out."""
    return [each for each in stores.standing.active() if each.standing.asset_id == asset_id]


def given_for(stores: Stores, asset_id: AssetId) -> Sequence[StandingRecord]:
    """Those in force and those that wait for another approver: what there is to take back."""
    waiting = [each for each in stores.standing.waiting() if each.standing.asset_id == asset_id]
    return [*in_force(stores, asset_id), *waiting]


def _triggers(terms: Terms) -> tuple[str, ...]:
    if terms.triggers is None:
        return tuple(str(trigger) for trigger in UNATTENDED)
    known = {str(trigger) for trigger in ExitTrigger}
    wrong = [name for name in terms.triggers if name not in known]
    if wrong or not terms.triggers:
        raise UsageError(
            f"Nothing was approved: there is no trigger {', '.join(wrong) or 'named'}.",
            do=f"Use some of {', '.join(sorted(known))}, separated by commas.",
            code="no_such_trigger",
        )
    return tuple(dict.fromkeys(terms.triggers))


def _worst(opening: TradeIntent, settings: Settings, terms: Terms) -> Price:
    tick = opening.tick or Price(HUNDREDTH)
    if terms.worst_price is not None:
        worst = Price(ceil_to(terms.worst_price, tick))
    else:
        base = opening.best_bid if opening.best_bid is not None else opening.worst_price
        worst = Price(floor_to((base or ZERO) * (ONE - settings.standing_worst_fraction), tick))
    if not 0 < worst < 1:
        worst = max(worst, tick)
    if not 0 < worst < 1:
        raise UsageError(
            "Nothing was approved: the worst price has to lie between 0 and 1.", code="bad_price"
        )
    return worst


def _until(settings: Settings, now: datetime, terms: Terms) -> datetime:
    if terms.hours is None:
        return now + timedelta(days=settings.standing_days)
    if not 0 < terms.hours <= 365 * 24:
        raise UsageError("Nothing was approved: it lasts an hour to a year.", code="bad_time")
    return now + timedelta(hours=terms.hours)
