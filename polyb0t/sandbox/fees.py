"""The taker's fee: `shares x rate x (p x (1 - p)) ^ exponent` pUSD, rounded to five decimals.

Makers pay nothing. A fee that is not nothing is at least 0.00001 pUSD. The rate is the market's own
(`feeSchedule` at Gamma, `fd` at the CLOB). Source: the venue's fee page, polled autumn 2026.
"""

from functools import lru_cache
from typing import Final

from polyb0t.sandbox.types import MILLION

_STEP: Final = 10  # five decimals, in millionths


@lru_cache(maxsize=4_096)
def rate_e6(rate: str) -> int:
    """A rate such as `0.05` in millionths.

    Raises:
        ValueError: the text is not a plain decimal of at most six places.
    """
    whole, _, fraction = rate.partition(".")
    if not whole.isdigit() or len(fraction) > 6 or (fraction and not fraction.isdigit()):
        raise ValueError(f"{rate!r} is not a fee rate")
    return int(whole) * MILLION + int(fraction.ljust(6, "0"))


def taker_fee_e6(shares_e6: int, price_e6: int, *, rate: str, exponent: int) -> int:
    """The fee in millionths of a pUSD; half a step rounds up."""
    scaled = rate_e6(rate)
    if scaled == 0 or shares_e6 == 0:
        return 0
    curve: int = (price_e6 * (MILLION - price_e6)) ** exponent
    numerator = shares_e6 * scaled * curve
    denominator: int = MILLION * MILLION ** (2 * exponent)
    steps = (2 * numerator + denominator * _STEP) // (2 * denominator * _STEP)
    return max(steps, 1) * _STEP
