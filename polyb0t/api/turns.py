"""Decisions of one API process come in turns, so that a crowd of them leaves threads and locks to others.

Every decision locks the same row. Forty threads that all wait for it would let the database's patience
run out and leave no thread for a reader; who waits here takes neither, and comes in the order of asking.
Halting does not queue: it must not wait for a crowd.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

AT_ONCE: Final = 3

Turn = Callable[[], AsyncIterator[None]]


def turns(at_once: int = AT_ONCE) -> Turn:
    """A dependency that routes share: so many of their requests are worked on at a time. The body of a
    request has been read before, so nobody holds a turn by sending slowly."""
    free = asyncio.Semaphore(at_once)

    async def turn() -> AsyncIterator[None]:
        async with free:
            yield

    return turn
