"""Prices of the past in the windows that clients ask for, under the venue's rules for them.

An interval counts back from now and has a smallest bucket; a window has two ends at most 15 days
apart. Of every bucket the last price counts, stamped with the bucket's beginning. Sources: the venue's
pages on `/prices-history` and on the Data API v2, and a recording of October 2026.
"""

from dataclasses import dataclass
from typing import Final

from polyb0t.sandbox.wire import Request, WireError
from polyb0t.sandbox.world import World

_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR
LONGEST_S: Final = 15 * _DAY
MOST_POINTS: Final = 10_000
LARGEST_BUCKET_S: Final = _DAY
_EVER: Final = 1 << 40
# seconds back, and the smallest bucket in seconds
INTERVALS: Final[dict[str, tuple[int, int]]] = {
    "1h": (_HOUR, 60),
    "6h": (6 * _HOUR, 60),
    "1d": (_DAY, 60),
    "1w": (7 * _DAY, 300),
    "1m": (30 * _DAY, 600),
    "max": (_EVER, 600),
    "all": (_EVER, 600),
}


@dataclass(frozen=True, slots=True)
class Window:
    """Unix seconds, both ends included, and how many of them make one point."""

    since_s: int
    until_s: int
    bucket_s: int


def clob_window(request: Request, now_s: int) -> Window:
    """What `GET /prices-history` asks for; `fidelity` counts minutes. Without bounds everything.

    Raises:
        WireError: 400 in the venue's words.
    """
    fidelity = _whole(request, "fidelity")
    interval = request.param("interval")
    start = _whole(request, "startTs")
    if interval is None and start is not None:
        end = _whole(request, "endTs")
        end = min(start + LONGEST_S, now_s) if end is None else end
        if end - start > LONGEST_S:
            raise WireError(400, "invalid filters: 'startTs' and 'endTs' interval is too long")
        return Window(start, end, 60 * (fidelity or 1))
    interval = interval or "max"
    if interval not in INTERVALS:
        raise WireError(400, "invalid filters: 'interval' is not valid")
    back, least = INTERVALS[interval]
    if fidelity is not None and 60 * fidelity < least and interval not in ("max", "all"):
        raise WireError(400, f"invalid filters: minimum 'fidelity' for '{interval}' range is {least // 60}")
    return Window(max(now_s - back, 0), now_s, max(60 * (fidelity or 1), least))


def data_window(request: Request, now_s: int) -> Window:
    """What `GET /v2/prices-history` asks for: exactly one of `interval`, `start` and `as_of`.

    Raises:
        WireError: 400 with the parameter that is wrong.
    """
    asked = [name for name in ("interval", "start", "as_of") if request.param(name) is not None]
    if len(asked) != 1:
        raise _wrong("interval", "exactly one of interval, start and as_of is required")
    bucket = _whole(request, "bucket_seconds")
    if asked == ["as_of"]:
        at = _whole(request, "as_of") or 0
        return Window(max(0, min(at, now_s) - LONGEST_S), min(at, now_s), 60)
    if asked == ["start"]:
        start, end = _whole(request, "start") or 0, _whole(request, "end")
        end = now_s if end is None else end
        if not 0 <= end - start <= LONGEST_S:
            raise _wrong("end", "the window must be between 0 and 15 days long")
        return Window(start, end, _bucket(bucket, 60))
    interval = request.param("interval") or ""
    if interval not in INTERVALS:
        raise _wrong("interval", "interval is not known")
    back, least = INTERVALS[interval]
    return Window(max(now_s - back, 0), now_s, _bucket(bucket, least))


def points(world: World, token_id: str, window: Window) -> list[tuple[int, int]]:
    """(unix seconds, price in millionths), one for each bucket that has a price, oldest first."""
    bucket = window.bucket_s
    seen = world.price_history(
        token_id, window.since_s * 1000, window.until_s * 1000 + 999, max(bucket * 1000, 60_000)
    )
    by_bucket = {at_ms // 1000 // bucket * bucket: price for at_ms, price in seen}
    return [*by_bucket.items()][-MOST_POINTS:]


def _bucket(asked: int | None, least: int) -> int:
    if asked is None:
        return least
    if not least <= asked <= LARGEST_BUCKET_S:
        raise _wrong("bucket_seconds", f"bucket_seconds must be between {least} and {LARGEST_BUCKET_S}")
    return asked


def _wrong(parameter: str, text: str) -> WireError:
    return WireError(400, text, {"code": "bad_request", "retryable": False, "parameter": parameter})


def _whole(request: Request, name: str) -> int | None:
    text = request.param(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 14):
        raise WireError(400, f"invalid filters: {name!r} is not valid", {"code": "bad_request"})
    return int(text)
