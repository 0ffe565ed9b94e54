"""The clocks of a process: the wall's, and the one that durations are measured by."""

import time

import pytest

from polyb0t.core.clock import SystemClock


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no such clock")
def test_durations_are_measured_by_a_clock_that_counts_suspension(monkeypatch: pytest.MonkeyPatch) -> None:
    read = {time.CLOCK_BOOTTIME: 1_234.5, time.CLOCK_MONOTONIC: 1.5}
    monkeypatch.setattr(time, "clock_gettime", read.__getitem__)
    monkeypatch.setattr(time, "monotonic", lambda: read[time.CLOCK_MONOTONIC])

    assert SystemClock().boot_seconds() == 1_234.5
