"""Lengths of time as people type them."""

from datetime import timedelta

import pytest

from polyb0t.core.errors import UsageError
from polyb0t.models.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("2h", 120), ("90m", 90), ("1h30m", 90), (" 1H ", 60), ("120s", 2), ("1d", 1_440)],
)
def test_it_is_understood(text: str, minutes: int) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2.5h", "2h 30m later", "m30", "２h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)
