"""The doctor knows when a large trade could be approved by nobody."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.clock import SystemClock
from polyb0t.db.stores import SqlStores
from polyb0t.execution.access import Role
from polyb0t.runtime.approvers_check import check_approvers
from polyb0t.venue.preflight import CheckState
from tests.support.databases import sqlite_stores


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("POLYBOT_", "POLYB0T_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqlStores]:
    made = sqlite_stores(tmp_path, SystemClock())
    assert isinstance(made, SqlStores)
    yield made
    made.close()


def token(stores: SqlStores, name: str, role: Role = Role.APPROVER, *, codes: bool = False) -> None:
    digest = name.encode().hex()
    stores.access.create(digest=digest, name=name, role=role, days=9, actor="user:owner")
    if codes:
        stores.access.enrol_code(digest, 1, actor="user:owner")


def test_where_no_trade_is_large_nothing_is_said(stores: SqlStores) -> None:
    assert check_approvers(load_settings(), stores) == ()


def test_without_a_database_it_is_not_run_and_never_ok() -> None:
    (found,) = check_approvers(load_settings(totp_pusd="1"), None)
    assert found.state is CheckState.NOT_RUN


def test_too_few_people_is_a_warning_with_what_to_do(stores: SqlStores) -> None:
    token(stores, "anna")
    token(stores, "vic", Role.VIEWER)
    token(stores, "gone")
    stores.access.revoke("gone", actor="user:owner", reason="")
    (found,) = check_approvers(load_settings(dual_approval_pusd="100"), stores)
    assert (found.state, found.do.startswith("polyb0t auth token create")) == (CheckState.WARNING, True)
    assert "anna has one" in found.detail
    token(stores, "bob")
    (found,) = check_approvers(load_settings(dual_approval_pusd="100"), stores)
    assert (found.state, found.detail) == (CheckState.OK, "anna, bob may approve large trades.")


def test_codes_that_nobody_has_set_up_are_one(stores: SqlStores) -> None:
    token(stores, "anna")
    (found,) = check_approvers(load_settings(totp_pusd="100"), stores)
    assert (found.state, "polyb0t auth code" in found.do) == (CheckState.WARNING, True)
    token(stores, "bob", codes=True)
    (found,) = check_approvers(load_settings(totp_pusd="100"), stores)
    assert found.state is CheckState.OK
