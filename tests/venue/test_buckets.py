"""Our own limits: below the published ones, waited for where waiting is harmless, and ruled by answers."""

from collections.abc import Mapping

import httpx
import pytest
import respx

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import OrderId
from polyb0t.execution.gateway import NotSent
from polyb0t.venue.buckets import (
    CANCELS,
    CANCELS_AT_ONCE,
    LIMITS,
    ORDERS,
    Limit,
    Throttle,
    TokenBucket,
    limit_name,
)
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.http import HttpReader, ReadLimits
from tests.support.clock import FakeClock
from tests.support.sandbox import running_sandbox
from tests.venue.connected import connected

CLOB = "https://clob.example"


@pytest.mark.parametrize("name", LIMITS)
def test_our_limits_stand_at_half_of_the_published_ones_or_lower(name: str) -> None:
    ours, published = LIMITS[name]
    assert ours.rate * 2 <= published.rate
    assert ours.burst * 2 <= published.burst


def test_a_batch_of_cancels_costs_no_more_than_a_burst() -> None:
    assert LIMITS[CANCELS][0].burst >= CANCELS_AT_ONCE


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/order", ORDERS),
        ("POST", "/clob/order", ORDERS),
        ("DELETE", "/orders", CANCELS),
        ("GET", "/data/orders", "account rows"),
        ("GET", "/data/order/0x1", "other"),
        ("GET", "/data/trades", "account rows"),
        ("GET", "/balance-allowance", "balance"),
        ("GET", "/balance-allowance/update", "balance update"),
        ("POST", "/books", "books"),
        ("GET", "/gamma/markets/keyset", "listings"),
        ("GET", "/v2/positions", "positions"),
        ("GET", "/anything", "other"),
    ],
)
def test_each_call_falls_under_the_limit_that_is_published_for_it(method: str, path: str, name: str) -> None:
    assert limit_name(method, path) == name


def test_a_burst_is_free_and_then_it_goes_by_the_rate() -> None:
    bucket = TokenBucket(Limit(rate=2, burst=3), now=0)
    assert [bucket.take(1, 0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(1, 0.5) == 0
    assert bucket.take(1, 0.5) == 0.5
    assert [bucket.take(1, 1_000) for _ in range(4)] == [0, 0, 0, 0.5]  # never more than a burst


def test_what_was_not_given_is_not_taken() -> None:
    bucket = TokenBucket(Limit(rate=1, burst=2), now=0)
    assert bucket.take(5, 0) == 3
    assert bucket.take(2, 0) == 0


def test_more_than_a_burst_is_a_mistake_and_not_a_wait() -> None:
    with pytest.raises(ValueError, match="burst"):
        Throttle(FakeClock()).take(CANCELS, 61)


def test_waiting_is_bounded() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    assert throttle.wait(CANCELS, 60, at_most=1)
    assert not throttle.wait(CANCELS, 60, at_most=1)
    begun = clock.boot_seconds()
    assert throttle.wait(CANCELS, 60, at_most=2)
    assert clock.boot_seconds() - begun == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "7"}, 7),
        (429, {"retry-after": "86400"}, 300),
        (429, {"retry-after": "soon"}, 1),
        (429, {}, 1),
        (429, {"poly-ratelimit-reset": "1795348815"}, 15),  # the fake clock starts at ...800
        (429, {"poly-ratelimit-reset": "1"}, 1),
        (200, {}, 0),
        (200, {"retry-after": "7"}, 0),
    ],
)
def test_a_refusal_holds_the_bucket_for_as_long_as_it_says(
    status: int, headers: Mapping[str, str], seconds: float
) -> None:
    throttle = Throttle(FakeClock())
    throttle.answered(ORDERS, status, headers)
    assert throttle.take(ORDERS) == pytest.approx(seconds)


def test_the_exchanges_own_count_is_never_exceeded() -> None:
    throttle = Throttle(FakeClock())
    throttle.answered(ORDERS, 200, {"poly-ratelimit-remaining": "2"})
    assert [throttle.take(ORDERS) > 0 for _ in range(3)] == [False, False, True]
    throttle.answered(ORDERS, 200, {"poly-ratelimit-remaining": "-40"})
    assert throttle.take(ORDERS) > 0
    throttle.answered(ORDERS, 200, {"poly-ratelimit-remaining": "999"})
    assert throttle.take(ORDERS) > 0  # and it gives nothing back


def test_a_read_waits_for_its_turn() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    ours = LIMITS["balance update"][0]
    with respx.mock, HttpReader(clock, throttle=throttle) as reader:
        respx.get(f"{CLOB}/balance-allowance/update").respond(json={})
        begun = clock.boot_seconds()
        for _ in range(int(ours.burst) + 4):
            reader.get(f"{CLOB}/balance-allowance/update")
        assert clock.boot_seconds() - begun == pytest.approx(4 / ours.rate)


def test_a_refused_read_holds_back_every_reader_of_that_limit_and_no_other() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    with respx.mock, HttpReader(clock, limits=ReadLimits(attempts=1), throttle=throttle) as reader:
        respx.get(f"{CLOB}/data/trades").mock(return_value=httpx.Response(429, headers={"Retry-After": "9"}))
        with pytest.raises(VenueUnreachableError):
            reader.get(f"{CLOB}/data/trades")
        assert throttle.take("account rows") == 9
        assert throttle.take("books") == 0


def test_a_read_whose_turn_would_come_too_late_is_refused_and_asks_nothing() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    throttle.answered("books", 429, {"retry-after": "60"})
    with respx.mock as wire, HttpReader(clock, throttle=throttle) as reader:
        with pytest.raises(VenueUnreachableError) as caught:
            reader.get(f"{CLOB}/books")
        assert (caught.value.code, wire.calls.call_count) == ("venue_rate_limited", 0)


def test_an_order_beyond_our_limit_never_leaves_and_may_be_sent_a_moment_later() -> None:
    with running_sandbox(markets=6) as sandbox, connected(sandbox) as link:
        clock = FakeClock()
        throttle = Throttle(clock)
        fee = link.fee
        gateway = PolymarketGateway(
            link.environment,
            link.api,
            link.one_shot,
            fee_of=lambda _order: fee,
            key=link.gateway._key,
            throttle=throttle,
        )
        prepared = gateway.prepare(link.intent(), link.now())
        throttle.answered(ORDERS, 429, {"retry-after": "5"})
        assert isinstance(gateway.send(prepared), NotSent)
        clock.advance(seconds=5)
        assert not isinstance(gateway.send(prepared), NotSent)


def test_a_large_cancel_goes_out_in_parts_that_the_exchange_takes() -> None:
    with running_sandbox(markets=6) as sandbox, connected(sandbox) as link:
        ids = [OrderId(f"0x{number:064x}") for number in range(150)]
        link.api._throttle = Throttle(FakeClock())
        answer = link.api.cancel(ids)
        assert (len(answer.cancelled), len(answer.not_cancelled)) == (0, 150)
