"""Price series in Parquet as others publish them, as a history that can be replayed. Prices only.

One row is one price of "yes" at one instant; the result is on each market's last row. What such files do
not say (spread, depth, fees, the scheduled end) is assumed and said.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from polyb0t.research.history.past_markets import GAP_US
from polyb0t.research.history.price_series import COLUMNS
from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.assumptions import KEPT_US, MILLION, AssumedSpread, Assumptions, book_around
from polyb0t.research.replay.described import Described
from polyb0t.research.replay.events import Event
from polyb0t.research.replay.fees_by_date import is_known
from polyb0t.research.replay.file_tape import NO_EVENTS, PAYS, FileMarket, FileTape, kept_sentence, span
from polyb0t.research.replay.reading import columns_of, database, hash_of, instant_sql, refused, rows
from polyb0t.research.replay.scheduled_ends import scheduled_end_us
from polyb0t.research.replay.tape import About, Fidelity

_SAID: Final = (
    "Prices are indications, not quotes.",
    "Fees are those of the category and the day.",
    "The result is on a market's last row; that row's instant is taken for the end of trading.",
    NO_EVENTS,
)
_CHOSEN: Final = (
    "Such files have markets that were chosen because they had ended: that a market is in it was not known. "
    "The result equals the rounded last price, so prices near the end tell it."
)
# Of each market: what it is, its first and last instant, its results, and what is wrong with its rows.
_SUMMARY: Final = """
    WITH told AS (
        SELECT market_slug AS market, question, category, {at} AS at_us, file_row_number AS n,
               CAST(price AS DOUBLE) AS price,
               CASE WHEN NOT isnan(CAST(outcome AS DOUBLE)) THEN CAST(outcome AS DOUBLE) END AS outcome
        FROM read_parquet(?, file_row_number = true)
    ), stepped AS (
        SELECT *, at_us - lag(at_us) OVER (PARTITION BY market ORDER BY n) AS step,
               at_us - lag(at_us) OVER (PARTITION BY market ORDER BY at_us) AS gap
        FROM told
    ), instants AS (
        SELECT market, at_us, count(*) - 1 AS more, min(price) <> max(price) AS differ
        FROM told WHERE price > 0 AND price < 1 AND at_us IS NOT NULL GROUP BY market, at_us
    ), per_instant AS (
        SELECT market, sum(CASE WHEN differ THEN 0 ELSE more END) AS twice,
               sum(CAST(differ AS INTEGER)) AS differ, sum(CAST(NOT differ AS INTEGER)) AS usable
        FROM instants GROUP BY market
    )
    SELECT market, min(question), min(category), min(at_us), max(at_us),
           list(DISTINCT outcome) FILTER (outcome IS NOT NULL),
           count(*) FILTER (at_us IS NULL),
           count(*) FILTER (price IS NULL OR NOT (price > 0 AND price < 1)),
           max(CAST(step < 0 AS INTEGER)), max(gap), max(twice), max(per_instant.differ), max(usable),
           count(*)
    FROM stepped LEFT JOIN per_instant USING (market) GROUP BY market ORDER BY market
"""
_PRICES: Final = """
    SELECT market_slug, {at} AS at_us, min(CAST(price AS DOUBLE))
    FROM read_parquet(?)
    WHERE {at} >= ? AND {at} < ? AND price > 0 AND price < 1
    GROUP BY market_slug, at_us HAVING min(CAST(price AS DOUBLE)) = max(CAST(price AS DOUBLE))
    ORDER BY at_us, market_slug
"""


def price_tape(path: Path, assumed: Assumptions | None = None) -> FileTape:
    """The tape of a Parquet file with one price a row.

    Raises:
        ConfigurationError: it cannot be read, a column is missing, or its times have no zone and none is
            given.
    """
    assumed, problems, kinds = assumed or Assumptions(), Problems(), columns_of(path)
    expected = f"Give a Parquet file with the columns {', '.join(COLUMNS)}."
    missing = [name for name in COLUMNS if name not in kinds]
    if missing:
        raise refused(path.name, f"It is no price series: the column {missing[0]} is missing.", expected)
    try:
        at = instant_sql("timestamp", kinds["timestamp"], assumed.zone)
    except ValueError as error:
        do = "Say which zone its times are in (--assume zone=UTC), if whoever wrote it tells you."
        raise refused(path.name, f"It is no price series that can be used: {error}.", do) from error
    for name in sorted(set(kinds) - set(COLUMNS)):
        problems.note("unknown_column", name)
    with database() as opened:
        told = opened.execute(_SUMMARY.format(at=at), [str(path)]).fetchall()
    found = {str(row[0]): each for row in told if (each := _market(row, assumed, problems)) is not None}
    if not found:
        raise refused(
            path.name, f"It has no market that can be used. {' '.join(problems.sentences())}", expected
        )
    about = _about(path, found, assumed, problems)
    prices = partial(_books, str(path), _PRICES.format(at=at), _Around(found, assumed.spread))
    return FileTape(about, found, prices, assumed.payment, KEPT_US)


class _Around(NamedTuple):
    """What makes a price into books."""

    markets: Mapping[str, FileMarket]
    spread: AssumedSpread


def _books(path: str, query: str, around: _Around, since_us: int, until_us: int) -> Iterator[Event]:
    with database() as opened:
        for name, at_us, price in rows(opened, query, (path, since_us, until_us)):
            found = around.markets.get(name)
            if found is not None:
                bids, asks = book_around(round(price * MILLION), around.spread)
                yield from found.described.books(at_us, bids, asks)


def _market(row: Sequence[Any], assumed: Assumptions, problems: Problems) -> FileMarket | None:
    (
        market,
        question,
        category,
        first,
        last,
        results,
        no_time,
        outside,
        disorder,
        gap,
        twice,
        differ,
        usable,
        count,
    ) = row
    if not market:
        problems.note("no_market", f"the question {question!s:.60}", count)
        return None
    name = str(market)
    problems.note("no_time", name, no_time)
    problems.note("price_outside", name, outside)
    problems.note("duplicate_point", name, int(twice or 0))
    problems.note("two_prices", name, int(differ or 0))
    problems.note("out_of_order", name, int(disorder or 0))
    problems.note("gap", name, int((gap or 0) > GAP_US))
    if not usable:
        problems.note("no_prices", name)
        return None
    told = set(results or ())
    if len(told) > 1:
        problems.note("two_results", f"{name}: {' and '.join(f'{each:g}' for each in sorted(told))}")
        return None
    if not told <= set(PAYS):
        problems.note("impossible_payout", f"{name} pays {', '.join(map(str, sorted(told)))}")
        return None
    problems.note("not_resolved", name, int(not told))
    problems.note("category_unknown", f"{name}: {category}", int(not is_known(str(category or ""))))
    asked = str(question or name)
    described = Described(
        name=name,
        question=asked,
        category=str(category or ""),
        event=name,
        told_us=int(first),
        ends_us=scheduled_end_us(
            assumed, problems, name=name, question=asked, told_us=int(first), last_us=int(last)
        ),
        depth_e6=assumed.spread.depth_e6,
    )
    return FileMarket(described, int(last), PAYS[told.pop()] if told else None)


def _about(path: Path, markets: Mapping[str, FileMarket], assumed: Assumptions, problems: Problems) -> About:
    starts, ends = span(markets.values())
    last_us = max(each.last_us for each in markets.values())
    late = sum(last_us - each.last_us < 2 * KEPT_US for each in markets.values())
    chosen = f"{late:,} of its {len(markets):,} markets ended within the last two days of the file."
    return About(
        name=path.name,
        kind="price_series",
        fidelity=Fidelity.PRICES,
        data_hash=hash_of([path]),
        starts=starts,
        ends=ends,
        markets=len(markets),
        assumed=(
            *_SAID,
            f"{_CHOSEN} {chosen}",
            assumed.end_sentence,
            assumed.spread.sentence,
            kept_sentence(KEPT_US),
            assumed.payment.sentence,
        ),
        problems=problems,
        looks_ahead=assumed.looks_ahead,
    )
