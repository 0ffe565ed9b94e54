"""Times as people type them: `2h`, `90m`, `1h30m`, `45s`."""

import re
from datetime import timedelta
from typing import Final

from polyb0t.core.errors import UsageError

_PARTS: Final = re.compile(r"(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,6})s)?")


def parse_duration(text: str) -> timedelta:
    """The time that `text` names.

    Raises:
        UsageError: it names none.
    """
    found = _PARTS.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise UsageError(
            f"Not understood: {text!r:.20} is no length of time.", do="Write it like 2h, 90m or 1h30m."
        )
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
