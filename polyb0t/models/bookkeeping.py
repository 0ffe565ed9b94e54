"""Equity by the books: what was there at the start, our fills, and what is known to have moved besides.

The balance at the exchange decides what can be spent, never what was earned. Where the two differ, the
difference is unexplained: it stays outside of equity until the index or a person says what it is.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import NOT_ON_CHAIN, Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.models.cash_flows import explained_cash
from polyb0t.models.portfolio import FillKey, Portfolio, fill_key
from polyb0t.models.reckoning import Reckoning


@dataclass(frozen=True, slots=True)
class Ledger:
    """`cash` by the books, unsettled fills among it; `flows`: what came in less what went out and is no
    result of ours, since the books were opened."""

    cash: Pusd
    flows: Pusd
    portfolio: Portfolio


def ledger_of(
    opening: Pusd, fills: Iterable[Fill], booked: Sequence[Booked], reckoning: Reckoning | None = None
) -> Ledger:
    """The books of an account that opened with `opening`; `reckoning` goes on where it was asked last."""
    fills = tuple(fills)
    portfolio = (reckoning or Reckoning()).of(fills, opening, booked)
    moved = explained_cash(booked, fills) - portfolio.brought
    return Ledger(Pusd(portfolio.cash + moved), Pusd(moved), portfolio)


def fill_cash(fills: Iterable[Fill], only: Collection[FillKey] | None = None) -> Pusd:
    """What fills brought less what they paid, fees included; of those in `only`, else of all."""
    total = ZERO
    for fill in fills:
        if fill.status is FillStatus.FAILED or (only is not None and fill_key(fill) not in only):
            continue
        total += (fill.notional if fill.side is Side.SELL else -fill.notional) - fill.fee
    return Pusd(total)


def opening_of(balance: Pusd, fills: Sequence[Fill]) -> Pusd | None:
    """With how much the books open: so that fills and opening make this balance. None: a fill is under
    way, and then nobody can say whether the balance shows it."""
    if any(fill.status in NOT_ON_CHAIN or fill.status is FillStatus.MINED for fill in fills):
        return None
    return Pusd(balance - fill_cash(fills))


def unexplained(
    balance: Pusd,
    opening: Pusd,
    fills: Sequence[Fill],
    booked: Sequence[Booked],
    settled: Collection[FillKey],
) -> Pusd:
    """What the balance has that the books do not know; negative is missing. `settled` are the fills that
    were known to be on chain before the balance was read."""
    return Pusd(balance - opening - fill_cash(fills, settled) - explained_cash(booked, fills))
