"""The routes of reports: a period, and how proposals did, as data, values for a spreadsheet, or a page."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from polyb0t.api.problems import responses
from polyb0t.execution.scope import mode_words
from polyb0t.research.analytics.sides import By as Side
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

    @router.get(
        "/report/decisions",
        response_class=Response,
        responses={
            **responses(422, 503),
            200: {
                "description": "How proposals did. Money is pUSD as decimal text, statistics are numbers, "
                "null is not known.",
                "content": {
                    "application/json": {"schema": {"type": "object"}},
                    "text/csv": {"schema": {"type": "string"}},
                    "text/html": {"schema": {"type": "string"}},
                },
            },
        },
    )
    def decisions(
        since: Annotated[str | None, _DAY] = None,
        until: Annotated[str | None, _DAY] = None,
        form: Annotated[Form, Query(alias="format", description="How it is given out.")] = Form.JSON,
        by: Annotated[Side, Query(description="The table of a CSV.")] = Side.INTENT,
    ) -> Response:
        """How every proposal did, taken or not, from `since` (the first) to the end of `until` (now)."""
        return _decisions(opened, (since, until), form, by)

    return router


def _decisions(opened: OpenedStore, days: tuple[str | None, str | None], form: Form, by: Side) -> Response:
    """Arrays and recorded files are loaded when somebody asks for this, and not with the service."""
    from polyb0t.research.analytics import files  # noqa: PLC0415 - said above
    from polyb0t.runtime import analysing  # noqa: PLC0415 - said above

    made = analysing.read_analysis(opened, *days)
    if form is Form.CSV:
        return Response(files.as_csv(made, by), media_type="text/csv")
    if form is Form.HTML:
        title = f"polyb0t, decisions: {mode_words(opened.scope, made.regime)}"
        return Response(files.as_html(made, title), media_type="text/html")
    return JSONResponse(analysing.analysis_view(made))
