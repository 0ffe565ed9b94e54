"""Claims over HTTP: the same as `claims list` and `claims show`, and decided among the ordinary intents."""

import httpx
import pytest

from polyb0t.api.claims import ClaimAnswer, Claims
from polyb0t.core.ids import ConditionId
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.runtime.claims_view import read_claims
from tests.api.conftest import Service
from tests.support.claims import a_whole_claim


def proposed(service: Service, **overrides: object) -> IntentRecord:
    claim = a_whole_claim(scope=str(service.scope), regime=service.regime, **overrides)  # type: ignore[arg-type]
    answer = service.stores.intents.propose(claim, service.lease)
    assert isinstance(answer, IntentRecord), answer
    return answer


def decide(service: Service, record: IntentRecord, how: str) -> httpx.Response:
    body = {"reason": "seen"} if how == "reject" else {"digest": record.digest}
    return service.http.post(f"/intents/{record.id}/{how}", json=body)


def test_the_list_and_the_closer_look_are_those_of_the_shell(service: Service) -> None:
    record = proposed(service, shares=("20", "3"), payouts=("0.5", "0.5"))
    answer = service.http.get("/claims")
    assert answer.status_code == 200
    assert answer.json() == {
        "claims": [each.view() for each in read_claims(service.stores)],
        "process": {"running": False, "problem": ""},
        "by_hand": [],
    }
    (claim,) = answer.json()["claims"]
    assert set(claim) == set(ClaimAnswer.model_fields)
    assert set(answer.json()) == set(Claims.model_fields)
    assert (claim["expected"], claim["paid"], claim["gas_pol"], claim["gas_pusd"]) == ("11.5", "0", "0", None)
    assert service.http.get(f"/claims/{record.id[:6]}").json() == claim


def test_a_claim_that_is_not_there_is_named(service: Service) -> None:
    for name in ("zzzz", "0x5a5a", service.propose().id):
        answer = service.http.get(f"/claims/{name}")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)


def test_it_waits_among_the_intents_with_all_that_an_approval_permits(service: Service) -> None:
    record = proposed(service)
    (waiting,) = service.http.get("/intents?status=PENDING").json()
    assert (waiting["id"], waiting["intent_type"]) == (record.id, "CLAIM_SETTLEMENT")
    told = waiting["claim"]
    assert told == dict(record.intent.claim or {})
    assert {"wallet", "contract", "function", "call_hash", "shares", "payouts", "expected_pusd"} <= set(told)


@pytest.mark.parametrize(
    ("how", "status"), [("approve", IntentStatus.APPROVED), ("reject", IntentStatus.REJECTED)]
)
def test_it_is_decided_like_any_intent(service: Service, how: str, status: IntentStatus) -> None:
    record = proposed(service)
    answer = decide(service, record, how)
    assert answer.status_code == 200, answer.text
    assert service.stores.intents.get(record.id).status is status
    stands = service.http.get(f"/claims/{record.id}").json()
    assert stands["status"] == status.value


def test_another_content_than_was_read_is_not_approved(service: Service) -> None:
    record = proposed(service)
    other = proposed(service, route=ClaimRoute.RELAYER, condition_id=ConditionId("0x" + "77" * 32))
    answer = service.http.post(f"/intents/{record.id}/approve", json={"digest": other.digest})
    assert answer.status_code == 409
    assert service.stores.intents.get(record.id).status is IntentStatus.PENDING
