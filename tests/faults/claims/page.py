"""The part of docs/reliability.md about claims, from the result files of all shards."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tests.faults.claims.judge import COLUMNS
from tests.faults.claims.plants import PLANTS
from tests.faults.claims.stories import STORIES

KIND: Final = "claims"
HEAD: Final = """
## Claims

A claim of winnings has histories of its own: one to three approved claims of a wallet with its own key or of a deposit
wallet, whole and half payouts, against a pretended chain and relayer that do what the story says. The claims process,
its stores and its anchor are the product's own. In half of the histories of most stories the process also ends before or
after some call between its parts and is started again. Make more with `python -m tests.faults.claims --seed 7`; a short
form runs in `make test`, and so does each planted bug. Judged by the chain's ledger and the database alone:

- *doubled*: two transactions of ours for one market in the chain's blocks, or two that could both have been mined;
- *lost*: a claim or a transaction without an end, one that ended unpaid though nothing forbade it, or paid and not known;
- *unexplained*: a payment, a millionth or a share in which the books differ from the chain, a broken journal, a person
  alarmed for nothing.
"""


def section(results: Iterable[Mapping[str, Any]]) -> str:
    """Everything about claims; empty if there are no such results."""
    found = [result for result in results if result.get("kind") == KIND]
    if not found:
        return ""
    return "\n\n".join([HEAD.strip(), _table(found), _plants(), _shards(found)])


def _table(results: Sequence[Mapping[str, Any]]) -> str:
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        for story, tally in result["tallies"].items():
            rows[story].update(tally)
    lines = ["| story | runs | fault struck | " + " | ".join(COLUMNS) + " |"]
    lines.append("|---|---:|---:|" + "---:|" * len(COLUMNS))
    total: Counter[str] = Counter()
    for story in STORIES:
        total.update(rows[story.name])
        lines.append(_row(story.name, rows[story.name]))
    return "\n".join([*lines, _row("**all**", total)])


def _row(name: str, row: Mapping[str, int]) -> str:
    counts = " | ".join(f"{row.get(column, 0):,}" for column in ("runs", "struck", *COLUMNS))
    return f"| {name} | {counts} |"


def _plants() -> str:
    lines = ["| planted bug | noticed by |", "|---|---|"]
    return "\n".join([*lines, *(f"| {plant.bug} | {plant.story} |" for plant in PLANTS)])


def _shards(results: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| commit | seed:shard | histories | broken promises |", "|---|---|---:|---:|"]
    for result in results:
        commit = f"`{result['commit']}`" + (" with changes" if result["dirty"] else "")
        tallies = result["tallies"].values()
        runs = sum(tally["runs"] for tally in tallies)
        broken = sum(tally[column] for tally in tallies for column in COLUMNS)
        lines.append(f"| {commit} | {result['seed']}:{result['shard']} | {runs:,} | {broken} |")
    return "\n".join(lines)
