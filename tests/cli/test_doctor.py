"""`polyb0t doctor`: what it looks at, what it says, and that what it could not see is never `ok`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polyb0t.cli.main import run
from polyb0t.execution.scope import Scope
from polyb0t.runtime.current import CurrentRun, write_current
from polyb0t.sandbox.faults import Fault
from tests.cli.conftest import Answer
from tests.e2e.household import free_port
from tests.support.builders import a_scope
from tests.support.sandbox import RunningSandbox, running_sandbox

CHECKS = ["settings", "database", "clock", "network", "order system", "region", "wallet"]
OF_ACCOUNT = ["credentials", "account", "spending", "selling"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=2) as running:
        yield running


class Typist:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def type(self, *arguments: str) -> Answer:
        self._capsys.readouterr()
        code = run(arguments)
        said = self._capsys.readouterr()
        return Answer(code, said.out, said.err)

    def checks(self, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
        answer = self.type("doctor", *arguments, "--json")
        assert answer.code == code, answer
        return {row["name"]: row for row in answer.json["checks"]}


@pytest.fixture
def doctor(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Typist]:
    sandbox.faults.clear()
    monkeypatch.setenv("POLYBOT_VENUE", "sandbox")
    monkeypatch.setenv("POLYBOT_SANDBOX_URL", sandbox.url)
    yield Typist(capsys)
    sandbox.faults.clear()


def fault(sandbox: RunningSandbox, path: str, body: object) -> None:
    sandbox.faults.add(Fault("status", path, status=200, body=body, content_type="application/json"))


def states(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: row["state"] for name, row in checks.items()}


def test_a_dry_run_needs_no_account_and_says_which_checks_were_not_run(doctor: Typist) -> None:
    found = states(doctor.checks())
    assert list(found) == [*CHECKS, *OF_ACCOUNT]
    assert {name for name in CHECKS if found[name] != "ok"} == {"database", "wallet"}
    assert found["database"] == found["wallet"] == "not_run"
    assert {found[name] for name in ("credentials", "account", "spending")} == {"not_run"}


def test_for_real_orders_what_could_not_be_seen_is_a_failure(doctor: Typist) -> None:
    checks = doctor.checks("--live", code=1)
    assert "ok" not in {checks[name]["state"] for name in ("credentials", "account", "account size")}
    assert all(checks[name]["do"] for name in ("credentials", "account size", "test order"))
    assert checks["test order"]["state"] == "not_run"


def test_claims_have_their_checks(doctor: Typist) -> None:
    checks = doctor.checks("--live", code=1)
    assert checks["chain"]["state"] != "not_run"  # it says whether a node is set
    assert "relayer" in checks


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/api/geoblock", {"blocked": True, "country": "XX"}, "region"),
        ("/clob/version", {"version": 3}, "order system"),
        ("/clob/time", "soon", "clock"),
    ],
)
def test_what_is_wrong_is_failed_with_one_thing_to_do(
    doctor: Typist, sandbox: RunningSandbox, path: str, body: object, name: str
) -> None:
    fault(sandbox, path, body)
    checks = doctor.checks(code=1)
    assert checks[name]["state"] == "failed"
    assert checks[name]["do"]


def test_a_venue_that_does_not_answer_fails_and_leaves_the_rest_not_run(
    doctor: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
    found = states(doctor.checks(code=1))
    assert found.pop("settings") == "ok"
    assert found.pop("network") == "failed"
    assert set(found.values()) == {"not_run"}


def test_a_setting_that_cannot_be_is_a_finding_and_no_traceback(
    doctor: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYBOT_MIN_EDGE", "7")
    found = doctor.checks(code=1)
    assert found["settings"]["state"] == "failed"
    assert "POLYBOT_MIN_EDGE" in found["settings"]["detail"]
    assert {row["state"] for name, row in found.items() if name != "settings"} == {"not_run"}


def ran(sandbox: RunningSandbox, folder: Path, scope: Scope) -> None:
    """As a start of an engine leaves it behind."""
    folder.mkdir(parents=True, exist_ok=True)
    run_ = CurrentRun(str(scope), "sqlite:///nowhere", sandbox.url, 1, 1.0, "2026-11-22T12:00:00Z")
    write_current(folder, run_)


def test_without_a_named_venue_it_looks_where_the_engine_runs(
    sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """In the shell beside `make practice` nothing names the sandbox."""
    ran(sandbox, tmp_path / "data", a_scope())

    answer = Typist(capsys).type("doctor")

    assert answer.code == 0
    assert answer.out.startswith("SANDBOX, checks.")
    assert "Looked at where the engine ran here last." in answer.out.splitlines()[1]
    assert "POLYBOT_WALLET_ADDRESS" not in answer.out


def test_a_named_venue_or_wallet_is_looked_at_whatever_runs_here(
    sandbox: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    ran(sandbox, tmp_path / "data", a_scope())
    monkeypatch.setenv("POLYBOT_VENUE", "polymarket")

    answer = Typist(capsys).type("doctor", "--json")

    assert answer.json["venue"] == "polymarket"
    assert answer.json["why_here"] is None


def test_the_real_venue_without_a_wallet_asks_for_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYBOT_VENUE", "polymarket")
    found = Typist(capsys).checks("--live", code=1)
    assert found["wallet"]["state"] == "failed"
    assert "POLYBOT_WALLET_ADDRESS" in found["wallet"]["detail"]
    assert {row["state"] for name, row in found.items() if name not in ("settings", "wallet")} == {"not_run"}


def test_the_key_is_not_read(doctor: Typist, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that no process would take: whoever read it would refuse it."""
    monkeypatch.setenv("POLYBOT_PRIVATE_KEY", "canary-that-is-no-key")
    answer = doctor.type("doctor", "--live")
    assert "canary" not in answer.out + answer.err
    assert "private" not in answer.out.lower()


@pytest.mark.parametrize("columns", [100, 80, 60])
def test_the_screen_has_three_columns_problems_last_and_fits(
    doctor: Typist, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    fault(sandbox, "/api/geoblock", {"blocked": True, "country": "XX"})
    answer = doctor.type("doctor")
    lines = answer.out.splitlines()
    assert answer.code == 1
    assert max(map(len, lines)) <= columns
    rows = [line for line in lines if re.match(r"(ok|FAILED|warning|not run) ", line)]
    order = [line[:9].strip() for line in rows]
    assert order == sorted(order, key=["ok", "FAILED", "warning", "not run"].index)
    assert lines[-1].startswith("1 failed") or lines[-2].startswith("1 failed")
    assert any(line.startswith(" " * 23 + "Do: ") for line in lines)


def test_no_test_order_without_an_engine_that_sends(tmp_path: Path, place: Any) -> None:
    answer = place.type("doctor", "--test-order", "--yes")
    assert answer.code == 4
    assert "no engine runs that sends orders" in answer.err
    assert place.stores.intents.list(limit=None) == ()
