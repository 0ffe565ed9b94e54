"""Recorded five-minute markets: never traded, and good evidence of how a market settles and what it charges."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.data.universe import UniverseRules, select
from polyb0t.research.replay.fees_by_date import fee_at
from polyb0t.venue.gamma import parse_market
from polyb0t.venue.parsing import MarketRefused
from tests.support.shared import shared_path

EVENING = datetime(2026, 6, 7, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    with gzip.open(shared_path("data/BTC-5m-markets-2026-06-08.jsonl.gz"), "rt") as file:
        return [json.loads(line, parse_float=Decimal) for line in file]


@pytest.fixture(scope="module")
def ticks() -> dict[int, int]:
    """Unix seconds -> the value that settled, times 10**18."""
    with gzip.open(shared_path("data/BTCUSD-prices-2026-06-08.csv.gz"), "rt") as file:
        told = (line.split(",") for line in file if line.partition(",")[0].endswith("00000"))
        return {int(at_ms) // 1_000: int(exact) for at_ms, _, exact, *_ in told}


def test_up_wins_exactly_where_the_value_at_the_end_is_not_below_the_strike(rows, ticks):
    known = [row for row in rows if row["strike_value"] is not None and row["end_sec"] in ticks]
    assert len(known) == 280
    for row in known:
        up = ticks[row["end_sec"]] >= int(row["strike_value"])
        assert row["outcome_prices"] == (["1", "0"] if up else ["0", "1"])


def test_none_of_them_is_let_in_and_rows_without_a_version_are_not_even_read(rows):
    with pytest.raises(MarketRefused, match="version"):
        parse_market(rows[0]["raw"], EVENING)
    markets = [parse_market({**row["raw"], "version": "v1"}, EVENING) for row in rows[:40]]
    excluded = [
        each for group in select(markets, {}, EVENING, UniverseRules()).excluded.values() for each in group
    ]
    assert len(excluded) == 40
    assert all("short_crypto" in [reason.code for reason in each.reasons] for each in excluded)


def test_the_fee_of_that_day_is_the_one_they_tell(rows):
    told = {(row["raw"]["feeSchedule"]["rate"], row["raw"]["feeSchedule"]["exponent"]) for row in rows}
    table = fee_at("crypto", datetime(2026, 6, 8, tzinfo=UTC))
    assert told == {(table.rate, int(table.exponent))}
