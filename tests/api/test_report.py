"""The report over HTTP: the same figures as the command's, and refused days with a code."""

import csv
import io

import pytest

from tests.api.conftest import Service


def test_it_is_the_commands_data(service: Service) -> None:
    service.propose()

    answer = service.http.get("/report")

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["decisions"]["proposed"], shown["decisions"]["waiting"]) == (1, 1)
    assert [row["name"] for row in shown["by_category"]] == ["politics"]
    assert {row["fate"] for row in shown["if_taken"]} == {"approved", "rejected", "expired"}
    assert shown["equity"]["equity_pusd"] is None


@pytest.mark.parametrize("by", ["market", "category", "model", "day"])
def test_it_is_values_for_a_spreadsheet(service: Service, by: str) -> None:
    service.propose()

    answer = service.http.get("/report", params={"format": "csv", "by": by})

    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert len(rows) == (1 if by == "market" else 2)


def test_it_is_a_page_that_runs_nothing(service: Service) -> None:
    service.propose(category="<img src=x onerror=alert(1)>")

    answer = service.http.get("/report", params={"format": "html"})

    assert answer.headers["content-type"].startswith("text/html")
    assert "<img" not in answer.text
    assert "default-src 'none'" in answer.text


def test_how_proposals_did_is_data_values_or_a_page(service: Service) -> None:
    record = service.propose()
    service.stores.intents.reject(record.id, actor="user:anna", reason="no")

    found = service.http.get("/report/decisions").json()
    values = service.http.get("/report/decisions", params={"format": "csv"})
    page = service.http.get("/report/decisions", params={"format": "html"})

    assert [(each["name"], each["proposals"]) for each in found["fates"]] == [("rejected", 1)]
    assert found["enough"] is False
    assert [row["id"] for row in csv.DictReader(io.StringIO(values.text))] == [record.id]
    assert "nothing can be said yet" in page.text and "default-src 'none'" in page.text
    assert service.http.get("/report/decisions", params={"by": "moon"}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"since": "soon"}, "bad_date"),
        ({"since": "2999-01-01"}, "bad_date"),
        ({"since": "2026-11-20", "until": "2026-11-19"}, "bad_date"),
        ({"since": "2026-11-20" * 20}, "invalid_request"),
        ({"by": "moon"}, "invalid_request"),
        ({"format": "exe"}, "invalid_request"),
    ],
)
def test_what_cannot_be_meant_has_a_code(service: Service, asked: dict[str, str], code: str) -> None:
    answer = service.http.get("/report", params=asked)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
