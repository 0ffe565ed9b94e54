"""What claims cost on the chain: gas in its own coin, and in pUSD where somebody said what that is worth.

Gas is paid beside the books: they are in pUSD, and no pUSD leaves for it. A relayer asks nothing for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from polyb0t.core.units import E6, ZERO, Pusd

WEI_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Gas:
    """`pol` of so many transactions; `pusd` None: no price of a POL is set."""

    transactions: int = 0
    pol: Decimal = ZERO
    pusd: Pusd | None = None


def gas_of(wei: Iterable[int], price_pusd: Decimal | None) -> Gas:
    """Of transactions that cost so much each; those that cost nothing were the relayer's, or never mined."""
    paid = [each for each in wei if each > 0]
    pol = pol_of(sum(paid))
    return Gas(len(paid), pol, worth_of(pol, price_pusd))


def pol_of(wei: int) -> Decimal:
    return Decimal(wei).scaleb(-WEI_DIGITS)


def worth_of(pol: Decimal, price_pusd: Decimal | None) -> Pusd | None:
    """To the millionth."""
    return None if price_pusd is None else Pusd((pol * price_pusd).quantize(E6, ROUND_HALF_EVEN))


def gas_words(gas: Gas) -> str:
    """`0.012345 POL, about 0.0025 pUSD`; six decimals of a POL."""
    worth = "" if gas.pusd is None else f", about {gas.pusd.quantize(Decimal('0.0001')):f} pUSD"
    return f"{gas.pol.quantize(E6):f} POL{worth}"
