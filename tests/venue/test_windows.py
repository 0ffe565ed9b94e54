"""Venue windows: what an answer to an order says of all orders, for how long, and what says nothing."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.core.canonical import canonical_text
from polyb0t.core.ids import OrderId
from polyb0t.data.windows import OPEN, WindowKind, read_window
from polyb0t.execution.gateway import Accepted, NotSent, Unknown, Unreadable
from polyb0t.sandbox.faults import Fault
from polyb0t.sandbox.house import Mode
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.windows import VenueWindows
from tests.support.clock import FakeClock
from tests.support.sandbox import running_sandbox
from tests.venue.connected import connected

RESTART = json.dumps({"error": "service not ready"}).encode()
POST_ONLY = {"error": "post-only mode: orders that take are refused", "code": "post_only_mode"}
ANSWERS = [
    (425, RESTART, WindowKind.RESTARTING, 90),
    (425, b"", WindowKind.RESTARTING, 90),
    (425, b"<html>", WindowKind.RESTARTING, 90),
    (503, json.dumps({**POST_ONLY, "retry_after_seconds": 79}).encode(), WindowKind.POST_ONLY, 79),
    (503, json.dumps(POST_ONLY).encode(), WindowKind.POST_ONLY, 120),
    (
        503,
        b'{"error":"Trading is currently cancel-only. New orders are not accepted."}',
        WindowKind.CANCEL_ONLY,
        60,
    ),
    (503, b'{"error":"trading is disabled"}', WindowKind.DISABLED, 60),
    (
        503,
        b'{"error":"Trading is currently disabled. Check polymarket.com for updates"}',
        WindowKind.DISABLED,
        60,
    ),
]


@pytest.mark.parametrize(("status", "body", "kind", "seconds"), ANSWERS)
def test_each_window_is_known_by_its_answer_and_ends_by_its_own_time(
    status: int, body: bytes, kind: WindowKind, seconds: int
) -> None:
    clock = FakeClock()
    windows = VenueWindows(clock)
    windows.order_answered(status, {}, body)
    window = windows.current()
    assert (window.kind, window.takes_orders, window.since) == (kind, False, clock.now())
    assert window.until == clock.now() + timedelta(seconds=seconds)
    clock.advance(seconds=seconds - 1)
    assert windows.current().kind is kind
    clock.advance(seconds=1)
    assert windows.current() == OPEN


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, b""),
        (503, b"<html>disabled</html>"),
        (503, b'{"error":"upstream"}'),
        (503, b'{"error":17,"code":"post_only_mode"}'),
        (503, b"[]"),
        (500, b'{"error":"trading is disabled"}'),
        (429, b'{"error":"trading is disabled"}'),
        (502, b'{"code":"post_only_mode"}'),
    ],
)
def test_what_does_not_name_a_window_opens_and_closes_none(status: int, body: bytes) -> None:
    windows = VenueWindows(FakeClock())
    windows.order_answered(status, {}, body)
    assert windows.current() == OPEN
    windows.order_answered(425, {}, b"")
    windows.order_answered(status, {}, body)
    assert windows.current().kind is WindowKind.RESTARTING


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_of_the_matching_engine_ends_a_window_at_once(status: int) -> None:
    windows = VenueWindows(FakeClock())
    windows.order_answered(425, {}, RESTART)
    windows.order_answered(status, {}, b"{}")
    assert windows.current() == OPEN


def test_that_a_post_only_order_was_looked_at_does_not_end_a_window_that_takes_those() -> None:
    windows = VenueWindows(FakeClock())
    windows.order_answered(503, {}, json.dumps(POST_ONLY).encode())
    windows.order_answered(200, {}, b"{}", post_only=True)
    assert windows.current().kind is WindowKind.POST_ONLY
    windows.order_answered(200, {}, b"{}")
    assert windows.current() == OPEN


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_what_stands_in_front_of_the_matching_engine_does_not_end_it(status: int) -> None:
    windows = VenueWindows(FakeClock())
    windows.order_answered(425, {}, RESTART)
    windows.order_answered(status, {}, b"{}")
    assert windows.current().kind is WindowKind.RESTARTING


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 1), ("99999", 3_600), ("-5", 90), ("soon", 90), ("1e9", 90), ("", 90)],
)
def test_the_exchanges_own_time_counts_within_reason(header: str, seconds: int) -> None:
    clock = FakeClock()
    windows = VenueWindows(clock)
    windows.order_answered(425, {"retry-after": header}, RESTART)
    assert windows.current().until == clock.now() + timedelta(seconds=seconds)


def test_a_window_lasts_by_the_clock_that_nobody_sets() -> None:
    clock = FakeClock()
    windows = VenueWindows(clock)
    windows.order_answered(425, {}, RESTART)
    clock.jump_wall(seconds=3_600)
    assert windows.current().kind is WindowKind.RESTARTING


def test_hearing_it_again_keeps_its_beginning_and_moves_its_end() -> None:
    clock = FakeClock()
    windows, begun = VenueWindows(clock), clock.now()
    windows.order_answered(425, {}, RESTART)
    clock.advance(seconds=60)
    windows.order_answered(425, {}, RESTART)
    window = windows.current()
    assert (window.since, window.until) == (begun, clock.now() + timedelta(seconds=90))


def test_it_travels_as_data_to_whoever_shows_it() -> None:
    windows = VenueWindows(FakeClock())
    windows.order_answered(425, {}, RESTART)
    window = windows.current()
    assert read_window(json.loads(canonical_text(window.as_dict()))) == window
    assert read_window(json.loads(canonical_text(OPEN.as_dict()))) == OPEN
    useless: tuple[object, ...] = (None, [], {}, {"kind": "party"}, {"kind": "open", "since": "yesterday"})
    for bad in useless:
        with pytest.raises(ValueError, match=r".*"):
            read_window(bad)


def test_a_425_to_an_order_is_a_window_and_a_425_to_a_read_is_evidence_of_nothing() -> None:
    with running_sandbox(markets=6) as sandbox, connected(sandbox) as link:
        windows = VenueWindows(link.clock)
        fee = link.fee
        gateway = PolymarketGateway(
            link.environment,
            link.api,
            link.one_shot,
            fee_of=lambda _order: fee,
            key=link.gateway._key,
            windows=windows,
        )
        sandbox.faults.add(
            Fault(action="status", path="/clob", status=425, body={"error": "service not ready"})
        )
        assert isinstance(gateway.lookup(OrderId("0x" + "11" * 32)), Unreadable)
        assert windows.current() == OPEN
        intent = link.intent()
        answer = gateway.send(gateway.prepare(intent, link.now()))
        assert isinstance(answer, Unknown)
        assert windows.current().kind is WindowKind.RESTARTING
        assert isinstance(gateway.send(gateway.prepare(intent, link.now())), NotSent)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (Mode.RESTART, WindowKind.RESTARTING),
        (Mode.POST_ONLY, WindowKind.POST_ONLY),
        (Mode.CANCEL_ONLY, WindowKind.CANCEL_ONLY),
        (Mode.DISABLED, WindowKind.DISABLED),
    ],
)
def test_every_window_that_the_sandbox_knows_is_known_here_and_ends_with_it(
    mode: Mode, kind: WindowKind
) -> None:
    with running_sandbox(markets=6) as sandbox, connected(sandbox) as link:
        windows = VenueWindows(link.clock)
        fee = link.fee
        gateway = PolymarketGateway(
            link.environment,
            link.api,
            link.one_shot,
            fee_of=lambda _order: fee,
            key=link.gateway._key,
            windows=windows,
        )
        sandbox.call(lambda: sandbox.app.house.enter(mode, 79_000))
        assert isinstance(gateway.send(gateway.prepare(link.intent(), link.now())), Unknown)
        window = windows.current()
        assert window.kind is kind
        if kind in (WindowKind.RESTARTING, WindowKind.POST_ONLY):
            assert window.since is not None
            assert window.until == window.since + timedelta(seconds=79)
        another = gateway.prepare(link.intent(amount=Decimal(11)), link.now())
        assert isinstance(gateway.send(another), NotSent)  # nothing that takes is sent into it
        resting = gateway.send(gateway.prepare(link.resting(post_only=True), link.now()))
        assert isinstance(resting, Accepted if kind is WindowKind.POST_ONLY else NotSent)
        assert windows.current().kind is kind  # that it took a resting order does not end it
