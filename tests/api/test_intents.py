"""Proposed trades over HTTP: the same names, codes and decisions as in a shell."""

from datetime import timedelta
from typing import Any

import pytest

from polyb0t.api.schemas import Intent, Status
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import IntentId
from polyb0t.execution.intents import IntentStatus
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.views import intent_views
from tests.api.conftest import Service


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem of a refused request."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body["status"] == status
    assert set(body) == {"type", "title", "status", "code", "detail"}
    return body


def test_the_list_is_the_one_of_the_shell(service: Service) -> None:
    record = service.propose()
    answer = service.http.get("/intents?status=PENDING")
    assert answer.status_code == 200
    assert answer.json() == intent_views(service.stores, [record])
    assert service.http.get("/intents?status=EXPIRED").json() == []


def test_the_list_says_how_each_stands_now(service: Service) -> None:
    """What was told once is kept, so each state has to be told anew."""
    record = service.propose(id=IntentId("abcdef0000000000"))
    assert service.http.get("/intents").json()[0]["status"] == "PENDING"
    service.stores.intents.mark_seen([record.id], actor="user:anna")
    assert service.http.get("/intents").json()[0]["seen_at"] is not None
    near = service.propose(id=IntentId("abcdeg0000000000"))
    told = {row["id"]: row["short_id"] for row in service.http.get("/intents").json()}
    assert told == {record.id: "abcdef", near.id: "abcdeg"}
    service.http.post(f"/intents/{record.id}/reject", json={"reason": "no"})
    rows = service.http.get("/intents").json()
    assert rows == intent_views(service.stores, service.stores.intents.list())
    assert [row["status"] for row in rows] == ["PENDING", "REJECTED"]


def test_money_is_a_string_and_unknown_is_null(service: Service) -> None:
    record = service.propose()
    body = service.http.get(f"/intents/{record.id[:6]}").json()
    assert (body["worst_price"], body["max_cost"], body["shares"]) == ("0.61", "95.16", None)


def test_the_description_says_that_money_is_a_string(service: Service) -> None:
    schema = service.http.get("/openapi.json").json()["components"]["schemas"]["Intent"]["properties"]
    for name in ("worst_price", "max_cost", "amount", "shares", "edge", "model_probability"):
        assert {option["type"] for option in schema[name]["anyOf"]} == {"string", "null"}, name


def test_the_described_names_are_those_of_the_shell(service: Service) -> None:
    (view,) = intent_views(service.stores, [service.propose()])
    assert set(view) == set(Intent.model_fields)
    assert set(service.http.get("/status").json()) == set(Status.model_fields)


def test_a_long_list_comes_in_pages_without_a_gap(service: Service) -> None:
    made = [service.propose().id for _ in range(5)]
    first = service.http.get("/intents?limit=2")
    second = service.http.get(f"/intents?limit=2&cursor={first.headers['x-next-cursor']}")
    third = service.http.get(f"/intents?limit=2&cursor={second.headers['x-next-cursor']}")
    ids = [row["id"] for page in (first, second, third) for row in page.json()]
    assert ids == made[::-1]
    assert "x-next-cursor" not in third.headers


@pytest.mark.parametrize(
    "query", ["status=OPEN", "limit=0", "limit=-1", "limit=1001", "limit=x", "cursor=1", "cursor=" + "i" * 16]
)
def test_an_impossible_question_is_a_problem(service: Service, query: str) -> None:
    problem(service.http.get(f"/intents?{query}"), 422, "invalid_request")


def test_approving_needs_no_body(service: Service) -> None:
    record = service.propose()
    answer = service.http.post(f"/intents/{record.id}/approve")
    assert answer.status_code == 200
    assert answer.json()["status"] == "APPROVED"
    stored = service.stores.intents.get(record.id)
    assert stored.status is IntentStatus.APPROVED
    assert stored.decided_by is not None
    assert stored.decided_by.startswith("user:")
    assert stored.decided_by.endswith("@http")


def test_deciding_twice_names_the_first(service: Service) -> None:
    record = service.propose()
    service.http.post(f"/intents/{record.id}/approve")
    said = problem(service.http.post(f"/intents/{record.id}/approve"), 409, "already_decided")
    assert "already approved" in said["title"]
    assert "before you" in said["title"]


def test_another_digest_is_refused(service: Service) -> None:
    record = service.propose()
    url = f"/intents/{record.id}/approve"
    problem(service.http.post(url, json={"digest": "0" * 64}), 409, "digest_mismatch")
    assert service.stores.intents.get(record.id).status is IntentStatus.PENDING
    assert service.http.post(url, json={"digest": record.digest}).status_code == 200


@pytest.mark.parametrize("body", [{"digest": "abc"}, {"digset": "0" * 64}, [], "approve", {"digest": 5}])
def test_a_body_that_makes_no_sense_approves_nothing(service: Service, body: object) -> None:
    record = service.propose()
    problem(service.http.post(f"/intents/{record.id}/approve", json=body), 422, "invalid_request")
    assert service.stores.intents.get(record.id).status is IntentStatus.PENDING


def test_a_body_that_is_no_text_approves_nothing(service: Service) -> None:
    record = service.propose()
    json_it_says = {"content-type": "application/json"}
    answer = service.http.post(f"/intents/{record.id}/approve", content=b"\xff\xfe{", headers=json_it_says)
    problem(answer, 422, "invalid_request")
    assert service.stores.intents.get(record.id).status is IntentStatus.PENDING


def test_too_late_is_written_as_expired(service: Service) -> None:
    now = SystemClock().now()
    record = service.propose(created_at=now - timedelta(seconds=66), deadline=now - timedelta(seconds=6))
    problem(service.http.post(f"/intents/{record.id}/approve"), 409, "expired")
    assert service.stores.intents.get(record.id).status is IntentStatus.EXPIRED


def test_while_halted_nothing_is_approved(service: Service) -> None:
    record = service.propose()
    service.stores.switches.trip(KillSwitchType.MANUAL, actor="user:bob", reason="lunch")
    problem(service.http.post(f"/intents/{record.id}/approve"), 409, "halted")


def test_rejecting_keeps_the_reason(service: Service) -> None:
    record = service.propose()
    answer = service.http.post(f"/intents/{record.id}/reject", json={"reason": "wording is unclear"})
    assert answer.json()["status"] == "REJECTED"
    assert any("wording is unclear" in entry.payload for entry in service.stores.engine.journal())


def test_an_unknown_id_is_not_found(service: Service) -> None:
    problem(service.http.get("/intents/zzzz"), 404, "intent_not_found")
    problem(service.http.post("/intents/zzzz/approve"), 404, "intent_not_found")
    problem(service.http.get("/nothing"), 404, "not_found")
    problem(service.http.delete("/intents"), 405, "method_not_allowed")


def test_with_real_money_nobody_is_answered_without_a_token(real_money: Service) -> None:
    record = real_money.propose()
    for verb in ("approve", "reject"):
        problem(real_money.http.post(f"/intents/{record.id}/{verb}"), 401, "token_required")
    assert real_money.stores.intents.get(record.id).status is IntentStatus.PENDING
    problem(real_money.http.get(f"/intents/{record.id}"), 401, "token_required")
    anna = real_money.bearing(real_money.token("anna"))
    assert anna.get("/status").json()["mode"] == "POLYMARKET, REAL MONEY"


def test_health_and_status(service: Service) -> None:
    assert service.http.get("/health").json()["status"] == "ok"
    service.propose()
    status = service.http.get("/status").json()
    assert status["mode"] == "SANDBOX, dry run"
    assert (status["stance"], status["waiting"], status["engine"]["running"]) == ("ACTIVE", 1, False)
    assert status["at_risk"] == "0"
    assert status["cash"] is None
