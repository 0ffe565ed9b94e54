"""The fault panel: make the sandbox fail in the ways that the venue and the network fail.

Rules match by method and path and may run out. A path rule covers that path and everything below
it (`/clob` covers `/clob/order`, `/clob/order` does not cover `/clob/orders`); one that ends in `*`
is a plain prefix. `/sandbox` itself is never disturbed, so that a fault can be lifted again.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec

from polyb0t.sandbox.wire import UNREADABLE, Reply

LONGEST_LATENCY_MS: Final = 600_000
_HEADER: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule.

    Before handling: `status` answers in the venue's place, `drop_before` cuts the connection and
    `hang_before` never answers. After it: `drop_after` and `hang_after` keep the reply to themselves,
    `cut_body` sends half of it, `alter` changes it. `latency` delays and then carries on.
    """

    action: Literal[
        "status",
        "drop_before",
        "drop_after",
        "hang_before",
        "hang_after",
        "cut_body",
        "alter",
        "latency",
    ]
    path: str = "/"
    method: str = ""  # empty: any
    status: int | None = None  # of `status` (default 500) and, where it is to change, of `alter`
    body: object = None  # a string is sent as it is, anything else as JSON
    merge: dict[str, object] | None = None  # `alter`: laid over the reply's object, or over each in its list
    headers: dict[str, str] = {}
    content_type: str = ""  # default: text/html for a string, application/json otherwise
    latency_ms: int = 0
    skip: int = 0  # so many requests pass first
    count: int | None = None  # how often it still strikes; None: until it is lifted

    def __post_init__(self) -> None:
        """Refuse what no server could do; msgspec reports it as a decoding error."""
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("a status is 200 to 599")
        if not 0 <= self.latency_ms <= LONGEST_LATENCY_MS or min(self.skip, self.count or 0) < 0:
            raise ValueError("latency_ms, skip and count are counts")
        if not all(name and _HEADER.issuperset(name) for name in self.headers):
            raise ValueError("a header's name has letters, digits and dashes")
        texts = (*self.headers.values(), self.content_type)
        if not all(text.isascii() and (text.isprintable() or not text) for text in texts):
            raise ValueError("a header's value is printable")

    def matches(self, method: str, path: str) -> bool:
        """Whether a request falls under this rule."""
        if self.method and self.method.upper() != method:
            return False
        if self.path.endswith("*"):
            return path.startswith(self.path[:-1])
        return path == self.path or path.startswith(self.path.rstrip("/") + "/")

    def reply(self) -> Reply:
        """What `status` answers."""
        status, headers = self.status or 500, tuple(self.headers.items())
        if isinstance(self.body, str):
            return Reply(status, self.body.encode(), self.content_type or "text/html", headers)
        body = msgspec.json.encode(self.body)
        return Reply(status, body, self.content_type or "application/json", headers)

    def altered(self, reply: Reply) -> Reply:
        """What `alter` makes of the venue's reply; one that is no JSON keeps its body."""
        headers = reply.headers + tuple(self.headers.items())
        return replace(
            reply,
            status=self.status or reply.status,
            body=reply.body if self.merge is None else _merged(reply.body, self.merge),
            content_type=self.content_type or reply.content_type,
            headers=headers,
        )


@dataclass
class _Armed:
    fault: Fault
    left: int | None
    to_skip: int
    struck: int = 0


class Faults:
    """The rules in force, in the order in which they were set."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        """Put one more rule in force."""
        self._armed.append(_Armed(fault, fault.count, fault.skip))

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
            if one.fault.action != "latency" and found is not None:
                continue
            if one.to_skip > 0:
                one.to_skip -= 1
                continue
            if one.fault.action == "latency":
                delay += one.fault.latency_ms
            else:
                found = one.fault
            one.struck += 1
            one.left = None if one.left is None else one.left - 1
        return delay, found


def _merged(body: bytes, over: dict[str, object]) -> bytes:
    try:
        found = msgspec.json.decode(body)
    except UNREADABLE:
        return body
    if isinstance(found, dict):
        return msgspec.json.encode(found | over)
    if isinstance(found, list):
        return msgspec.json.encode([one | over if isinstance(one, dict) else one for one in found])
    return body


async def pause_ms(milliseconds: int) -> None:
    """Hold one request back; others go on."""
    if milliseconds > 0:
        await asyncio.sleep(milliseconds / 1000)
