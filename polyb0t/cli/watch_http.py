"""`intents watch --url`: the same screen, read and decided over the HTTP API.

What it shows it has hashed itself; what it approves it names by that digest. So nobody between this screen
and the database can have another trade approved than the one that stood here.
"""

import http.client
import json
import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from polyb0t.cli.render_intents import Listed
from polyb0t.cli.terminal import Terminal
from polyb0t.cli.watch import require_terminal, watch_source
from polyb0t.cli.watch_offer import Offer
from polyb0t.core.clock import iso
from polyb0t.core.errors import (
    ConflictError,
    NotAuthorisedError,
    NotFoundError,
    PolybotError,
    UsageError,
    VenueUnreachableError,
)
from polyb0t.core.ids import IntentId
from polyb0t.core.units import ZERO, plain
from polyb0t.execution.intents import IntentStatus, TradeIntent
from polyb0t.execution.standing import StandingApproval
from polyb0t.runtime import watch_wire
from polyb0t.runtime.tokens import VARIABLE
from polyb0t.runtime.watch_look import WatchLook

PATIENCE_SECONDS: Final = 5.0
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")
_ERRORS: Final[Mapping[int, type[PolybotError]]] = {
    401: NotAuthorisedError,
    403: NotAuthorisedError,
    404: NotFoundError,
    409: ConflictError,
    422: UsageError,
}


def watch(terminal: Terminal, url: str, *, quiet: bool) -> None:
    """Follow and decide over the API at `url` until `q`.

    Raises:
        UsageError: this is no terminal, or the address cannot be used. PolybotError: the API refuses.
    """
    require_terminal(f"curl {url}/intents?status=PENDING")
    source = HttpSource(Api(url, os.environ.get(VARIABLE, "").strip()))
    source.look()
    watch_source(terminal, source, me=source.me, quiet=quiet)


@dataclass(slots=True)
class Api:
    """One connection that is kept open, and opened anew when it was closed. Used by one thread."""

    url: str
    token: str = field(repr=False)
    _connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise UsageError(
                f"Not watching: {self.url:.80} is no address of an API.",
                do="Give it as http://127.0.0.1:8000 or https://name.",
                code="bad_url",
            )
        if self.token and parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise UsageError(
                "Not watching: the token would travel unencrypted.",
                why=f"{self.url:.80} is neither this computer nor https.",
                do="Use https, or a tunnel to this computer.",
                code="token_in_clear",
            )

    def get(self, path: str) -> Any:
        """Raises PolybotError in sentences: it does not answer, or it refuses."""
        for attempt in (1, 2):
            try:
                return self._ask("GET", path, None)
            except OSError as error:
                self.close()
                if attempt == 2 or isinstance(error, socket.timeout):
                    raise self._unreachable(error) from error
        raise AssertionError("unreachable")

    def post(self, path: str, body: Mapping[str, object], undone: str, unknown: str) -> Any:
        """Asked once. `undone` says what did not happen where that is certain, `unknown` where it is not."""
        try:
            self._connected()
        except OSError as error:
            self.close()
            refused = self._unreachable(error)
            raise type(refused)(f"{undone} {refused.what}", do=refused.do, code=refused.code) from error
        try:
            return self._ask("POST", path, body)
        except OSError as error:
            self.close()
            raise VenueUnreachableError(unknown, why=f"{error}.", code="api_unreachable") from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            parts = urlsplit(self.url)
            assert parts.hostname is not None
            if parts.scheme == "https":
                context = ssl.create_default_context()
                made: http.client.HTTPConnection = http.client.HTTPSConnection(
                    parts.hostname, parts.port, timeout=PATIENCE_SECONDS, context=context
                )
            else:
                made = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)
            made.connect()
            self._connection = made
        return self._connection

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        connection = self._connected()
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text, status = answer.read(), answer.status
        except http.client.HTTPException as error:
            raise OSError(f"its answer was cut off ({type(error).__name__})") from error
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if status >= 400 or content is None:
            raise _refusal(status, content)
        return content

    def _unreachable(self, error: OSError) -> PolybotError:
        return VenueUnreachableError(
            f"The API at {self.url:.80} does not answer.",
            why=f"{error.strerror or error}.",
            do="Look whether it runs: polyb0t api",
            code="api_unreachable",
        )


def _refusal(status: int, content: object) -> PolybotError:
    """What the API said, in its own sentences."""
    problem = content if isinstance(content, dict) else {}
    what = str(problem.get("title") or f"The API answered {status}, and not as an API of polyb0t does.")
    kind = _ERRORS.get(status, PolybotError)
    return kind(what, why=str(problem.get("detail") or ""), code=str(problem.get("code") or "api_refused"))


@dataclass(slots=True)
class HttpSource:
    """Implements `watch_source.Source` over the API."""

    api: Api
    me: str = ""
    _last: WatchLook | None = None
    _viewer: str = ""
    _selected: IntentId | None = None

    @property
    def where(self) -> str:
        return self.api.url

    def look(self) -> WatchLook:
        last = self._last
        asked = {"mark": last.mark if last is not None else "", "viewer": self._viewer}
        if self._selected is not None:
            asked["looking_at"] = self._selected
        answer = self.api.get(f"/watch?{urlencode(asked)}")
        if answer.get("version") != watch_wire.VERSION:
            raise watch_wire.other_version(f"It speaks {answer.get('version')!s:.40}.")
        self.me = str(answer["me"])
        if answer["look"] is not None:
            last = watch_wire.read(str(answer["look"]))
        if last is None:
            raise watch_wire.other_version("It told nothing.")
        self._last = watch_wire.briefed(last, str(answer["brief"]))
        return self._last

    def mark(self, viewer: str, looking_at: IntentId | None, showing: Sequence[IntentId]) -> None:
        """The next look carries it."""
        del showing
        self._viewer, self._selected = viewer, looking_at

    def leave(self, viewer: str) -> None:
        """The mark of a screen that does not look any more is soon an old one."""
        del viewer
        self.api.close()

    def exits(self, opening: TradeIntent) -> StandingApproval:
        answer = self.api.get(f"/watch/exits/{quote(opening.id)}")
        made = watch_wire.exits(str(answer["exits"]))
        if made.opening_id != opening.id or made.asset_id != opening.asset_id:
            raise watch_wire.other_version("These are the exits of something else.")
        return made

    def approve(self, offer: Offer, code: str | None) -> IntentStatus:
        waiting, shape = offer.waiting.record, offer.shape
        body: dict[str, object] = {"digest": waiting.digest}
        if code is not None:
            body["code"] = code
        if shape.smaller is not None:
            size = shape.smaller.least_shares if shape.smaller.amount is not None else shape.smaller.shares
            body["shares"] = plain(offer.shares if offer.shares is not None else size or ZERO)
            body["shown_smaller"] = _named(shape.smaller)
        if shape.exits is not None:
            body["with_exits"], body["shown_exits"] = True, _named(shape.exits)
        answer = self.api.post(
            f"/intents/{quote(waiting.id)}/approve",
            body,
            "Not approved, nothing was sent:",
            f"It is not known whether {offer.waiting.short} was approved: the API did not answer. "
            "The list tells as soon as it is read again.",
        )
        return IntentStatus(str(answer["status"]))

    def reject(self, item: Listed, mute: timedelta | None) -> datetime | None:
        body: dict[str, object] = {} if mute is None else {"mute_hours": mute.total_seconds() / 3_600}
        self.api.post(
            f"/intents/{quote(item.record.id)}/reject",
            body,
            "Not rejected:",
            f"It is not known whether {item.short} was rejected: the API did not answer.",
        )
        return None if mute is None or self._last is None else self._last.now + mute

    def halt(self) -> None:
        self.api.post(
            "/kill-switches/MANUAL/trip",
            {"reason": "halted in the watch screen"},
            "NOT HALTED:",
            "It is not known whether trading is halted: the API did not answer. Press H H again.",
        )


def _named(form: TradeIntent | StandingApproval) -> dict[str, str]:
    return {"id": form.id, "created_at": iso(form.created_at), "digest": form.digest}
