"""What others traded, as a history that can be replayed: trades as they were, books assumed around them.

CSV, JSON lines or Parquet with an instant, a market or an asset, price and size; `side` (the taker's),
`outcome`, `question`, `category`, `event`, `ends` (as scheduled), `ended` and `pays` where there are any.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from polyb0t.research.history.problems import Problems
from polyb0t.research.replay.assumptions import KEPT_US, MILLION, AssumedSpread, Assumptions, book_around
from polyb0t.research.replay.described import Described
from polyb0t.research.replay.events import BookShown, Event, Traded
from polyb0t.research.replay.fees_by_date import is_known
from polyb0t.research.replay.file_tape import NO_EVENTS, PAYS, FileMarket, FileTape, kept_sentence, span
from polyb0t.research.replay.reading import (
    columns_of,
    database,
    hash_of,
    instant_sql,
    naive_sql,
    refused,
    rows,
    source_text,
)
from polyb0t.research.replay.scheduled_ends import scheduled_end_us
from polyb0t.research.replay.tape import About, Fidelity

TRADE_COLUMNS: Final = ("timestamp", "market or asset", "price", "size")
# What a column means -> the names it goes by; the first that is there counts.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "at_us": ("timestamp", "time", "ts", "at_us", "timestamp_ms", "match_time"),
    "market": ("market", "condition_id", "conditionId", "market_slug"),
    "asset": ("asset", "asset_id", "token_id"),
    "price": ("price",),
    "size": ("size", "shares", "quantity"),
    "side": ("side", "taker_side"),
    "outcome": ("outcome",),
    "question": ("question", "title"),
    "category": ("category",),
    "event": ("event", "event_slug", "eventSlug"),
    "ends": ("ends", "end_date"),
    "ended": ("ended", "resolved_at"),
    "pays": ("pays",),
    "trade": ("trade_id", "id"),
}
_INSTANTS: Final = ("at_us", "ends", "ended")
_NUMBERS: Final = ("price", "size", "pays")
_SAID: Final = (
    "Books are assumed around the last trade; where nobody traded nothing is known of them.",
    "Fees are those of the category and the day.",
)
_GOOD: Final = "at_us IS NOT NULL AND market IS NOT NULL AND price > 0 AND price < 1 AND size > 0"
_SUMMARY: Final = """
    WITH stepped AS (
        SELECT *, at_us - lag(at_us) OVER (PARTITION BY market ORDER BY n) AS step FROM told
    ), per_market AS (
        SELECT market, count(*) AS kept, min(at_us) AS first, max(at_us) AS last FROM trades GROUP BY market
    )
    SELECT market, list(DISTINCT asset) FILTER (asset IS NOT NULL AND NOT second),
           list(DISTINCT asset) FILTER (asset IS NOT NULL AND second),
           min(question), min(category), min(event), min(ends), max(ended),
           list(DISTINCT CASE WHEN second THEN 1 - pays ELSE pays END) FILTER (pays IS NOT NULL),
           max(per_market.first), max(per_market.last),
           count(*) FILTER (at_us IS NULL), count(*) FILTER (price IS NULL OR NOT (price > 0 AND price < 1)),
           count(*) FILTER (size IS NULL OR NOT size > 0), count(*) FILTER (side = ''),
           count(*) FILTER ({good}) - coalesce(max(per_market.kept), 0), max(CAST(step < 0 AS INTEGER))
    FROM stepped LEFT JOIN per_market USING (market) GROUP BY market ORDER BY market
"""
_COUNTED: Final = ("no_time", "price_outside", "no_size", "no_side", "same_trade", "out_of_order")
_TRADES: Final = """
    SELECT market, at_us, asset, second, price, size, side FROM trades WHERE at_us >= ? AND at_us < ?
    ORDER BY at_us, market, asset, price, size, side
"""


def is_trades(columns: Mapping[str, str]) -> bool:
    """Whether a file with these columns can be one of trades."""
    named = _named(columns)
    return {"at_us", "price", "size"} <= set(named) and bool({"market", "asset"} & set(named))


def trade_tape(path: Path, assumed: Assumptions | None = None) -> FileTape:
    """The tape of a file of trades.

    Raises:
        ConfigurationError: a column is missing, or times have no zone and none is given.
    """
    assumed, problems, columns = assumed or Assumptions(), Problems(), columns_of(path)
    expected = f"Give trades with the columns {', '.join(TRADE_COLUMNS)}."
    if not is_trades(columns):
        raise refused(path.name, "It is no file of trades.", expected)
    named = _named(columns)
    for name in sorted(set(columns) - set(named.values())):
        problems.note("unknown_column", name)
    try:
        view = _view(path, columns, named, assumed.zone)
    except ValueError as error:
        do = "Say which zone its times are in (--assume zone=UTC), if whoever wrote it tells you."
        raise refused(path.name, f"{error}.", do) from error
    with database() as opened:
        opened.execute(view)
        told = opened.execute(_SUMMARY.format(good=_GOOD)).fetchall()
    markets = {str(row[0]): found for row in told if (found := _market(row, assumed, problems)) is not None}
    if not markets:
        raise refused(
            path.name, f"It has no trade that can be used. {' '.join(problems.sentences())}", expected
        )
    about = _about(path, markets, named, assumed, problems)
    read = partial(_events, view, markets, assumed.spread)
    return FileTape(about, markets, read, assumed.payment, KEPT_US)


def _named(columns: Mapping[str, str]) -> dict[str, str]:
    found = {meaning: [name for name in names if name in columns] for meaning, names in _NAMES.items()}
    return {meaning: names[0] for meaning, names in found.items() if names}


def _view(path: Path, columns: Mapping[str, str], named: Mapping[str, str], zone: str) -> str:
    """`told` has every row as it means, `trades` those that can be used, each once.

    Raises:
        ValueError: a column of times has some without a zone and none is given.
    """
    source = source_text(path, tuple(columns))
    if not zone:
        texts = [named[each] for each in _INSTANTS if each in named and columns[named[each]] == "VARCHAR"]
        _check_zones(source, texts)
    values = {meaning: _value(meaning, columns, named, zone) for meaning in _NAMES}
    values["market"] = f"coalesce({values['market']}, {values['asset']})"
    side = f"CASE WHEN upper({values['side']}) IN ('BUY', 'SELL') THEN upper({values['side']}) ELSE '' END"
    listed = ", ".join(f"{value} AS {name}" for name, value in (values | {"side": side}).items())
    same = "trade" if "trade" in named else "at_us, asset, price, size, side"
    return f"""
        CREATE VIEW raw AS SELECT {listed}, row_number() OVER () AS n FROM {source};
        CREATE VIEW told AS SELECT * EXCLUDE (outcome), outcome,
            coalesce(
                lower(outcome) IN ('no', 'down', 'false'),
                asset <> min(asset) OVER (PARTITION BY market), false
            ) AS second
        FROM raw;
        CREATE VIEW trades AS SELECT DISTINCT ON (market, {same}) * FROM told WHERE {_GOOD}
            ORDER BY market, {same}, at_us, price, size, side;
    """  # noqa: S608 - the names are those of the file, quoted


def _value(meaning: str, columns: Mapping[str, str], named: Mapping[str, str], zone: str) -> str:
    if meaning not in named:
        return "CAST(NULL AS DOUBLE)" if meaning in _NUMBERS else (
            "CAST(NULL AS BIGINT)" if meaning in _INSTANTS else "CAST(NULL AS VARCHAR)"
        )  # fmt: skip
    name = named[meaning]
    if meaning in _INSTANTS:
        return instant_sql(name, columns[name], zone)
    return f'TRY_CAST("{name}" AS {"DOUBLE" if meaning in _NUMBERS else "VARCHAR"})'


def _check_zones(source: str, columns: Sequence[str]) -> None:
    if not columns:
        return
    with database() as opened:
        counts = ", ".join(f"count(*) FILTER ({naive_sql(column)})" for column in columns)
        naive = opened.execute(f"SELECT {counts} FROM {source}").fetchone() or ()  # noqa: S608 - quoted
    for column, count in zip(columns, naive, strict=True):
        if count:
            raise ValueError(f"{count:,} of its times in {column} have no time zone")


def _market(row: Sequence[Any], assumed: Assumptions, problems: Problems) -> FileMarket | None:
    market, firsts, seconds, question, category, event, ends, ended, results, first, last, *counts = row
    name = str(market)
    for kind, count in zip(_COUNTED, counts, strict=True):
        problems.note(kind, name, int(count or 0))
    if first is None:
        problems.note("no_prices", name)
        return None
    told = set(results or ())
    if market is None or len(firsts or ()) > 1 or len(seconds or ()) > 1:
        problems.note("unreadable_market", f"{name} has more than two assets")
        return None
    if len(told) > 1 or not told <= set(PAYS):
        problems.note("impossible_payout", f"{name} pays {', '.join(map(str, sorted(told)))}")
        return None
    over = bool(told) and ended is not None
    problems.note("not_resolved", name, int(not over))
    problems.note("category_unknown", f"{name}: {category}", int(not is_known(category or "")))
    asked = question or name
    if ends is None:
        last_us = int(ended or last)
        ends = scheduled_end_us(
            assumed, problems, name=name, question=asked, told_us=int(first), last_us=last_us
        )
    described = Described(
        name=name,
        question=asked,
        category=category or "",
        event=event or name,
        told_us=int(first),
        ends_us=ends,
        depth_e6=assumed.spread.depth_e6,
        condition=name if name.startswith("0x") else "",
        assets=((firsts or [""])[0], (seconds or [""])[0]),
    )
    return FileMarket(described, int(ended) if over else int(last), PAYS[told.pop()] if over else None)


def _events(
    view: str, markets: Mapping[str, FileMarket], spread: AssumedSpread, since_us: int, until_us: int
) -> Iterator[Event]:
    """At each instant the trades, then one book a market: around the last of them."""
    with database() as opened:
        opened.execute(view)
        read = rows(opened, _TRADES, (since_us, until_us))
        for at_us, told in groupby(read, key=lambda row: row[1]):
            books: dict[str, tuple[BookShown, BookShown]] = {}
            for name, _, _, second, price, size, side in told:
                found = markets.get(name)
                if found is None or (found.pays_e6 is not None and at_us > found.last_us):
                    continue
                price_e6 = round(price * MILLION)
                asset = found.described.assets[int(second)]
                yield Traded(at_us, asset, price_e6, int(size * MILLION), side)
                bids, asks = book_around(MILLION - price_e6 if second else price_e6, spread)
                books[name] = found.described.books(at_us, bids, asks)
            for pair in books.values():
                yield from pair


def _about(
    path: Path,
    markets: Mapping[str, FileMarket],
    named: Mapping[str, str],
    assumed: Assumptions,
    problems: Problems,
) -> About:
    starts, ends = span(markets.values())
    untold = "ends" not in named
    said = [*_SAID, assumed.spread.sentence, kept_sentence(KEPT_US), assumed.payment.sentence]
    if untold:
        said.append(assumed.end_sentence)
    if not {"outcome", "asset"} & set(named):
        said.append("Every trade is taken to be one in the first outcome: the file does not tell.")
    if "event" not in named:
        said.append(NO_EVENTS)
    return About(
        name=path.name,
        kind="trades",
        fidelity=Fidelity.TRADES,
        data_hash=hash_of([path]),
        starts=starts,
        ends=ends,
        markets=len(markets),
        assumed=tuple(said),
        problems=problems,
        looks_ahead=assumed.looks_ahead if untold else (),
    )
