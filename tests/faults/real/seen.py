"""What the judge reads of a history that is over: files of the exchange, the database, and what people were told."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from polyb0t.db import SqlStores
from tests.faults.real.exchange import Ledger


@dataclass(frozen=True, slots=True)
class _Line:
    """Everything that arrived at the exchange's door, whoever sent it."""

    posts: Sequence[bytes]
    cancels: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class _Slot:
    stores: SqlStores

    def renew(self) -> None:
        """It was opened for the judge."""


@dataclass(frozen=True, slots=True)
class _Machine:
    only: _Slot

    def slot(self, _number: int) -> _Slot:
        return self.only


@dataclass
class Seen:
    """In the words of the other suite's history; what real histories do not have stands at its default."""

    exchange: Ledger
    machine: _Machine
    lines: list[_Line]
    winners: int
    sends_allowed: int | None
    must_trip: bool
    pusd_given: int
    faults: list[str]
    shares_given: int = 0
    skewed: bool = False
    all_dead: bool = False
    broken: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def seen(stores: SqlStores, ledger: Ledger, by_person: int, **told: Any) -> Iterator[Any]:
    """`by_person`: so many of the cancels, the last ones, were typed by a person."""
    cancels = ledger.cancels[: len(ledger.cancels) - by_person]
    with closing(stores):
        yield Seen(ledger, _Machine(_Slot(stores)), [_Line(ledger.posts, cancels)], **told)
