"""Refuses a feature that knows its future, or more of its past than it says.

The idea is freqtrade's lookahead analysis: what is computed for an instant is computed again from a record
that stops there, from one whose later part is false, and from one that begins where the window begins. All
four have to be the same to the byte.
"""

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from polyb0t.core.clock import from_microseconds, iso
from polyb0t.core.errors import ConflictError
from polyb0t.research.features.feature import Feature
from polyb0t.research.features.point_in_time import Book, Record, Schedule, Trade
from polyb0t.research.features.series import HOUR_US, Series

_MOVED_US: Final = 77 * HOUR_US


class LookAheadError(ConflictError):
    """A feature's value at an instant depends on what came later."""

    code = "looks_ahead"


@dataclass(frozen=True, slots=True)
class Sample:
    """A record, and the instants at which features of it are looked at."""

    record: Record
    instants: Sequence[int]


def check_feature(feature: Feature, samples: Iterable[Sample]) -> int:
    """At how many instants it was looked at; it said the same from every record at all of them.

    Raises:
        LookAheadError: its value changes with the future, or with a past that it says not to look at.
    """
    count = 0
    for sample in samples:
        for at_us in sample.instants:
            _check(feature, sample.record, at_us)
            count += 1
    return count


def _check(feature: Feature, record: Record, at_us: int) -> None:
    said = _bytes(feature, record, at_us)
    for other, why in (
        (record.until(at_us), "another value when the record stops there"),
        (poisoned(record, at_us), "another value when what came later is changed"),
        (begun(record, at_us - feature.window_us), "another value without what lies before its window"),
    ):
        if _bytes(feature, other, at_us) != said:
            raise _refused(feature, record, at_us, why)


def _bytes(feature: Feature, record: Record, at_us: int) -> bytes:
    """The value as bytes; also "nothing", and the failure of one that cannot do without the future."""
    try:
        value = feature.value(record, at_us)
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, StopIteration) as error:
        return type(error).__name__.encode()
    return b"none" if value is None else struct.pack("<d", value)


def poisoned(record: Record, at_us: int) -> Record:
    """The same up to `at_us`; whatever was written down later is false."""
    ends = tuple(
        each if each.at_us <= at_us else Schedule(each.at_us, (each.ends_us or 0) + _MOVED_US)
        for each in record.schedule
    )
    later = record.resolved_us is not None and record.resolved_us > at_us
    return replace(
        record,
        prices=_series(record.prices, at_us),
        opens_us=record.opens_us if (record.opens_us or 0) <= at_us else (record.opens_us or 0) + _MOVED_US,
        schedule=ends,
        books=tuple(each if each.at_us <= at_us else _book(each) for each in record.books),
        trades=None if record.trades is None else tuple(_trade(each, at_us) for each in record.trades),
        event=tuple(_series(each, at_us) for each in record.event),
        theme=tuple(_series(each, at_us) for each in record.theme),
        resolved_us=(record.resolved_us or 0) + _MOVED_US if later else record.resolved_us,
        outcome=1 - (record.outcome or 0) if later else record.outcome,
    )


def begun(record: Record, since_us: int) -> Record:
    """Without prices, books and trades from before `since_us`; when it opened and is to end stays."""
    return replace(
        record,
        prices=_from(record.prices, since_us),
        books=tuple(each for each in record.books if each.at_us >= since_us),
        trades=None if record.trades is None else tuple(t for t in record.trades if t.at_us >= since_us),
        event=tuple(_from(each, since_us) for each in record.event),
        theme=tuple(_from(each, since_us) for each in record.theme),
    )


def _from(series: Series, since_us: int) -> Series:
    return series.cut(since_us, series.at[-1]) if len(series) else series


def _series(series: Series, at_us: int) -> Series:
    values = [
        value if at <= at_us else math.fmod(1.37 - value, 1.0)
        for at, value in zip(series.at, series.values, strict=True)
    ]
    return Series(series.at, values)


def _book(book: Book) -> Book:
    bids, asks = ([(price, 3 * shares + 7) for price, shares in side] for side in (book.asks, book.bids))
    return Book(book.at_us, bids, asks)


def _trade(trade: Trade, at_us: int) -> Trade:
    return trade if trade.at_us <= at_us else Trade(trade.at_us, -3 * trade.shares - 7, not trade.known)


def _refused(feature: Feature, record: Record, at_us: int, why: str) -> LookAheadError:
    return LookAheadError(
        f"Not used: the feature {feature.name} knows what it cannot know.",
        why=f"At {iso(from_microseconds(at_us))}, of {record.market:.60}, it has {why}.",
        do="Compute it from PointInTime alone, and say how far it looks back.",
    )
