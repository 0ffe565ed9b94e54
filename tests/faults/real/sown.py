"""`python -m tests.faults.real.sown`: each class of real histories is seen to notice its planted bug.

With `--short` a few of them, and the same histories without a bug, in some seconds; that is what the test
suite runs. One line of JSON for each history; exit code 1 if one was not as it had to be.
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from tests.faults.real.home import Times
from tests.faults.real.plants import REAL_PLANTS
from tests.faults.real.run import Job, Outcome, Place, a_place, perform

SEED: Final = 20_261_122
TRIES: Final = 6  # where chance has a part in it
FACTORS: Final = (10.0, 5.0, 2.5, 1.0)  # a busy machine may be too slow for the shortest times
SHORT: Final = (
    "killed",
    "stopped for longer than a lease, a standby takes over",
    "rejected by another process",
    "reply lost after acceptance",
    "backup restored and adopted",
    "4 deciders, both",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.real.sown", description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="", help="classes with this in their name")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--factor", type=float, default=5)
    asked = parser.parse_args()
    with a_place(Times(asked.factor), postgres=False, minutes=60) as place:
        context: Any = multiprocessing.get_context("fork")
        with context.Pool(asked.workers) as pool:
            if asked.short:
                good = _short(pool, place)
            else:
                classes = tuple(name for name in REAL_PLANTS if asked.only in name)
                good = _every_class(pool, place, classes)
            pool.close()
            pool.join()
    return 0 if good else 1


def _short(pool: Any, place: Place) -> bool:
    """What proves nothing is made again with other numbers and truer times; what is broken is told at once."""
    left = [_job(scenario, 0, planted=planted) for planted in (False, True) for scenario in SHORT]
    good = True
    for number, factor in enumerate(FACTORS):
        found = _run(pool, replace(place, times=Times(factor)), left)
        again = [] if factor == FACTORS[-1] else [each for each in found if _proves_nothing(each)]
        told = [_told(outcome) for outcome in found if outcome not in again]
        good = good and all(told)
        left = [_job(each.job.scenario, number + 1, planted=each.job.planted) for each in again]
    return good


def _proves_nothing(outcome: Outcome) -> bool:
    """Its fault did not reach it, or it did not come to its end; or nobody noticed the bug, where chance has a part."""
    if outcome.job.planted:
        return outcome.verdict.clean
    return outcome.verdict.clean and (not outcome.faults or bool(outcome.stuck))


def _every_class(pool: Any, place: Place, left: Sequence[str]) -> bool:
    """Again and again, with other numbers, until all have been noticed."""
    for number in range(TRIES):
        found = _run(pool, place, [_job(scenario, number, planted=True) for scenario in left])
        noticed = {outcome.job.scenario for outcome in found if _told(outcome)}
        left = [scenario for scenario in left if scenario not in noticed]
    return not left


def _run(pool: Any, place: Place, jobs: Iterable[Job]) -> list[Outcome]:
    found = pool.map(partial(perform, place=place), list(jobs), chunksize=1)
    return [outcome for outcome in found if outcome is not None]


def _job(scenario: str, number: int, *, planted: bool) -> Job:
    sown = REAL_PLANTS[scenario]
    return Job(SEED, number, scenario, sown.shape, sown.at, planted)


def _told(outcome: Outcome) -> bool:
    """Whether it was as it had to be; a history that did not come to its end proves nothing."""
    found = {column: sentences for column, sentences in outcome.verdict.found.items() if sentences}
    good = not outcome.stuck and bool(found) is outcome.job.planted
    line = {
        "scenario": outcome.job.scenario,
        "planted": outcome.job.planted,
        "good": good,
        "found": found,
        "faults": outcome.faults,
        "stuck": outcome.stuck,
    }
    print(json.dumps(line), flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main())
