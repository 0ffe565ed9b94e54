"""Log-odds of decimals, at a stated precision.

Sixteen digits: far finer than any price, and cheap enough for a thousand books a cycle. `Decimal`'s ln
and exp are correctly rounded, so every machine gets the same digits. No float takes part.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from polyb0t.core.units import E6, ONE

PRECISION: Final = Context(prec=16, rounding=ROUND_HALF_EVEN)


def logit(probability: Decimal) -> Decimal:
    """ln(p / (1 - p)).

    Raises:
        ValueError: `probability` is not inside (0, 1).
    """
    if not 0 < probability < 1:
        raise ValueError(f"{probability} is not a probability inside (0, 1)")
    return PRECISION.ln(PRECISION.divide(probability, ONE - probability))


def expit(log_odds: Decimal) -> Decimal:
    """The probability of `log_odds`."""
    return PRECISION.divide(ONE, PRECISION.add(ONE, PRECISION.exp(-log_odds)))


def rounded(probability: Decimal) -> Decimal:
    """To six decimals, kept inside (0, 1): the form in which probabilities are shown and stored."""
    return min(max(probability.quantize(E6, ROUND_HALF_EVEN), E6), ONE - E6)
