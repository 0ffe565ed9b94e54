"""What the answer to an order proves, and above all what it does not prove."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import OrderId, Wallet
from polyb0t.execution.gateway import (
    Accepted,
    AcceptedStatus,
    NoFill,
    NotSent,
    PreparedOrder,
    Refused,
    SendOutcome,
    Unknown,
)
from polyb0t.venue.account_api import AccountApi, TradingWallet
from polyb0t.venue.answers import classify
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.gateway import PolymarketGateway
from polyb0t.venue.http import HttpReader
from polyb0t.venue.one_shot import MOST_BYTES, NeverLeft, OneShot
from tests.support.clock import FakeClock
from tests.venue.connected import FEE
from tests.venue.rogue import Behaviour, Rogue, drip, raw, reply, rogue, wait_for_reset

OURS = OrderId("0x" + "1a" * 32)
THEIRS = "0x" + "2b" * 32
ACCEPTED = {"success": True, "errorMsg": "", "orderID": OURS, "status": "live", "tradeIDs": []}


def judged(status: int, body: Any, headers: dict[str, str] | None = None) -> SendOutcome:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, headers or {}, content, OURS)


def changed(**changes: object) -> dict[str, object]:
    return {**ACCEPTED, **changes}


# --- accepted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["live", "matched", "delayed"])
def test_success_with_our_id_and_a_known_status_is_accepted(status: str) -> None:
    assert judged(200, changed(status=status, tradeIDs=["t1"])) == Accepted(AcceptedStatus(status), ("t1",))


def test_what_the_real_exchange_leaves_out_is_not_missed() -> None:
    answer = {
        "success": True,
        "orderID": OURS,
        "status": "matched",
        "makingAmount": "1",
        "takingAmount": "86.6",
    }
    assert judged(200, answer) == Accepted(AcceptedStatus.MATCHED, ())


@pytest.mark.parametrize(
    "body",
    [
        changed(success=False),
        changed(success=None),
        changed(success="true"),
        changed(success=1),
        changed(errorMsg="not enough balance / allowance"),
        changed(errorMsg="order couldn't be fully filled. FOK orders are fully filled or killed."),
        changed(orderID=""),
        changed(orderID=None),
        changed(status="unmatched"),
        changed(status="LIVING"),
        changed(status=""),
        changed(status=None),
        changed(tradeIDs="t1"),
        [ACCEPTED],
        None,
        "ok",
        b"",
        b"<html>ok</html>",
        b'{"success":true,"orderID":"',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_any_other_success_is_unknown(body: Any) -> None:
    outcome = judged(200, body)
    assert isinstance(outcome, Unknown)
    assert not outcome.foreign_id


# --- another order's id stops everything ---------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 400, 403, 404, 425, 429, 500, 503])
def test_an_answer_that_names_another_order_is_foreign(status: int) -> None:
    for body in (
        changed(orderID=THEIRS),
        {"error": "invalid signature", "orderID": THEIRS},
        {"error": f"order {THEIRS} is invalid. Duplicated."},
        {"error": f"order {THEIRS} crosses the book"},
    ):
        outcome = judged(status, body, {"poly-ratelimit-remaining": "0"})
        assert isinstance(outcome, Unknown)
        assert outcome.foreign_id


def test_an_id_in_other_letters_is_the_same_id() -> None:
    assert isinstance(judged(200, changed(orderID=OURS.upper().replace("0X", "0x"))), Accepted)
    quoted = judged(400, {"error": f"order {OURS.upper().replace('0X', '0x')} crosses the book"})
    assert isinstance(quoted, Refused)


# --- refused and no fill --------------------------------------------------------------------------------

REFUSALS = [
    ("bad_order", "Invalid order payload"),
    ("wrong_wallet", "the order owner has to be the owner of the API KEY"),
    ("wrong_wallet", "the order signer address has to be the address of the API KEY"),
    ("wrong_wallet", "maker address not allowed, please use the deposit wallet flow"),
    ("bad_signature", "invalid signature"),
    ("bad_signature", "order_version_mismatch"),
    ("bad_signature", "invalid order version, please use the latest clob-client"),
    ("account_restricted", "'0x" + "ab" * 20 + "' address banned"),
    ("account_restricted", "'0x" + "ab" * 20 + "' address in closed only mode"),
    ("off_tick", f"order {OURS} is invalid. Price (0.375) breaks minimum tick size rule: 0.01"),
    ("below_minimum", f"order {OURS} is invalid. Size (2) lower than the minimum: 5"),
    ("would_cross", f"order {OURS} crosses the book"),
    ("would_cross", "invalid post-only order: order crosses book"),
    ("bad_order", "invalid post-only order: only GTC and GTD order types are allowed"),
    (
        "not_enough_balance",
        "not enough balance / allowance: the balance is not enough -> balance: 1, order amount: 2",
    ),
    (
        "not_enough_allowance",
        "not enough balance / allowance: the allowance is not enough -> spender: 0x" + "e1" * 20,
    ),
    ("bad_order", "invalid expiration"),
    (
        "bad_amounts",
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals",
    ),
    ("below_minimum", "invalid amount for a marketable BUY order ($0.5), min size: $1"),
    ("market_not_open", "the market is not yet ready to process new orders"),
]


@pytest.mark.parametrize(("code", "words"), REFUSALS)
def test_a_text_on_the_list_is_a_refusal(code: str, words: str) -> None:
    outcome = judged(400, {"error": words})
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.text) == (code, words)


def test_region_and_key_are_refused_with_their_own_statuses() -> None:
    region = judged(403, {"error": "Trading restricted in your region, please refer to available regions"})
    assert isinstance(region, Refused)
    assert region.code == "geoblocked"
    key = judged(401, {"error": "Unauthorized/Invalid api key"})
    assert isinstance(key, Refused)
    assert key.code == "unauthorised"


@pytest.mark.parametrize(
    "words",
    [
        "order couldn't be fully filled. FOK orders are fully filled or killed.",
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.",
    ],
)
def test_a_kill_order_that_found_nothing_is_no_fill(words: str) -> None:
    assert judged(400, {"error": words, "orderID": OURS}) == NoFill(words)
    assert isinstance(judged(500, {"error": words}), Unknown)
    assert isinstance(judged(200, changed(errorMsg=words)), Unknown)


def test_the_exchanges_own_limiter_refuses_and_anything_in_front_of_it_does_not() -> None:
    own = judged(429, {"error": "rate limited"}, {"poly-ratelimit-remaining": "0", "retry-after": "1"})
    assert isinstance(own, Refused)
    assert own.code == "rate_limited"
    assert isinstance(judged(429, {"error": "rate limited"}, {"retry-after": "1"}), Unknown)
    assert isinstance(judged(429, b"<html>1015</html>"), Unknown)


# --- unknown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": f"order {OURS} is invalid. Duplicated."}),
        (400, {"error": "context canceled"}),
        (400, {"error": "order match delayed due to market conditions"}),
        (400, {"error": "order canceled in the CTF exchange contract"}),
        (400, {"error": "something nobody has seen"}),
        (400, {"error": "could not insert order: invalid signature cache"}),
        (400, {"error": "while handling 'invalid order payload' of somebody"}),
        (400, {"error": ""}),
        (400, {"error": {"text": "invalid signature"}}),
        (400, {}),
        (400, []),
        (400, b"invalid signature"),
        (400, b""),
        (401, b"<html>401</html>"),
        (403, b"<html>blocked</html>"),
        (404, b"404 page not found"),
        (402, {"error": "invalid signature"}),
        (409, {"error": "invalid signature"}),
        (425, {"error": "service not ready"}),
        (425, {"error": "invalid signature"}),
        (500, {"error": "could not insert order"}),
        (500, {"error": "not enough balance / allowance"}),
        (502, b"<html>bad gateway</html>"),
        (
            503,
            {
                "error": "post-only mode: only post-only orders and cancels are allowed",
                "code": "post_only_mode",
            },
        ),
        (503, {"error": "trading is disabled"}),
        (201, ACCEPTED),
        (202, ACCEPTED),
        (204, b""),
        (302, b""),
        (100, b""),
    ],
)
def test_everything_else_is_unknown(status: int, body: Any) -> None:
    outcome = judged(status, body)
    assert isinstance(outcome, Unknown)
    assert not outcome.foreign_id
    assert outcome.reason


@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.text(max_size=20), st.integers()),
            lambda inner: st.dictionaries(
                st.sampled_from(["success", "errorMsg", "error", "orderID", "status", "tradeIDs", "code"]),
                inner,
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_answer_whatever_is_an_acceptance_without_our_id_or_an_error(status: int, body: bytes) -> None:
    outcome = classify(status, {}, body, OURS)
    assert isinstance(outcome, Unknown | Refused | NoFill)


def test_an_answers_words_are_kept_short_and_on_one_line() -> None:
    outcome = judged(400, {"error": "evil\x1b[2J\n" + "x" * 5_000})
    assert isinstance(outcome, Unknown)
    assert "\x1b" not in outcome.reason
    assert "\n" not in outcome.reason
    assert len(outcome.reason) < 700


# --- what happens on the wire -----------------------------------------------------------------------


@pytest.fixture
def one_shot() -> Iterator[OneShot]:
    sender = OneShot(SystemClock(), budget_seconds=0.4)
    yield sender
    sender.close()


PREPARED = PreparedOrder(
    order_id=OURS,
    signed_order="{}",
    l2_timestamp=0,
    credential_id="c",
    body=b'{"order":{}}',
    headers={"POLY_ADDRESS": "0x1", "Content-Type": "application/json"},
)


def sent_to(url: str, one_shot: OneShot) -> SendOutcome:
    clock, nobody = SystemClock(), Wallet("0x" + "00" * 20)
    with HttpReader(clock) as reader:
        wallet = TradingWallet(nobody, nobody, 0)
        api = AccountApi(url, wallet, None, reader=reader, one_shot=one_shot, clock=clock)
        environment = replace(POLYMARKET, clob_url=url)
        gateway = PolymarketGateway(environment, api, one_shot, fee_of=lambda _order: FEE)
        return gateway.send(PREPARED)


def test_the_exact_bytes_and_headers_leave_once(one_shot: OneShot) -> None:
    with rogue(reply(200, json.dumps(ACCEPTED).encode())) as server:
        assert sent_to(server.url, one_shot) == Accepted(AcceptedStatus.LIVE, ())
        assert sent_to(server.url, one_shot) == Accepted(AcceptedStatus.LIVE, ())
    assert len(server.requests) == 2
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /order HTTP/1.1\r\n")
    assert b"\r\nPOLY_ADDRESS: 0x1\r\n" in head
    assert body == PREPARED.body


@pytest.mark.parametrize(
    "behave",
    [
        raw(),  # the connection is closed without a word
        raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + json.dumps(ACCEPTED).encode()),
        raw(b"garbage\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * (MOST_BYTES + 100)),
        reply(307, b"", "Location: /order"),
        reply(502, b"<html>bad gateway</html>", kind="text/html"),
    ],
)
def test_a_broken_answer_is_unknown_and_nothing_is_sent_again(one_shot: OneShot, behave: Behaviour) -> None:
    with rogue(behave) as server:
        outcome = sent_to(server.url, one_shot)
    assert isinstance(outcome, Unknown)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_silence_ends_at_the_budget_with_an_abortive_close(one_shot: OneShot, first: bytes) -> None:
    servers: list[Rogue] = []
    with rogue(wait_for_reset(lambda: servers[0], first)) as server:
        servers.append(server)
        outcome = sent_to(server.url, one_shot)
        assert outcome == Unknown("no answer within 0.4 s")
        assert server.reset.wait(timeout=5), "the connection was closed politely"
    assert len(server.requests) == 1


@pytest.mark.parametrize("piece", [b"X-Drip: 1\r\n", b"\r\n\r\n"])
def test_a_server_that_drips_does_not_stretch_the_budget(one_shot: OneShot, piece: bytes) -> None:
    stop = threading.Event()
    clock = SystemClock()
    with rogue(drip(piece, stop)) as server:
        started = clock.boot_seconds()
        assert isinstance(sent_to(server.url, one_shot), Unknown)
        assert clock.boot_seconds() - started < 2
        stop.set()


def test_a_connection_that_never_came_about_proves_that_nothing_left(
    one_shot: OneShot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_name(*_: object, **__: object) -> None:
        raise socket.gaierror("Name or service not known")

    assert isinstance(sent_to("http://127.0.0.1:9", one_shot), NotSent)
    with monkeypatch.context() as offline:
        offline.setattr(socket, "getaddrinfo", no_name)
        assert isinstance(sent_to("http://no-such-host.invalid", one_shot), NotSent)
    with rogue(raw(b"not tls")) as server:
        assert isinstance(sent_to(server.url.replace("http:", "https:"), one_shot), NotSent)


def test_a_process_that_was_suspended_before_the_first_byte_sends_nothing() -> None:
    class Suspended(FakeClock):
        """Sleeps through the budget between the start of the call and the first byte."""

        def boot_seconds(self) -> float:
            self.advance(seconds=11)
            return super().boot_seconds()

    sender = OneShot(Suspended(), budget_seconds=10)
    with rogue(reply(200, json.dumps(ACCEPTED).encode())) as server, pytest.raises(NeverLeft):
        sender.call("POST", f"{server.url}/order", headers={}, body=b"{}")
    sender.close()
    assert server.requests in ([], [b""])


def test_no_proxy_from_the_environment_sees_an_order(
    one_shot: OneShot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rogue(raw()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        sender = OneShot(SystemClock(), budget_seconds=0.4)
        with rogue(reply(200, json.dumps(ACCEPTED).encode())) as server:
            assert isinstance(sent_to(server.url, sender), Accepted)
        sender.close()
    assert proxy.requests == []
