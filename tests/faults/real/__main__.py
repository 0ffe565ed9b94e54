"""`python -m tests.faults.real`: one shard of histories with real processes, its results in a file.

Exit code 1 if a promise was broken. `python -m tests.faults.report` makes the document of all files.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Final

from tests.faults.real.home import Times
from tests.faults.real.run import RealRunner, a_place
from tests.faults.real.scenario import Scenario
from tests.faults.real.scenarios import SCENARIOS
from tests.faults.report import FOLDER, surroundings
from tests.faults.run import Failure

MOST: Final = 20_000


def main() -> int:
    asked = _arguments()
    which, of = (int(part) for part in asked.shard.split("/"))
    numbers = range(which - 1, (asked.histories or MOST) * of, of)
    where = {
        **surroundings(in_memory=not asked.on_disk and Path("/dev/shm").is_dir()),
        "kind": "real_process",
        "database": asked.database,
        "factor": asked.factor,
        "seed": asked.seed,
        "shard": asked.shard,
    }
    times = Times(asked.factor)
    keep = asked.out.with_suffix(".kept")
    with a_place(
        times,
        postgres=asked.database == "postgres",
        minutes=asked.minutes,
        keep=keep,
        on_disk=asked.on_disk,
    ) as place:
        runner = RealRunner(place, asked.workers)

        def told() -> None:
            _write(asked.out, where | runner.result.as_json())
            result = runner.result
            if result.runs % 20 == 0:
                rate = result.runs / result.seconds
                print(
                    f"{result.runs:,} histories, {rate:.2f}/s, {len(result.failures)} with a broken promise",
                    flush=True,
                )

        runner.run(numbers, asked.seed, _scenarios(asked), told)
    for failure in runner.result.failures[:20]:
        print(_told(failure), file=sys.stderr)
    return 1 if runner.result.failures else 0


def _scenarios(asked: argparse.Namespace) -> list[Scenario]:
    here = [each for each in SCENARIOS if asked.database == "sqlite" or not each.sqlite]
    return [each for each in here if asked.only in each.name]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.real", description=__doc__)
    parser.add_argument("--histories", type=int, default=0, help="of this shard; 0: until the time is over")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shard", default="1/1", help="i/n: every nth history from the ith on")
    parser.add_argument("--minutes", type=float, default=85, help="nothing is begun after so many")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument(
        "--factor", type=float, default=5, help="lease, pauses and proofs are so much shorter"
    )
    parser.add_argument("--workers", type=int, default=8, help="histories at a time")
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--on-disk", action="store_true", help="not on a memory file system")
    parser.add_argument("--out", type=Path, help=f"default: a file in {FOLDER}")
    asked = parser.parse_args()
    if asked.out is None:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        asked.out = FOLDER / f"{stamp}-real-{asked.seed}-{asked.shard.replace('/', 'of')}.json"
    return asked


def _write(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    part.replace(path)


def _told(failure: Failure) -> str:
    return (
        f"{failure.scenario} ({failure.shape}), seed {failure.seed}, number {failure.number}: "
        f"{failure.found} after {failure.faults}"
    )


if __name__ == "__main__":
    sys.exit(main())
