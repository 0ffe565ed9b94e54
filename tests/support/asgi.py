"""The sandbox's application called without a server: one request or one socket, in this thread."""

import asyncio
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from polyb0t.sandbox.app import SandboxApp

Message = MutableMapping[str, Any]


def ask(
    app: SandboxApp,
    method: str,
    path: str,
    *,
    query: bytes = b"",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of the answer; whatever the application raises comes through."""
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "headers": [(name.encode(), text.encode("latin-1")) for name, text in (headers or {}).items()],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return int(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent[1:])


def converse(app: SandboxApp, path: str, frames: Sequence[str | bytes]) -> list[Message]:
    """What a socket answers to these frames, after which the client goes away."""
    sent: list[Message] = []
    kinds = ("text", "bytes")
    waiting: list[Message] = [
        {"type": "websocket.receive", kinds[isinstance(frame, bytes)]: frame} for frame in frames
    ]
    incoming = [{"type": "websocket.connect"}, *waiting, {"type": "websocket.disconnect"}]

    async def receive() -> Message:
        await asyncio.sleep(0)  # the sender has its turn before the next frame
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": path, "query_string": b"", "headers": []}, receive, send))
    return sent
