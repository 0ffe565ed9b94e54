"""The sandbox over HTTP: the venue's paths, spellings and refusals."""

import json
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from polyb0t.sandbox.text import e6_text
from polyb0t.venue.tls import trust
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import tradable_book


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=30) as running:
        yield running


@pytest.fixture(scope="module")
def http(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False, verify=trust(), timeout=10) as client:
        yield client


def test_the_environment_names_every_service_contract_and_funded_account(
    sandbox: RunningSandbox, http: httpx.Client
) -> None:
    found = http.get("/sandbox/environment").json()
    assert found == sandbox.environment()
    assert found["chain_id"] == 137
    assert found["world_id"] == sandbox.world.world_id
    assert found["contracts"]["exchange_v2"] == "0xE111180000d2663C0091e4f400237545B87B996B"
    assert found["accounts"][0] == {
        "index": 0,
        "key": sandbox.account().key,
        "address": sandbox.account().address,
        "wallet": sandbox.account().wallet,
        "signature_type": 0,
        "funding": "10000",
    }
    for name in ("gamma", "clob", "data", "relayer", "market_ws", "user_ws", "geoblock"):
        assert sandbox.host in found["urls"][name]


def test_gamma_pages_name_every_market_once(http: httpx.Client) -> None:
    seen: list[str] = []
    params: dict[str, str] = {"limit": "7", "closed": "false"}
    while True:
        page = http.get("/gamma/markets/keyset", params=params).json()
        seen += [market["id"] for market in page["markets"]]
        if "next_cursor" not in page:
            break
        params["after_cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 30


def gamma(http: httpx.Client, **params: object) -> list[dict[str, object]]:
    answer = http.get("/gamma/markets/keyset", params={"limit": "100"} | params)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    markets: list[dict[str, object]] = answer.json()["markets"]
    return markets


def test_a_gamma_market_has_the_venues_spelling(sandbox: RunningSandbox, http: httpx.Client) -> None:
    (market, *_) = gamma(http)
    view = next(one for one in sandbox.world.markets() if one.spec.gamma_id == market["id"])
    assert market["version"] == "v1"
    assert json.loads(str(market["clobTokenIds"])) == list(view.spec.token_ids)
    assert json.loads(str(market["outcomes"])) == ["Yes", "No"]
    prices = [Decimal(text) for text in json.loads(str(market["outcomePrices"]))]
    assert sum(prices) == 1
    assert market["active"] is market["acceptingOrders"] is market["enableOrderBook"] is True
    assert market["closed"] is market["archived"] is False
    assert market["feeSchedule"] == {
        "exponent": 1,
        "rate": float(view.spec.fee_rate),
        "takerOnly": True,
        "rebateRate": 0.25,
    }
    assert isinstance(market["volume"], str)
    assert isinstance(market["volumeNum"], (int, float))
    events = market["events"]
    assert isinstance(events, list)
    assert events[0]["id"] == view.spec.event_id


def test_tags_come_to_those_who_ask_and_select(http: httpx.Client) -> None:
    (plain, *_) = gamma(http)
    assert "tags" not in plain
    assert "category" not in plain
    (asked, *_) = gamma(http, include_tag="true")
    tags = asked["tags"]
    assert isinstance(tags, list)
    chosen = gamma(http, include_tag="true", tag_id=tags[0]["id"])
    assert asked["id"] in {one["id"] for one in chosen}
    for one in chosen:
        assert isinstance(one["tags"], list)
        assert tags[0]["slug"] in {tag["slug"] for tag in one["tags"]}


def test_gamma_filters_and_sorts(sandbox: RunningSandbox, http: httpx.Client) -> None:
    every = gamma(http)
    some = every[3]
    assert [one["id"] for one in gamma(http, condition_ids=some["conditionId"])] == [some["id"]]
    assert [one["id"] for one in gamma(http, slug=some["slug"])] == [some["id"]]
    token = json.loads(str(some["clobTokenIds"]))[1]
    assert [one["id"] for one in gamma(http, clob_token_ids=token)] == [some["id"]]
    by_volume = gamma(http, order="volumeNum", ascending="false")
    volumes = [one["volumeNum"] for one in by_volume]
    assert volumes == sorted(volumes, reverse=True)  # type: ignore[type-var]
    liquid = gamma(http, liquidity_num_min="1000")
    assert {one["id"] for one in liquid} == {
        one["id"] for one in every if float(str(one["liquidityNum"])) >= 1000
    }
    middle = str(some["endDate"])
    assert {one["id"] for one in gamma(http, end_date_min=middle)} == {
        one["id"] for one in every if str(one["endDate"]) >= middle
    }


def test_single_markets_and_events_and_their_absence(http: httpx.Client) -> None:
    (market, *_) = gamma(http)
    assert http.get(f"/gamma/markets/{market['id']}").json()["conditionId"] == market["conditionId"]
    assert http.get(f"/gamma/markets/slug/{market['slug']}").json()["id"] == market["id"]
    event = http.get("/gamma/events/keyset").json()["events"][0]
    assert http.get(f"/gamma/events/{event['id']}").json()["markets"]
    assert http.get(f"/gamma/events/slug/{event['slug']}").json()["id"] == event["id"]
    absent = http.get("/gamma/markets/slug/nothing")
    assert (absent.status_code, absent.json()) == (
        404,
        {"error": "slug not found", "type": "not found error"},
    )
    assert http.get("/gamma/markets/999").status_code == 404
    assert http.get("/gamma/events/999").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["offset=1", "limit=many", "after_cursor=%21%21", "volume_num_min=lots", "end_date_min=soon", "limit=-1"],
)
def test_a_senseless_catalogue_question_is_422(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/gamma/markets/keyset?{query}")
    assert answer.status_code == 422
    assert answer.json()["type"] == "validation error"


def test_prices_and_parameters_agree_with_the_book(sandbox: RunningSandbox, http: httpx.Client) -> None:
    book = tradable_book(sandbox)
    bid, ask = book.bids[-1][0], book.asks[-1][0]
    params = {"token_id": book.token_id}
    assert http.get("/clob/midpoint", params=params).json() == {"mid": e6_text((bid + ask) // 2)}
    assert http.get("/clob/spread", params=params).json() == {"spread": e6_text(ask - bid)}
    assert http.get("/clob/price", params=params | {"side": "BUY"}).json() == {"price": e6_text(bid)}
    assert http.get("/clob/price", params=params | {"side": "SELL"}).json() == {"price": e6_text(ask)}
    assert http.get("/clob/tick-size", params=params).json() == {"minimum_tick_size": 0.01}
    assert http.get("/clob/neg-risk", params=params).json() == {"neg_risk": False}
    assert http.get("/clob/version").json() == {"version": 2}
    assert http.get("/clob/ok").json() == "OK"
    assert isinstance(http.get("/clob/time").json(), int)
    ids = http.get(f"/clob/markets-by-token/{book.token_id}").json()
    assert ids["condition_id"] == book.condition_id
    terms = http.get(f"/clob/clob-markets/{book.condition_id}").json()
    spec = sandbox.world.market(book.condition_id).spec
    assert [one["t"] for one in terms["t"]] == list(spec.token_ids)
    assert (terms["mts"], terms["mos"], terms["fd"]["r"]) == (0.01, 5, float(spec.fee_rate))
    assert http.get(f"/clob/markets/{book.condition_id}").json()["condition_id"] == book.condition_id
    assert http.get("/clob/prices-history", params={"market": book.token_id}).status_code == 200


def test_batches_leave_unknown_tokens_out_and_are_bounded(
    sandbox: RunningSandbox, http: httpx.Client
) -> None:
    book = tradable_book(sandbox)
    ask = [{"token_id": book.token_id}, {"token_id": "17"}]
    assert [one["asset_id"] for one in http.post("/clob/books", json=ask).json()] == [book.token_id]
    assert list(http.post("/clob/midpoints", json=ask).json()) == [book.token_id]
    sided = [{"token_id": book.token_id, "side": side} for side in ("BUY", "SELL")]
    assert set(http.post("/clob/prices", json=sided).json()[book.token_id]) == {"BUY", "SELL"}
    too_many = http.post("/clob/books", json=[{"token_id": "1"}] * 501)
    assert (too_many.status_code, too_many.json()) == (400, {"error": "Payload exceeds the limit"})


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/clob/book?token_id=1", 404, "No orderbook exists for the requested token id"),
        ("/clob/book?token_id=abc", 400, "Invalid token id"),
        ("/clob/book", 400, "Invalid token id"),
        ("/clob/book?token_id=" + "9" * 5000, 400, "Invalid token id"),
        ("/clob/price?token_id=1&side=LEFT", 400, "Invalid side"),
        ("/clob/clob-markets/0x00", 404, "market not found"),
        ("/clob/markets-by-token/1", 404, "market not found"),
        ("/clob/nothing", 404, "not found"),
        ("/clob/data/orders", 401, "Unauthorized/Invalid api key"),
        ("/clob/auth/derive-api-key", 401, "Invalid L1 Request headers"),
        ("/data/v2/positions?user=me", 400, "user must be an address"),
    ],
)
def test_mistakes_are_answered_in_the_venues_words(
    http: httpx.Client, path: str, status: int, text: str
) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.json()["error"]) == (status, text)


def test_a_known_path_with_another_method_is_405(http: httpx.Client) -> None:
    assert http.get("/clob/order").status_code == 405


@pytest.mark.parametrize(
    "body", [b"", b"[", b"{}", b"null", b"\xff\xfe", b"[1]", b'[{"token_id":1}]', b'[{"x":' + b"[" * 9000]
)
def test_a_broken_body_is_400_and_never_500(http: httpx.Client, body: bytes) -> None:
    assert http.post("/clob/books", content=body).status_code == 400


def test_an_enormous_body_is_refused(http: httpx.Client) -> None:
    assert http.post("/clob/books", content=b" " * (5 * 1024 * 1024)).status_code == 413


def test_here_nobody_is_blocked_and_no_smart_wallet_exists(http: httpx.Client) -> None:
    assert http.get("/api/geoblock").json()["blocked"] is False
    assert http.get("/relayer/deployed?address=0x1&type=WALLET").json() == {"deployed": False}
