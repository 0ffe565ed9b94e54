"""The routes that machines ask: is this process there, can the whole of it work, and its figures."""

from fastapi import APIRouter, Response

from polyb0t import __version__
from polyb0t.api.metrics import CONTENT_TYPE, Metrics
from polyb0t.api.problems import responses
from polyb0t.api.schemas import Answer, Health, Instant
from polyb0t.core.clock import iso
from polyb0t.core.errors import PolybotError
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View


class Ready(Answer):
    """An approval would be carried out: the database answers and an engine works on it."""

    status: str
    database: str
    engine: str
    heard_at: Instant
    cycle: int
    time: Instant


class NotReadyError(PolybotError):
    """No engine works here, so an approval would be carried out by nobody."""

    code = "not_ready"
    http_status = 503


def health_routes(opened: OpenedStore, metrics: Metrics) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(tags=["state"])

    @router.get("/health", response_model=Health, responses=responses(503))
    def health() -> View:
        """Whether this process and its database answer."""
        now = opened.stores.intents.now()
        return {"status": "ok", "database": "ok", "version": __version__, "time": iso(now)}

    @router.get("/ready", response_model=Ready, responses=responses(503))
    def ready() -> View:
        """Whether an approval would be carried out now: 503 `not_ready` while no engine works. A halt
        is a decision and no failure: `/status` tells it."""
        engine = opened.engine()
        if engine is None or not opened.engine_runs():
            raise NotReadyError(
                "Not ready: no engine works here, so an approval would be carried out by nobody.",
                why="None has run yet." if engine is None else f"Last heard {iso(engine.beat_at)}.",
                do="Start one: polyb0t run",
            )
        return {
            "status": "ready",
            "database": "ok",
            "engine": "running",
            "heard_at": iso(engine.beat_at),
            "cycle": engine.cycle,
            "time": iso(opened.stores.intents.now()),
        }

    @router.get("/metrics", response_class=Response, responses={200: _TEXT, **responses(503)})
    def figures() -> Response:
        """Figures for Prometheus. What is not known has no line; without a database the answer is 503."""
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    return router


_TEXT = {
    "description": "Prometheus text format.",
    "content": {"text/plain": {"schema": {"type": "string"}, "example": "polyb0t_engine_up 1.0\n"}},
}
