"""The doctor's look at large trades: whether there are people enough to approve one."""

from collections.abc import Sequence
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.execution.access import TWO, TokenRecord
from polyb0t.execution.store import Stores
from polyb0t.venue.preflight import Check, CheckState

NAME: Final = "approvers"
_MAKE: Final = "polyb0t auth token create NAME --role approver"


def check_approvers(settings: Settings, stores: Stores | None) -> Sequence[Check]:
    """Nothing where no trade is large; a large trade that nobody can approve expires, each time."""
    two, code = settings.dual_approval_pusd, settings.totp_pusd
    if two is None and code is None:
        return ()
    if stores is None:
        return (Check(NAME, CheckState.NOT_RUN, "It needs the database."),)
    now = stores.intents.now()
    people = [each for each in stores.access.tokens() if each.state(now) == "active" and each.role.decides]
    return (_judged(people, 1 if two is None else TWO, code=code is not None),)


def _judged(people: Sequence[TokenRecord], needed: int, *, code: bool) -> Check:
    names = ", ".join(sorted(each.name for each in people)) or "nobody"
    if len(people) < needed:
        asked = "two people with a token" if needed == TWO else "a token"
        return Check(NAME, CheckState.WARNING, f"Large trades need {asked}; {names} has one.", _MAKE)
    if code and sum(each.code_enrolled for each in people) < needed:
        without = ", ".join(sorted(each.name for each in people if not each.code_enrolled))
        said = f"Large trades need a one-time code; it is not set up for {without}."
        return Check(NAME, CheckState.WARNING, said, "Each with a token of their own: polyb0t auth code")
    return Check(NAME, CheckState.OK, f"{names} may approve large trades.")
