"""The operator's hand on the chain and on the index of it, under `/sandbox`.

`POST /sandbox/retries` lets the next transactions fail once and come again; `PUT /sandbox/chain` sets
how long blocks take, whether hashes are known before, and how late the Data API is.
"""

from dataclasses import replace
from typing import Final

import msgspec

from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World

LONGEST_MS: Final = 24 * 3_600_000
MOST: Final = 1_000


class Retries(msgspec.Struct, forbid_unknown_fields=True):
    """How many of the next transactions fail and are sent again."""

    count: int


class ChainOrder(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is not named stays."""

    mined_ms: int | None = None
    confirmed_ms: int | None = None
    retry_ms: int | None = None
    data_lag_ms: int | None = None
    hashes_at_once: bool | None = None


def add_routes(router: Router, world: World) -> None:
    """The routes under `/sandbox`."""
    panel = ChainPanel(world)
    router.add("POST", "/sandbox/retries", panel.retries)
    router.add("GET", "/sandbox/chain", panel.show)
    router.add("PUT", "/sandbox/chain", panel.change)


class ChainPanel:
    """Settlement and indexing of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def retries(self, request: Request) -> Reply:
        """Let the next transactions fail and come again under another hash."""
        count = parse_body(request, Retries, "expected count").count
        if not 0 <= count <= MOST:
            raise WireError(400, f"count must be between 0 and {MOST}")
        self._world.retry_next = count
        return json_reply({"count": count})

    def show(self, _request: Request) -> Reply:
        """How the chain is now."""
        settling = msgspec.to_builtins(self._world.engine.settling)
        return json_reply(settling | {"data_lag_ms": self._world.data_lag_ms})

    def change(self, request: Request) -> Reply:
        """Change it, for trades that match from now on and for every read."""
        order = parse_body(request, ChainOrder, "expected durations in milliseconds")
        asked = {
            name: value for name in order.__struct_fields__ if (value := getattr(order, name)) is not None
        }
        durations = [value for name, value in asked.items() if name.endswith("_ms")]
        if not all(0 <= value <= LONGEST_MS for value in durations):
            raise WireError(400, f"a duration is between 0 and {LONGEST_MS} ms")
        self._world.data_lag_ms = asked.pop("data_lag_ms", self._world.data_lag_ms)
        self._world.engine.settling = replace(self._world.engine.settling, **asked)
        return self.show(request)
