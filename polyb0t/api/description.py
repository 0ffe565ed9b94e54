"""The OpenAPI description, completed: the problems of each route with their codes, examples, the token."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from polyb0t.api.codes import CONTROL, OPEN_PATHS, problems_of
from polyb0t.api.pages import NEXT, NEXT_HEADER
from polyb0t.api.problems import MEDIA_TYPE

JSON: Final = "application/json"
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_PAGED: Final = frozenset({"GET /intents", "GET /orders", "GET /fills"})
_TAGS: Final = (
    ("intents", "Proposed trades: read, approve, reject, propose your own."),
    ("orders", "What was sent to the exchange, and what it filled."),
    ("kill switches", "What stops trading: read, trip, clear, override."),
    ("by hand", "Sales, exits approved in advance, muted markets."),
    ("claims", "Winnings of resolved markets."),
    ("events", "The journal as it is written."),
    ("state", "Account, positions, limits, report; health and metrics."),
    ("watch", "For the watch screen of the same version."),
)


def describe(app: FastAPI) -> None:
    """Make `/openapi.json` complete, in the way that the framework has for it: a method that is replaced."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    description=app.description,
                    routes=app.routes,
                    tags=[{"name": name, "description": words} for name, words in _TAGS],
                )
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


@cache
def examples() -> Mapping[str, Mapping[str, Any]]:
    """An answer and a body for each route, by method and path: taken from a real exchange of words."""
    text = files("polyb0t.api").joinpath("examples.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def _completed(described: dict[str, Any]) -> dict[str, Any]:
    schemes = {"token": {"type": "http", "scheme": "bearer", "description": "polyb0t auth token create NAME"}}
    described["components"]["securitySchemes"] = schemes
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            _complete(operation, method.upper(), path)
    return described


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    name = f"{method} {path}"
    answers = operation["responses"]
    answers.pop("422", None)  # the framework's own form, which is never answered
    for status, codes in problems_of(method, path).items():
        answers[str(status)] = _problem(codes)
    operation["security"] = [] if path in OPEN_PATHS else [{"token": []}, {}]
    shown = examples().get(name, {})
    good = next(answers[status] for status in ("200", "201") if status in answers)
    if "answer" in shown and JSON in good.get("content", {}):
        good["content"][JSON]["example"] = shown["answer"]
    if "body" in shown:
        operation["requestBody"]["content"][JSON]["example"] = shown["body"]
    if name in _PAGED:
        good["headers"] = {NEXT: NEXT_HEADER[NEXT]}


def _problem(codes: tuple[str, ...]) -> dict[str, Any]:
    told = ["the name of a control" if code == CONTROL else f"`{code}`" for code in codes]
    return {"description": ", ".join(told), "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
