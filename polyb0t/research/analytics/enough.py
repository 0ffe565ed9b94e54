"""How many bets it takes to see an edge at all: printed beside every result."""

from math import ceil

# Two standard errors of the mean of bets that win with q at a price near q: 4 q (1 - q) / e^2.


def bets_needed(price: float, edge: float) -> int | None:
    """Independent bets at `price` that show an edge of `edge` pUSD a share at about two standard errors.

    None where there is no edge to see: zero, or a price that is no probability.
    """
    if not edge or not 0 < price < 1:
        return None
    return ceil(round(4 * price * (1 - price) / edge**2, 6))
