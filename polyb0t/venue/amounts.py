"""From an intent to the two integers that are signed: what is offered and what is asked for it.

Two recipes, because the exchange has two (vendor's SDK 0.14): orders that rest fix the shares,
orders that take fix what they spend, with their own decimals. Everything is rounded so that the signed
ratio allows no price on the grid that is worse than the intent's worst price.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from polyb0t.core.clock import milliseconds
from polyb0t.core.errors import PolybotError
from polyb0t.core.units import ONE, Price, ceil_to, floor_to, from_e6, plain, to_e6
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.execution.orders import Identity, salt_of

QUANTITY_STEP: Final = Decimal("0.01")  # shares of any order, pUSD of a taker BUY: two decimals


class OrderBuildError(PolybotError):
    """The intent can not become an order of this wallet; nothing was signed."""

    code = "unbuildable"


# Decimals of the side that is computed (not given), by tick.
_COMPUTED_DECIMALS: Final[Mapping[Decimal, int]] = MappingProxyType(
    {
        Decimal("0.1"): 3,
        Decimal("0.01"): 4,
        Decimal("0.005"): 5,
        Decimal("0.0025"): 6,
        Decimal("0.001"): 5,
        Decimal("0.0001"): 6,
    }
)


@dataclass(frozen=True, slots=True)
class OrderAmounts:
    """Base units (millionths). A BUY offers pUSD for shares, a SELL shares for pUSD."""

    maker_e6: int
    taker_e6: int


def rounding_unit(tick: Price) -> Decimal:
    """The smallest step of the computed side of an order that takes.

    Raises:
        OrderBuildError: a tick that the exchange is not known to use.
    """
    decimals = _COMPUTED_DECIMALS.get(tick.normalize())
    if decimals is None:
        raise OrderBuildError(
            f"An order on a tick of {plain(tick)} can not be built.",
            why="Its rounding is not known.",
            code="unknown_tick",
        )
    return ONE.scaleb(-decimals)


def worst_price_on_grid(side: Side, price: Decimal, tick: Price) -> Price:
    """The nearest price on the grid that is no worse for us: BUY floored, SELL ceiled."""
    return Price(floor_to(price, tick) if side is Side.BUY else ceil_to(price, tick))


def limit_amounts(side: Side, shares: Decimal, price: Price, tick: Price) -> OrderAmounts:
    """GTC and GTD: shares floored to two decimals, pUSD exact.

    Raises:
        OrderBuildError: price off the grid, or nothing is left after rounding.
    """
    _check_price(price, tick)
    quantity = _floored(shares)
    money = to_e6(quantity * price)
    return _sides(side, money, to_e6(quantity))


def market_amounts(side: Side, quantity: Decimal, worst: Price, tick: Price) -> OrderAmounts:
    """FAK and FOK: `quantity` is pUSD for a BUY and shares for a SELL, floored to two decimals.

    The computed side of a BUY is floored too, as the vendor's Python SDK does: the exchange refuses
    more decimals, and rounding up would ask for a better price than was approved.

    Raises:
        OrderBuildError: price off the grid, or so small that rounding would allow a worse price.
    """
    _check_price(worst, tick)
    unit = rounding_unit(tick)
    given = _floored(quantity)
    if side is Side.SELL:
        return _sides(side, to_e6(ceil_to(given * worst, unit)), to_e6(given))
    amounts = _sides(side, to_e6(given), to_e6(floor_to(given / worst, unit)))
    _refuse_worse_price(amounts, worst, tick)
    return amounts


def amounts_of(intent: TradeIntent) -> OrderAmounts:
    """The amounts of the intent's order, a pure function of its content.

    Raises:
        OrderBuildError: the intent places no order, lacks a part, or promises more than can be signed.
    """
    side, order_type, worst, tick = intent.side, intent.order_type, intent.worst_price, intent.tick
    if side is None or order_type is None or worst is None or tick is None:
        raise OrderBuildError(
            "This intent can not become an order.",
            why="Side, order type, worst price or tick is missing.",
            code="incomplete_intent",
        )
    if not order_type.takes:
        return limit_amounts(side, _required(intent.shares, "shares"), worst, tick)
    if side is Side.SELL:
        return market_amounts(side, _required(intent.shares, "shares"), worst, tick)
    amounts = market_amounts(side, _required(intent.amount, "amount"), worst, tick)
    _keep_least_shares(intent, amounts, tick)
    return amounts


def identity_of(intent: TradeIntent) -> Identity:
    """The signed parts that follow from the intent alone; the same on any machine, at any time.

    Raises:
        OrderBuildError: as `amounts_of`.
    """
    amounts = amounts_of(intent)
    return Identity(
        salt_of(intent.digest), milliseconds(intent.created_at), amounts.maker_e6, amounts.taker_e6
    )


def expiration_of(intent: TradeIntent, permit_seconds: int) -> int:
    """The wire's `expiration` in unix seconds: 0, or for GTD the permit's time + 60 + its life.

    The exchange ends a GTD 60 s before what the wire says and wants at least 180 s in all.

    Raises:
        OrderBuildError: a GTD without a life of at least 120 s.
    """
    if intent.order_type is not OrderType.GTD:
        return 0
    if intent.life_seconds is None or intent.life_seconds < 120:
        raise OrderBuildError("A GTD order needs a life of at least 120 seconds.", code="life_too_short")
    return permit_seconds + 60 + intent.life_seconds


def _check_price(price: Price, tick: Price) -> None:
    rounding_unit(tick)
    if price % tick != 0 or not tick <= price <= ONE - tick:
        raise OrderBuildError(
            f"An order at {plain(price)} can not be built.",
            why=f"It is not on the grid of {plain(tick)} between {plain(tick)} and {plain(ONE - tick)}.",
            code="off_tick",
        )


def _floored(quantity: Decimal) -> Decimal:
    floored = floor_to(quantity, QUANTITY_STEP)
    if floored <= 0:
        raise OrderBuildError(
            f"An order for {plain(quantity)} can not be built.",
            why="Less than 0.01 remains after rounding.",
            code="too_small",
        )
    return floored


def _sides(side: Side, money_e6: int, shares_e6: int) -> OrderAmounts:
    maker, taker = (money_e6, shares_e6) if side is Side.BUY else (shares_e6, money_e6)
    if maker <= 0 or taker <= 0:
        raise OrderBuildError("An order for nothing can not be built.", code="too_small")
    return OrderAmounts(maker, taker)


def _refuse_worse_price(buy: OrderAmounts, worst: Price, tick: Price) -> None:
    """Flooring the shares raises the price that the ratio allows; it must not reach the next price.

    A tick changes by a factor of at most ten while an order is under way, hence the tenth.
    """
    next_worse = worst + tick / 10
    if from_e6(buy.maker_e6) >= next_worse * from_e6(buy.taker_e6):
        raise OrderBuildError(
            f"A buy of {plain(from_e6(buy.maker_e6))} pUSD can not be bounded at {plain(worst)}.",
            why=f"After rounding, the signed amounts would allow {plain(next_worse)}.",
            do="Buy for a larger amount.",
            code="too_small",
        )


def _keep_least_shares(intent: TradeIntent, amounts: OrderAmounts, tick: Price) -> None:
    """What an approver was shown as the least is what is signed, up to one rounding unit."""
    least = intent.least_shares
    if least is not None and least - from_e6(amounts.taker_e6) >= rounding_unit(tick):
        raise OrderBuildError(
            f"The order would protect {plain(from_e6(amounts.taker_e6))} shares.",
            why=f"The intent promises at least {plain(least)}.",
            code="least_shares_broken",
        )


def _required(quantity: Decimal | None, name: str) -> Decimal:
    if quantity is None:
        raise OrderBuildError(
            "This intent can not become an order.", why=f"Its {name} is missing.", code="incomplete_intent"
        )
    return quantity
