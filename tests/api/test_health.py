"""What machines ask: is it there, can the whole of it work, and its figures."""

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from polyb0t.core.units import Pusd
from polyb0t.execution.scope import Lease, Regime
from polyb0t.models.equity import AccountHealth
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.current import process_started
from polyb0t.runtime.health_facts import health_fact
from tests.api.conftest import Service
from tests.api.test_intents import problem
from tests.support.builders import NOW


def engine_starts(service: Service) -> Lease:
    """An engine that runs in this very process."""
    service.stores.engine.release(service.lease)
    lease = service.stores.engine.acquire(
        "engine",
        holder=f"here:{os.getpid()}",
        boot_id="b",
        process_started=str(process_started()),
        regime=Regime.DRY_RUN,
    )
    assert isinstance(lease, Lease)
    return lease


def test_without_an_engine_nothing_is_ready_and_the_api_is_healthy(service: Service) -> None:
    assert service.http.get("/health").json()["status"] == "ok"
    said = problem(service.http.get("/ready"), 503, "not_ready")
    assert "no engine works here" in said["title"]


def test_with_an_engine_it_is_ready_also_while_halted(service: Service) -> None:
    lease = engine_starts(service)
    service.stores.engine.beat(lease, cycle=7)
    service.stores.switches.trip(KillSwitchType.MANUAL, actor="user:bob", reason="lunch")
    told = service.http.get("/ready").json()
    assert (told["status"], told["engine"], told["cycle"]) == ("ready", "running", 7)


def test_an_engine_that_was_stopped_is_not_ready(service: Service) -> None:
    service.stores.engine.release(engine_starts(service))
    problem(service.http.get("/ready"), 503, "not_ready")


def figures(service: Service) -> dict[tuple[str, str], float]:
    answer = service.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_figures_are_those_of_the_database(service: Service) -> None:
    service.propose()
    lease = engine_starts(service)
    service.stores.switches.trip(KillSwitchType.STALE_DATA, actor="user:bob", reason="old prices")
    health = AccountHealth(
        NOW,
        Pusd(Decimal(950)),
        Pusd(Decimal(1_000)),
        "2026-11-22",
        Pusd(Decimal(1_000)),
        Pusd(Decimal(1_000)),
    )
    facts = {"equity_pusd": Pusd(Decimal(950)), "health": health_fact(health), "clock_skew": "-0.25"}
    service.stores.engine.beat(lease, cycle=3, facts=facts)
    found = figures(service)
    assert (found["polyb0t_engine_up", ""], found["polyb0t_engine_cycle", ""]) == (1, 3)
    assert 0 <= found["polyb0t_engine_silent_seconds", ""] < 60
    assert found["polyb0t_trading_allowed", ""] == 0
    assert found["polyb0t_kill_switch_tripped", "STALE_DATA"] == 1
    assert found["polyb0t_kill_switch_tripped", "MANUAL"] == 0
    assert (found["polyb0t_equity_pusd", ""], found["polyb0t_drawdown_fraction", ""]) == (950, 0.05)
    assert found["polyb0t_clock_skew_seconds", ""] == -0.25
    assert found["polyb0t_journal_sequence", ""] == service.stores.engine.last_sequence()


def test_what_is_not_known_has_no_line(service: Service) -> None:
    names = {name for name, _ in figures(service)}
    assert names.isdisjoint({"polyb0t_cash_pusd", "polyb0t_equity_pusd", "polyb0t_day_result_pusd"})


def test_answers_are_counted_by_route_and_not_by_path(service: Service) -> None:
    record = service.propose()
    service.http.get(f"/intents/{record.id}")
    service.http.get("/intents/zzzz")
    service.http.get("/made/up/by/a/stranger")
    found = figures(service)
    assert found["polyb0t_http_requests_total", "GET,/intents/{intent_id},200"] == 1
    assert found["polyb0t_http_requests_total", "GET,/intents/{intent_id},404"] == 1
    assert found["polyb0t_http_requests_total", "GET,none,404"] == 1
    assert found["polyb0t_http_request_seconds_count", "GET,/intents/{intent_id}"] == 2


@pytest.fixture
def broken(service: Service) -> Iterator[Service]:
    """Its database cannot be opened any more."""
    service.stores.close()
    path = Path(str(service.stores.database.engine.url.database))
    away = path.rename(path.with_suffix(".away"))
    path.mkdir()
    yield service
    path.rmdir()
    away.rename(path)


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/status", "/metrics", "/intents", "/orders", "/events?follow=false"]
)
def test_without_a_database_everything_is_503(broken: Service, path: str) -> None:
    assert broken.http.get(path).status_code == 503
