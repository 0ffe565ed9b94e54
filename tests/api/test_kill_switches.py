"""The kill switches over HTTP: anybody here may stop, and who lifts one gives a reason."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.execution.access import Role
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.switch_facts import SWITCHES, SWITCHES_AT, SwitchFact
from tests.api.conftest import Service

STALE_DATA = KillSwitchType.STALE_DATA


def post(service: Service, name: str, verb: str, **body: Any) -> httpx.Response:
    return service.http.post(f"/kill-switches/{name}/{verb}", json=body)


def stale(service: Service, cause: str) -> None:
    """The switch is tripped, and an engine of this very process has just measured."""
    import os

    from polyb0t.execution.scope import Lease
    from polyb0t.runtime.current import process_started

    service.stores.switches.trip(STALE_DATA, actor="engine", reason="old", value="74 s", limit="60 s")
    service.stores.engine.release(service.lease)
    lease = service.stores.engine.acquire(
        "engine",
        holder=f"here:{os.getpid()}",
        boot_id="b",
        process_started=str(process_started()),
        regime=service.regime,
    )
    assert isinstance(lease, Lease)
    fact = SwitchFact("newest price 74 s old", "60 s", cause).as_dict()
    facts = {SWITCHES: {"STALE_DATA": fact}, SWITCHES_AT: SystemClock().now() - timedelta(seconds=1)}
    service.stores.engine.beat(lease, cycle=1, facts=facts)


def test_all_seven_are_answered(service: Service) -> None:
    rows = service.http.get("/kill-switches").json()
    assert [row["type"] for row in rows] == [switch.value for switch in KillSwitchType]
    assert {row["tripped"] for row in rows} == {False}
    assert {row["stance"] for row in rows} == {"REDUCING", "HALTED"}


def test_a_tripped_one_says_what_was_known_and_what_is_measured(service: Service) -> None:
    service.propose()
    stale(service, "the newest price is 74 s old, limit 60 s")
    row = next(row for row in service.http.get("/kill-switches").json() if row["type"] == "STALE_DATA")
    assert (row["value"], row["limit"], row["known"]) == ("74 s", "60 s", {"rejected": 1, "stopped": 0})
    assert (row["now"], row["cause_holds"]) == ("newest price 74 s old", True)


def test_a_halt_and_its_end(service: Service) -> None:
    halted = post(service, "MANUAL", "trip", reason="odd prices").json()
    assert (halted["tripped"], halted["reason"]) == (True, "odd prices")
    assert halted["by"].endswith("@http")
    status = service.http.get("/status").json()
    assert (status["stance"], status["halt_file"]) == ("HALTED", True)
    assert post(service, "manual", "clear", reason="prices are fine").json()["tripped"] is False
    status = service.http.get("/status").json()
    assert (status["stance"], status["halt_file"]) == ("ACTIVE", False)


def test_while_the_cause_holds_clearing_is_refused(service: Service) -> None:
    stale(service, "the newest price is 74 s old, limit 60 s")
    refused = post(service, "STALE_DATA", "clear", reason="let me")
    assert (refused.status_code, refused.json()["code"]) == (409, "cause_holds")


def test_an_override_has_an_end_and_shows_it(service: Service) -> None:
    stale(service, "the newest price is 74 s old, limit 60 s")
    row = post(service, "STALE_DATA", "override", reason="known to lag", **{"for": "2h"}).json()
    assert (row["tripped"], row["holds"]) == (True, False)
    assert row["override"]["reason"] == "known to lag"
    assert service.http.get("/status").json()["stance"] == "ACTIVE"


@pytest.mark.parametrize(
    ("name", "verb", "body", "status", "code"),
    [
        ("DRAWDWN", "trip", {"reason": "x"}, 404, "switch_not_found"),
        ("DRAWDOWN", "trip", {}, 422, "invalid_request"),
        ("DRAWDOWN", "trip", {"reason": " "}, 422, "reason_missing"),
        ("MANUAL", "override", {"reason": "x", "for": "2h"}, 422, "not_overridable"),
        ("DAILY_LOSS", "override", {"reason": "x", "for": "2h"}, 409, "not_tripped"),
        ("DAILY_LOSS", "override", {"reason": "x", "for": "soon"}, 422, "usage"),
        ("DAILY_LOSS", "override", {"reason": "x"}, 422, "invalid_request"),
        ("DAILY_LOSS", "clear", {"reason": "x", "accept_loss": True}, 422, "usage"),
        ("DRAWDOWN", "clear", {"reason": "x", "accept_loss": True}, 409, "equity_unknown"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    service: Service, name: str, verb: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = service.http.post(f"/kill-switches/{name}/{verb}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not any(state.tripped for state in service.stores.switches.list())


def test_an_approver_stops_and_only_an_admin_lets_it_go_on(real_money: Service) -> None:
    approver = real_money.bearing(real_money.token("anna", Role.APPROVER))
    path = "/kill-switches/DAILY_LOSS"
    assert approver.post(f"{path}/trip", json={"reason": "enough"}).status_code == 200
    for verb, more in (("clear", {}), ("override", {"for": "2h"})):
        refused = approver.post(f"{path}/{verb}", json={"reason": "go on", **more})
        assert (refused.status_code, refused.json()["code"]) == (403, "role_too_low")
    assert approver.get("/status").json()["stance"] == "REDUCING"
    admin = real_money.bearing(real_money.token("boss", Role.ADMIN))
    cleared = admin.post(f"{path}/clear", json={"reason": "it is a new day"})
    assert (cleared.status_code, cleared.json()["tripped"]) == (200, False)
    assert cleared.json()["by"] == "token:boss"
