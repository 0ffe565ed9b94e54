"""`/events`: the journal as it is written, with nothing left out and nothing told twice."""

import threading

import pytest

from polyb0t.api import events
from polyb0t.api.feed import JournalFeed
from tests.api.conftest import Service
from tests.api.running import serving
from tests.api.test_intents import problem
from tests.support.sse import Event, EventReader


def numbers(events: list[Event]) -> list[int]:
    return [int(event.id) for event in events]


def last(service: Service) -> int:
    return service.stores.engine.last_sequence()


def test_everything_from_the_beginning_is_the_journal(service: Service) -> None:
    service.propose()
    told = list(EventReader(service.http, "?after=0&follow=false").stream())
    journal = service.stores.engine.journal()
    assert numbers(told) == [entry.sequence for entry in journal] == list(range(1, len(journal) + 1))
    for event, entry in zip(told, journal, strict=True):
        assert event.data["kind"] == entry.kind
        assert event.data["hash"] == entry.hash
        assert event.data["sequence"] == entry.sequence
    assert [event.data["previous_hash"] for event in told[1:]] == [event.data["hash"] for event in told[:-1]]


def test_a_listener_hears_what_happens_while_it_listens(service: Service) -> None:
    record = service.propose()
    reader = EventReader(service.http)
    heard: list[Event] = []

    def listen() -> None:
        for event in reader.stream():
            heard.append(event)
            if event.data["kind"] == "intent.approved":
                return

    reader_thread = threading.Thread(target=listen)
    reader_thread.start()
    assert reader.began.wait(20)
    before = int(reader.last_id)
    service.http.post(f"/intents/{record.id}/approve")
    reader_thread.join(20)
    assert not reader_thread.is_alive()
    assert numbers(heard)[0] == before + 1
    assert heard[-1].data["subject"] == record.id
    assert heard[-1].data["actor"].endswith("@http")


def test_who_reconnects_misses_nothing_and_hears_nothing_twice(service: Service) -> None:
    reader = EventReader(service.http, "?after=0")
    heard: list[int] = []
    for round_number in range(6):
        for _ in range(round_number):
            service.propose()
        heard += numbers(reader.read(last(service) - int(reader.last_id or 0)))
    assert heard == list(range(1, last(service) + 1))


def test_who_is_cut_off_before_the_first_event_misses_none(service: Service) -> None:
    reader = EventReader(service.http)
    with service.http.stream("GET", "/events") as answer:
        lines = answer.iter_lines()
        opening = [next(lines), next(lines)]
    assert opening == ["retry: 1000", f"id: {last(service)}"]
    reader.last_id = opening[1].removeprefix("id: ")
    service.propose()
    assert numbers(reader.read(1)) == [last(service)]


def test_who_is_far_behind_is_told_from_the_database(service: Service) -> None:
    for _ in range(12):
        service.propose()
    feed = JournalFeed(service.stores.engine, kept=3)
    with serving(service.opened, feed) as http:
        reader = EventReader(http, "?after=0")
        heard = numbers(reader.read(5))
        for _ in range(9):
            service.propose()
        heard += numbers(reader.read(last(service) - 5))
    assert heard == list(range(1, last(service) + 1))


def test_a_header_goes_before_the_address(service: Service) -> None:
    service.propose()
    reader = EventReader(service.http, "?after=0&follow=false", last_id=str(last(service) - 1))
    assert numbers(list(reader.stream())) == [last(service)]


@pytest.mark.parametrize("query", ["kind=intent", "kind=intent.proposed", "kind=switch&kind=intent"])
def test_only_what_is_asked_for(service: Service, query: str) -> None:
    first, second = service.propose(), service.propose()
    told = list(EventReader(service.http, f"?after=0&follow=false&{query}").stream())
    assert [event.data["subject"] for event in told] == [first.id, second.id]
    of_one = EventReader(service.http, f"?after=0&follow=false&{query}&subject={second.id}")
    assert [event.data["subject"] for event in of_one.stream()] == [second.id]


@pytest.mark.parametrize("header", ["x", "-1", "1.5", "9" * 30, "١"])
def test_an_impossible_id_is_a_problem(service: Service, header: str) -> None:
    answer = service.http.get("/events", headers={b"Last-Event-ID": header.encode()})
    problem(answer, 422, "invalid_request")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "follow=perhaps"])
def test_an_impossible_question_is_a_problem(service: Service, query: str) -> None:
    problem(service.http.get(f"/events?{query}"), 422, "invalid_request")


def test_a_number_that_the_journal_has_not_reached_is_refused(service: Service) -> None:
    """After a restored copy the same number may name something else: silence would hide it."""
    ahead = last(service) + 1
    problem(service.http.get(f"/events?after={ahead}"), 409, "journal_behind")
    problem(service.http.get("/events", headers={"Last-Event-ID": str(ahead)}), 409, "journal_behind")


def test_a_silent_stream_says_that_it_is_alive(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.05)
    with service.http.stream("GET", "/events") as answer:
        assert any(line.startswith(":") for line in answer.iter_lines())


def test_too_many_listeners_are_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_STREAMS", 0)
    problem(service.http.get("/events"), 503, "too_many_streams")


def test_a_closed_feed_ends_its_streams(service: Service) -> None:
    feed = JournalFeed(service.stores.engine)
    with serving(service.opened, feed) as http:
        reader = EventReader(http)
        stream = reader.stream()
        service.propose()
        done: list[Event] = []
        thread = threading.Thread(target=lambda: done.extend(stream))
        thread.start()
        assert reader.began.wait(20)
        feed.close()
        thread.join(20)
        assert not thread.is_alive()


def test_a_stream_ends_when_its_token_is_taken_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ADMITTED_SECONDS", 0.05)
    reader = EventReader(service.bearing(service.token("anna")))
    thread = threading.Thread(target=lambda: list(reader.stream()))
    thread.start()
    assert reader.began.wait(20)
    assert thread.is_alive()
    service.stores.access.revoke("anna", actor="user:owner", reason="gone")
    thread.join(20)
    assert not thread.is_alive()


def test_a_stream_without_a_token_ends_when_tokens_are_asked_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ADMITTED_SECONDS", 0.05)
    reader = EventReader(service.http)
    thread = threading.Thread(target=lambda: list(reader.stream()))
    thread.start()
    assert reader.began.wait(20)
    service.token("anna")
    thread.join(20)
    assert not thread.is_alive()
