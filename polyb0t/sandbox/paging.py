"""Pages as the CLOB cuts them: the cursor is the base64 of an offset, the end is `LTE=`."""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

from polyb0t.sandbox.wire import Reply, Request, WireError, json_reply

FIRST_CURSOR: Final = "MA=="
END_CURSOR: Final = "LTE="
PAGE: Final = 100


def bounds(request: Request, total: int) -> tuple[int, str]:
    """Where the page that was asked for starts, and the cursor of the next one.

    Raises:
        WireError: the cursor is none.
    """
    start = _offset(request.param("next_cursor") or FIRST_CURSOR)
    after = start + PAGE
    return start, base64.b64encode(str(after).encode()).decode() if after < total else END_CURSOR


def page(request: Request, rows: Sequence[dict[str, object]]) -> Reply:
    """One page of `rows`."""
    start, cursor = bounds(request, len(rows))
    shown = rows[start : start + PAGE]
    return json_reply({"data": shown, "next_cursor": cursor, "limit": PAGE, "count": len(shown)})


def _offset(cursor: str) -> int:
    if cursor == END_CURSOR:
        return 1 << 40
    try:
        offset = int(base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, ValueError) as error:
        raise WireError(400, "invalid next_cursor") from error
    return max(0, offset)
