"""Everything that can move a wallet at the sandbox, read over HTTP and equal to its ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.units import from_e6
from polyb0t.data.cash_flows import Movement
from polyb0t.models.cash_flows import cash_effect, nature_of
from polyb0t.sandbox.faults import Fault
from polyb0t.sandbox.treasury import CREDITS
from polyb0t.sandbox.types import MILLION, MarketView
from polyb0t.venue.activity import PolymarketActivity
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.connected import Connected, connected

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        running.world.data_lag_ms = 0
        yield running


@pytest.fixture
def venue(sandbox: RunningSandbox) -> Iterator[Connected]:
    sandbox.faults.clear()
    with connected(sandbox) as link:
        yield link
    sandbox.faults.clear()


def read(venue: Connected, since: datetime = LONG_AGO) -> tuple[Movement, ...]:
    return PolymarketActivity(venue.environment, venue.wallet, venue.reader).movements(since)


def some_market(sandbox: RunningSandbox) -> MarketView:
    return next(view for view in sandbox.world.markets() if not view.closed)


def post(venue: Connected, path: str, body: dict[str, object]) -> None:
    venue.reader.post(f"{venue.sandbox.url}/sandbox/{path}", {"wallet": venue.wallet, **body})


def test_the_sum_of_what_is_told_is_the_balance(venue: Connected) -> None:
    market = some_market(venue.sandbox)
    for kind in CREDITS:
        if kind != "NOVELTY":
            post(venue, "credits", {"type": str(kind), "amount": "3.000001"})
    post(venue, "sets", {"condition": market.spec.condition_id, "shares": "50"})
    post(venue, "sets", {"condition": market.spec.condition_id, "shares": "-20.5"})
    post(venue, "balances", {"change": "-12.345678"})
    venue.sandbox.call(lambda: venue.sandbox.world.resolve(market.spec.condition_id, (MILLION, 0)))
    post(venue, "redemptions", {"condition": market.spec.condition_id})
    rows = read(venue)
    assert sum(map(cash_effect, rows)) == from_e6(venue.sandbox.world.balance(venue.wallet))
    assert {row.kind for row in rows} >= {
        "DEPOSIT",
        "WITHDRAWAL",
        "SPLIT",
        "MERGE",
        "REDEEM",
        "REWARD",
        "TIP",
    }
    paid = [row for row in rows if row.kind == "REDEEM"]
    assert {(row.outcome_label, row.pusd) for row in paid} == {
        (market.spec.outcomes[0], Decimal("29.5")),
        (market.spec.outcomes[1], Decimal(0)),
    }


def test_a_word_that_nobody_knows_comes_through_as_one(venue: Connected) -> None:
    post(venue, "credits", {"type": "NOVELTY", "amount": "1"})
    assert [row.kind for row in read(venue) if nature_of(row) is None] == ["NOVELTY"]
    post(venue, "balances", {"change": "-1"})


def test_a_listing_of_several_pages_is_read_to_its_end(venue: Connected) -> None:
    before = len(read(venue))
    for _ in range(520):
        venue.sandbox.call(lambda: venue.sandbox.world.fund(venue.wallet, 1))
    rows = read(venue)
    assert len(rows) == before + 520
    assert len({row.key for row in rows}) == len(rows), "the same deposit twice is two deposits"
    assert [row.key for row in read(venue)] == [row.key for row in rows]


def test_only_what_happened_since_is_read(venue: Connected) -> None:
    newest = read(venue)[-1].at
    assert {row.at for row in read(venue, newest)} == {newest}


def test_a_page_that_fails_spoils_the_listing(venue: Connected) -> None:
    venue.sandbox.faults.replace([Fault("status", "/data/v2/activity", status=500)])
    with pytest.raises(VenueUnreachableError):
        read(venue)
