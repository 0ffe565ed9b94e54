"""The HTTP surface over one opened store: `create_app`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from polyb0t import __version__
from polyb0t.api.account import account_routes
from polyb0t.api.by_hand import by_hand_routes
from polyb0t.api.claims import claim_routes
from polyb0t.api.description import describe
from polyb0t.api.events import event_routes
from polyb0t.api.feed import JournalFeed
from polyb0t.api.health import health_routes
from polyb0t.api.intents import intent_routes
from polyb0t.api.metrics import Measured, Metrics
from polyb0t.api.orders import order_routes
from polyb0t.api.problems import add_problem_handlers, responses
from polyb0t.api.report import report_routes
from polyb0t.api.risk import risk_routes
from polyb0t.api.schemas import Status
from polyb0t.api.security import THIS_COMPUTER, Reach
from polyb0t.api.security_gate import Gate
from polyb0t.api.switches import switch_routes
from polyb0t.api.watch import watch_routes
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.overview import overview
from polyb0t.runtime.views import View


def create_app(
    opened: OpenedStore, reach: Reach = THIS_COMPUTER, *, feed: JournalFeed | None = None
) -> FastAPI:
    """Routes, problem details and the checks against foreign pages. Who gives the `feed` may close it
    while streams are open; it is closed with the app in any case."""
    told = feed or JournalFeed(opened.stores.engine)
    metrics = Metrics(opened, told)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(told.close)

    app = FastAPI(
        title="polyb0t",
        version=__version__,
        description="Proposed trades, and who may decides about them.",
        docs_url=None,  # their pages load scripts from the internet
        redoc_url=None,
        lifespan=lifespan,
    )
    add_problem_handlers(app)
    app.include_router(intent_routes(opened))
    app.include_router(order_routes(opened))
    app.include_router(switch_routes(opened))
    app.include_router(risk_routes(opened))
    app.include_router(account_routes(opened))
    app.include_router(by_hand_routes(opened))
    app.include_router(claim_routes(opened))
    app.include_router(report_routes(opened))
    app.include_router(watch_routes(opened))
    app.include_router(event_routes(opened, told))
    app.include_router(health_routes(opened, metrics))

    @app.get("/status", response_model=Status, responses=responses(503), tags=["state"])
    def status() -> View:
        """Mode, stance, engine, switches and what is at stake."""
        return overview(opened).view()

    describe(app)
    app.add_middleware(Gate, opened=opened, reach=reach)
    app.add_middleware(Measured, metrics=metrics)
    return app
