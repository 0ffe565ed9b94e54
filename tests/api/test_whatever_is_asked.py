"""Whatever the description allows is asked, and a good deal that it does not: no failure inside, no answer
that is not described, nothing let in.

More of it: TEST_SCHEMATHESIS_EXAMPLES=500 .venv/bin/pytest tests/api/test_whatever_is_asked.py
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from polyb0t.api.codes import OPEN_PATHS
from polyb0t.api.description import examples
from polyb0t.api.security import Reach
from polyb0t.execution.access import Role
from polyb0t.execution.scope import Regime
from tests.api.conftest import Service
from tests.api.test_description import NO_JSON, QUIET
from tests.api.test_health import engine_starts
from tests.support.builders import a_scope

EXAMPLES = int(os.environ.get("TEST_SCHEMATHESIS_EXAMPLES", "5"))
HOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="TEST_SCHEMATHESIS_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def no_failure_inside(_: Any, response: Any, __: Any) -> None:
    """Here no exchange is there to be asked; nothing else may fail."""
    assert response.status_code < 500 or response.json()["code"] == "venue_unreachable", response.text


ANSWERED = [
    no_failure_inside,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
ROUTES = sorted(set(examples()) | NO_JSON | QUIET)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


class World:
    """A service with something of everything, whose requests nobody counts, and an admin who asks it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._lease = engine_starts(service)
        token = service.token("anna", Role.ADMIN)
        self.headers = {"Authorization": f"Bearer {token}"}
        self.url = f"http://{service.address}"
        described = service.bearing(token).get("/openapi.json").json()
        loaded: Any = schemathesis.openapi.from_dict(described)
        self.operations = {each.ok().label: each.ok() for each in loaded.get_all_operations()}

    def beats(self) -> None:
        """An engine is there."""
        self.service.stores.engine.beat(self._lease, cycle=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    made = Service(folder, a_scope(), Regime.DRY_RUN, Reach(requests_per_minute=1_000_000))
    for _ in range(3):
        made.propose()
    yield World(made)
    made.close()


def test_every_route_is_asked(world: World) -> None:
    assert sorted(world.operations) == ROUTES


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", ROUTES)
def test_whatever_is_asked_is_answered_as_described(world: World, route: str, mode: GenerationMode) -> None:
    operation: Any = world.operations[route]
    world.beats()

    @HOW
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if route == "GET /events":
            case.query = {**(case.query or {}), "follow": "false"}  # it would wait for ever, as it should
        case.call_and_validate(base_url=world.url, headers=world.headers, checks=ANSWERED, timeout=20)

    with suppress(Unsatisfiable):  # where nothing wrong can be asked
        ask()


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_token_whatever_is_asked_is_refused(world: World, route: str) -> None:
    operation: Any = world.operations[route]
    if route.removeprefix("GET ") in OPEN_PATHS:
        return
    before = world.service.stores.engine.last_sequence()

    @settings(HOW, max_examples=2)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def ask(case: Any) -> None:
        answer = case.call(base_url=world.url, timeout=20)
        assert answer.status_code in (401, 403, 411, 413), answer.status_code
        assert answer.headers["content-type"][0].startswith("application/problem+json")

    ask()
    assert world.service.stores.engine.last_sequence() == before
