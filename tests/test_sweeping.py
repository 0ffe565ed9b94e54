"""The runs of a sweep in processes of their own: in order, counted, and none lost because another failed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from polyb0t.core.errors import PolybotError, UsageError
from polyb0t.runtime.replay.sweeping import in_processes
from tests.e2e.household import eventually


def double(number: int) -> int:
    """A run. 13 is refused; 99 is what the system does to a process that takes too much memory."""
    if number == 13:
        raise UsageError("Not replayed: thirteen.", do="Take another.")
    if number == 99:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def sweep(*numbers: int, jobs: int = 2) -> tuple[list[int], list[int], list[int]]:
    """What came back, what was kept, what was told."""
    kept: list[int] = []
    told: list[int] = []

    def keep(made: int) -> int:
        kept.append(made)
        return made

    try:
        return in_processes(double, [(n,) for n in numbers], jobs, keep=keep, tell=told.append), kept, told
    except PolybotError as error:
        error.kept = kept  # type: ignore[attr-defined]
        raise


def test_results_come_in_the_order_of_the_requests() -> None:
    back, kept, told = sweep(3, 1, 2)

    assert back == kept == [6, 2, 4]
    assert told == [1, 2, 3]


def test_what_was_finished_is_kept_although_another_was_refused() -> None:
    with pytest.raises(UsageError, match="thirteen") as refused:
        sweep(1, 13, 2)

    assert refused.value.kept == [2, 4]  # type: ignore[attr-defined]


def test_a_run_that_is_ended_from_outside_is_told_in_sentences() -> None:
    with pytest.raises(PolybotError) as broken:
        sweep(1, 99, jobs=1)

    assert broken.value.code == "sweep_broken"
    assert broken.value.kept == [2]  # type: ignore[attr-defined]
    assert "1 finished run is kept and counted" in broken.value.why
    assert "fewer --jobs" in broken.value.do


WAITING = """
import sys, time
from pathlib import Path
from tests.test_sweeping import waits
from polyb0t.runtime.replay.sweeping import in_processes
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    in_processes(waits, [(folder, n) for n in range(6)], 2, keep=int, tell=lambda _: None)
"""


def waits(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    try:
        signal.pause()
    finally:
        (folder / f"{number}-over").touch()
    return number


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_ctrl_c_ends_all_of_them_at_once_and_nothing_is_begun_any_more(tmp_path: Path) -> None:
    script = tmp_path / "sweep.py"
    script.write_text(WAITING, "utf-8")
    begun = tmp_path / "begun"
    begun.mkdir()
    root = Path(__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, str(script), str(begun)],
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: len(list(begun.iterdir())) == 2, what="both runs")

    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to everybody
    _, said = process.communicate(timeout=60)

    assert process.returncode == -signal.SIGINT or "KeyboardInterrupt" in said
    assert sorted(path.name for path in begun.iterdir()) == ["0", "0-over", "1", "1-over"]
    assert said.count("Traceback") <= 1  # of this script itself, which no command does
