"""The sandbox over HTTP: the venue's paths, spellings and refusals."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=30) as running:
        yield running


@pytest.fixture(scope="module")
def http(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False, timeout=10) as client:
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
