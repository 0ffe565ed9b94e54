"""What uvicorn costs without a sandbox behind it: one route that answers any request with the same bytes.

    python -m bench.bare_server BYTES        prints its URL, then serves until killed

A socket gets `{"tick":...}` frames: so many a second as the path's last part says.
"""

import asyncio
import sys
import time

import uvicorn

from polyb0t.sandbox.serving import bind


def main(size: int) -> None:
    body = b'{"x":"' + b"y" * max(0, size - 8) + b'"}'

    async def app(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        if scope["type"] == "websocket":
            await _stream(int(scope["path"].rsplit("/", 1)[1]), body.decode(), receive, send)
            return
        more = True
        while more:
            more = (await receive()).get("more_body", False)  # type: ignore[operator]
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    listening = bind("127.0.0.1", 0)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", ws_per_message_deflate=False
    )
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listening])


async def _stream(rate: int, frame: str, receive: object, send: object) -> None:
    """Ten bursts a second, each of a tenth of the rate, sent as one array like the sandbox's."""
    await receive()  # type: ignore[operator]
    await send({"type": "websocket.accept"})  # type: ignore[operator]
    burst, due = f"[{','.join([frame] * (rate // 10))}]", time.monotonic()
    while True:
        await send({"type": "websocket.send", "text": burst})  # type: ignore[operator]
        due += 0.1
        await asyncio.sleep(max(0, due - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
