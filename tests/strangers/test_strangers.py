"""The vendor's unmodified clients find at the sandbox what they find at the venue: the table says what."""

import json
import os
from collections.abc import Iterator
from importlib import metadata

import pytest

from tests.e2e.household import Household
from tests.strangers.proceedings import (
    BEGIN,
    CASES,
    CLIENTS,
    DOCUMENT,
    END,
    ROOT,
    Client,
    judge,
    missing_part,
    read_table,
    rendered,
    start_sandbox,
)

pytestmark = pytest.mark.xdist_group("strangers")
BY_NAME = {client.name: client for client in CLIENTS}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    home = Household(tmp_path_factory.mktemp("strangers"))
    try:
        start_sandbox(home)
        yield home
    finally:
        home.stop()


@pytest.mark.parametrize("client", CLIENTS, ids=list(BY_NAME))
def test_a_client_meets_what_the_table_says(home: Household, client: Client) -> None:
    reason = missing_part(client)
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"{client.name} {reason}")
    if reason:
        pytest.skip(f"{client.name} {reason}")
    assert judge(home, client) == read_table()[client.name]


def test_the_table_has_every_client_and_every_case() -> None:
    table = read_table()
    assert list(table) == list(BY_NAME)
    assert all(tuple(column) == CASES for column in table.values())


def test_the_names_carry_the_versions_that_are_pinned() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    for name in BY_NAME:
        package, version = name.removesuffix(", sync").removesuffix(", async").rsplit(" ", 1)
        javascript = package.removeprefix("npm ")
        assert version == (pinned[javascript] if javascript in pinned else metadata.version(package))


def test_the_lock_of_the_javascript_clients_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages
    assert not any("resolved" in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name.startswith("polymarket-client")])
def test_the_current_client_is_refused_nothing(name: str) -> None:
    column = read_table()[name]
    lacking = {"stream"} if name.endswith(" sync") else set()  # only its asynchronous half streams
    assert {case for case, outcome in column.items() if outcome != "ok"} == lacking


def test_the_oldest_client_is_sent_to_the_newer_ones() -> None:
    column = read_table()["py-clob-client 0.34.6"]
    orders = {
        case: outcome for case, outcome in column.items() if case.split()[-1] in ("v1", "neg-risk", "v2")
    }
    assert set(orders.values()) == {"refused: invalid order version, please use the latest clob-client"}
    assert len(orders) == 18


def test_a_client_from_before_the_newer_protocol_signs_for_another_contract() -> None:
    column = read_table()["npm @polymarket/client 0.2.0"]
    refused = {case: outcome for case, outcome in column.items() if outcome != "ok"}
    assert set(refused) == {case for case in CASES if case.endswith(" v2")}
    assert set(refused.values()) == {"refused: invalid signature"}


def test_the_document_shows_the_table() -> None:
    text = DOCUMENT.read_text()
    shown = text[text.index(BEGIN) : text.index(END) + len(END)]
    assert shown == rendered(read_table()), "run `make strangers`"
