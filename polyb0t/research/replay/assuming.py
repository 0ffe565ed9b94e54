"""What a person says of a history that does not say it itself: `name=value`, checked before it is used."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.errors import UsageError
from polyb0t.core.units import MILLION, parse_decimal
from polyb0t.research.replay.assumptions import Assumptions, Ends

# Name -> what it means; also what `--help` and the documents list.
NAMES: Final[Mapping[str, str]] = {
    "zone": "the time zone of times that do not say theirs: UTC, Europe/Berlin",
    "ends": "scheduled ends that are not told: words, last-price (looks ahead), or a day such as 2026-02-28",
    "half-spread": "half of the spread around a price between 10 and 90 cents, in cents: 0.5",
    "depth": "shares on each side of a book around a price: 2000",
    "challenge-hours": "from the end of a market to its payment: 2",
    "disputed": "the share of results that is disputed and pays two to four days later: 0.01",
}


def assumptions_from(told: Mapping[str, str]) -> Assumptions:
    """The assumptions with these words in place of what is assumed unsaid.

    Raises:
        UsageError: a name that is none, or a value that cannot be.
    """
    assumed = Assumptions()
    for name, value in told.items():
        if name not in _SAY:
            raise UsageError(
                f"Nothing can be assumed about {name!r:.40}.", do=f"Name one of {', '.join(NAMES)}."
            )
        try:
            assumed = _SAY[name](assumed, value)
        except ValueError as error:
            raise UsageError(
                f"{name}={value:.40} cannot be assumed.", why=f"{error}.", do=f"It says {NAMES[name]}."
            ) from error
    return assumed


def _zone(assumed: Assumptions, value: str) -> Assumptions:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - reads a data base of zones

    try:
        return replace(assumed, zone=ZoneInfo(value).key)
    except ZoneInfoNotFoundError as error:
        raise ValueError("there is no such time zone") from error


def _ends(assumed: Assumptions, value: str) -> Assumptions:
    if value in set(Ends):
        return replace(assumed, ends=Ends(value), stated_end=None)
    try:
        day = datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("it is no day") from error
    return replace(assumed, stated_end=day.replace(tzinfo=UTC) if day.tzinfo is None else day.astimezone(UTC))


def _half_spread(assumed: Assumptions, value: str) -> Assumptions:
    half = _between(value, 0, 40) * 10_000
    if half % 1_000:
        raise ValueError("a tenth of a cent is the smallest step")
    return replace(assumed, spread=replace(assumed.spread, half_e6=int(half)))


def _depth(assumed: Assumptions, value: str) -> Assumptions:
    shares = _between(value, 10, 10_000_000)
    return replace(assumed, spread=replace(assumed.spread, depth_e6=int(shares * MILLION)))


def _challenge(assumed: Assumptions, value: str) -> Assumptions:
    hours = _between(value, 0, 1_000)
    return replace(assumed, payment=replace(assumed.payment, challenge=timedelta(hours=float(hours))))


def _disputed(assumed: Assumptions, value: str) -> Assumptions:
    share = _between(value, 0, 1)
    return replace(assumed, payment=replace(assumed.payment, disputed_e6=int(share * MILLION)))


def _between(value: str, least: int, most: int) -> Decimal:
    number = parse_decimal(value)
    if not least <= number <= most:
        raise ValueError(f"it has to lie between {least} and {most:,}")
    return number


_SAY: Final[Mapping[str, Callable[[Assumptions, str], Assumptions]]] = {
    "zone": _zone,
    "ends": _ends,
    "half-spread": _half_spread,
    "depth": _depth,
    "challenge-hours": _challenge,
    "disputed": _disputed,
}
