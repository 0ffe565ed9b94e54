"""The fault panel: make the sandbox fail in the ways that the venue and the network fail.

Rules match by method and path and may run out. A path rule covers that path and everything below
it (`/clob` covers `/clob/order`, `/clob/order` does not cover `/clob/orders`); one that ends in `*`
is a plain prefix. `/sandbox` itself is never disturbed, so that a fault can be lifted again.
"""

import asyncio
from dataclasses import dataclass
from typing import Literal

import msgspec

from polyb0t.sandbox.wire import Reply


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule.

    `status` answers without handling; `drop_before` cuts the connection before handling;
    `drop_after` handles and then cuts without a reply; `latency` delays and then carries on.
    """

    action: Literal["status", "drop_before", "drop_after", "latency"]
    path: str = "/"
    method: str = ""  # empty: any
    status: int = 500
    body: object = None  # a string is sent as it is, anything else as JSON
    content_type: str = ""  # default: text/html for a string, application/json otherwise
    latency_ms: int = 0
    count: int | None = None  # how often it still strikes; None: until it is lifted

    def matches(self, method: str, path: str) -> bool:
        """Whether a request falls under this rule."""
        if self.method and self.method.upper() != method:
            return False
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")

    def reply(self) -> Reply:
        """What `status` answers."""
        if isinstance(self.body, str):
            return Reply(self.status, self.body.encode(), self.content_type or "text/html")
        return Reply(self.status, msgspec.json.encode(self.body), self.content_type or "application/json")


@dataclass
class _Armed:
    fault: Fault
    left: int | None
    struck: int = 0


class Faults:
    """The rules in force, in the order in which they were set."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Put one more rule in force."""
        self._armed.append(_Armed(fault, fault.count))

    def replace(self, faults: list[Fault]) -> None:
        """Put these rules in force and no others."""
        self.clear()
        for fault in faults:
            self.add(fault)

    def clear(self) -> None:
        """Lift every rule."""
        self._armed.clear()

    def listing(self) -> list[dict[str, object]]:
        """Every rule with what is left of it and how often it struck."""
        return [
            msgspec.to_builtins(one.fault) | {"count": one.left, "struck": one.struck} for one in self._armed
        ]

    def strike(self, method: str, path: str) -> tuple[int, Fault | None]:
        """Milliseconds of delay, and the first other rule that a request falls under; uses both up."""
        delay, found = 0, None
        for one in self._armed:
            if one.left == 0 or not one.fault.matches(method, path):
                continue
            if one.fault.action == "latency":
                delay += one.fault.latency_ms
            elif found is None:
                found = one.fault
            else:
                continue
            one.struck += 1
            one.left = None if one.left is None else one.left - 1
        return delay, found


async def pause_ms(milliseconds: int) -> None:
    """Hold one request back; others go on."""
    if milliseconds > 0:
        await asyncio.sleep(milliseconds / 1000)
