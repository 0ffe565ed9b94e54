"""`python -m tests.faults`: one shard of the fault suite, its results in a file.

Exit code 1 if a promise was broken. `python -m tests.faults.report` makes the document of all files.
"""

import argparse
import gc
import json
import sys
import time
from pathlib import Path
from typing import Final

import structlog

from tests.faults.machine import Machine
from tests.faults.report import FOLDER, surroundings
from tests.faults.run import Failure, Result, Runner
from tests.faults.shapes import SHAPES

ENDLESS: Final = 100_000_000
BATCH: Final = 200


def main() -> int:
    asked = _arguments()
    which, of = (int(part) for part in asked.shard.split("/"))
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_silence])
    machine = Machine() if asked.database == "sqlite" else postgres_machine()
    runner = Runner(machine)
    runner.enumerated(next(iter(SHAPES)))  # whatever is made once is made by now
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    around = surroundings(
        in_memory=machine.in_memory, database=machine.database, engine=machine.engine_version
    )
    where = {**around, "seed": asked.seed, "shard": asked.shard}
    until = time.monotonic() + asked.minutes * 60
    numbers = range(which - 1, (asked.histories or ENDLESS) * of, of)
    try:
        for start in range(0, len(numbers), BATCH):
            result = runner.run(numbers[start : start + BATCH], asked.seed, until=until)
            _write(asked.out, where | result.as_json())
            print(_line(result), flush=True)
            if time.monotonic() >= until:
                break
    finally:
        machine.close()
    for failure in runner.result.failures[:10]:
        print(_told(failure), file=sys.stderr)
    return 1 if runner.result.failures else 0


def postgres_machine() -> Machine:
    from tests.faults.postgres import PostgresMachine

    return PostgresMachine()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--histories", type=int, default=0, help="of this shard; 0: until the time is over")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shard", default="1/1", help="i/n: every nth history from the ith on")
    parser.add_argument("--minutes", type=float, default=85)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--out", type=Path, help=f"default: a file in {FOLDER}")
    asked = parser.parse_args()
    if asked.out is None:
        asked.out = (
            FOLDER / f"{time.strftime('%Y%m%d-%H%M%S')}-{asked.seed}-{asked.shard.replace('/', 'of')}.json"
        )
    return asked


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    part.replace(path)


def _line(result: Result) -> str:
    rate = result.runs / result.seconds if result.seconds else 0.0
    return f"{result.runs:,} histories, {rate:.1f}/s, {len(result.failures)} with a broken promise"


def _told(failure: Failure) -> str:
    return (
        f"{failure.scenario} ({failure.shape}), seed {failure.seed}, number {failure.number}: "
        f"{failure.found} after {failure.faults}"
    )


def _silence(_logger: object, _name: str, _event: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
