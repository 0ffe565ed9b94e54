"""How long blocks take and how late the index is can be set while the world runs."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from polyb0t.sandbox.settlement import Settling
from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=1) as running:
        yield running


def test_what_is_named_changes_and_the_rest_stays(sandbox: RunningSandbox) -> None:
    url = f"{sandbox.url}/sandbox/chain"
    changed = httpx.put(url, json={"mined_ms": 40_000, "data_lag_ms": 120_000, "hashes_at_once": True})
    assert changed.json() == httpx.get(url).json()
    assert sandbox.world.engine.settling == Settling(mined_ms=40_000, hashes_at_once=True)
    assert sandbox.world.data_lag_ms == 120_000


def test_the_next_transactions_come_again(sandbox: RunningSandbox) -> None:
    assert httpx.post(f"{sandbox.url}/sandbox/retries", json={"count": 2}).status_code == 200
    assert sandbox.world.retry_next == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "chain", {"mined_ms": -1}),
        ("PUT", "chain", {"data_lag_ms": 10**12}),
        ("PUT", "chain", {"mined": 1}),
        ("PUT", "chain", []),
        ("POST", "retries", {"count": -1}),
        ("POST", "retries", {"count": 10**6}),
    ],
)
def test_what_makes_no_sense_is_refused(sandbox: RunningSandbox, method: str, path: str, body: Any) -> None:
    assert httpx.request(method, f"{sandbox.url}/sandbox/{path}", json=body).status_code == 400
    assert sandbox.world.engine.settling == Settling()
