"""A page on another site can decide nothing and read nothing, also under a borrowed name."""

import pytest

from polyb0t.execution.intents import IntentStatus
from tests.api.conftest import Service

FORM = {"content-type": "application/x-www-form-urlencoded"}
REFUSED = {
    "a name that resolves here": {"host": "evil.example:8000"},
    "a name that begins like ours": {"host": "localhost.evil.example:8000"},
    "an address with a user": {"host": "localhost@evil.example"},
    "a page of another origin": {"origin": "http://evil.example"},
    "a page of another port": {"origin": "http://localhost:9999"},
    "a page without an origin": {"origin": "null"},
    "another site": {"sec-fetch-site": "cross-site"},
    "a neighbouring site": {"sec-fetch-site": "same-site"},
    "a form": FORM,
    "a form with a file": {"content-type": "multipart/form-data; boundary=x"},
    "a form of plain text": {"content-type": "text/plain"},
    "a form of another site": {**FORM, "origin": "http://evil.example", "sec-fetch-site": "cross-site"},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
def test_what_a_foreign_page_can_send_decides_nothing(service: Service, headers: dict[str, str]) -> None:
    record = service.propose()
    answer = service.http.post(f"/intents/{record.id}/approve", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert service.stores.intents.get(record.id).status is IntentStatus.PENDING


def test_a_secure_page_at_our_address_is_another_origin(service: Service) -> None:
    record = service.propose()
    origin = {"origin": f"https://{service.address}"}
    assert service.http.post(f"/intents/{record.id}/approve", headers=origin).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_foreign_page_reads_nothing(service: Service, headers: dict[str, str]) -> None:
    record = service.propose()
    answer = service.http.get("/intents", headers=headers)
    assert answer.status_code == 403
    assert record.id not in answer.text


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_this_computers_own_names_are_answered(service: Service, host: str) -> None:
    assert service.http.get("/health", headers={"host": host}).status_code == 200


def test_our_own_page_and_a_typed_address_are_answered(service: Service) -> None:
    own = {"origin": f"http://{service.address}", "sec-fetch-site": "same-origin"}
    assert service.http.get("/health", headers=own).status_code == 200
    assert service.http.get("/health", headers={"sec-fetch-site": "none"}).status_code == 200


def test_an_enormous_body_is_refused_before_it_is_read(service: Service) -> None:
    record = service.propose()
    answer = service.http.post(f"/intents/{record.id}/reject", json={"reason": "x" * 20_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert service.stores.intents.get(record.id).status is IntentStatus.PENDING
