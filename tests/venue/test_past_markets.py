"""Markets that are over, read from a real sandbox and from answers that make no sense."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.sandbox.world import World
from polyb0t.venue.http import HttpReader
from polyb0t.venue.parsing import Refused
from polyb0t.venue.past_markets import BUCKET_SECONDS, PolymarketPast, line_of, parse_prices
from tests.support.sandbox import RunningSandbox, running_sandbox

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = 1_000_000


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    world = World(seed=7, markets=3, start_ms=milliseconds(SystemClock().now()), archive=130)
    with running_sandbox(world=world) as running:
        yield running


@pytest.fixture
def past(sandbox: RunningSandbox) -> Iterator[PolymarketPast]:
    clock, urls = SystemClock(), sandbox.urls()
    with HttpReader(clock, sandbox=True) as reader:
        yield PolymarketPast(urls["gamma"], urls["data"], reader, clock)


def test_every_market_that_is_over_is_read_once_the_latest_first(
    sandbox: RunningSandbox, past: PolymarketPast
) -> None:
    rows = list(past.closed(LONG_AGO, 1_000))
    named = [row.market.condition_id for row in rows]
    assert len(set(named)) == len(named) == 130
    ends = [row.market.end_date for row in rows]
    assert ends == sorted(ends, key=lambda each: each or LONG_AGO, reverse=True)


def test_it_pays_what_the_exchange_says(sandbox: RunningSandbox, past: PolymarketPast) -> None:
    for row in past.closed(LONG_AGO, 130):
        payouts = sandbox.world.archive.find(row.market.condition_id)
        assert payouts is not None
        assert payouts.payouts_e6 is not None
        assert row.pays is not None
        assert row.pays * MICROSECOND == payouts.payouts_e6[0]
        assert row.closed_at is not None


def test_no_more_than_was_asked_for(past: PolymarketPast) -> None:
    assert len(list(past.closed(LONG_AGO, 101))) == 101


def test_a_price_is_known_from_the_end_of_its_bucket(sandbox: RunningSandbox, past: PolymarketPast) -> None:
    row = next(past.closed(LONG_AGO, 1))
    token = row.market.outcomes[0].asset_id
    points = past.prices(token)
    assert len(points) > 3
    for known_us, price in points:
        seen = sandbox.world.price_history(token, 0, known_us // 1_000 - 1, BUCKET_SECONDS * 1_000)
        assert seen[-1][1] == price
        assert seen[-1][0] * 1_000 >= known_us - BUCKET_SECONDS * MICROSECOND


def test_its_line_says_whether_the_sides_are_names(past: PolymarketPast) -> None:
    for row in past.closed(LONG_AGO, 130):
        labels = {outcome.label for outcome in row.market.outcomes}
        assert line_of(row, [])["named_sides"] == (labels != {"Yes", "No"})


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"data": None},
        {"data": [{"timestamp": "soon", "price": "0.5", "resolution_seconds": 60}]},
        {"data": [{"timestamp": 1, "price": "much", "resolution_seconds": 60}]},
        {"data": [{"timestamp": 10**12, "price": "0.5", "resolution_seconds": 60}]},
        {"data": [{"timestamp": 1, "resolution_seconds": 60}]},
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(raw: object) -> None:
    with pytest.raises(Refused):
        parse_prices(raw)
