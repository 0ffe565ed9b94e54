"""Trouble between an engine and the exchange: what becomes of the order's request or of its answer."""

from collections.abc import Mapping
from typing import Any, Final

from tests.faults.real.history import RealHistory
from tests.faults.real.home import pause
from tests.faults.real.scenario import Scenario

ORDER: Final = {"path": "/clob/order", "method": "POST"}
PAGE: Final = "<!DOCTYPE html><html><body>Bad gateway</body></html>"
NOT_READY: Final = {"error": "service not ready"}
LIMITED: Final = {"poly-ratelimit-limit": "10", "poly-ratelimit-remaining": "0"}
LINE: Final[Mapping[str, dict[str, Any]]] = {
    "reply lost after acceptance": {"action": "drop_after"},
    "no answer after acceptance": {"action": "hang_after"},
    "connection cut before": {"action": "drop_before"},
    "timeout before it is looked at": {"action": "hang_before"},
    "cut mid-body": {"action": "cut_body"},
    "500": {"action": "status", "status": 500, "body": NOT_READY},
    "502 page": {"action": "status", "status": 502, "body": PAGE},
    "503": {"action": "status", "status": 503, "body": NOT_READY},
    "425": {"action": "status", "status": 425, "body": NOT_READY},
    "429 bare": {"action": "status", "status": 429, "body": {"error": "Too Many Requests"}},
    "429 with headers": {
        "action": "status",
        "status": 429,
        "body": {"error": "Too Many Requests"},
        "headers": LIMITED,
    },
    "500 after acceptance": {"action": "alter", "status": 500},
    "503 after acceptance": {"action": "alter", "status": 503},
    "HTML after acceptance": {"action": "page"},
    "unknown status word": {"action": "alter", "merge": {"status": "pondering"}},
    "success with an error text": {"action": "alter", "merge": {"errorMsg": "something went wrong"}},
    "another order's id": {"action": "alter", "merge": {"orderID": "0x" + "fe" * 32}},
}


def on_the_line(name: str) -> Scenario:
    """The order's request meets trouble; the exchange may show it late; the engine may be killed."""

    def run(history: RealHistory) -> None:
        engine = history.begin()
        if LINE[name]["action"] == "page":
            history.home.panel.ask("POST", "/sandbox/page", {})
        else:
            history.home.panel.break_with({**ORDER, **LINE[name], "count": 1})
        if history.random.random() < 0.4:
            lag = int(20_000 / history.times.factor)
            history.home.panel.ask("PUT", "/sandbox/venue", {"order_lag_ms": lag})
            history.faults.append(f"orders are seen {lag} ms late")
        history.approve()
        if history.random.random() < 0.5:
            pause(history.random.random())
            engine.kill()
            history.struck_on_the_line(name)
            history.faults.append("killed")
            return
        history.wait_for_answer()
        history.struck_on_the_line(name)
        history.must_trip = name == "another order's id" and name in history.faults

    return Scenario(name, run)
