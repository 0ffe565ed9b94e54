"""What this world has seen of a price, in the windows that clients ask for."""

from typing import Final

from polyb0t.sandbox.wire import Request, WireError
from polyb0t.sandbox.world import World

_HOUR: Final = 3_600
INTERVALS_S: Final = {
    "1h": _HOUR,
    "6h": 6 * _HOUR,
    "1d": 24 * _HOUR,
    "1w": 7 * 24 * _HOUR,
    "1m": 30 * 24 * _HOUR,
    "max": 1 << 40,
    "all": 1 << 40,
}


def points(world: World, request: Request, token_id: str, start: str, end: str) -> list[tuple[int, int]]:
    """(unix seconds, price in millionths), oldest first; `start` and `end` name the query's bounds.

    Raises:
        WireError: 400 for a bound that is no number or an interval that does not exist.
    """
    now_s = world.now_ms // 1000
    since, until = _seconds(request, start, 0), _seconds(request, end, now_s)
    interval = request.param("interval")
    if interval is not None:
        if interval not in INTERVALS_S:
            raise WireError(400, "Invalid interval")
        since = max(since, now_s - INTERVALS_S[interval])
    seen = ((at_ms // 1000, price) for at_ms, price in world.price_history(token_id))
    return [(at_s, price) for at_s, price in seen if since <= at_s <= until]


def _seconds(request: Request, name: str, default: int) -> int:
    text = request.param(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 14):
        raise WireError(400, f"Invalid {name}")
    return int(text)
