"""The one way this package reads over HTTP: bounded in time and size, retried only where harmless.

Nothing here ever sends an order; that call lives with the gateway and is never repeated.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpx

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.venue.buckets import Throttle, limit_name
from polyb0t.venue.parsing import Refused, decode_json
from polyb0t.venue.tls import trust

MAX_BODY_BYTES: Final = 32 * 1024 * 1024
_RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt, as the error-rate switch counts it. `error` is "" when the host answered usefully;
    `amends`: the answer was counted as good when it came, and then could not be read."""

    host: str
    ok: bool
    seconds: float
    status: int | None
    error: str
    amends: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with a whole body."""

    host: str
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """How long and how often a read may be tried, and how much it may bring."""

    connect_seconds: float = 5.0
    chunk_seconds: float = 5.0  # between one part of an answer and the next
    total_seconds: float = 15.0  # one attempt, from connecting to the last byte
    attempts: int = 3
    budget_seconds: float = 30.0  # all attempts with the waits between them
    first_wait_seconds: float = 0.25
    max_body_bytes: int = MAX_BODY_BYTES


DEFAULT_LIMITS: Final = ReadLimits()


class _Attempt(Exception):
    """One attempt that brought nothing usable."""

    def __init__(
        self, code: str, why: str, *, retry: bool, status: int | None = None, wait: float | None = None
    ) -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.retry = retry
        self.status = status
        self.wait = wait


class HttpReader:
    """Idempotent reads of public endpoints. Safe to share between threads.

    Raises (every method):
        VenueUnreachableError: no usable answer. The message names host and reason; `code` is one of
            venue_unreachable, venue_timeout, venue_rate_limited, venue_status, venue_too_large,
            venue_html, venue_malformed.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limits: ReadLimits = DEFAULT_LIMITS,
        on_call: Callable[[Call], None] | None = None,
        sandbox: bool = False,
        throttle: Throttle | None = None,
    ) -> None:
        """With a `throttle` no call goes out before our own limit allows it."""
        self._clock = clock
        self._throttle = throttle
        self._limits = limits
        self._on_call = on_call
        self._do = _remedy(sandbox=sandbox)
        self._closing = threading.Event()
        self._client = httpx.Client(
            verify=trust(),
            trust_env=False,
            http2=False,
            follow_redirects=False,
            timeout=httpx.Timeout(limits.chunk_seconds, connect=limits.connect_seconds),
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=16, keepalive_expiry=4.0),
            headers={"accept": "application/json", "user-agent": "polyb0t"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends waits between attempts and closes idle connections."""
        self._closing.set()
        self._client.close()

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        also: frozenset[int] = frozenset(),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer of a GET; statuses other than 2xx are errors unless named in `also`."""
        return self._read(self._client.build_request("GET", url, params=params, headers=headers), also)

    def post(self, url: str, json: object, *, also: frozenset[int] = frozenset()) -> Answer:
        """A POST that only reads (such as `/books`), so repeating it is harmless."""
        return self._read(self._request("POST", url, json=json), also)

    def parsed(self, answer: Answer) -> object:
        """The JSON of an answer, its decimals exact."""
        try:
            return decode_json(answer.body)
        except Refused as refused:
            raise self.unusable(answer.host, refused) from refused

    def unusable(self, host: str, refused: Refused) -> VenueUnreachableError:
        """The error for an answer that arrived and can not be used."""
        code = "venue_html" if refused.code == "html" else "venue_malformed"
        self._report(Call(host, False, 0.0, None, code, amends=True))
        return self._error(host, code, refused.what)

    def _request(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, json: object = None
    ) -> httpx.Request:
        try:
            return self._client.build_request(method, url, params=params, json=json)
        except httpx.InvalidURL as error:
            raise self._error(f"{url!r:.200}", "venue_unreachable", f"it is no address: {error}") from error

    def _read(self, request: httpx.Request, also: frozenset[int]) -> Answer:
        started = self._clock.boot_seconds()
        wait = self._limits.first_wait_seconds
        attempt = 0
        while True:
            attempt += 1
            self._wait_turn(request, started)
            try:
                return self._counted(request, also)
            except _Attempt as failed:
                pause = failed.wait if failed.wait is not None else _jittered(wait)
                if not self._again(failed, attempt, started, pause):
                    tried = f" (tried {attempt} times)" if attempt > 1 else ""
                    raise self._error(request.url.host, failed.code, failed.why + tried) from failed
            if self._closing.is_set():
                raise self._error(request.url.host, "venue_unreachable", "the reader was closed")
            self._clock.sleep(pause)
            wait *= 2

    def _wait_turn(self, request: httpx.Request, started: float) -> None:
        """Our own limit first: nothing is asked that the exchange would refuse or delay."""
        if self._throttle is None:
            return
        name = limit_name(request.method, request.url.path)
        left = self._limits.budget_seconds - self._since(started)
        if not self._throttle.wait(name, at_most=left):
            why = f"our own limit for {name} leaves no room for this call in time"
            raise self._error(request.url.host, "venue_rate_limited", why)

    def _again(self, failed: _Attempt, attempt: int, started: float, pause: float) -> bool:
        spent = self._clock.boot_seconds() - started
        return (
            failed.retry and attempt < self._limits.attempts and spent + pause < self._limits.budget_seconds
        )

    def _counted(self, request: httpx.Request, also: frozenset[int]) -> Answer:
        started = self._clock.boot_seconds()
        host = request.url.host
        try:
            answer = self._attempt(request, also, started)
        except _Attempt as failed:
            self._report(Call(host, False, self._since(started), failed.status, failed.code))
            raise
        self._report(Call(host, True, self._since(started), answer.status, ""))
        return answer

    def _attempt(self, request: httpx.Request, also: frozenset[int], started: float) -> Answer:
        try:
            response = self._client.send(request, stream=True)
            try:
                body = self._body(response, started)
            finally:
                response.close()
        except httpx.DecodingError as error:
            raise _Attempt(
                "venue_malformed", f"the answer is packed wrongly: {error}", retry=False
            ) from error
        except httpx.TimeoutException as error:
            raise _Attempt(
                "venue_timeout", f"no answer in time ({type(error).__name__})", retry=False
            ) from error
        except httpx.RemoteProtocolError as error:
            # A kept-alive connection that the server closed just then; a read may be asked anew.
            raise _Attempt("venue_unreachable", f"the connection broke: {error}", retry=True) from error
        except RuntimeError as error:
            if not self._closing.is_set():
                raise
            raise _Attempt("venue_unreachable", "the reader was closed", retry=False) from error
        except (httpx.HTTPError, OSError) as error:
            raise _Attempt("venue_unreachable", f"no connection: {error}", retry=False) from error
        if self._throttle is not None:
            name = limit_name(request.method, request.url.path)
            self._throttle.answered(name, response.status_code, response.headers)
        _check_status(response, body, also)
        return Answer(request.url.host, response.status_code, body)

    def _body(self, response: httpx.Response, started: float) -> bytes:
        # A server that drips a byte a second never trips a read timeout, hence the clock in the loop.
        parts = bytearray()
        for part in response.iter_bytes():
            parts += part
            if len(parts) > self._limits.max_body_bytes:
                size = self._limits.max_body_bytes
                raise _Attempt("venue_too_large", f"the answer is larger than {size} bytes", retry=False)
            if self._since(started) > self._limits.total_seconds:
                seconds = self._limits.total_seconds
                raise _Attempt("venue_timeout", f"the answer took longer than {seconds:g} s", retry=False)
        return bytes(parts)

    def _since(self, started: float) -> float:
        return self._clock.boot_seconds() - started

    def _report(self, call: Call) -> None:
        if self._on_call is not None:
            self._on_call(call)

    def _error(self, host: str, code: str, why: str) -> VenueUnreachableError:
        return VenueUnreachableError(
            f"{host} gave no usable answer.", why=_sentence(why), do=self._do, code=code
        )


def _check_status(response: httpx.Response, body: bytes, also: frozenset[int]) -> None:
    status = response.status_code
    if response.is_success or status in also:
        return
    code = "venue_rate_limited" if status == 429 else "venue_status"
    raise _Attempt(
        code,
        f"HTTP {status}{_reason(body)}",
        retry=status in _RETRIED_STATUSES,
        status=status,
        wait=_retry_after(response.headers.get("retry-after")),
    )


def _reason(body: bytes) -> str:
    """The exchange's own words for a refusal, cut short, never a page of HTML."""
    try:
        raw = decode_json(body)
    except Refused as refused:
        return f" ({refused.what})"
    if isinstance(raw, dict) and isinstance(raw.get("error"), str):
        words = " ".join(str(raw["error"]).split())
        return f": {words:.200}"
    return ""


def _retry_after(header: str | None) -> float | None:
    """Seconds from a `Retry-After` of whole seconds; the date form is not honoured, only waited less."""
    if header is not None and header.isascii() and header.isdigit() and len(header) < 6:
        return float(header)
    return None


def _jittered(seconds: float) -> float:
    """Between half and all of `seconds`, so that callers that failed together do not return together."""
    return seconds * (0.5 + secrets.randbelow(1_000) / 2_000)


def _remedy(*, sandbox: bool) -> str:
    if sandbox:
        return "Start the practice exchange: polyb0t sandbox"
    return "Check the connection; to practise without one: polyb0t run --live --sandbox"


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else text + "."
