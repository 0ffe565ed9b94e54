"""The text of a page that somebody named as a source of probabilities.

Whatever answers there is not trusted: little time, little text, and no redirect anywhere. What was typed is
what is asked: no answer can send us to a machine inside. No cookie and no secret of ours goes along.
"""

from typing import Final, Self

from polyb0t.core.clock import Clock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.venue.http import Call, HttpReader, ReadLimits

MOST_BYTES: Final = 4 * 1024 * 1024
_LIMITS: Final = ReadLimits(total_seconds=10, attempts=1, budget_seconds=10, max_body_bytes=MOST_BYTES)


class OutsidePage:
    """One address, read whole."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._reader = HttpReader(clock, limits=_LIMITS, on_call=_ignored)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()

    def text(self) -> str:
        """What it answers.

        Raises:
            VenueUnreachableError: it does not, answers too slowly, too much, something that is no text, or
                with a redirect.
        """
        answer = self._reader.get(self._url)
        try:
            return answer.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise VenueUnreachableError(
                f"{answer.host} gave no usable answer.",
                why="It is no text in UTF-8.",
                do="Look at the page that POLYBOT_INDEPENDENT_URL names.",
                code="venue_malformed",
            ) from error


def _ignored(_call: Call) -> None:
    """It is no part of the exchange, so that its failures trip no switch."""
