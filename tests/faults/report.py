"""`python -m tests.faults.report`: docs/reliability.md from the result files of all shards and seeds."""

import json
import platform
import sqlite3
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.faults.judge import COLUMNS
from tests.faults.plants import PLANTS
from tests.faults.scenarios import SCENARIOS
from tests.faults.text import FOOT, FOUND, HEAD, MODEL, POINTS
from tests.model.rules import CASES

FOLDER: Final = Path("build/faults")
DOCUMENT: Final = Path("docs/reliability.md")
DATABASES: Final = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
CRASH, CRASH_IN_CANCEL = "crash", "crash while an order is cancelled"


def surroundings(*, in_memory: bool, database: str = "sqlite", engine: str = "") -> dict[str, object]:
    """What a result was made on."""
    dirty = bool(_git("status", "--porcelain", "--", "polyb0t", "tests/faults"))
    return {
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "dirty": dirty,
        "kind": "in_process",
        "database": database,
        "engine": engine or f"SQLite {sqlite3.sqlite_version}",
        "python": platform.python_version(),
        "in_memory": in_memory,
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


@dataclass
class Row:
    """One scenario over all shards."""

    runs: int = 0
    struck: int = 0
    orders: int = 0
    open: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    certainty: Counter[int] = field(default_factory=Counter)
    struck_at: Counter[str] = field(default_factory=Counter)

    def add(self, tally: Mapping[str, Any]) -> None:
        self.runs += tally["runs"]
        self.struck += tally["struck"]
        self.orders += tally["orders"]
        self.open += tally["open"]
        self.columns.update({column: tally[column] for column in COLUMNS})
        self.certainty.update({int(second): count for second, count in tally["certainty"].items()})
        self.struck_at.update(tally.get("struck_at", {}))

    def join(self, other: "Row") -> None:
        self.runs += other.runs
        self.struck += other.struck
        self.orders += other.orders
        self.open += other.open
        self.columns.update(other.columns)
        self.certainty.update(other.certainty)
        self.struck_at.update(other.struck_at)

    def percentile(self, share: float) -> str:
        total = sum(self.certainty.values())
        reached = 0
        for second, count in sorted(self.certainty.items()):
            reached += count
            if reached >= share * total:
                return f"{second} s"
        return "-"


@dataclass
class Summary:
    """All results of one commit on one database."""

    commit: str
    database: str = "sqlite"
    rows: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))
    points: dict[str, list[str]] = field(default_factory=dict)
    shards: list[str] = field(default_factory=list)
    machines: set[str] = field(default_factory=set)
    seconds: float = 0.0

    @property
    def runs(self) -> int:
        return sum(row.runs for row in self.rows.values())

    @property
    def broken(self) -> int:
        return sum(sum(row.columns.values()) for row in self.rows.values())


def summaries(results: Iterable[Mapping[str, Any]]) -> list[Summary]:
    """One for each commit and database, in the order in which they first appear. A changed tree is a commit
    of its own."""
    found: dict[tuple[str, str], Summary] = {}
    for result in results:
        name = result["commit"] + (" with changes" if result["dirty"] else "")
        database = result.get("database", "sqlite")
        summary = found.setdefault((name, database), Summary(name, database))
        for scenario, tally in result["tallies"].items():
            summary.rows[scenario].add(tally)
        summary.points.update(result["points"])
        summary.shards.append(f"{result['seed']}:{result['shard']}")
        summary.seconds += result["seconds"]
        summary.machines.add(_machine(result))
    return list(found.values())


def _machine(result: Mapping[str, Any]) -> str:
    if result.get("database") == "postgres":
        return f"{result['engine']} without fsync"
    where = "memory file system" if result["in_memory"] else "disk"
    engine = result.get("engine") or f"SQLite {result['sqlite']}"
    return f"Python {result['python']}, {engine}, database on a {where}"


def document(found: Sequence[Summary]) -> str:
    """The whole page: the sum of all results, and what each commit contributed."""
    total = _sum(found)
    parts = [
        HEAD,
        _state(found),
        _commits(found),
        _table(found),
        FOUND,
        _points(total),
        _plants(),
        MODEL,
        _rules(),
        FOOT,
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _sum(found: Sequence[Summary]) -> Summary:
    total = Summary("")
    for one in found:
        for scenario, row in one.rows.items():
            total.rows[scenario].join(row)
        total.points.update(one.points)
        total.shards += one.shards
        total.machines |= one.machines
        total.seconds += one.seconds
    return total


def _state(found: Sequence[Summary]) -> str:
    lines = ["## Result", ""]
    for database, name in DATABASES.items():
        summary = _sum([one for one in found if one.database == database])
        rows = summary.rows.values()
        columns = ", ".join(f"{column} {sum(row.columns[column] for row in rows)}" for column in COLUMNS)
        orders = sum(row.orders for row in rows)
        lines += [
            f"**{summary.runs:,} in-process histories on {name}** with {orders:,} orders.",
            f"Broken promises: **{columns}**.",
            "",
        ]
    total = _sum(found)
    lines += [
        f"Made with {'; '.join(sorted(total.machines))}:",
        f"{total.seconds / 3600:,.1f} hours of processes with the lowest priority, beside other work.",
    ]
    return "\n".join(lines)


def _table(found: Sequence[Summary]) -> str:
    totals = {name: _sum([one for one in found if one.database == name]) for name in DATABASES}
    lines = [
        f"| scenario | {' | '.join(DATABASES.values())} | fault struck | "
        + " | ".join(COLUMNS)
        + " | open | certain after: half, 99 %, all |",
        "|---|---:|---:|---:|" + "---:|" * (len(COLUMNS) + 1) + "---|",
    ]
    for scenario in SCENARIOS:
        rows = [total.rows.get(scenario.name, Row()) for total in totals.values()]
        runs, row = " | ".join(f"{one.runs:,}" for one in rows), Row()
        for one in rows:
            row.join(one)
        zeros = " | ".join(str(row.columns[column]) for column in COLUMNS)
        times = ", ".join(row.percentile(share) for share in (0.5, 0.99, 1.0))
        lines.append(f"| {scenario.name} | {runs} | {row.struck:,} | {zeros} | {row.open:,} | {times} |")
    return "\n".join(lines)


def _points(summary: Summary) -> str:
    counts = ", ".join(f"{shape} {len(labels)}" for shape, labels in sorted(summary.points.items()))
    total = sum(map(len, summary.points.values()))
    crashes = summary.rows[CRASH].struck_at | summary.rows[CRASH_IN_CANCEL].struck_at
    every = [f"{shape} {number}" for shape, labels in summary.points.items() for number in range(len(labels))]
    struck = sum(crashes[point] > 0 for point in every)
    least = min((crashes[point] for point in every), default=0)
    often = f", at each at least {least:,} times" if least else ""
    return (
        f"{POINTS.strip()}\n\n{counts}: **{total} points**.\n\nIn the results that tell where they struck,"
        f" a crash struck at {struck} of them{often}."
    )


def _plants() -> str:
    lines = [
        "## Planted bugs",
        "",
        "Each class is run with this bug put into the running code, and the suite has to notice:",
        "",
    ]
    lines += ["| scenario | planted bug |", "|---|---|"]
    planted = [scenario for scenario in SCENARIOS if scenario.name in PLANTS]
    lines += [f"| {scenario.name} | {PLANTS[scenario.name].bug} |" for scenario in planted]
    return "\n".join(lines)


def _rules() -> str:
    lines = ["| rule | what breaks without it |", "|---|---|"]
    for rule, case in CASES.items():
        also = "".join(f", and without {other.name.lower()}" for other in case.also)
        lines.append(f"| `{rule.name.lower()}`: {rule}{also} | {case.promise} |")
    return "\n".join(lines)


def _commits(found: Sequence[Summary]) -> str:
    lines = [
        "| commit | database | seed:shard | histories | broken promises |",
        "|---|---|---|---:|---:|",
    ]
    lines += [
        f"| `{one.commit}` | {DATABASES[one.database]} | {', '.join(sorted(one.shards))} | {one.runs:,}"
        f" | {one.broken} |"
        for one in found
    ]
    return "\n".join(lines)


def main() -> int:
    paths = sorted(Path(name) for name in sys.argv[1:]) or sorted(FOLDER.glob("*.json"))
    if not paths:
        print(f"There are no results in {FOLDER}. Make some: make faults", file=sys.stderr)
        return 1
    results = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    from tests.faults.claims import page as claims
    from tests.faults.real import page as real  # it needs the rows of this module

    in_process = [each for each in results if each.get("kind") not in (real.KIND, claims.KIND)]
    parts = [document(summaries(in_process)), claims.section(results), real.section(results)]
    DOCUMENT.write_text("\n".join(part for part in parts if part).rstrip() + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
