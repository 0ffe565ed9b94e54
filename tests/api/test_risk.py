"""`GET /risk`: the limits as the engine measured them."""

from tests.api.conftest import Service
from tests.cli.test_risk import TOO_SMALL, facts


def test_the_limits_are_those_of_the_command(service: Service) -> None:
    service.stores.engine.beat(service.lease, cycle=1, facts={"risk": facts()})
    answer = service.http.get("/risk")
    assert answer.status_code == 200
    assert answer.json()["bankroll"] == "10000"
    assert answer.json()["limits"][1] == {
        "name": "exposure_total",
        "label": "",
        "unit": "pUSD",
        "used": "194.97",
        "limit": "5000",
        "left": "4805.03",
        "fraction": "0.038994",
    }


def test_an_account_that_is_too_small_is_told_in_status_too(service: Service) -> None:
    service.stores.engine.beat(service.lease, cycle=1, facts={"risk": facts(**TOO_SMALL)})
    assert service.http.get("/risk").json()["too_small"]["do"] == TOO_SMALL["remedy"]
    assert TOO_SMALL["remedy"] in service.http.get("/status").json()["too_small"]


def test_before_an_engine_has_measured_them_it_is_said(service: Service) -> None:
    answer = service.http.get("/risk")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_limits")
