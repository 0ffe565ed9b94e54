"""When a market is to end, where its history does not tell: said by somebody, read from its question or its
name as anybody could at the time, or, looking ahead, its last price."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from polyb0t.core.clock import from_microseconds, microseconds
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.assumptions import Assumptions, Ends

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_NAMED: Final = re.compile(
    rf"\b({'|'.join(_MONTHS)})[ -](\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?[ -](20\d\d))?", re.IGNORECASE
)
_MONTH_ALONE: Final = re.compile(
    rf"\b(?:in|of|by end of)[ -]({'|'.join(_MONTHS)})(?:[ -](20\d\d))?(?![ -]\d)", re.IGNORECASE
)
_NUMBERS: Final = re.compile(r"(?<!\d)(20\d\d)-(\d\d)-(\d\d)(?!\d)")
_BACK: Final = timedelta(days=7)


def scheduled_end_us(
    assumed: Assumptions, problems: Problems, *, name: str, question: str, told_us: int, last_us: int
) -> int | None:
    """What stands in for the scheduled end of a market whose history does not tell it; None: nothing does.

    Counted in `problems` by what stands in for it.
    """
    if assumed.stated_end is not None:
        return microseconds(assumed.stated_end)
    if assumed.ends is Ends.LAST_PRICE:
        problems.note("end_not_told", name)
        return last_us
    read = end_in_words(question, name, from_microseconds(told_us))
    problems.note("no_end" if read is None else "end_in_words", name)
    return None if read is None else microseconds(read)


def end_in_words(question: str, slug: str, told: datetime) -> datetime | None:
    """The end (UTC midnight after) of the latest day that is named; None when none is.

    A date without a year is the first such date from a week before `told` on, when the market was seen
    first: what is waited for lies ahead, or its result is late.
    """
    days = [*_days(question, told), *_days(slug, told)]
    return max(days) + timedelta(days=1) if days else None


def _days(text: str, told: datetime) -> Iterator[datetime]:
    for year, month, day in _NUMBERS.findall(text):
        yield from _day(int(year), int(month), int(day))
    for month, day, year in _NAMED.findall(text):
        yield from _dated(year, _MONTHS.index(month.lower()) + 1, int(day), told)
    for month, year in _MONTH_ALONE.findall(text):
        number = _MONTHS.index(month.lower()) + 1
        yield from (_month_end(first) for first in _dated(year, number, 1, told))


def _dated(year: str, month: int, day: int, told: datetime) -> Iterator[datetime]:
    if year:
        yield from _day(int(year), month, day)
        return
    near = [found for add in (-1, 0, 1) for found in _day(told.year + add, month, day)]
    yield from [found for found in near if found >= told - _BACK][:1]


def _day(year: int, month: int, day: int) -> Iterator[datetime]:
    try:
        yield datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return  # 31 February is no date


def _month_end(first: datetime) -> datetime:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
