"""What was shown elsewhere, made again here: only if it comes out the same to the last digit is it approved.

A screen that is not beside the database makes a smaller form or exits itself, shows them, and names them by
id, instant and digest. Both follow from the waiting trade and the settings, so they can be made again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import IntentId
from polyb0t.core.units import Shares
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.smaller import smaller_form
from polyb0t.execution.standing import StandingApproval
from polyb0t.runtime.approving import exits_for
from polyb0t.runtime.opened import OpenedStore

OLDEST: Final = timedelta(minutes=10)
YOUNGEST: Final = timedelta(seconds=5)  # in the future: of a screen whose clock is ahead
T = TypeVar("T", TradeIntent, StandingApproval)


@dataclass(frozen=True, slots=True)
class Named:
    """A form as a screen showed it."""

    id: IntentId
    created_at: datetime
    digest: str


def smaller_as_shown(intent: TradeIntent, shares: Shares, shown: Named, now: datetime) -> TradeIntent:
    """Raises ConflictError: it is not what was shown. UsageError: it is not smaller."""
    made = smaller_form(intent, shares=shares, worst_price=None, now=shown.created_at)
    return _same(replace(made, id=shown.id), shown, now)


def exits_as_shown(
    opened: OpenedStore, opening: TradeIntent, shown: Named, now: datetime
) -> StandingApproval:
    """Raises ConflictError: it is not what was shown. UsageError: it opens nothing."""
    made = exits_for(opened, opening)
    if made.digest == shown.digest:  # it waits for another person's word
        return made
    until = shown.created_at + (made.until - made.created_at)
    return _same(replace(made, id=shown.id, created_at=shown.created_at, until=until), shown, now)


def _same(made: T, shown: Named, now: datetime) -> T:
    timely = now - OLDEST <= shown.created_at <= now + YOUNGEST
    if timely and made.digest == shown.digest:
        return made
    why = "The settings have changed since, or it was altered." if timely else "It was shown too long ago."
    raise ConflictError(
        "Not approved: what would be approved now is not what was shown. Nothing was sent.",
        why=why,
        do="Look again and decide about what is shown then.",
        code="digest_mismatch",
    )
