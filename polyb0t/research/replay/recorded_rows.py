"""The recorder's files as rows of events, one day and one table at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from polyb0t.core.clock import from_microseconds
from polyb0t.research.replay.events import BookLost, BookShown, Event, MarketTold, TermsTold, Traded
from polyb0t.research.replay.reading import rows
from polyb0t.research.rows import TABLES
from polyb0t.research.rows_read import market_from, terms_from

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DAY: Final = timedelta(days=1)
CROSSED: Final = (
    "(len(bid_prices_e6) > 0 AND len(ask_prices_e6) > 0 AND bid_prices_e6[1] >= ask_prices_e6[1])"
)
OUTSIDE: Final = (
    "(coalesce(list_min(list_concat(bid_prices_e6, ask_prices_e6)), 1) <= 0 "
    "OR coalesce(list_max(list_concat(bid_prices_e6, ask_prices_e6)), 1) >= 1000000)"
)
EMPTY_LEVEL: Final = "(coalesce(list_min(list_concat(bid_shares_e6, ask_shares_e6)), 1) <= 0)"
_BOOK: Final = "bid_prices_e6, bid_shares_e6, ask_prices_e6, ask_shares_e6"
_BAD: Final = f"{CROSSED} OR {OUTSIDE} OR {EMPTY_LEVEL}"
_COLUMNS: Final[Mapping[str, str]] = {
    "seen": "at_us, lost",
    "markets": "at_us, condition, content, rules_hash",
    "terms": "at_us, condition, content",
    "trades": "at_us, asset, price_e6, shares_e6, taker_side",
    "books": f"at_us, asset, condition, hash, venue_us, {_BOOK}, {_BAD}",
}


class Looked(NamedTuple):
    """Somebody looked; nobody looks at the books of `lost` any more."""

    at_us: int
    lost: Sequence[str]


Raw = Event | Looked


def files_of(folder: Path, table: str, days: Sequence[str] = ()) -> list[str]:
    """The Parquet files of a table, of these days or of all."""
    found = (folder / table).glob("????-??-??/*.parquet")
    return sorted(str(path) for path in found if not days or path.parent.name in days)


def around(since_us: int, until_us: int) -> list[str]:
    """The days whose files may hold what was seen in [since, until): a row can be written a day later."""
    day = from_microseconds(since_us).replace(hour=0, minute=0, second=0, microsecond=0)
    last = from_microseconds(until_us) + _DAY
    return [f"{day + n * _DAY:%Y-%m-%d}" for n in range((last - day).days + 1)]


def table_rows(
    opened: "DuckDBPyConnection", folder: Path, table: str, since_us: int, until_us: int
) -> Iterator[Raw]:
    """What one table tells of a stretch of time, by when it was seen.

    Rows that cannot be read are left out; `recorder_tape` counts them. A book that cannot be is lost.
    """
    files = files_of(folder, table, around(since_us, until_us))
    if not files:
        return
    make: Callable[[Sequence[Any]], Raw | None]
    make = _market_maker(opened, folder, since_us, until_us) if table == "markets" else _MAKERS[table]
    by = ", asset" if "asset" in TABLES[table] else ""
    query = (  # names are ours, files and instants are parameters
        f"SELECT {_COLUMNS[table]} FROM read_parquet(?, union_by_name = true) "  # noqa: S608
        f"WHERE at_us >= ? AND at_us < ? ORDER BY at_us{by}"
    )
    for row in rows(opened, query, (files, since_us, until_us)):
        event = make(row)
        if event is not None:
            yield event


def _looked(row: Sequence[Any]) -> Looked:
    at_us, lost = row
    return Looked(at_us, lost or ())


def _terms(row: Sequence[Any]) -> TermsTold | None:
    at_us, condition, content = row
    try:
        return TermsTold(at_us, terms_from(condition, at_us, content))
    except ValueError:
        return None


def _trade(row: Sequence[Any]) -> Traded | None:
    at_us, asset, price, shares, side = row
    if price is None or not 0 < price < 1_000_000:
        return None
    return Traded(at_us, asset, price, max(shares or 0, 0), side or "")


def _book(row: Sequence[Any]) -> BookShown | BookLost:
    at_us, asset, condition, told_hash, venue_us, bids, bid_shares, asks, ask_shares, bad = row
    if bad:
        return BookLost(at_us, asset)
    return BookShown(
        at_us,
        asset,
        condition,
        tuple(zip(bids, bid_shares, strict=True)),
        tuple(zip(asks, ask_shares, strict=True)),
        told_hash or "",
        venue_us,
    )


def _market_maker(
    opened: "DuckDBPyConnection", folder: Path, since_us: int, until_us: int
) -> Callable[[Sequence[Any]], MarketTold | None]:
    """Rules are looked up by their hash, so that a text of later is never taken for an earlier one."""
    files = files_of(folder, "rules", around(since_us, until_us))
    texts: dict[str, str] = {}
    if files:
        query = "SELECT DISTINCT rules_hash, text FROM read_parquet(?, union_by_name = true)"
        texts = dict(opened.execute(query, [files]).fetchall())

    def made(row: Sequence[Any]) -> MarketTold | None:
        at_us, condition, content, rules_hash = row
        try:
            return MarketTold(at_us, market_from(condition, at_us, content, texts.get(rules_hash, "")))
        except ValueError:
            return None

    return made


_MAKERS: Final[Mapping[str, Callable[[Sequence[Any]], Raw | None]]] = {
    "seen": _looked,
    "terms": _terms,
    "trades": _trade,
    "books": _book,
}
READ: Final = tuple(_COLUMNS)
