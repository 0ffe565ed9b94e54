"""A request, a reply and a table of routes: all that the sandbox's HTTP side needs.

Handlers are plain functions from request to reply. They see the body as raw bytes, because the
venue signs bytes and not values, and the path without the mount prefix, as the venue would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import parse_qs

import msgspec

_encode = msgspec.json.Encoder().encode
_T = TypeVar("_T")
# What a decoder raises for bytes that are not the JSON asked for; the last one for brackets without end.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    values: tuple[str, ...] = ()  # what stood in the {} of the route

    def params(self) -> Mapping[str, list[str]]:
        """The query, each name with all its values; empty values are kept."""
        return parse_qs(self.query, keep_blank_values=True) if self.query else {}

    def param(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        found = self.params().get(name)
        return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply, JSON unless said otherwise."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Request], Reply]


class WireError(Exception):
    """A refusal in the venue's own words: `{"error": text}` with a status."""

    def __init__(
        self,
        status: int,
        text: str,
        extra: Mapping[str, object] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.extra = extra or {}
        self.headers = headers

    def reply(self) -> Reply:
        """The refusal as the venue sends it."""
        body = _encode({"error": self.text, **self.extra})
        return Reply(self.status, body, headers=self.headers)


def json_reply(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """`value` as compact JSON."""
    return Reply(status, _encode(value), headers=headers)


def parse_body(request: Request, kind: type[_T], refusal: str = "Invalid order payload") -> _T:
    """The body as `kind`.

    Raises:
        WireError: 400 with `refusal`; a body of the wrong shape is the caller's mistake, never a 500.
    """
    try:
        return msgspec.json.decode(request.body, type=kind)
    except UNREADABLE as error:
        raise WireError(400, refusal) from error


@dataclass
class Router:
    """Routes by method and path; `{}` stands for one segment."""

    _exact: dict[tuple[str, str], Handler] = field(default_factory=dict)
    _shaped: dict[tuple[str, int], list[tuple[tuple[str, ...], Handler]]] = field(default_factory=dict)
    _paths: set[str] = field(default_factory=set)

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Answer `method path` with `handler`."""
        if "{}" not in path:
            self._exact[method, path] = handler
            self._paths.add(path)
            return
        parts = tuple(path.split("/"))
        self._shaped.setdefault((method, len(parts)), []).append((parts, handler))

    def routes(self) -> list[tuple[str, str]]:
        """Method and path of every route, `{}` for one segment."""
        shaped = [
            (method, "/".join(shape)) for (method, _), rows in self._shaped.items() for shape, _ in rows
        ]
        return sorted([*self._exact, *shaped])

    def answer(self, request: Request) -> Reply:
        """The handler's reply, or the refusal that it raised."""
        try:
            return self._find(request)
        except WireError as refusal:
            return refusal.reply()

    def _find(self, request: Request) -> Reply:
        handler = self._exact.get((request.method, request.path))
        if handler is not None:
            return handler(request)
        parts = tuple(request.path.split("/"))
        for shape, shaped in self._shaped.get((request.method, len(parts)), ()):
            if all(want in ("{}", got) for want, got in zip(shape, parts, strict=True)):
                values = tuple(got for want, got in zip(shape, parts, strict=True) if want == "{}")
                return shaped(
                    Request(
                        request.method, request.path, request.query, request.headers, request.body, values
                    )
                )
        if request.path in self._paths:
            raise WireError(405, "method not allowed")
        raise WireError(404, "not found")
