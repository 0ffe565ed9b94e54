"""Markets that are over, with the prices of their first outcome: what a model is fitted on.

`/markets/keyset?closed=true` lists them, `/v2/tokens` of the data API says what they paid, and its
`/v2/prices-history` what they cost. A point stands for the last price of a bucket and carries the
bucket's beginning, so it is known only at the bucket's end. Vendor's pages of autumn 2026.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from polyb0t.core.clock import Clock, iso, microseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, to_e6
from polyb0t.data.markets import Market
from polyb0t.venue.gamma import parse_market
from polyb0t.venue.http import HttpReader
from polyb0t.venue.parsing import MarketRefused, Refused, Wire, as_object, exact_decimal, instant, text, whole
from polyb0t.venue.resolutions import PolymarketResolutions

PAGE_ROWS: Final = 100
BUCKET_SECONDS: Final = 21_600
MOST_POINTS: Final = 10_000
_MICROSECONDS: Final = 1_000_000
_LAST_SECOND: Final = 4_102_444_800  # the year 2100: a stamp beyond it is none


@dataclass(frozen=True, slots=True)
class PastRow:
    """A market that is over as its catalogue row tells it; `pays` is not known yet for a few."""

    market: Market
    opened_at: datetime | None
    closed_at: datetime | None
    pays: Price | None


class PolymarketPast:
    """Reads what is over. Every method raises VenueUnreachableError when no usable answer came."""

    def __init__(self, gamma_url: str, data_url: str, reader: HttpReader, clock: Clock) -> None:
        self._gamma, self._data = gamma_url.rstrip("/"), data_url.rstrip("/")
        self._reader, self._clock = reader, clock
        self._resolutions = PolymarketResolutions(data_url, reader)

    def closed(self, since: datetime, most: int) -> Iterator[PastRow]:
        """Markets whose scheduled end lies after `since`, the latest first, at most `most`."""
        params = {
            "closed": "true",
            "order": "endDate",
            "ascending": "false",
            "end_date_min": iso(since)[:19] + "Z",
            "include_tag": "true",
            "limit": str(PAGE_ROWS),
        }
        cursor, seen, given = "", set[str](), 0
        while given < most:
            rows, cursor = self._page({**params, "after_cursor": cursor} if cursor else params)
            markets = [row for raw in rows if (row := self._row(raw)) is not None]
            pays = self._resolutions.resolved([market.outcomes[0].asset_id for market, _, _ in markets])
            for market, opened, closed in markets[: most - given]:
                given += 1
                yield PastRow(market, opened, closed, pays.get(market.outcomes[0].asset_id))
            if not cursor or cursor in seen:
                return
            seen.add(cursor)

    def prices(self, asset: AssetId) -> list[tuple[int, int]]:
        """(microseconds from which it was known, price in millionths), as the data API has them."""
        return _read_prices(self._reader, self._data, asset, {"interval": "max"})

    def _page(self, params: Mapping[str, str]) -> tuple[Sequence[object], str]:
        answer = self._reader.get(f"{self._gamma}/markets/keyset", params)
        try:
            page = as_object(self._reader.parsed(answer), "the answer")
            rows = page.get("markets")
            if not isinstance(rows, list):
                raise Refused("malformed", "the answer has no list of markets")
            return rows, text(page, "next_cursor", longest=4_000)
        except Refused as refused:
            raise self._reader.unusable(answer.host, refused) from refused

    def _row(self, raw: object) -> tuple[Market, datetime | None, datetime | None] | None:
        """None for a row that is no binary market of a kind that is known; there are many in the past."""
        try:
            market = parse_market(raw, self._clock.now())
            row = as_object(raw, "the market")
            return market, instant(row, "startDate"), instant(row, "closedTime")
        except (MarketRefused, Refused):
            return None


class PolymarketPrices:
    """Where the prices of open markets have come from: the same history in the same stretches of time."""

    def __init__(self, data_url: str, reader: HttpReader) -> None:
        self._data, self._reader = data_url.rstrip("/"), reader

    def between(self, asset: AssetId, since: datetime, until: datetime) -> list[tuple[int, int]]:
        """As `PolymarketPast.prices`, of at most 15 days.

        Raises:
            VenueUnreachableError: no usable answer came.
        """
        window = {"start": str(int(since.timestamp())), "end": str(int(until.timestamp()))}
        return _read_prices(self._reader, self._data, asset, window)


def _read_prices(
    reader: HttpReader, data_url: str, asset: AssetId, window: Mapping[str, str]
) -> list[tuple[int, int]]:
    params = {
        "token_id": asset,
        **window,
        "bucket_seconds": str(BUCKET_SECONDS),
        "limit": str(MOST_POINTS),
    }
    answer = reader.get(f"{data_url}/v2/prices-history", params)
    try:
        return parse_prices(reader.parsed(answer))
    except Refused as refused:
        raise reader.unusable(answer.host, refused) from refused


def parse_prices(raw: object) -> list[tuple[int, int]]:
    """The points of one answer, each at the end of its bucket.

    Raises:
        Refused: another shape, or a stamp or price that is no number.
    """
    rows = as_object(raw, "the answer").get("data")
    if not isinstance(rows, list) or len(rows) > MOST_POINTS:
        raise Refused("malformed", "data is not a list of prices")
    return [_point(as_object(row, "a price")) for row in rows]


def _point(row: Wire) -> tuple[int, int]:
    at = whole(row, "timestamp", largest=_LAST_SECOND)
    wide = whole(row, "resolution_seconds", largest=BUCKET_SECONDS * 4) or BUCKET_SECONDS
    return (at + wide) * _MICROSECONDS, to_e6(exact_decimal(row.get("price"), "price"))


def line_of(row: PastRow, points: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """A market as a history file keeps it. Before its first price it is taken for not open."""
    market = row.market
    opened = microseconds(row.opened_at) if row.opened_at is not None else (points[0][0] if points else 0)
    return {
        "market": market.condition_id,
        "event": market.event_id or market.condition_id,
        "category": market.category,
        "question": market.question,
        "named_sides": market.named_sides,
        "opens_us": opened,
        "ends_us": None if market.end_date is None else microseconds(market.end_date),
        "resolved_us": None if row.closed_at is None else microseconds(row.closed_at),
        "pays_e6": None if row.pays is None else to_e6(row.pays),
        "points": [list(point) for point in points],
    }
