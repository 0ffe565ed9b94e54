"""Holds every answer of an API under test against its description."""

from functools import cache
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter

from polyb0t.api.codes import CONTROL, problems_of
from polyb0t.api.problems import MEDIA_TYPE
from polyb0t.models.limits import CONTROLS

CONTROL_NAMES = {control.__name__ for control in CONTROLS}
OUTSIDE = {"not_found", "method_not_allowed", "http"}  # of what is no route


class Described:
    """The routes of one application."""

    def __init__(self, app: FastAPI) -> None:
        self.routes = [route for route in iter_route_contexts(app.routes) if hasattr(route, "response_model")]

    def check(self, answer: httpx.Response) -> None:
        """Raises AssertionError: this answer is not one that the route's description tells of."""
        kind = answer.headers.get("content-type", "")
        if kind.startswith("text/event-stream"):
            return
        route = self._route(answer.request.method, answer.request.url.path)
        answer.read()
        if kind.startswith(MEDIA_TYPE):
            self._check_problem(answer, route)
        elif route is not None and kind.startswith("application/json"):
            assert answer.status_code == (route.status_code or 200), answer.status_code
            if route.response_model is not None:
                adapter(route.response_model).validate_json(answer.content)

    def _check_problem(self, answer: httpx.Response, route: Any) -> None:
        code = answer.json()["code"]
        path = route.path if route is not None else "/"
        known = problems_of(answer.request.method, path).get(answer.status_code, ())
        if route is None and code in OUTSIDE:
            return
        may_be_control = CONTROL in known and code in CONTROL_NAMES
        assert code in known or may_be_control, (
            f"{answer.request.method} {path} answered {answer.status_code} {code}, which nothing tells of"
        )

    def _route(self, method: str, path: str) -> Any:
        return next(
            (
                route
                for route in self.routes
                if method in (route.methods or ()) and route.path_regex.match(path)
            ),
            None,
        )


@cache
def adapter(model: Any) -> TypeAdapter[Any]:
    """Kept, since making one costs more than the answer."""
    return TypeAdapter(model)
