"""`python -m tests.faults.claims`: histories of claims, their result in a file that the report sums up.

Exit code 1 if a promise was broken. `python -m tests.faults.report` makes the document of all files.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from tests.faults.claims.page import KIND
from tests.faults.claims.run import MEMORY, run
from tests.faults.claims.stories import STORIES
from tests.faults.report import FOLDER, surroundings


def main() -> int:
    asked = _arguments()
    structlog.configure(processors=[_silence])
    which, of = (int(part) for part in asked.shard.split("/"))
    around = {**surroundings(in_memory=MEMORY.is_dir()), "kind": KIND}
    around |= {"seed": asked.seed, "shard": asked.shard}

    def told(result: Mapping[str, object]) -> None:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        part = asked.out.with_suffix(".part")
        part.write_text(json.dumps({**around, **result}, indent=1), encoding="utf-8")
        part.replace(asked.out)

    numbers = range(which - 1, asked.each * of, of)
    stories = [story for story in STORIES if asked.only in story.name]
    until = time.monotonic() + asked.minutes * 60
    result = run(asked.seed, numbers, stories=stories, told=told, until=until)
    runs = sum(tally.runs for tally in result.tallies.values())
    print(f"{runs:,} histories, {len(result.failures)} with a broken promise, {result.seconds:,.0f} s")
    for failure in result.failures[:10]:
        print(failure, file=sys.stderr)
    return 1 if result.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.claims", description=__doc__)
    parser.add_argument("--each", type=int, default=60, help="histories of each story, in this shard")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shard", default="1/1", help="i/n: every nth history from the ith on")
    parser.add_argument("--only", default="", help="stories with this in their name")
    parser.add_argument("--minutes", type=float, default=85)
    parser.add_argument("--out", type=Path, help=f"default: a file in {FOLDER}")
    asked = parser.parse_args()
    if asked.out is None:
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-claims-{asked.seed}-{asked.shard.replace('/', 'of')}.json"
        asked.out = FOLDER / name
    return asked


def _silence(_logger: object, _name: str, _event: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
