"""Figures for Prometheus: what the database says at the moment of asking, and how this API answers.

Prometheus has nothing but floats. Money becomes one here and nowhere else: for a graph, never for a
decision. A figure that is not known has no line, since 0 would be read as an amount.
"""

from collections.abc import Iterator
from decimal import Decimal
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from polyb0t import __version__
from polyb0t.api.feed import JournalFeed
from polyb0t.execution.scope import mode_words
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.overview import Overview, overview

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)

Family = GaugeMetricFamily


class Metrics:
    """The figures of one API process."""

    def __init__(self, opened: OpenedStore, feed: JournalFeed) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Stored(opened))
        self.requests = Counter(
            "polyb0t_http_requests",
            "Requests that this API process answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "polyb0t_http_request_seconds",
            "From a request's arrival to the head of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        streams = Gauge("polyb0t_event_streams", "Open /events streams.", registry=self._registry)
        streams.set_function(lambda: feed.listeners)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self._registry)


class Measured:
    """ASGI middleware that counts answers by route, and how long the head of each took."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                method, route = scope["method"], _route(scope)
                self._metrics.requests.labels(method, route, message["status"]).inc()
                self._metrics.seconds.labels(method, route).observe(perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)


def _route(scope: Scope) -> str:
    """The route's pattern: paths themselves are as many as there are ids, and strangers invent more."""
    return str(getattr(scope.get("route"), "path", "none"))


class _Stored(Collector):
    """What the database says, read anew for each scrape."""

    def __init__(self, opened: OpenedStore) -> None:
        self._opened = opened

    def describe(self) -> list[Family]:
        return []  # so that registering it asks no database

    def collect(self) -> Iterator[Family]:
        now, state = self._opened.stores.intents.now(), overview(self._opened)
        sequence = self._opened.stores.engine.last_sequence()
        yield _gauge("journal_sequence", "Number of the newest journal entry.", sequence)
        yield self._info()
        yield from _engine(state, now.timestamp())
        yield from _at_stake(state)
        yield from _money(state)

    def _info(self) -> Family:
        scope, regime = self._opened.scope, self._opened.regime()
        labels = {"version": __version__, "venue": scope.venue, "regime": regime.value}
        family = Family("polyb0t_info", "What runs here.", labels=[*labels, "mode"])
        family.add_metric([*labels.values(), mode_words(scope, regime)], 1)
        return family


def _engine(state: Overview, now: float) -> Iterator[Family]:
    yield _gauge("engine_up", "Whether an engine works here.", state.running)
    if state.engine is not None:
        silent = max(0.0, now - state.engine.beat_at.timestamp())
        yield _gauge("engine_silent_seconds", "Since the engine was last heard.", silent)
        yield _gauge("engine_cycle", "Number of the engine's last cycle.", state.engine.cycle)
    trouble = state.running and bool(state.facts.problem)
    yield _gauge("engine_problem", "Whether something stops it from proposing or sending.", trouble)
    if state.facts.clock_skew_seconds is not None:
        skew = state.facts.clock_skew_seconds
        yield _gauge("clock_skew_seconds", "This machine's clock less the exchange's.", skew)


def _at_stake(state: Overview) -> Iterator[Family]:
    allowed = state.view()["trading_allowed"] is True
    yield _gauge("trading_allowed", "Whether no switch holds openings back.", allowed)
    yield _gauge("halt_file", "Whether the HALT file lies there.", state.opened.halt_file.present())
    switches = Family("polyb0t_kill_switch_tripped", "Whether a switch is tripped.", labels=["switch"])
    for switch in state.switches:
        switches.add_metric([switch.type.value], switch.tripped)
    yield switches
    yield _gauge("intents_waiting", "Proposals that wait for a decision.", len(state.waiting))
    yield _gauge("intents_approved", "Approved and not yet sent, or being sent.", len(state.approved))
    yield _gauge("orders_open", "Orders without a proven end.", len(state.open_orders))
    yield _gauge("orders_unknown", "Orders of which nobody knows whether they exist.", len(state.doubtful))


def _money(state: Overview) -> Iterator[Family]:
    health = state.facts.health
    known = {
        "cash_pusd": ("Cash, with what is reserved in it.", state.cash_pusd),
        "equity_pusd": ("Cash and positions at the bid.", state.facts.equity_pusd),
        "day_result_pusd": ("Result since 00:00 UTC.", state.facts.day_result_pusd),
        "at_risk_pusd": ("What positions cost and what may still be spent.", state.at_risk),
        "reserved_pusd": ("What may still be spent.", state.reserved),
        "drawdown_fraction": ("Equity under its peak.", health.drawdown_fraction if health else None),
        "unexplained_pusd": (
            "Difference that nothing explains.",
            health.unexplained_pusd if health else None,
        ),
    }
    for name, (words, value) in known.items():
        if value is not None:
            yield _gauge(name, words, value)


def _gauge(name: str, words: str, value: float | Decimal | bool) -> Family:
    return Family(f"polyb0t_{name}", words, value=float(value))
