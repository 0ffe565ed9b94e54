"""Which tables were written, and which a question was answered from: what is remembered of a database stays
true for as long as nobody wrote to the tables that it was read from.

Told by the statements themselves as they are run, so no list has to be kept of what depends on what. A
statement that names a table counts as one that reads it, and one that is no SELECT as one that writes it:
too much is forgotten rather than too little. That every write goes through one connection is the condition:
it holds for a database that nobody else opens.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from polyb0t.db.tables import metadata

T = TypeVar("T")

_MOST_STATEMENTS: Final = 2_000  # whose tables are known; then all are looked at anew
_NAMES: Final = re.compile(rf"\b({'|'.join(sorted(metadata.tables))})\b")
State = Mapping[str, int]  # of some tables, how often each had been written


class Touched:
    """Counts the writes of each table."""

    def __init__(self) -> None:
        self._writes: dict[str, int] = dict.fromkeys(metadata.tables, 0)
        self._statements: dict[str, tuple[bool, frozenset[str]]] = {}
        self._asking: list[set[str]] = []  # the tables of each question that is being asked now

    def executed(self, statement: str) -> None:
        """A statement is about to run."""
        known = self._statements.get(statement)
        if known is None:
            known = self._look_at(statement)
        only_reads, tables = known
        for asked in self._asking:
            asked |= tables
        if not only_reads:
            for table in tables:
                self._writes[table] += 1

    def undone(self) -> None:
        """A transaction was rolled back: what was read within it was never so."""
        for table in self._writes:
            self._writes[table] += 1

    def asking(self, ask: Callable[[], T]) -> tuple[T, State]:
        """The answer, and the tables that it was read from as they stood."""
        tables: set[str] = set()
        self._asking.append(tables)
        try:
            answer = ask()
        finally:
            self._asking.pop()
        return answer, self.state(*tables)

    def state(self, *tables: str) -> State:
        """How these tables stand."""
        return {table: self._writes[table] for table in tables}

    def holds(self, state: State) -> bool:
        """Whether none of the tables was written since."""
        writes = self._writes
        return all(writes[table] == count for table, count in state.items())

    def _look_at(self, statement: str) -> tuple[bool, frozenset[str]]:
        if len(self._statements) >= _MOST_STATEMENTS:
            self._statements.clear()
        found = statement.lstrip()[:6].upper() == "SELECT", frozenset(_NAMES.findall(statement))
        self._statements[statement] = found
        return found


class Memory:
    """Answers, each for as long as what it was read from stands."""

    MOST: Final = 10_000  # answers that are kept; then all are forgotten

    def __init__(self, touched: Touched) -> None:
        self._touched = touched
        self._answers: dict[Any, tuple[Any, State]] = {}

    def answer(self, key: Any, ask: Callable[[], T], *, keep: Callable[[T], bool] | None = None) -> T:
        """What is remembered under `key`, else `ask`'s answer now; with `keep` only some are remembered."""
        found = self._answers.get(key)
        if found is not None and self._touched.holds(found[1]):
            known: T = found[0]
            return known
        answer, state = self._touched.asking(ask)
        if keep is None or keep(answer):
            self._keep(key, answer, state)
        return answer

    def keep(self, key: Any, answer: Any, *tables: str) -> None:
        """Remember what these tables say now, for who has just written it."""
        self._keep(key, answer, self._touched.state(*tables))

    def _keep(self, key: Any, answer: Any, state: State) -> None:
        if len(self._answers) >= self.MOST:
            self._answers.clear()
        self._answers[key] = (answer, state)
