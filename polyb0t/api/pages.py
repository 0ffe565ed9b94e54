"""Lists in pages: how many at once, and where the next page begins."""

from typing import Annotated, Final

from fastapi import Query

NEXT: Final = "X-Next-Cursor"
PAGE: Final = 50

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[str | None, Query(max_length=200, description=f"The value of {NEXT} of the page before.")]
NEXT_HEADER: Final = {
    NEXT: {
        "description": "The `cursor` of the next page; absent on the last one.",
        "schema": {"type": "string"},
    }
}
