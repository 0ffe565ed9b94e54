"""What our own recorder saw, for judging decisions of the past."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from polyb0t.research.analytics.records import NoBooks
from polyb0t.research.replay.recorded_books import recorded_books
from polyb0t.research.replay.tape import PastBooks


class Recorded(NamedTuple):
    """`watched` tells of an instant whether there is a recording at all. Where it was silent, and of books
    that nobody looked at any more, `books` knows nothing."""

    books: PastBooks
    watched: Callable[[datetime], bool]


def recorded(folder: Path) -> Recorded:
    """Of a recorder's folder; of one that is not there: nothing, and nobody ever looked."""
    if not folder.is_dir():
        return Recorded(NoBooks(), lambda _at: False)
    return Recorded(recorded_books(folder), lambda _at: True)
