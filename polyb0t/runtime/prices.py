"""Prices, sizes and times as people type them."""

from datetime import timedelta
from decimal import Decimal

from polyb0t.core.errors import UsageError
from polyb0t.core.units import Price


def price_of(text: str) -> Price:
    """A price as people type it: `0.61`, `61c` or `61¢`.

    Raises:
        UsageError: it is none between 0 and 1.
    """
    typed = text.strip().lower()
    cents = typed.endswith(("c", "¢"))
    try:
        value = Decimal(typed.rstrip("c¢").strip())
        price = value / 100 if cents else value
        if not 0 < price < 1:
            raise ValueError(text)
    except (ArithmeticError, ValueError):
        raise UsageError(
            f"{text!r:.20} is no price.",
            do="Write 61c or 0.61: pUSD per share, between 0 and 1.",
            code="bad_price",
        ) from None
    return Price(price)


def size_of(text: str | None, what: str) -> Decimal | None:
    """A positive amount with at most two decimals, as typed.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        value = Decimal(text.strip())
        exact = value > 0 and value == value.quantize(Decimal("0.01"))
    except ArithmeticError:
        exact, value = False, Decimal(0)
    if not exact:
        raise UsageError(
            f"{text!r:.20} is no {what}.",
            do="Write a number above zero, with two decimals at most.",
            code="bad_size",
        )
    return value


def time_of(text: str) -> timedelta:
    """A time as people type it: `30m`, `24h`, `7d`.

    Raises:
        UsageError: it is none between a minute and a year.
    """
    typed = text.strip().lower()
    units = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
    try:
        length = float(typed[:-1]) * units[typed[-1:]]
        if not timedelta(minutes=1) <= length <= timedelta(days=365):
            raise ValueError(text)
    except (KeyError, ValueError, OverflowError):
        raise UsageError(
            f"{text!r:.20} is no length of time.", do="Write 30m, 24h or 7d.", code="bad_time"
        ) from None
    return length
