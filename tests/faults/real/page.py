"""The part of docs/reliability.md about real processes, from the result files of all shards."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.faults.judge import COLUMNS
from tests.faults.real.plants import REAL_PLANTS
from tests.faults.real.scenarios import SCENARIOS
from tests.faults.report import Row

KIND: Final = "real_process"
HEAD: Final = """
## Real processes

The same promises, with nothing but real parts: `polyb0t run`, commands, the HTTP API and the sandbox's exchange are
processes of their own that speak over sockets, are killed with `kill -9`, stopped with SIGSTOP, locked out of their
database and run out of disk. Make more with `make faults-real SEED=7`
(`DATABASE=postgres`, `FACTOR=1` for true times); a short form runs in `make test`, and
`python -m tests.faults.real.sown` shows that each class notices its planted bug.

- A process is forked from one that has imported the program, then calls the program's usual entry point with its own
  environment, folder and session. The program has no branch for this: before it begins, the doors to its database,
  anchor, spool and exchange get a counter each, and the thread that passes the planned number raises SIGKILL or
  SIGSTOP against its own process. The points are found by a run without a fault.
- The exchange has its world on disk before it answers for an order, so that kill -9 of it loses nothing that it said.
- Judged, by the judge of the other suite, from the exchange's file and the database that were left behind.
- *Scaled* histories have their lease, sends, proofs of absence and pauses shortened together by settings that only the
  sandbox takes (`POLYBOT_LEASE_SECONDS` and its neighbours): by the factor in the table. Polling every 5 s, the
  deadlines and the exchange's settlement are as users have them. *True* times are factor 1.
"""
FOOT: Final = """
What they are not: a power cut (the machine lives on, and most databases lay on a memory file system); a clock that is
set; another machine. An SQLite database whose lock a stopped process holds is locked for everybody until that process
goes on or dies: nothing is sent meanwhile, and the HALT file works.
"""


@dataclass
class Group:
    """Shards of one database and one factor."""

    rows: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))
    seconds: float = 0.0

    @property
    def total(self) -> Row:
        sum_ = Row()
        for row in self.rows.values():
            sum_.join(row)
        return sum_


def section(results: Iterable[Mapping[str, Any]]) -> str:
    """Everything about real processes; empty if there are no such results."""
    real = [result for result in results if result.get("kind") == KIND]
    if not real:
        return ""
    parts = [HEAD, _groups(real), _table(real), _points(real), _plants(), _shards(real), FOOT]
    return "\n\n".join(part.strip() for part in parts)


def _groups(results: Sequence[Mapping[str, Any]]) -> str:
    groups: dict[tuple[str, float], Group] = defaultdict(Group)
    for result in results:
        group = groups[result["database"], result["factor"]]
        group.seconds += result["seconds"]
        for scenario, tally in result["tallies"].items():
            group.rows[scenario].add(tally)
    lines = [
        "| database | times | histories | fault struck | orders | "
        + " | ".join(COLUMNS)
        + " | open | minutes |",
        "|---|---|---:|---:|---:|" + "---:|" * (len(COLUMNS) + 2),
    ]
    for (database, factor), group in sorted(groups.items()):
        times = "true" if factor == 1 else f"{factor:g} times shorter"
        row = group.total
        lines.append(
            f"| {database} | {times} | {row.runs:,} | {row.struck:,} | {row.orders:,} | {_zeros(row)}"
            f" | {row.open:,} | {group.seconds / 60:,.0f} |"
        )
    return "\n".join(lines)


def _table(results: Sequence[Mapping[str, Any]]) -> str:
    """By scenario, and how long certainty took at each of the factors."""
    rows: dict[str, Row] = defaultdict(Row)
    true: dict[str, Row] = defaultdict(Row)
    scaled: dict[str, Row] = defaultdict(Row)
    for result in results:
        for scenario, tally in result["tallies"].items():
            rows[scenario].add(tally)
            (true if result["factor"] == 1 else scaled)[scenario].add(tally)
    lines = [
        "| scenario | runs | fault struck | "
        + " | ".join(COLUMNS)
        + " | open | certain after, scaled: half, 99 %, all | all, at true times |",
        "|---|---:|---:|" + "---:|" * (len(COLUMNS) + 1) + "---|---|",
    ]
    for scenario in SCENARIOS:
        row = rows[scenario.name]
        times = ", ".join(scaled[scenario.name].percentile(share) for share in (0.5, 0.99, 1.0))
        lines.append(
            f"| {scenario.name} | {row.runs:,} | {row.struck:,} | {_zeros(row)} | {row.open:,} | {times}"
            f" | {true[scenario.name].percentile(1.0)} |"
        )
    return "\n".join(lines)


def _zeros(row: Row) -> str:
    return " | ".join(str(row.columns[column]) for column in COLUMNS)


def _points(results: Sequence[Mapping[str, Any]]) -> str:
    """How many there are, and at how many different ones kill -9 has struck."""
    points: dict[str, list[str]] = {}
    killed: set[str] = set()
    for result in results:
        points.update(result["points"])
        killed |= set(result["tallies"].get("killed", {}).get("struck_at", {}))
    counts = ", ".join(f"{shape} {len(labels)}" for shape, labels in sorted(points.items()))
    return (
        f"Points between claim and settlement, by kind of trade: {counts}. They differ by a few from run to run,"
        " as an answer or the account's socket is first. Each run takes the next one; since it is noted at which"
        f" one a run struck, kill -9 has struck at {len(killed)} different ones."
    )


def _plants() -> str:
    lines = ["| scenario | planted bug, in every process |", "|---|---|"]
    lines += [
        f"| {scenario.name} | {REAL_PLANTS[scenario.name].planted.bug} |"
        for scenario in SCENARIOS
        if scenario.name in REAL_PLANTS
    ]
    return "\n".join(lines)


def _shards(results: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| commit | seed:shard | database | factor | histories | broken promises |",
        "|---|---|---|---|---:|---:|",
    ]
    for result in results:
        runs = sum(tally["runs"] for tally in result["tallies"].values())
        broken = sum(tally[column] for tally in result["tallies"].values() for column in COLUMNS)
        changed = " with changes" if result["dirty"] else ""
        lines.append(
            f"| `{result['commit']}`{changed} | {result['seed']}:{result['shard']} | {result['database']}"
            f" | {result['factor']:g} | {runs:,} | {broken} |"
        )
    return "\n".join(lines)
