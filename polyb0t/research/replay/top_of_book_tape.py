"""Best prices of one side of bands of an event (for example a city's highest temperature of a day).

Two Parquet files: a row of best prices for each decision of somebody's program, and a row of results for
each event. The book was read `elapsed_min` after `decision_ts`: that is its instant. What looks ahead in the
first file (`official_*`, `decision_*_value`, `unrealized_pnl_*`, what the program then did) is not read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from polyb0t.core.clock import microseconds
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.assumptions import MILLION, Assumptions, LevelsE6, mirrored
from polyb0t.research.replay.described import Described
from polyb0t.research.replay.events import Event
from polyb0t.research.replay.file_tape import PAYS, FileMarket, FileTape, kept_sentence, span
from polyb0t.research.replay.reading import columns_of, database, hash_of, instant_sql, refused, rows
from polyb0t.research.replay.tape import About, Fidelity

SNAPSHOT_COLUMNS: Final = (
    "decision_ts", "elapsed_min", "market_slug", "event_slug", "target_date", "bucket", "side",
    "best_bid", "best_ask", "best_bid_size", "best_ask_size", "tick_size", "min_order_size",
)  # fmt: skip
RESULT_COLUMNS: Final = ("ts", "event_slug", "unit", "official_bucket_value")
KEPT_US: Final = 3_600 * MILLION  # half of such books are followed by the next one within five minutes
_AHEAD: Final = ("official_", "unrealized_pnl_", "decision_raw_", "decision_bucket_", "actual_")
_BAND: Final = re.compile(r"([≥≤]?)(-?\d+)(?:-(-?\d+))?°([CF])")
_UNITS: Final = {"celsius": "C", "fahrenheit": "F"}
_SAID: Final = (
    "A book is known from when it was read, which was long after the decision that it stands beside.",
    "Only the best price of each side is known; liquidity is taken to be enough for the limits.",
    "The other outcome's book mirrors the one that was read.",
    "The scheduled end of a market is the end (UTC) of the day that its name tells.",
    "Results are those of the second file from its instant on, at which trading is taken to end.",
    "Fees are those of the category weather and the day.",
)
# No number is no price, whichever way the file says so.
_BEST: Final = " ".join(
    f"CASE WHEN NOT isnan(CAST(best_{name} AS DOUBLE)) THEN CAST(best_{name} AS DOUBLE) END AS {name},"
    for name in ("bid", "bid_size", "ask", "ask_size")
)
_ROWS: Final = """
    SELECT market_slug, {at} + CAST(round(elapsed_min * 60000000) AS BIGINT) AS at_us, upper(side) AS side,
           {best}
           event_slug, target_date, bucket, tick_size, min_order_size, file_row_number AS n
    FROM read_parquet(?, file_row_number = true)
""".replace("{best}", _BEST)
_OUTSIDE: Final = "(least(coalesce(bid, 0.5), coalesce(ask, 0.5)) <= 0 OR greatest(bid, ask) >= 1)"
_SIZELESS: Final = (
    "((bid IS NOT NULL AND NOT coalesce(bid_size, 0) > 0) "
    "OR (ask IS NOT NULL AND NOT coalesce(ask_size, 0) > 0))"
)
_USABLE: Final = (
    f"at_us IS NOT NULL AND side IN ('YES', 'NO') AND NOT (bid IS NULL AND ask IS NULL) "
    f"AND NOT {_OUTSIDE} AND NOT {_SIZELESS} AND NOT coalesce(bid >= ask, false)"
)
_SUMMARY: Final = f"""
    WITH told AS ({_ROWS}), stepped AS (
        SELECT *, at_us - lag(at_us) OVER (PARTITION BY market_slug ORDER BY n) AS step FROM told
    ), instants AS (
        SELECT market_slug, at_us, count(*) - 1 AS more,
               count(DISTINCT (bid, bid_size, ask, ask_size)) > 1 AS differ
        FROM told WHERE {_USABLE} GROUP BY market_slug, at_us
    ), each AS (
        SELECT market_slug, sum(CASE WHEN differ THEN 0 ELSE more END) AS twice,
               sum(CAST(differ AS INTEGER)) AS differ, min(at_us) AS first, max(at_us) AS last
        FROM instants GROUP BY market_slug
    )
    SELECT market_slug, min(event_slug), min(target_date), min(bucket), min(tick_size), max(min_order_size),
           max(each.first), max(each.last), max(each.twice), max(each.differ),
           count(*) FILTER (at_us IS NULL OR side NOT IN ('YES', 'NO')),
           count(*) FILTER (bid IS NULL AND ask IS NULL),
           count(*) FILTER ((bid IS NULL) <> (ask IS NULL)),
           count(*) FILTER ({_OUTSIDE}), count(*) FILTER ({_SIZELESS}), count(*) FILTER (bid >= ask),
           max(CAST(step < 0 AS INTEGER))
    FROM stepped LEFT JOIN each USING (market_slug) GROUP BY market_slug ORDER BY market_slug
"""  # noqa: S608 - every name in it is ours
_BOOKS: Final = f"""
    SELECT market_slug, at_us, min(side), min(bid), min(bid_size), min(ask), min(ask_size)
    FROM ({_ROWS}) WHERE {_USABLE} AND at_us >= ? AND at_us < ?
    GROUP BY market_slug, at_us HAVING count(DISTINCT (bid, bid_size, ask, ask_size)) = 1
    ORDER BY at_us, market_slug
"""  # noqa: S608 - every name in it is ours
_COUNTED: Final = (
    "duplicate_point", "two_prices", "no_time", "no_book", "one_side", "price_outside", "no_size", "crossed",
    "out_of_order",
)  # fmt: skip


class _Result(NamedTuple):
    at_us: int
    unit: str
    value: float


def top_of_book_tape(
    path: Path, results: Sequence[Path] = (), assumed: Assumptions | None = None
) -> FileTape:
    """The tape of a file of best prices and the results of its events.

    Raises:
        ConfigurationError: a column is missing, or times have no zone and none is given.
    """
    assumed, problems = assumed or Assumptions(), Problems()
    at = _checked(path, SNAPSHOT_COLUMNS, "decision_ts", assumed, problems)
    ended: dict[str, _Result] = {}
    for each in results:
        ended |= _results(each, assumed, problems)
    with database() as opened:
        told = opened.execute(_SUMMARY.format(at=at), [str(path)]).fetchall()
    markets = {
        str(row[0]): found for row in told if (found := _market(row, ended, assumed, problems)) is not None
    }
    if not markets:
        raise refused(path.name, "It has no book that can be used.", _expected(SNAPSHOT_COLUMNS))
    _count_late(path, at, ended, problems)
    starts, ends = span(markets.values())
    about = About(
        name=path.name,
        kind="top_of_book",
        fidelity=Fidelity.BOUGHT_BOOKS,
        data_hash=hash_of([path, *sorted(results)]),
        starts=starts,
        ends=ends,
        markets=len(markets),
        assumed=(*_SAID, kept_sentence(KEPT_US), assumed.payment.sentence),
        problems=problems,
    )
    return FileTape(about, markets, partial(_books, path, at, markets), assumed.payment, KEPT_US)


def _checked(path: Path, columns: Sequence[str], when: str, assumed: Assumptions, problems: Problems) -> str:
    """The SQL of the instant. What looks ahead is counted, and stays unread."""
    kinds = columns_of(path)
    missing = [name for name in columns if name not in kinds]
    if missing:
        raise refused(path.name, f"The column {missing[0]} is missing.", _expected(columns))
    for name in sorted(set(kinds) - set(columns)):
        problems.note("looks_ahead" if name.startswith(_AHEAD) else "unknown_column", name)
    try:
        return instant_sql(when, kinds[when], assumed.zone)
    except ValueError as error:
        raise refused(
            path.name, f"{error}.", "Say which zone its times are in (--assume zone=UTC)."
        ) from error


def _results(path: Path, assumed: Assumptions, problems: Problems) -> dict[str, _Result]:
    at = _checked(path, RESULT_COLUMNS, "ts", assumed, Problems())
    query = f"""
        SELECT event_slug, max({at}), min(unit), min(official_bucket_value), max(official_bucket_value)
        FROM read_parquet(?) WHERE official_bucket_value IS NOT NULL GROUP BY event_slug ORDER BY event_slug
    """  # noqa: S608 - `at` is ours
    found: dict[str, _Result] = {}
    with database() as opened:
        for event, at_us, unit, least, most in rows(opened, query, (str(path),)):
            if least != most or at_us is None or unit not in _UNITS:
                problems.note("impossible_payout", f"{event}: {least} and {most} {unit}")
                continue
            found[str(event)] = _Result(int(at_us), _UNITS[unit], float(least))
    return found


def _market(
    row: Sequence[Any], ended: Mapping[str, _Result], assumed: Assumptions, problems: Problems
) -> FileMarket | None:
    slug, event, day, bucket, tick, least, first, last, *counts = row
    name = str(slug)
    for kind, count in zip(_COUNTED, counts, strict=True):
        problems.note(kind, name, int(count or 0))
    band, ends = _BAND.fullmatch(str(bucket)), _day_after(str(day))
    if first is None:
        problems.note("no_prices", name)
        return None
    if slug is None or band is None or ends is None:
        problems.note("unreadable_market", f"{name}: {bucket} on {day}")
        return None
    described = Described(
        name=name,
        question=f"{str(event).replace('-', ' ').capitalize()}: {bucket}?",
        category="weather",
        event=str(event),
        told_us=int(first),
        ends_us=microseconds(ends),
        depth_e6=assumed.spread.depth_e6,
        neg_risk=True,  # exactly one band of an event wins
        tick_e6=round(float(tick or 0.001) * MILLION),
        least_shares_e6=round(float(least or 5) * MILLION),
    )
    result = ended.get(str(event))
    if result is None or result.unit != band[4]:
        problems.note("not_resolved", name)
        return FileMarket(described, int(last), None)
    if result.at_us <= int(first):
        problems.note("no_prices", name)  # all of them are from after its result
        return None
    return FileMarket(described, result.at_us, PAYS[float(_inside(result.value, band))])


def _inside(value: float, band: re.Match[str]) -> bool:
    edge, low, high, _ = band.groups()
    if edge:
        return value >= int(low) if edge == "≥" else value <= int(low)
    return int(low) <= value <= int(high or low)


def _books(
    path: Path, at: str, markets: Mapping[str, FileMarket], since_us: int, until_us: int
) -> Iterator[Event]:
    with database() as opened:
        for name, at_us, side, *best in rows(opened, _BOOKS.format(at=at), (str(path), since_us, until_us)):
            found = markets.get(name)
            if found is None or (found.pays_e6 is not None and at_us > found.last_us):
                continue
            bids, asks = _levels(*best[:2]), _levels(*best[2:])
            if side == "NO":
                bids, asks = mirrored(bids, asks)
            yield from found.described.books(at_us, bids, asks)


def _levels(price: float | None, shares: float | None) -> LevelsE6:
    if price is None or shares is None:
        return ()
    return ((round(price * MILLION), int(shares * MILLION)),)


def _count_late(path: Path, at: str, ended: Mapping[str, _Result], problems: Problems) -> None:
    """Books from after the result: trading is taken to be over by then."""
    query = f"SELECT market_slug, event_slug, at_us FROM ({_ROWS.format(at=at)}) WHERE {_USABLE}"  # noqa: S608
    with database() as opened:
        for name, event, at_us in rows(opened, query, (str(path),)):
            result = ended.get(event)
            problems.note("after_the_end", name, int(result is not None and at_us > result.at_us))


def _day_after(day: str) -> datetime | None:
    try:
        return datetime.fromisoformat(day[:10]).replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        return None


def _expected(columns: Sequence[str]) -> str:
    return f"Give a Parquet file with the columns {', '.join(columns)}."
