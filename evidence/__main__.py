"""`make evidence`: run every experiment and write docs/evidence.md; exit code 1 when one does not hold."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from evidence.findings import Finding, hazard_test, null_test, planted_test, slope_test
from evidence.sandbox import sandbox_test

DOCUMENT: Final = Path("docs/evidence.md")
EXPERIMENTS: Final[tuple[Callable[[], Finding], ...]] = (
    null_test,
    planted_test,
    slope_test,
    hazard_test,
    sandbox_test,
)
HEAD: Final = """# Evidence

<!-- Written by `make evidence`; edit the folder evidence instead. -->

Does the decision layer find what is there, and nothing where nothing is? Worlds are synthetic and seeded, so
that the truth is known and everybody gets these figures: they test the gates, they are no evidence that an
edge exists on the real venue. That only a history of your own can show: [models.md](models.md).
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evidence", description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCUMENT)
    asked = parser.parse_args()
    findings = []
    for experiment in EXPERIMENTS:
        finding = experiment()
        findings.append(finding)
        print(f"{'holds ' if finding.holds else 'BROKEN'}  {finding.name}: {finding.answer}", flush=True)
    asked.out.write_text(document(findings), encoding="utf-8")
    return 0 if all(each.holds for each in findings) else 1


def document(findings: list[Finding]) -> str:
    return "\n".join([HEAD, *(_section(each) for each in findings)])


def _section(finding: Finding) -> str:
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
