"""Clients without Gamma page through the CLOB's own lists of markets."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.sandbox import RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=130, crowd=False) as running:
        yield running


def pages(sandbox: RunningSandbox, path: str) -> list[dict[str, Any]]:
    found, cursor = [], "MA=="
    while cursor != "LTE=":
        answer = httpx.get(f"{sandbox.url}/clob{path}", params={"next_cursor": cursor}, trust_env=False)
        found.append(answer.json())
        cursor = found[-1]["next_cursor"]
    return found


@pytest.mark.parametrize("path", ["/markets", "/simplified-markets"])
def test_every_market_is_on_one_page_exactly(sandbox: RunningSandbox, path: str) -> None:
    conditions = [view.spec.condition_id for view in sandbox.world.markets()]
    found = pages(sandbox, path)
    assert [page["count"] for page in found] == [100, len(conditions) - 100]
    assert [row["condition_id"] for page in found for row in page["data"]] == conditions


def test_sampling_lists_leave_out_what_is_closed(sandbox: RunningSandbox) -> None:
    closed = sandbox.world.markets()[0].spec.condition_id
    sandbox.call(lambda: sandbox.world.resolve(closed, (1_000_000, 0)))
    for path in ("/sampling-markets", "/sampling-simplified-markets"):
        assert closed not in {row["condition_id"] for page in pages(sandbox, path) for row in page["data"]}


def test_a_cursor_that_is_none_is_refused(sandbox: RunningSandbox) -> None:
    answer = httpx.get(f"{sandbox.url}/clob/markets?next_cursor=!!", trust_env=False)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid next_cursor"})
