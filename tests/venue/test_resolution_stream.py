"""The socket's word that a held market has ended, heard at the practice exchange."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from queue import Empty, Queue

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.sandbox.connections import Connection
from polyb0t.venue.frames import MarketResolved, Other, parse_frame
from polyb0t.venue.resolution_stream import ResolutionStream
from polyb0t.venue.socket_line import Heard, StreamSettings
from tests.support.sandbox import RunningSandbox, running_sandbox

CLOCK = SystemClock()
QUICK = StreamSettings(poll=0.01, first_wait=0.01)


@contextmanager
def listening(sandbox: RunningSandbox) -> Iterator[tuple[ResolutionStream, Queue[ConditionId]]]:
    heard: Queue[ConditionId] = Queue()
    stream = ResolutionStream(sandbox.urls()["market_ws"], CLOCK, heard.put, settings=QUICK)
    try:
        yield stream, heard
    finally:
        stream.close()


def subscribed(sandbox: RunningSandbox, *wanted: set[str], but: Connection | None = None) -> None:
    """Waits until exactly these sets of assets are listened to, with the newer kinds of message."""
    pause = threading.Event()
    for _ in range(2_000):
        open_now = [each for each in sandbox.call(sandbox.app.sockets.connections) if each is not but]
        if [(each.tokens, each.custom) for each in open_now] == [(each, True) for each in wanted]:
            return
        pause.wait(0.005)
    pytest.fail("the socket does not listen to that")


def test_the_end_of_a_held_market_is_heard_and_that_of_another_is_not() -> None:
    with running_sandbox(markets=12) as sandbox, listening(sandbox) as (stream, heard):
        ours, other = (view.spec for view in sandbox.world.markets()[:2])
        stream.watch([AssetId(ours.token_ids[0])])
        subscribed(sandbox, {ours.token_ids[0]})
        for spec in (other, ours):
            sandbox.call(partial(sandbox.world.resolve, spec.condition_id, (1_000_000, 0)))
        assert heard.get(timeout=10) == ours.condition_id
        with pytest.raises(Empty):
            heard.get(timeout=0.1)


def test_what_is_bought_later_is_heard_of_too_and_without_holdings_nobody_listens() -> None:
    with running_sandbox(markets=12) as sandbox, listening(sandbox) as (stream, heard):
        first, second = (view.spec for view in sandbox.world.markets()[:2])
        assert sandbox.call(sandbox.app.sockets.connections) == ()
        stream.watch([AssetId(first.token_ids[0])])
        subscribed(sandbox, {first.token_ids[0]})
        both = {first.token_ids[0], second.token_ids[1]}
        stream.watch(AssetId(each) for each in both)
        subscribed(sandbox, both)
        (before,) = sandbox.call(sandbox.app.sockets.connections)
        sandbox.cut_sockets()  # what was subscribed comes back by itself
        subscribed(sandbox, both, but=before)
        sandbox.call(lambda: sandbox.world.resolve(second.condition_id, (500_000, 500_000)))
        assert heard.get(timeout=10) == second.condition_id
        stream.watch([])
        subscribed(sandbox)


@pytest.mark.parametrize(
    "frame",
    [
        '{"event_type":"market_resolved"}',
        '{"event_type":"market_resolved","market":"tomorrow"}',
        '[{"event_type":"market_resolved","market":null}]',
        '{"event_type":"new_market","question":"Is market_resolved a word?"}',
        "market_resolved",
    ],
)
def test_a_frame_that_names_no_market_is_nothing_and_no_book_is_doubted_for_it(frame: str) -> None:
    heard: list[ConditionId] = []
    stream = ResolutionStream("ws://127.0.0.1:1", CLOCK, heard.append)
    assert stream.take(frame) is Heard.CONTENT
    assert heard == []
    if "event_type" in frame and "new_market" not in frame:
        read = parse_frame(frame, CLOCK.now())
        assert (read.events, read.refused) == ((Other("market_resolved"),), ())


def test_a_blank_frame_and_pong_are_not_content() -> None:
    stream = ResolutionStream("ws://127.0.0.1:1", CLOCK, lambda _name: None)
    assert [stream.take(each) for each in ("PONG", b"PONG", " ")] == [Heard.PONG, Heard.PONG, Heard.NOTHING]


def test_the_winner_that_it_names_is_not_even_read() -> None:
    name = ConditionId("0x" + "ab" * 32)
    told = {"event_type": "market_resolved", "market": name, "winning_outcome": "Yes"}
    (event,) = parse_frame(json.dumps(told), CLOCK.now()).events
    assert event == MarketResolved(name)
