"""A page on another site must decide nothing here, and read nothing: not even under a borrowed name.

Three checks, all on what a browser sends and a page cannot forge: `Host` is this computer's own name
(so a foreign name that resolves to 127.0.0.1 is refused), `Origin` is this very address, and
`Sec-Fetch-Site` is not another site. curl sends the first only.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from polyb0t.api.problems import problem

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_BODY_BYTES: Final = 10_000


class LocalOnly:
    """ASGI middleware: refuses before any route sees the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refused = refusal(scope["method"], Headers(scope=scope))
            if refused is not None:
                code, title = refused
                await problem(403, code, title, "This API answers this computer's own programs only.")(
                    scope, receive, send
                )
                return
        await self._app(scope, receive, send)


def refusal(method: str, headers: Headers) -> tuple[str, str] | None:
    """Code and sentence of a refusal, or None when the request may go on."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or _name(hosts[0]) not in LOOPBACK_NAMES:
        return "foreign_host", "Not answered: the request names another host than this computer."
    for origin in headers.getlist("origin"):
        if urlsplit(origin).scheme != "http" or urlsplit(origin).netloc.lower() != hosts[0].lower():
            return "foreign_origin", "Not answered: the request comes from a page of another origin."
    site = headers.get("sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        return "foreign_site", "Not answered: the request comes from another site."
    if method not in _SAFE_METHODS:
        return _body_refusal(headers)
    return None


def _body_refusal(headers: Headers) -> tuple[str, str] | None:
    """What changes something takes JSON or nothing: a form of another page can send neither."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _BODY_BYTES:
        return "body_too_large", "Not done: the request's body is too large."
    if kind and kind != "application/json":
        return "not_json", "Not done: a body has to be JSON (Content-Type: application/json)."
    return None


def _name(host: str) -> str:
    """The host without its port, lower case; empty when it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
