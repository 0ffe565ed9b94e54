"""A history pays the fee of its day, and where that is not known the dearest that it could have been."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from polyb0t.data.markets import FeeSchedule
from polyb0t.models.fees import taker_fee
from polyb0t.research.replay.fees_by_date import CATEGORIES, fee_at, fee_changes, is_known


def day(month: int, number: int, year: int = 2026) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


def of(category: str, at: datetime, opened: datetime | None = None) -> tuple[str, str]:
    schedule = fee_at(category, at, opened)
    return str(schedule.rate), str(schedule.exponent)


@pytest.mark.parametrize(("price", "fee"), [("0.10", "0.2025"), ("0.50", "1.5625"), ("0.99", "0.00245")])
def test_the_first_schedule_gives_the_exchanges_own_examples(price: str, fee: str):
    """$0.20, $1.56 and $0.0025 for 100 shares, as the exchange's page had them in January 2026."""
    charged = taker_fee(Decimal(100), Decimal(price), fee_at("crypto", day(1, 20)))
    assert charged == Decimal(fee)


@pytest.mark.parametrize(
    ("category", "at", "told"),
    [
        ("crypto", day(1, 5), ("0", "1")),
        ("crypto", day(1, 6), ("0.25", "2")),
        ("politics", day(3, 29), ("0", "1")),
        ("politics", day(3, 30), ("0.04", "1")),
        ("Sports", day(4, 1), ("0.03", "1")),
        ("crypto", day(4, 1), ("0.072", "1")),
        ("crypto", day(6, 8), ("0.07", "1")),
        ("sports", day(7, 2), ("0.05", "1")),
        ("weather", day(6, 1), ("0.05", "1")),
        ("geopolitics", day(8, 1), ("0", "1")),
        ("politics", day(6, 1, 2025), ("0", "1")),
    ],
)
def test_the_fee_is_that_of_the_category_on_that_day(category: str, at: datetime, told: tuple[str, str]):
    assert of(category, at) == told


def test_a_fee_for_new_markets_leaves_older_ones_alone():
    assert of("sports", day(2, 20), opened=day(2, 17)) == ("0", "1")
    assert of("sports", day(2, 20), opened=day(2, 18)) == ("0.0175", "1")
    assert of("sports", day(2, 20)) == ("0.0175", "1")  # nobody knows when it was opened


@pytest.mark.parametrize("at", [day(1, 10), day(4, 1), day(6, 20), day(8, 1)])
def test_an_unknown_category_pays_the_dearest_of_the_day(at: datetime):
    dearest = fee_at("general", at)
    assert not is_known("general")
    assert peak(dearest) == max(peak(fee_at(each, at)) for each in CATEGORIES)


def test_after_the_last_day_that_was_read_a_category_pays_its_dearest():
    assert of("crypto", day(9, 1)) == ("0.072", "1")
    assert of("sports", day(1, 1, 2030)) == ("0.05", "1")


def test_a_history_is_told_of_each_change_once():
    changes = list(fee_changes("crypto", day(1, 1), day(8, 1)))
    assert [(at, str(fee.rate)) for at, fee in changes] == [
        (day(1, 6), "0.25"),
        (day(3, 30), "0.072"),
        (day(6, 8), "0.07"),
    ]
    assert list(fee_changes("geopolitics", day(1, 1), day(8, 1))) == []


def peak(schedule: FeeSchedule) -> Decimal:
    return taker_fee(Decimal(100), Decimal("0.5"), schedule)
