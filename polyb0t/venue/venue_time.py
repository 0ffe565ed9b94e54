"""What time the exchange has, by the clock that it judges signatures by."""

from datetime import datetime
from typing import Final

from polyb0t.core.clock import from_microseconds
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.parsing import Refused, exact_decimal

# An answer that takes longer says too little about clocks to be waited for.
TIME_LIMITS: Final = ReadLimits(connect_seconds=2, total_seconds=3, attempts=1, budget_seconds=3)


def venue_second(reader: HttpReader, clob_url: str) -> datetime:
    """The whole second that the CLOB's `GET /time` tells; it may be up to one second later.

    The `Date` of an answer would be cheaper, but a proxy between may have written it.

    Raises:
        VenueUnreachableError: no answer, or not a time.
    """
    answer = reader.get(f"{clob_url}/time")
    try:
        return from_microseconds(int(exact_decimal(reader.parsed(answer), "time")) * 1_000_000)
    except (Refused, OverflowError, ValueError, OSError) as error:
        refused = error if isinstance(error, Refused) else Refused("malformed", "time is no instant")
        raise reader.unusable(answer.host, refused) from error
