"""`make evidence`: run every experiment and write docs/evidence.md; exit code 1 when one does not hold."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from evidence.early_ends import early_ends_test
from evidence.findings import Finding, hazard_test, null_test, planted_test, slope_test
from evidence.golden import golden_test
from evidence.look_ahead import look_ahead_test
from evidence.poison import poison_test
from evidence.replayed import replay_tests
from evidence.samples import FOLDER, samples_test
from evidence.sandbox import sandbox_test
from evidence.shuffle import shuffle_test

DOCUMENT: Final = Path("docs/evidence.md")
PROCESSES: Final = 2
EXPERIMENTS: Final[tuple[Callable[[], Finding | tuple[Finding, ...]], ...]] = (
    golden_test,
    null_test,
    planted_test,
    slope_test,
    hazard_test,
    early_ends_test,
    shuffle_test,
    poison_test,
    look_ahead_test,
    sandbox_test,
    replay_tests,
    samples_test,
)
LONGEST: Final = (replay_tests, null_test)  # these begin first
HEAD: Final = """# Evidence

<!-- Written by `make evidence`; edit the folder evidence instead. -->

Does the decision layer find what is there, and nothing where nothing is? Worlds are synthetic and seeded, so
that the truth is known and everybody gets these figures: they test the gates, they are no evidence that an
edge exists on the real venue. That only a history of your own can show: [models.md](models.md). Only the last
section needs files that are not in this repository; where they are missing it says so.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evidence", description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCUMENT)
    parser.add_argument("--samples", type=Path, default=FOLDER, help="where the files of the real venue lie")
    asked = parser.parse_args()
    started, findings = time.monotonic(), []
    for finding in _found(asked.samples):
        findings.append(finding)
        print(f"{_mark(finding)}  {finding.name}: {finding.answer}", flush=True)
    asked.out.write_text(document(findings), encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s in {PROCESSES} processes. Written: {asked.out}")
    return 0 if all(each.holds for each in findings) else 1


def _mark(finding: Finding) -> str:
    if not finding.ran:
        return "-     "
    return "holds " if finding.holds else "BROKEN"


def _found(samples: Path) -> Iterable[Finding]:
    """Every experiment's finding, in order, as soon as it is there."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        begun = {
            each: pool.submit(partial(each, samples) if each is samples_test else each)
            for each in sorted(EXPERIMENTS, key=lambda each: each not in LONGEST)
        }
        for each in EXPERIMENTS:
            found = begun[each].result()
            yield from found if isinstance(found, tuple) else (found,)


def document(findings: list[Finding]) -> str:
    return "\n".join([HEAD, *(section(each) for each in findings)])


def section(finding: Finding) -> str:
    """One experiment as it stands in the document."""
    lines = [f"## {finding.name}", "", finding.question, "", f"**{finding.answer}**"]
    if not finding.holds:
        lines += ["", "This is not as it has to be."]
    if finding.rows:
        heading, *rows = finding.rows
        lines += ["", _row(heading), _row(["---"] * len(heading)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
