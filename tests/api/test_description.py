"""The description and its page say what the API does: each route, each problem, each example."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from polyb0t.api import schemas
from polyb0t.api.codes import ANYWHERE, CONTROL, OF_BODIES, OF_ROUTE, table
from polyb0t.api.description import examples
from polyb0t.api.pages import NEXT
from tests.api.conftest import Service
from tests.api.described import adapter

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
CODES = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
QUIET = {"GET /watch", "GET /watch/exits/{intent_id}"}  # for the screen of the same version, by no promise
NO_JSON = {"GET /events", "GET /metrics"}


@pytest.fixture
def described(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = service.http.get("/openapi.json").json()
    return found


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def routes(app: FastAPI) -> dict[str, Any]:
    return {
        f"{method} {route.path}": route
        for route in iter_route_contexts(app.routes)
        if hasattr(route, "response_model")
        for method in route.methods or ()
    }


def test_every_route_has_an_example_that_its_answer_could_be(service: Service) -> None:
    for name, route in routes(service.server.app).items():
        if name in QUIET | NO_JSON:
            continue
        shown = examples()[name]["answer"]
        if route.response_model is not None:
            adapter(route.response_model).validate_python(shown)


def test_every_body_has_an_example_that_would_be_taken(service: Service, described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        if "requestBody" not in operation:
            continue
        content = operation["requestBody"]["content"]["application/json"]
        assert content["example"] == examples()[name]["body"], name
        field = routes(service.server.app)[name].body_field
        annotation = field.field_info.annotation
        assert annotation is not None
        adapter(annotation).validate_python(content["example"])


def test_every_answer_in_the_description_has_its_example(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        if name in QUIET:
            continue
        good = next(answer for status, answer in operation["responses"].items() if status in ("200", "201"))
        assert any("example" in form for form in good["content"].values()), name


def test_pages_name_the_header_that_continues_them(described: dict[str, Any]) -> None:
    paged = {name for name, each in operations(described).items() if _takes(each, "cursor")}
    assert paged == {"GET /intents", "GET /orders", "GET /fills"}
    for name in paged:
        assert NEXT in operations(described)[name]["responses"]["200"]["headers"]


def _takes(operation: dict[str, Any], parameter: str) -> bool:
    return any(each["name"] == parameter for each in operation.get("parameters", ()))


def test_every_parameter_and_every_route_says_what_it_is(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        assert operation["description"], name
        for parameter in operation.get("parameters", ()):
            assert parameter["in"] == "path" or parameter.get("description"), (name, parameter["name"])


def test_every_problem_of_a_route_is_described(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        for status, codes in OF_ROUTE.get(name, {}).items():
            words = operation["responses"][str(status)]["description"]
            assert all(f"`{code}`" in words for code in codes if code != CONTROL), (name, status)


def test_what_is_told_of_routes_is_told_of_routes_that_exist(service: Service) -> None:
    assert set(OF_ROUTE) <= set(routes(service.server.app))


def test_the_page_has_every_route(service: Service) -> None:
    names = set(routes(service.server.app)) - QUIET
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []


def test_the_page_has_no_route_that_does_not_exist(service: Service) -> None:
    told = set(re.findall(r"`((?:GET|POST|DELETE) /[^`\s]*)`", PAGE))
    assert sorted(told - set(routes(service.server.app)) - {"GET /openapi.json"}) == []


def test_the_page_has_every_problem_with_its_status() -> None:
    assert [row for row in table() if row not in PAGE] == []
    rows = re.findall(r"^\| ([\d, ]+) \| (`[^|]*`) \|", PAGE, re.MULTILINE)
    told = {
        (int(status), code)
        for statuses, codes in rows
        for status in statuses.split(", ")
        for code in re.findall(r"`(\w+)`", codes)
    }
    general = {
        (status, code) for each in (ANYWHERE, OF_BODIES) for status, codes in each.items() for code in codes
    }
    assert sorted(general - told) == []


def test_every_code_is_explained_where_codes_are() -> None:
    every = {code for codes in OF_ROUTE.values() for names in codes.values() for code in names} - {CONTROL}
    every |= {code for each in (ANYWHERE, OF_BODIES) for names in each.values() for code in names}
    assert sorted(code for code in every if f"`{code}`" not in CODES) == []


def test_models_refuse_what_they_do_not_describe() -> None:
    every = [
        each for each in vars(schemas).values() if isinstance(each, type) and issubclass(each, BaseModel)
    ]
    loose = [each for each in every if each.model_config.get("extra") != "forbid"]
    assert loose == [BaseModel]
