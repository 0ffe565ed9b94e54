"""The port to the books: what moved the wallet besides our orders, and the marks of its equity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from polyb0t.core.units import Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.execution.scope import Lease, Regime
from polyb0t.models.equity import EquityMarks


@dataclass(frozen=True, slots=True)
class Opening:
    """Where the books begin: the cash when they were opened, less what our fills had brought by then.

    Movements up to `at` are in it and never count again.
    """

    pusd: Pusd
    at: datetime


class BookStore(Protocol):
    """Each method is one transaction."""

    def movements(self) -> tuple[Booked, ...]:
        """Everything that was taken into the books, oldest first."""
        ...

    def record_movements(self, booked: Sequence[Booked], lease: Lease) -> tuple[Booked, ...]:
        """Those of them that were not known yet, each with a journal entry. Seeing one twice is harmless."""
        ...

    def opening(self, regime: Regime) -> Opening | None:
        """None: the books of this regime were never opened."""
        ...

    def open_books(self, regime: Regime, opening: Pusd, lease: Lease) -> Opening:
        """The opening that exists, or a new one."""
        ...

    def marks(self, regime: Regime) -> EquityMarks | None:
        """Peak and day as last written; None before the first."""
        ...

    def mark(
        self, regime: Regime, equity: Pusd, flows: Pusd, lease: Lease, *, sure: bool = True
    ) -> EquityMarks:
        """One more look at the equity, by `models.equity.marked`; written only where it changes them.

        The books have to be open.
        """
        ...

    def rebase_peak(self, regime: Regime, *, actor: str, reason: str, equity: Pusd) -> bool:
        """A person accepts a loss: the peak is `equity` from here on. False: there was no peak.

        Raises:
            NotAuthorisedError: `person_required`; the actor is not a person, or gives no reason.
        """
        ...
