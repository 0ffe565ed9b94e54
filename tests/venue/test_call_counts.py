"""Which calls count against a host: an answer that nobody likes is an answer."""

import pytest

from polyb0t.venue.call_counts import CallCounts, is_error
from polyb0t.venue.http import Call, HttpReader, ReadLimits
from polyb0t.venue.one_shot import NeverLeft, OneShot
from tests.support.clock import FakeClock
from tests.venue.web import Reply, serving


def a_call(status: int | None, *, ok: bool = False, host: str = "clob") -> Call:
    return Call(host, ok, 0.1, status, "" if ok else "venue_status")


@pytest.mark.parametrize("status", [None, 401, 403, 408, 429, 500, 502, 503, 504])
def test_what_is_no_useful_answer_counts(status: int | None) -> None:
    assert is_error(a_call(status))


@pytest.mark.parametrize("status", [400, 404, 409, 422, 425])
def test_no_fill_no_book_not_cancelled_and_a_restart_do_not(status: int) -> None:
    assert not is_error(a_call(status))


def test_each_host_is_counted_for_itself_and_over_the_window_only() -> None:
    clock = FakeClock()
    counts = CallCounts(clock, 300)
    counts.counted(a_call(500, host="gamma"))
    clock.advance(seconds=200)
    counts.counted(a_call(500))
    clock.advance(seconds=70)
    counts.counted(a_call(500))
    counts.counted(a_call(200, ok=True))
    gamma, clob = counts.hosts()[1], counts.hosts()[0]
    assert (clob.host, clob.calls, clob.errors, clob.error_seconds) == ("clob", 3, 2, 70)
    assert (gamma.host, gamma.calls, gamma.errors, gamma.error_seconds) == ("gamma", 1, 1, 0)
    clock.advance(seconds=31)
    assert [host.host for host in counts.hosts()] == ["clob"]


def test_an_answer_that_cannot_be_read_counts_once_and_as_an_error() -> None:
    clock = FakeClock()
    counts = CallCounts(clock, 300)
    with (
        serving(lambda _: Reply(b"<html>Attention</html>")) as web,
        HttpReader(clock, limits=ReadLimits(attempts=1), on_call=counts.counted) as http,
    ):
        for _ in range(3):
            with pytest.raises(Exception, match="no usable answer"):
                http.parsed(http.get(web.url))
    [host] = counts.hosts()
    assert (host.calls, host.errors) == (3, 3)


def test_orders_and_cancels_are_counted_as_reads_are() -> None:
    clock = FakeClock()
    counts = CallCounts(clock, 300)
    sender = OneShot(clock, on_call=counts.counted)
    with serving(lambda _: Reply(b'{"error": "no orders found to match"}', 400)) as web:
        sender.call("POST", web.url, headers={})
    with serving(lambda _: Reply(b"", 503)) as web:
        sender.call("POST", web.url, headers={})
    with pytest.raises(NeverLeft):
        sender.call("POST", "http://127.0.0.1:9/", headers={})
    sender.close()
    [host] = counts.hosts()
    assert (host.calls, host.errors) == (3, 2)
