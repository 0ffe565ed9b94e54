"""All rules in the order of an order's life, the page that tells them, and where their tests are."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tests.rules import claiming, deciding, engines, fills, knowing, replays, sending
from tests.rules.rule import ROOT, Chapter, Rule

CHAPTERS: Final[tuple[Chapter, ...]] = (
    deciding.CLOCKS,
    deciding.GATE,
    deciding.DECIDE,
    deciding.CLAIM,
    sending.PERMIT,
    sending.IDENTITY,
    sending.SEND,
    sending.SETTLE,
    knowing.ABSENT,
    knowing.WINDOW,
    fills.FILLS,
    fills.SOCKET,
    fills.BAD_INPUT,
    deciding.STANDING_RULES,
    knowing.RECONCILE,
    knowing.OTHERS,
    engines.ONE_ENGINE,
    engines.HISTORY,
    engines.STORAGE,
    claiming.CLAIMS,
    replays.KNOWS,
    replays.DECIDES,
    replays.SAYS,
)
RULES: Final[tuple[Rule, ...]] = tuple(rule for chapter in CHAPTERS for rule in chapter.rules)
PAGE: Final = ROOT / "docs" / "rules.md"

_HEAD: Final = """# The rules of an order

<!-- Written by `python -m tests.rules --page`; edit tests/rules instead. -->

How an approval becomes exactly one order, how what it brought is paid out, and what a replay of it all may say: rule by
rule, each with the tests that hold the code to it. Each rule has a *plant* in `tests/rules`: its opposite, as a change
of the source. `python -m tests.rules` puts one after the other into a copy and sees a test of that rule fail; `--only
NAME` does so for one rule. The whole protocol is explored in `tests/model`, and broken on purpose in [the fault
suite](reliability.md).

{count} rules, {plants} plants.
"""


def page() -> str:
    """The document."""
    plants = sum(len(rule.plants) for rule in RULES)
    lines = [_HEAD.format(count=len(RULES), plants=plants)]
    for chapter in CHAPTERS:
        lines += [f"## {chapter.title}", "", "| rule | what holds | guarded by |", "|---|---|---|"]
        lines += [f"| `{rule.name}` | {rule.says} | {_tests(rule)} |" for rule in chapter.rules]
        lines.append("")
    return "\n".join(lines)


def _tests(rule: Rule) -> str:
    return ", ".join(f"`test_{name.partition(':')[2]}`" for name in rule.tests)


def node_of(name: str) -> str | None:
    """`tests/x.py::Class::test_y` of `x:y`; None where there is no such test."""
    place, _, test = name.partition(":")
    file = ROOT / "tests" / f"{place}.py"
    found = _tests_in(file).get(f"test_{test}") if file.is_file() else None
    return None if found is None else f"{file.relative_to(ROOT)}::{found}"


@cache
def _tests_in(file: Path) -> dict[str, str]:
    """Each test's name with its classes before it; a contract's tests are found where they are inherited."""
    return {
        found.rpartition("::")[2]: found for found in _named(ast.parse(file.read_text(encoding="utf-8")), "")
    }


def _named(tree: ast.Module | ast.ClassDef, before: str) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _named(node, f"{before}{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield before + node.name
