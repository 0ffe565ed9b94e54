"""Figures that others have published or that can be checked with pencil and paper."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from evidence.findings import Finding
from polyb0t.core.units import ONE, Shares
from polyb0t.data.markets import FeeSchedule
from polyb0t.models.fees import cost_per_share, taker_fee
from polyb0t.models.pricing import Purchase
from polyb0t.models.scenario_kelly import Ends, Token, best_stakes
from polyb0t.models.sizing import kelly

JANUARY_2026: Final = FeeSchedule(Decimal("0.25"), Decimal(2))
POLITICS: Final = FeeSchedule(Decimal("0.04"), Decimal(1))
CHANCES: Final = tuple(Decimal(each) for each in ("0.46", "0.24", "0.15", "0.10", "0.05"))
ASKS: Final = tuple(Decimal(each) for each in ("0.41", "0.25", "0.12", "0.12", "0.08"))
FOUR_DIGITS: Final = Decimal("0.0001")


class Golden(NamedTuple):
    """One figure: what it is, what it has to be, and what the product's own code says."""

    what: str
    published: str
    found: str


def golden_test() -> Finding:
    """The product's own functions beside the published figures."""
    figures = (*_fees(), _worst_price(), _stake(), _stakes())
    right = sum(each.published == each.found for each in figures)
    return Finding(
        "Golden numbers",
        "Do fee, worst price and stake come out as published, or as they do with pencil and paper?",
        f"{right} of {len(figures)} are equal to the last digit.",
        right == len(figures),
        (("figure", "has to be", "is"), *figures),
    )


def _fees() -> list[Golden]:
    """The exchange's own examples for 100 shares, rounded as it printed them."""
    examples = (("0.10", "0.20"), ("0.50", "1.56"), ("0.99", "0.0025"))
    return [
        Golden(
            f"Fee of 100 shares at {price}, January 2026 (rate 0.25, exponent 2)",
            told,
            str(
                taker_fee(Shares(Decimal(100)), Decimal(price), JANUARY_2026).quantize(
                    Decimal(told), ROUND_HALF_UP
                )
            ),
        )
        for price, told in examples
    ]


def _worst_price() -> Golden:
    highest = Purchase(Decimal("0.66"), POLITICS).highest_price(Decimal("0.015"))
    return Golden(
        "Highest price that leaves 1.5 cents at q 0.66 and a fee of rate 0.04",
        "0.6357",
        str(highest.quantize(FOUR_DIGITS)),
    )


def _stake() -> Golden:
    stake = kelly(Decimal("0.66"), cost_per_share(Decimal("0.60"), POLITICS))
    return Golden(
        "Kelly's stake at q 0.66 and a price of 0.60 with that fee",
        "0.1291",
        str(stake.quantize(FOUR_DIGITS)),
    )


def _stakes() -> Golden:
    """Exclusive outcomes, nothing held: the case that Smoczynski and Tomkins solve in closed form."""
    ends = Ends(CHANCES, (ONE,) * len(CHANCES))
    costs = [cost_per_share(ask, POLITICS) for ask in ASKS]
    tokens = [Token(tuple(at == end for end in range(len(ASKS))), cost) for at, cost in enumerate(costs)]
    spent = best_stakes(ends, tokens, ONE).spent
    return Golden(
        "Smoczynski and Tomkins (2010): stakes on five exclusive outcomes with that fee, chances "
        f"{_list(CHANCES)}, offers {_list(ASKS)}",
        "0.1779, 0.0669, 0.0665, 0.0165, 0.0000",
        _list(each.quantize(FOUR_DIGITS) for each in spent),
    )


def _list(values: Iterable[Decimal]) -> str:
    return ", ".join(str(each) for each in values)
