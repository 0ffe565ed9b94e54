"""The route of the report: a period as data, as values for a spreadsheet, or as a page to keep."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from polyb0t.api.problems import responses
from polyb0t.execution.scope import mode_words
from polyb0t.research.groups import By
from polyb0t.research.report_files import as_csv, as_html
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.reporting import read_report, report_view, span_of


class Form(StrEnum):
    """How the report is given out."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


_DAY = Query(description="A day in UTC, for example 2026-11-23.", max_length=10)


def report_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(tags=["state"])

    @router.get(
        "/report",
        response_class=Response,
        responses={
            **responses(422, 503),
            200: {
                "description": "The report. Money is pUSD as decimal text, null is not known.",
                "content": {
                    "application/json": {"schema": {"type": "object"}},
                    "text/csv": {"schema": {"type": "string"}},
                    "text/html": {"schema": {"type": "string"}},
                },
            },
        },
    )
    def report(
        since: Annotated[str | None, _DAY] = None,
        until: Annotated[str | None, _DAY] = None,
        form: Annotated[Form, Query(alias="format", description="How it is given out.")] = Form.JSON,
        by: Annotated[By, Query(description="The table of a CSV.")] = By.MARKET,
    ) -> Response:
        """What a time brought, from 00:00 UTC of `since` (today) to the end of `until` (now)."""
        made = read_report(opened, span_of(since, until, opened.stores.intents.now()))
        if form is Form.CSV:
            return Response(as_csv(made, by), media_type="text/csv")
        if form is Form.HTML:
            title = f"polyb0t: {mode_words(opened.scope, made.regime)}"
            return Response(as_html(made, title), media_type="text/html")
        return JSONResponse(report_view(made))

    return router
