"""The door of the API: who asks, how often, with which role. Everything else lies behind it.

What a request may do follows from its method: what changes something needs a token that decides, whatever
path it names, so a route that forgets to ask is closed to readers all the same. Where no token is needed
(practice money on this computer, and no token was ever made) the user of this computer asks.
"""

import getpass
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from polyb0t.api.problems import problem
from polyb0t.api.security import SAFE_METHODS, Reach, Refusal, client_of, refusal
from polyb0t.api.security_rates import Rates
from polyb0t.core.errors import NotAuthorisedError, PolybotError
from polyb0t.execution.access import Role
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import Doorkeeper, Identity

OPEN_PATHS: Final = frozenset({"/health", "/ready"})  # that a process is alive is told to whoever reaches it
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
_TRANSPORT: Final = "max-age=31536000"
_DETAIL: Final = "docs/api.md says who is answered."
_asking: ContextVar[Identity | None] = ContextVar("asking", default=None)


def asking() -> Identity:
    """Who makes the request that is being answered.

    Raises:
        NotAuthorisedError: nobody came through the door.
    """
    found = _asking.get()
    if found is None:
        raise NotAuthorisedError("Not answered: it is not known who asks.", code="token_required")
    return found


def this_user() -> Identity:
    """Whoever runs this API, where no token is needed."""
    return Identity(f"user:{getpass.getuser()}@http", Role.ADMIN)


class Gate:
    """ASGI middleware: refuses before any route sees the request."""

    def __init__(self, app: ASGIApp, *, opened: OpenedStore, reach: Reach) -> None:
        self._app = app
        self._reach = reach
        self._rates = Rates(reach.requests_per_minute)
        self._door = Doorkeeper(opened, always=not reach.local)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._harden(MutableHeaders(scope=message))
            await send(message)

        answer = await self._admit(scope)
        if isinstance(answer, Response):
            await answer(scope, receive, guarded_send)
            return
        entered = _asking.set(answer)
        try:
            await self._app(scope, receive, guarded_send)
        finally:
            _asking.reset(entered)

    async def _admit(self, scope: Scope) -> Identity | Response | None:
        """Who it is; None for the open paths; or the answer that refuses."""
        headers, method = Headers(scope=scope), scope["method"]
        client = client_of((scope.get("client") or ("", 0))[0], headers, self._reach)
        refused = client if isinstance(client, Refusal) else refusal(method, headers, self._reach)
        if refused is not None:
            return problem(refused.status, refused.code, refused.title, _DETAIL)
        address = str(client)
        if scope["path"] in OPEN_PATHS and method in SAFE_METHODS:
            return self._counted(address)
        try:
            found = self._remembered(headers, method)
            if found is None:
                found = await to_thread.run_sync(self._identify, headers, method in SAFE_METHODS)
        except NotAuthorisedError as error:
            return self._wrong(error, address)
        except PolybotError as error:
            return problem(error.http_status, error.code, error.what, error.why)
        if found is None:
            return _needs_token() if (slow := self._counted(address)) is None else slow
        slow = self._counted(found.record.digest if found.record is not None else address)
        if slow is not None:
            return slow
        return found if _may(found, method) else _too_low(found)

    def _remembered(self, headers: Headers, method: str) -> Identity | None:
        """A reader who was let in a moment ago needs no thread and no look at the database."""
        shown = headers.getlist("authorization")
        if method not in SAFE_METHODS or len(shown) > 1:
            return None
        if not shown:
            return this_user() if self._door.lately_open() else None
        return self._door.lately(_bearer(shown))

    def _identify(self, headers: Headers, reading: bool) -> Identity | None:
        shown = headers.getlist("authorization")
        if not shown:
            return this_user() if self._door.open_to_all(reading=reading) else None
        return self._door.who(_bearer(shown), reading=reading)

    def _counted(self, who: str) -> Response | None:
        seconds = self._rates.request(who)
        return None if seconds is None else _slow(seconds, "Not answered: too many requests in a minute.")

    def _wrong(self, error: NotAuthorisedError, address: str) -> Response:
        seconds = self._rates.wrong(address)
        if seconds is not None:
            return _slow(seconds, "Not answered: too many wrong tokens from this address.")
        return _unauthorised(error.code, error.what, error.why)

    def _harden(self, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers[name] = value
        headers.setdefault("Cache-Control", "no-store")
        if self._reach.secure:
            headers["Strict-Transport-Security"] = _TRANSPORT


def _bearer(shown: Sequence[str]) -> str:
    """The token of the one header that there may be; empty when it is none."""
    kind, _, text = shown[0].partition(" ")
    return text.strip() if len(shown) == 1 and kind.lower() == "bearer" else ""


def _may(identity: Identity, method: str) -> bool:
    return identity.role.covers(Role.VIEWER if method in SAFE_METHODS else Role.APPROVER)


def _too_low(identity: Identity) -> Response:
    what = "Not done: this token may only read."
    return problem(403, "role_too_low", what, f"Its role is {identity.role}; deciding needs {Role.APPROVER}.")


def _needs_token() -> Response:
    what = "Not answered: a token is needed."
    why = "Send it as `Authorization: Bearer ...`. To make one: polyb0t auth token create NAME"
    return _unauthorised("token_required", what, why)


def _unauthorised(code: str, what: str, why: str) -> Response:
    answer = problem(401, code, what, why)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="polyb0t"'
    return answer


def _slow(seconds: int, what: str) -> Response:
    answer = problem(429, "too_many_requests", what, f"Try again in {seconds} s.")
    answer.headers["Retry-After"] = str(seconds)
    return answer
