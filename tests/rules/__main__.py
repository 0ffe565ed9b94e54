"""`python -m tests.rules`: the opposite of each rule is planted in a copy, and a test of that rule has to fail.

`--page` writes docs/rules.md. Exit code 1 names every plant that nobody noticed.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from tests.rules.book import PAGE, RULES, node_of, page
from tests.rules.rule import ROOT, Plant, Rule

COPIED: Final = ("polyb0t", "tests", "evidence", "bench", "alembic", "alembic.ini", "pyproject.toml")
LINKED: Final = ("docs", "scenarios", "scripts", "Makefile")
NOTICED: Final = 1  # pytest: tests ran, and some failed
SECONDS: Final = 240.0
# Those that the tests of rules need: to load the others takes longer than most of these tests.
PLUGINS: Final = ("-p", "no:cacheprovider", "-p", "xdist.plugin", "-p", "pytest_timeout")


class Sown(NamedTuple):
    rule: Rule
    plant: Plant
    number: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description=__doc__)
    parser.add_argument("--page", action="store_true", help="write docs/rules.md and plant nothing")
    parser.add_argument("--only", default="", help="rules with this in their name")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if asked.page:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    jobs = [
        Sown(rule, plant, number)
        for rule in RULES
        if asked.only in rule.name
        for number, plant in enumerate(rule.plants, 1)
    ]
    with TemporaryDirectory(prefix="rules") as folder:
        unnoticed = _sow(jobs, _copies(Path(folder), asked.workers))
    print(f"{len(jobs) - len(unnoticed)} of {len(jobs)} plants were noticed.")
    return 1 if unnoticed else 0


def _copies(folder: Path, count: int) -> list[Path]:
    made = [folder / str(number) for number in range(count)]
    for copy in made:
        copy.mkdir()
        for name in COPIED:
            _copy(ROOT / name, copy / name)
        for name in LINKED:
            (copy / name).symlink_to(ROOT / name)
    return made


def _copy(what: Path, to: Path) -> None:
    if what.is_dir():
        shutil.copytree(what, to, ignore=shutil.ignore_patterns("__pycache__"))
    elif what.exists():
        shutil.copy2(what, to)


def _sow(jobs: Sequence[Sown], copies: Sequence[Path]) -> list[Sown]:
    free: Queue[Path] = Queue()
    for copy in copies:
        free.put(copy)

    def noticed(job: Sown) -> bool:
        copy = free.get()
        try:
            return _noticed(job, copy)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        return [job for job, seen in zip(jobs, pool.map(noticed, jobs), strict=True) if not seen]


def _noticed(job: Sown, copy: Path) -> bool:
    """Whether a test of the rule fails with the plant in the source; the copy is as before afterwards."""
    before = {edit.file: (copy / "polyb0t" / edit.file).read_text("utf-8") for edit in job.plant.edits}
    try:
        for edit in job.plant.edits:
            file = copy / "polyb0t" / edit.file
            file.write_text(file.read_text("utf-8").replace(edit.old, edit.new), "utf-8")
        code, said = _run(job.rule, copy)
    finally:
        for name, content in before.items():
            (copy / "polyb0t" / name).write_text(content, "utf-8")
    seen = code == NOTICED
    print(f"{'ok  ' if seen else 'MISS'} {job.rule.name} {job.number}", flush=True)
    if not seen:
        print(
            "     " + "\n     ".join([*(edit.new[:100] for edit in job.plant.edits), *said[-6:]]), flush=True
        )
    return seen


def _run(rule: Rule, copy: Path) -> tuple[int, list[str]]:
    nodes = [node_of(name) or name for name in rule.tests]
    only = [] if any("postgres" in node for node in nodes) else ["-k", "not postgresql"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", *PLUGINS, *only, *nodes]
    done = subprocess.run(
        command,
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
