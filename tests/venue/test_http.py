"""Reading over HTTP: every bad answer is one clear error, and only harmless calls are repeated."""

import json
import socket

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.venue.http import Call, HttpReader, ReadLimits
from tests.support.clock import FakeClock
from tests.venue.web import Reply, Request, serving


def error_of(
    reply: Reply | None, limits: ReadLimits | None = None
) -> tuple[VenueUnreachableError, list[Call]]:
    calls: list[Call] = []
    with (
        serving(lambda _: reply) as web,
        HttpReader(FakeClock(), limits=limits or ReadLimits(), on_call=calls.append) as http,
    ):
        with pytest.raises(VenueUnreachableError) as caught:
            http.parsed(http.get(web.url + "/x"))
        return caught.value, calls


def test_an_answer_is_read_with_exact_numbers() -> None:
    with serving(lambda _: Reply(b'{"a": 0.1}')) as web, HttpReader(FakeClock()) as http:
        assert str(http.parsed(http.get(web.url, {"q": "1"}))) == "{'a': Decimal('0.1')}"
        assert web.requests[0].path == "/?q=1"


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        (Reply(b""), "venue_malformed", "empty"),
        (Reply(b"  \n "), "venue_malformed", "empty"),
        (Reply(b"<html>Attention required</html>"), "venue_html", "web page"),
        (Reply(b'{"a": '), "venue_malformed", "not JSON"),
        (Reply(b"[" * 200_000), "venue_malformed", "nested too deeply"),
        (
            Reply(b'{"error": "offset is not allowed"}', 422),
            "venue_status",
            "HTTP 422: offset is not allowed",
        ),
        (Reply(b"<html>blocked</html>", 403), "venue_status", "web page"),
        (Reply(b"", 302, {"location": "http://127.0.0.1:9/"}), "venue_status", "HTTP 302"),
    ],
)
def test_a_useless_answer_is_one_error_that_names_host_and_reason(
    reply: Reply, code: str, words: str
) -> None:
    error, calls = error_of(reply)
    assert error.code == code
    assert "127.0.0.1" in str(error)
    assert words in error.why
    assert len([call for call in calls if not call.amends]) == 1
    assert calls[-1].error, "what cannot be read is no good answer either"


def test_an_enormous_answer_is_given_up() -> None:
    error, _ = error_of(Reply(b"1" * 300_000), ReadLimits(max_body_bytes=100_000))
    assert error.code == "venue_too_large"


def test_an_answer_that_drips_is_given_up_when_its_time_is_over() -> None:
    clock = FakeClock()
    dripping = Reply(b"1" * 1_000_000, between=lambda: clock.advance(seconds=4))
    with (
        serving(lambda _: dripping) as web,
        HttpReader(clock) as http,
        pytest.raises(VenueUnreachableError, match="longer than 15 s") as caught,
    ):
        http.get(web.url)
    assert caught.value.code == "venue_timeout"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_host_is_asked_again_a_few_times(status: int) -> None:
    error, calls = error_of(Reply(b"{}", status))
    assert error.code == ("venue_rate_limited" if status == 429 else "venue_status")
    assert [call.ok for call in calls] == [False, False, False]
    assert "tried 3 times" in error.why


@pytest.mark.parametrize("status", [400, 401, 403, 404, 425])
def test_a_refusal_is_not_asked_again(status: int) -> None:
    _, calls = error_of(Reply(b"{}", status))
    assert len(calls) == 1


def test_a_busy_host_that_recovers_is_no_error() -> None:
    replies = [Reply(b"{}", 503), Reply(b"[1]")]
    with serving(lambda _: replies.pop(0)) as web, HttpReader(FakeClock()) as http:
        assert http.parsed(http.get(web.url)) == [1]


def test_a_connection_that_closes_without_an_answer_is_tried_again() -> None:
    replies = [None, Reply(b"[1]")]
    with serving(lambda _: replies.pop(0)) as web, HttpReader(FakeClock()) as http:
        assert http.parsed(http.get(web.url)) == [1]


def test_the_wait_that_the_host_asks_for_is_kept() -> None:
    clock = FakeClock()
    replies = [Reply(b"{}", 429, {"retry-after": "7"}), Reply(b"[1]")]
    before = clock.boot_seconds()
    with serving(lambda _: replies.pop(0)) as web, HttpReader(clock) as http:
        http.get(web.url)
    assert clock.boot_seconds() - before == pytest.approx(7)


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    error, calls = error_of(Reply(b"{}", 429, {"retry-after": "300"}))
    assert error.code == "venue_rate_limited"
    assert len(calls) == 1


def test_nobody_listening_is_named_with_what_to_do() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    for sandbox, command in ((True, "polyb0t sandbox"), (False, "polyb0t run --live --sandbox")):
        with HttpReader(FakeClock(), sandbox=sandbox) as http:
            with pytest.raises(VenueUnreachableError) as caught:
                http.get(url)
            assert caught.value.code == "venue_unreachable"
            assert caught.value.do.endswith(command)


def test_a_post_that_reads_carries_its_body() -> None:
    def echo(request: Request) -> Reply:
        return Reply(request.body)

    with serving(echo) as web, HttpReader(FakeClock()) as http:
        assert json.loads(http.post(web.url, [{"token_id": "1"}]).body) == [{"token_id": "1"}]


def test_a_status_that_the_caller_expects_is_an_answer_and_no_error() -> None:
    calls: list[Call] = []
    with serving(lambda _: Reply(b"{}", 404)) as web, HttpReader(FakeClock(), on_call=calls.append) as http:
        assert http.get(web.url, also=frozenset({404})).status == 404
    assert [(call.host, call.ok, call.status, call.error) for call in calls] == [("127.0.0.1", True, 404, "")]


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(lambda _: Reply(b"[1]")) as web, HttpReader(FakeClock()) as http:
        assert http.parsed(http.get(web.url)) == [1]


@pytest.mark.parametrize(
    "url", ["http://[bad", "127.0.0.1:9/x", "ftp://127.0.0.1/", "http://127.0.0.1:99999999/"]
)
def test_an_address_that_is_none_is_named(url: str) -> None:
    with HttpReader(FakeClock()) as http, pytest.raises(VenueUnreachableError) as caught:
        http.get(url)
    assert caught.value.code == "venue_unreachable"


def test_an_answer_that_is_packed_wrongly_is_malformed() -> None:
    error, _ = error_of(Reply(b"not gzip", headers={"content-encoding": "gzip"}))
    assert error.code == "venue_malformed"


def test_a_closed_reader_says_that_it_is_closed() -> None:
    http = HttpReader(FakeClock())
    http.close()
    with pytest.raises(VenueUnreachableError, match="closed"):
        http.get("http://127.0.0.1:9/")
