"""What a rule is: a sentence that stands alone, the tests that hold the code to it, and its opposite.

A *plant* is the opposite of a rule as a change of the source: the tests named beside it have to fail on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "polyb0t"


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` stands once in `file` (under polyb0t/); planted, `new` stands in its place."""

    file: str
    old: str
    new: str

    @property
    def found(self) -> int:
        """How often what is changed stands in the source now."""
        return (SOURCE / self.file).read_text(encoding="utf-8").count(self.old)


@dataclass(frozen=True, slots=True)
class Plant:
    """Edits that are made together: where two lines cover each other, one alone changes nothing."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """`tests` are `file:test` below tests/, without `.py` and `test_` of the test."""

    name: str
    says: str
    tests: tuple[str, ...]
    plants: tuple[Plant, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """Rules that belong together."""

    title: str
    rules: tuple[Rule, ...]


def rule(name: str, says: str, tests: str, *plants: Edit | tuple[Edit, ...]) -> Rule:
    """`tests` apart by spaces; each of `plants` alone has to be noticed by at least one of them."""
    made = (Plant(each if isinstance(each, tuple) else (each,)) for each in plants)
    return Rule(name, says, tuple(tests.split()), tuple(made))


def source(file: str) -> Callable[[str, str], Edit]:
    """Edits of one file."""
    return lambda old, new: Edit(file, old, new)
