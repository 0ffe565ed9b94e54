"""What the exchange takes, exactly, and the most it can take.

Taker fee in pUSD = shares x rate x (p x (1 - p)) ** exponent at fill price p, rounded to five
decimals, at least 0.00001 when it is not zero; makers pay none. A BUY pays it on top of the money
spent, a SELL out of the proceeds; nothing about it is signed. Source: docs.polymarket.com
trading/fees; with rate 0.25 and exponent 2 it gives the exchange's own examples of January 2026.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from polyb0t.core.errors import PolybotError
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, ceil_e6, floor_e6
from polyb0t.data.markets import FeeSchedule, Market, TradingTerms

FEE_STEP: Final = Decimal("0.00001")
NO_FEE: Final = FeeSchedule(rate=ZERO, exponent=ONE)


class FeeUnboundedError(PolybotError):
    """The schedule puts no ceiling on the fee of a taker BUY, so its worst case cannot be stated."""

    code = "fee_unbounded"
    http_status = 409


def effective_fee(market: Market | None, terms: TradingTerms | None) -> FeeSchedule | None:
    """The schedule to reckon with; None when a fee may be charged and nobody says which.

    The exchange's own terms beat the catalogue. Without a schedule the catalogue has to say
    explicitly that this market charges none.
    """
    if terms is not None and terms.fee is not None:
        return terms.fee
    if market is None:
        return None
    if market.fees_enabled is False:
        return NO_FEE
    return market.fee


def per_share(price: Decimal, fee: FeeSchedule) -> Decimal:
    """Fee of one share taken at `price`, not rounded."""
    variance = price * (ONE - price)
    return fee.rate * (variance if fee.exponent == ONE else variance**fee.exponent)


def cost_per_share(price: Decimal, fee: FeeSchedule) -> Decimal:
    """Price and fee of one share bought as a taker: the probability at which it breaks even."""
    return price + per_share(price, fee)


def taker_fee(shares: Decimal, price: Decimal, fee: FeeSchedule) -> Pusd:
    """pUSD that a taker pays for `shares` filled at `price`."""
    raw = shares * per_share(price, fee)
    if raw <= 0:
        return Pusd(ZERO)
    return Pusd(max(FEE_STEP, raw.quantize(FEE_STEP, ROUND_HALF_UP)))


def worst_case_cost(amount: Decimal, fee: FeeSchedule) -> Pusd:
    """The most pUSD that a taker BUY of `amount` can cost at any price, rounded up to a millionth.

    Per pUSD spent the fee is rate x p**(e-1) x (1-p)**e, which for exponents from 1 up never passes
    the rate; below 1 it has no ceiling as p falls.

    Raises:
        FeeUnboundedError: the exponent is below 1.
    """
    if fee.rate and fee.exponent < ONE:
        raise FeeUnboundedError(
            "The worst case of this purchase cannot be stated.",
            why=f"The market's fee has the exponent {fee.exponent}; below 1 no ceiling per pUSD exists.",
            do="Leave this market alone.",
        )
    return Pusd(ceil_e6(amount * (ONE + fee.rate)))


def least_proceeds(shares: Shares, floor: Price, fee: FeeSchedule) -> Pusd:
    """The least pUSD that a taker SELL of `shares` brings when all of it fills at `floor` or better.

    Better prices bring more after the fee as long as rate x exponent stays below 1, which
    `per_share` at every schedule ever published does.
    """
    return Pusd(floor_e6(shares * floor - taker_fee(shares, floor, fee)))
