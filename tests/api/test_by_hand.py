"""Approving less, with exits, muting, protecting: over HTTP as on the command line."""

from typing import Any

import pytest

from tests.api.conftest import Service


def body_of(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


class TestLess:
    def test_a_smaller_form_takes_its_place(self, service: Service) -> None:
        record = service.propose()
        wanted = {"shares": "50", "digest": record.digest}
        answer = body_of(service.http.post(f"/intents/{record.id}/approve", json=wanted))
        assert answer["parent_id"] == record.id
        assert (answer["status"], answer["least_shares"]) == ("APPROVED", "50")
        assert body_of(service.http.get(f"/intents/{record.id}"))["result"] == "superseded"

    @pytest.mark.parametrize("more", [{"shares": "100000"}, {"worst_price": "0.99"}])
    def test_more_is_refused(self, service: Service, more: Any) -> None:
        record = service.propose()
        answer = service.http.post(f"/intents/{record.id}/approve", json=more)
        assert body_of(answer, 422)["code"] == "not_smaller"
        assert body_of(service.http.get(f"/intents/{record.id}"))["status"] == "PENDING"

    @pytest.mark.parametrize("odd", [{"shares": "-1"}, {"shares": "1.234"}, {"worst_price": "61"}])
    def test_odd_sizes_are_not_taken(self, service: Service, odd: Any) -> None:
        record = service.propose()
        assert service.http.post(f"/intents/{record.id}/approve", json=odd).status_code == 422

    def test_with_its_exits(self, service: Service) -> None:
        record = service.propose()
        body_of(service.http.post(f"/intents/{record.id}/approve", json={"with_exits": True}))
        (standing,) = service.stores.standing.active()
        assert standing.standing.opening_id == record.id
        assert standing.approved_by.endswith("@http")


class TestMutes:
    def test_rejected_and_muted_and_asked_again(self, service: Service) -> None:
        record = service.propose()
        body_of(service.http.post(f"/intents/{record.id}/reject", json={"mute_hours": 24}))
        (muted,) = body_of(service.http.get("/mutes"))
        assert muted["condition_id"] == record.intent.condition_id
        assert body_of(service.http.delete(f"/mutes/{muted['condition_id']}")) == []
        assert body_of(service.http.delete(f"/mutes/{muted['condition_id']}"), 404)["code"] == "not_muted"


class TestPositions:
    @pytest.mark.parametrize("act", ["close", "protect", "unprotect"])
    def test_what_is_not_held_is_not_found(self, service: Service, act: str) -> None:
        answer = service.http.post(f"/positions/pzzz/{act}", json={} if act != "unprotect" else None)
        assert body_of(answer, 404)["code"] == "position_not_found"
