"""Failures as `application/problem+json` (RFC 9457), with the same codes as everywhere."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from polyb0t.api.schemas import Problem
from polyb0t.core.errors import PolybotError
from polyb0t.runtime.views import problem_view

MEDIA_TYPE = "application/problem+json"


def problem_response(body: Mapping[str, object], status: int) -> JSONResponse:
    """One problem object."""
    return JSONResponse(dict(body), status_code=status, media_type=MEDIA_TYPE)


def problem(status: int, code: str, title: str, detail: str = "") -> JSONResponse:
    """A problem that no exception of ours describes."""
    kind = f"urn:polyb0t:problem:{code}"
    return problem_response(
        {"type": kind, "title": title, "status": status, "code": code, "detail": detail}, status
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route, for its description."""
    return {status: {"model": Problem, "content": {MEDIA_TYPE: {}}} for status in statuses}


def add_problem_handlers(app: FastAPI) -> None:
    """Every failure leaves as a problem; what was not foreseen leaves without its inside."""

    @app.exception_handler(PolybotError)
    def _refused(_: Request, error: PolybotError) -> JSONResponse:
        return problem_response(problem_view(error), error.http_status)

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("query", "body", "path"))
        return problem(
            422,
            "invalid_request",
            f"Not answered: {where or 'the request'} is not possible.",
            f"{first['msg']}.",
        )

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.BAD_REQUEST:  # of a body that is no text
            return problem(422, "invalid_request", "Not answered: the body cannot be read.", "It is no JSON.")
        codes = {404: "not_found", 405: "method_not_allowed"}
        return problem(error.status_code, codes.get(error.status_code, "http"), str(error.detail))

    @app.exception_handler(Exception)
    def _unforeseen(_: Request, __: Exception) -> JSONResponse:
        return problem(500, "internal", "Not answered: something failed inside.", "The API's log says what.")
