"""Whatever a client sends, it is answered in the venue's words: never with a 500, never with a crash.

The routes come from the application itself, so a new one is tried from its first day.
"""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from eth_account import Account
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.sandbox.app import SandboxApp, create_app
from polyb0t.sandbox.auth import credentials_of, l2_signature
from polyb0t.sandbox.signatures import clob_auth_hash
from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import CONDITION, NO_TOKEN, SPEC, YES_TOKEN, check_books
from tests.support.asgi import ask, converse
from tests.support.trader import signed_payload

CLOCK = SystemClock()


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def an_app() -> SandboxApp:
    """A market with something in its book, two rich accounts, and a key for the first one."""
    world = World(start_ms=milliseconds(CLOCK.now()), markets=[SPEC], crowd=False, accounts=2)
    for account in world.accounts:
        world.split(account.wallet, CONDITION, 1_000 * MILLION)
    world.pause()
    app = create_app(world, clock=CLOCK)
    app.keys.restore([(account.address, 0) for account in world.accounts])
    for side, price in (("BUY", 400_000), ("SELL", 600_000)):
        body = order(app, side=side, price_e6=price, account=1)
        status, text = signed(app, "POST", "/clob/order", json.dumps(body).encode(), account=1)
        assert status == 200, text
    return app


def order(app: SandboxApp, *, side: str = "BUY", price_e6: int = 300_000, account: int = 0) -> dict[str, Any]:
    """The body of a good order."""
    who = app.world.accounts[account]
    shares, pusd = 10 * MILLION, 10 * price_e6
    amounts = (pusd, shares) if side == "BUY" else (shares, pusd)
    owner = credentials_of(who.address, 0).api_key
    now_ms = milliseconds(CLOCK.now())
    return signed_payload(who.key, owner, YES_TOKEN, side, *amounts, timestamp_ms=now_ms)


def l2_headers(app: SandboxApp, method: str, path: str, body: bytes, account: int = 0) -> dict[str, str]:
    who = credentials_of(app.world.accounts[account].address, 0)
    now = str(int(CLOCK.now().timestamp()))
    return {
        "poly_address": who.address,
        "poly_api_key": who.api_key,
        "poly_passphrase": who.passphrase,
        "poly_timestamp": now,
        "poly_signature": l2_signature(who.secret, now, method, path.removeprefix("/clob"), body),
    }


def signed(
    app: SandboxApp, method: str, path: str, body: bytes = b"", query: bytes = b"", account: int = 0
) -> tuple[int, bytes]:
    headers = l2_headers(app, method, path, body, account)
    return ask(app, method, path, query=query, body=body, headers=headers)


APP = an_app()
ROUTES = APP.router.routes()
PUBLIC = [(method, path) for method, path in ROUTES if not path.startswith("/sandbox")]
PANEL = [(method, path) for method, path in ROUTES if path.startswith("/sandbox")]
KNOWN = [YES_TOKEN, NO_TOKEN, CONDITION, CONDITION[:64], "0x", "MA==", "LTE=", "", "0", "-1", "1", "3", "BUY"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**300), max_value=2**300),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(KNOWN),
    st.sampled_from(["1e9999", "٣", "1" * 100, "0x" + "f" * 64, "NaN", "\ud800", "9" * 5_000]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["order", "owner", "orderType", "orderID", "market", "asset_id", "token_id", "side", "heartbeat_id"]
)
NAMES = st.sampled_from(
    [
        *("token_id", "token_ids", "side", "market", "startTs", "endTs", "interval", "fidelity", "limit"),
        *("offset", "after_cursor", "next_cursor", "closed", "order", "ascending", "id", "slug", "user"),
        *("condition", "event_id", "question_id", "start", "end", "bucket_seconds", "as_of", "filter_amount"),
        *("sort_by", "sort_direction", "type", "cursor", "asset_type", "signature_type", "before", "after"),
        *("maker_address", "address", "condition_ids", "clob_token_ids", "q", "status", "asset_id"),
    ]
)


def as_json(value: object) -> bytes:
    """Also what strict encoders refuse: NaN, and halves of characters."""
    return json.dumps(value).encode()


BODIES = st.one_of(
    st.binary(max_size=200),
    VALUES.map(as_json),
    st.dictionaries(FIELDS, VALUES, max_size=5).map(as_json),
    st.just(b"[" * 50_000),
    st.just(b'{"a":' * 50_000),
)
QUERIES = st.lists(st.tuples(NAMES, st.one_of(SCALARS, st.binary(max_size=20))), max_size=5).map(
    lambda pairs: "&".join(f"{name}={_quoted(value)}" for name, value in pairs).encode()
)
SEGMENTS = st.one_of(st.sampled_from(KNOWN), st.text(max_size=30), st.just("9" * 4_000))


def _quoted(value: object) -> str:
    text = value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")
    return quote(text)


def fine(answer: tuple[int, bytes], about: object) -> None:
    """An answer of the venue: no server error, and JSON that says what was wrong."""
    status, body = answer
    assert status < 500, (about, answer)
    told = json.loads(body)
    if status >= 400:
        assert isinstance(told, dict), (about, answer)
        assert isinstance(told.get("error", told.get("error_msg", told.get("type"))), str), (about, answer)


def filled(path: str, segment: str) -> str:
    return path.replace("{}", segment.replace("/", "_"))


@pytest.mark.parametrize(("method", "path"), PUBLIC)
@examples(15)
@given(segment=SEGMENTS, query=QUERIES, body=BODIES)
def test_any_route_answers_anything(method: str, path: str, segment: str, query: bytes, body: bytes) -> None:
    wanted = filled(path, segment)
    fine(signed(APP, method, wanted, body, query), (method, wanted, query, body))
    fine(ask(APP, method, wanted, query=query, body=body), (method, wanted, query, body))
    APP.keys.restore([(account.address, 0) for account in APP.world.accounts])  # it may have revoked one


PANEL_FIELDS = st.sampled_from(
    [
        *("action", "pause", "resume", "step_ms", "payouts", "faults", "mode", "for_ms", "orders", "country"),
        *("geoblocked", "closed_only", "banned", "rate_limits", "tier", "order_lag_ms", "clock_offset_ms"),
        *("wallet", "change", "token_id", "spender", "amount", "shares", "address", "seconds", "count"),
        *("name", "steps", "about"),
    ]
)
PANEL_VALUES = st.one_of(
    VALUES,
    st.integers(-10, 10_000),
    st.sampled_from([account.wallet for account in APP.world.accounts]),
    st.sampled_from(["step", "restart", "cancel", "forget", "enforced", "elite", "0.5", "-3.25", 0.5]),
    st.sampled_from([[1, 0], ["0.5", "0.5"], [{"action": "silence"}], [{"action": "alter", "merge": {}}]]),
    st.sampled_from([[{"do": "PUT /sandbox/venue"}], [{"do": "POST /sandbox/clock", "body": [1]}]]),
)
PANEL_BODIES = st.one_of(BODIES, st.dictionaries(PANEL_FIELDS, PANEL_VALUES, max_size=4).map(as_json))


@pytest.fixture(scope="module")
def disturbed() -> SandboxApp:
    """A sandbox of its own: what its panel does to it would spoil the others."""
    return an_app()


@pytest.mark.parametrize(("method", "path"), PANEL)
@examples(20)
@given(segment=SEGMENTS, query=QUERIES, body=PANEL_BODIES)
def test_the_panel_answers_anything(
    disturbed: SandboxApp, method: str, path: str, segment: str, query: bytes, body: bytes
) -> None:
    fine(ask(disturbed, method, filled(path, segment), query=query, body=body), (method, path, body))
    check_books(disturbed.world)


WALLET = APP.world.accounts[0].wallet
GOOD_QUERIES: dict[str, dict[str, str]] = {
    "/clob/balance-allowance": {"asset_type": "CONDITIONAL", "token_id": YES_TOKEN, "signature_type": "0"},
    "/clob/data/orders": {"market": CONDITION, "asset_id": YES_TOKEN, "id": "", "next_cursor": "MA=="},
    "/clob/data/trades": {
        "market": CONDITION,
        "asset_id": YES_TOKEN,
        "maker_address": WALLET,
        "id": "x",
        "after": "1",
        "before": "2000000000",
        "next_cursor": "MA==",
    },
    "/clob/price": {"token_id": YES_TOKEN, "side": "BUY"},
    "/clob/prices-history": {"market": YES_TOKEN, "startTs": "1795348800", "endTs": "1795349000"},
    "/clob/markets": {"next_cursor": "MA=="},
    "/data/v2/positions": {"user": WALLET, "limit": "10", "filter_amount": "0", "status": "OPEN"},
    "/data/v2/activity": {"user": WALLET, "type": "SPLIT,TRADE", "start": "1", "limit": "10"},
    "/data/v2/trades": {"user": WALLET, "condition": CONDITION, "limit": "10", "start": "1"},
    "/data/v2/prices-history": {"token_id": YES_TOKEN, "interval": "1d", "bucket_seconds": "600"},
    "/data/v2/resolutions": {"condition": CONDITION},
    "/gamma/markets/keyset": {"limit": "5", "closed": "false", "order": "volumeNum", "ascending": "true"},
    "/gamma/events/keyset": {"limit": "5", "closed": "false"},
}


@pytest.mark.parametrize("path", sorted(GOOD_QUERIES))
@examples(60)
@given(data=st.data())
def test_a_good_query_with_one_thing_wrong_is_answered(path: str, data: st.DataObject) -> None:
    good = GOOD_QUERIES[path]
    name = data.draw(st.sampled_from(sorted(good)))
    query = "&".join(f"{key}={quote(value)}" for key, value in good.items() if key != name)
    assert signed(APP, "GET", path, query=query.encode())[0] in (200, 400)
    wrong = f"{query}&{name}={_quoted(data.draw(st.one_of(SCALARS, st.binary(max_size=20))))}"
    fine(signed(APP, "GET", path, query=wrong.encode()), (path, wrong))


SPENDER = "0xE111180000d2663C0091e4f400237545B87B996B"
GOOD_BODIES: dict[tuple[str, str], dict[str, object]] = {
    ("POST", "/sandbox/balances"): {"wallet": WALLET, "change": "0.5", "token_id": YES_TOKEN},
    ("POST", "/sandbox/credits"): {"wallet": WALLET, "type": "REWARD", "amount": "0.5"},
    ("POST", "/sandbox/sets"): {"wallet": WALLET, "condition": CONDITION, "shares": "0.5"},
    ("POST", "/sandbox/conversions"): {"wallet": WALLET, "conditions": [CONDITION], "shares": "0.5"},
    ("POST", "/sandbox/redemptions"): {"wallet": WALLET, "condition": CONDITION},
    ("PUT", "/sandbox/allowances"): {"wallet": WALLET, "spender": SPENDER, "amount": "5", "shares": False},
    ("PUT", "/sandbox/session-keys"): {
        "wallet": APP.world.accounts[4].wallet,
        "address": WALLET,
        "seconds": 60,
    },
    ("DELETE", "/sandbox/session-keys"): {"address": WALLET},
    ("PUT", "/sandbox/ghost-fills"): {"count": 1},
    ("PUT", "/sandbox/venue"): {
        "mode": "post_only",
        "for_ms": 1_000,
        "orders": "forget",
        "geoblocked": False,
        "country": "US",
        "closed_only": [WALLET],
        "banned": [WALLET],
        "rate_limits": "enforced",
        "tier": "elite",
        "order_lag_ms": 1,
        "clock_offset_ms": -1,
    },
    ("PUT", "/sandbox/faults"): {"faults": [{"action": "alter", "path": "/x", "merge": {"a": 1}}]},
    ("PUT", "/sandbox/socket-faults"): {"faults": [{"action": "late", "delay_ms": 1, "skip": 1}]},
    ("PUT", "/sandbox/scenario"): {"name": "x", "about": "y", "steps": [{"do": "PUT /sandbox/venue"}]},
    ("POST", "/sandbox/clock"): {"step_ms": 10},
    ("POST", f"/sandbox/markets/{CONDITION}/resolve"): {"payouts": ["0.5", "0.5"]},
}


@pytest.mark.parametrize(("method", "path"), sorted(GOOD_BODIES))
@examples(60)
@given(data=st.data())
def test_a_good_wish_to_the_panel_with_one_thing_wrong_is_answered(
    disturbed: SandboxApp, method: str, path: str, data: st.DataObject
) -> None:
    good = GOOD_BODIES[method, path]
    assert ask(disturbed, method, path, body=as_json(good))[0] in (200, 409)
    wrong = good | {data.draw(st.sampled_from(sorted(good))): data.draw(PANEL_VALUES)}
    fine(ask(disturbed, method, path, body=as_json(wrong)), wrong)
    check_books(disturbed.world)


TEXTS = st.one_of(
    st.text(max_size=30),
    st.integers(-(2**300), 2**300).map(str),
    st.sampled_from(["", "-1", "1e3", " 1", "1_0", "٣", "0x10", "9" * 5_000, "0x" + "zz" * 32, "1.5"]),
)


@pytest.mark.parametrize("field", sorted(order(APP)["order"]))
@examples(50)
@given(value=st.one_of(TEXTS, VALUES))
def test_an_order_with_any_field_wrong_is_refused_and_costs_nothing(field: str, value: object) -> None:
    body = order(APP)
    body["order"] |= {field: value}
    raw = as_json(body)
    fine(signed(APP, "POST", "/clob/order", raw), raw)
    fine(signed(APP, "POST", "/clob/orders", b"[" + raw + b"]"), raw)
    check_books(APP.world)


@pytest.mark.parametrize("field", ["owner", "orderType", "deferExec", "postOnly", "order"])
@examples(30)
@given(value=VALUES)
def test_an_envelope_with_any_field_wrong_is_refused(field: str, value: object) -> None:
    raw = as_json(order(APP) | {field: value})
    fine(signed(APP, "POST", "/clob/order", raw), raw)
    check_books(APP.world)


HUGE = st.one_of(
    st.integers(-(2**256), 2**256 + 5), st.integers(-5, 50 * MILLION), st.sampled_from([0, 2**255])
)


@examples(300)
@given(
    maker_amount=HUGE,
    taker_amount=HUGE,
    side=st.sampled_from(["BUY", "SELL"]),
    kind=st.sampled_from(["GTC", "GTD", "FOK", "FAK"]),
    expiration=st.one_of(st.just(0), st.integers(-(2**70), 2**70)),
    post_only=st.booleans(),
)
def test_amounts_of_any_size_honestly_signed_never_break_the_books(
    maker_amount: int, taker_amount: int, side: str, kind: str, expiration: int, *, post_only: bool
) -> None:
    who = APP.world.accounts[0]
    good = min(maker_amount, taker_amount) > 0 and max(maker_amount, taker_amount) < 2**256
    body: dict[str, Any] = signed_payload(
        who.key,
        credentials_of(who.address, 0).api_key,
        YES_TOKEN,
        side,
        maker_amount if good else 1,
        taker_amount if good else 1,
        order_type=kind,
        post_only=post_only,
        expiration=expiration,
        timestamp_ms=milliseconds(CLOCK.now()),
    )
    body["order"] |= {"makerAmount": str(maker_amount), "takerAmount": str(taker_amount)}
    raw = as_json(body)
    fine(signed(APP, "POST", "/clob/order", raw), raw)
    check_books(APP.world)


@examples(200)
@given(
    wrong=st.dictionaries(
        st.sampled_from(
            ["poly_address", "poly_api_key", "poly_passphrase", "poly_timestamp", "poly_signature"]
        ),
        st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
        min_size=1,
    )
)
def test_wrong_headers_are_nobody(wrong: dict[str, str]) -> None:
    headers = l2_headers(APP, "GET", "/clob/data/orders", b"")
    status, body = ask(APP, "GET", "/clob/data/orders", headers=headers | wrong)
    if headers | wrong != headers:
        assert (status, json.loads(body)) == (401, {"error": "Unauthorized/Invalid api key"})


@pytest.mark.parametrize("skew", [-61, 61, -(10**9), 10**12, -(2**63)])
def test_stale_and_future_timestamps_are_nobody_even_honestly_signed(skew: int) -> None:
    who, now = credentials_of(APP.world.accounts[0].address, 0), str(int(CLOCK.now().timestamp()) + skew)
    headers = l2_headers(APP, "GET", "/clob/data/orders", b"") | {
        "poly_timestamp": now,
        "poly_signature": l2_signature(who.secret, now, "GET", "/data/orders", b""),
    }
    assert ask(APP, "GET", "/clob/data/orders", headers=headers)[0] == 401


@pytest.mark.parametrize(
    ("path", "over"),
    [
        ("/clob/order", b'{"orderID": "0xabc"}'),  # the same value, other bytes
        ("/clob/order", b""),
        ("/clob/order?x=1", b'{"orderID":"0xabc"}'),  # the query is not signed
        ("/clob/clob/order", b'{"orderID":"0xabc"}'),  # nor is the mount
    ],
)
def test_a_signature_over_other_bytes_is_nobodys(path: str, over: bytes) -> None:
    sent = b'{"orderID":"0xabc"}'
    who, now = credentials_of(APP.world.accounts[0].address, 0), str(int(CLOCK.now().timestamp()))
    headers = l2_headers(APP, "DELETE", "/clob/order", sent) | {
        "poly_timestamp": now,
        "poly_signature": l2_signature(who.secret, now, "DELETE", path.removeprefix("/clob"), over),
    }
    assert ask(APP, "DELETE", "/clob/order", body=sent, headers=headers)[0] == 401


@examples(200)
@given(
    address=st.one_of(st.text(max_size=50).map(lambda t: t.encode().hex()), st.just("0x" + "00" * 20)),
    timestamp=st.text(alphabet="0123456789-+. ", max_size=30),
    nonce=st.one_of(st.integers(-1, 2**300).map(str), st.text(alphabet="0123456789x", max_size=10)),
    signature=st.one_of(st.binary(max_size=70).map(lambda b: "0x" + b.hex()), st.just("")),
)
def test_any_statement_of_a_wallet_is_judged(
    address: str, timestamp: str, nonce: str, signature: str
) -> None:
    headers = {
        "poly_address": address,
        "poly_timestamp": timestamp,
        "poly_nonce": nonce,
        "poly_signature": signature,
    }
    for method, path in (("POST", "/clob/auth/api-key"), ("GET", "/clob/auth/derive-api-key")):
        assert ask(APP, method, path, headers=headers)[0] == 401


def test_a_nonce_of_any_size_that_was_signed_makes_a_key() -> None:
    who, now = APP.world.accounts[0], str(int(CLOCK.now().timestamp()))
    nonce = 10**20 - 1
    signature = Account.unsafe_sign_hash(clob_auth_hash(who.address, now, nonce), who.key).signature.hex()
    headers = {
        "poly_address": who.address,
        "poly_timestamp": now,
        "poly_nonce": str(nonce),
        "poly_signature": f"0x{signature}",
    }
    status, body = ask(APP, "POST", "/clob/auth/api-key", headers=headers)
    assert status == 200
    assert len(base64.urlsafe_b64decode(json.loads(body)["secret"])) == 32


FRAME_FIELDS = st.sampled_from(
    ["type", "operation", "assets_ids", "markets", "custom_feature_enabled", "auth", "apiKey", "secret"]
)
FRAME_VALUES = st.one_of(
    VALUES,
    st.sampled_from(["market", "user", "subscribe", "unsubscribe", [YES_TOKEN], [YES_TOKEN, YES_TOKEN, "7"]]),
)
FRAMES = st.lists(
    st.one_of(
        st.just("PING"),
        st.text(max_size=60),
        st.binary(max_size=60),
        st.dictionaries(FRAME_FIELDS, FRAME_VALUES, max_size=5).map(lambda frame: as_json(frame).decode()),
        st.just("[" * 50_000),
    ),
    max_size=6,
)


@pytest.mark.parametrize("path", ["/ws/market", "/ws/user", "/ws/nowhere"])
@examples(200)
@given(frames=FRAMES)
def test_sockets_outlive_any_frame(path: str, frames: list[str | bytes]) -> None:
    said = converse(APP, path, frames)
    assert {message["type"] for message in said} <= {
        "websocket.accept",
        "websocket.send",
        "websocket.close",
    }
    assert APP.sockets.connections() == ()
    for message in said:
        text = message.get("text", "{}")
        assert text in ("PONG", "INVALID OPERATION") or json.loads(text) is not None


def test_after_all_that_the_world_is_whole() -> None:
    check_books(APP.world)
    assert len(APP.world.state_hash()) == 64
