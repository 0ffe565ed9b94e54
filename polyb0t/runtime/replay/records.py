"""What a replay writes beside its database: one line for each thing that was decided, and the equity.

The lines hold no random id and nothing of this machine's time, so two runs of the same replay write the
same bytes, and what happened after an instant changes nothing that stands before it.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

from polyb0t.core.canonical import canonical_text
from polyb0t.core.clock import iso
from polyb0t.core.units import ZERO, Pusd, plain
from polyb0t.data.fills import Fill
from polyb0t.execution.intents import IntentRecord
from polyb0t.models.opening import OpeningProposal, Openings
from polyb0t.runtime.replay.clock import SimulatedClock

DECISIONS: Final = "decisions.jsonl"
EQUITY: Final = "equity.csv"
_EQUITY_COLUMNS: Final = ("at", "cash_pusd", "held_pusd", "equity_pusd", "cost_pusd", "positions")


@dataclass
class Decisions:
    """Lines of `decisions.jsonl`, in the order in which things were decided."""

    path: Path
    clock: SimulatedClock
    estimates: int = 0  # markets that a model was asked about
    _file: IO[str] = field(init=False)

    def __post_init__(self) -> None:
        self._file = self.path.open("w", encoding="utf-8")

    def openings(self, decided: Openings) -> None:
        """What one cycle made of every market that it watched."""
        passed = Counter(each.code for each in decided.passed)
        self.estimates += len(decided.proposals) + decided.missed + len(decided.passed)
        self._line(
            "cycle",
            proposals=[_proposal(each) for each in decided.proposals],
            missed=decided.missed,
            nearest=[{"question": each.question, "edge": each.edge} for each in decided.near_misses[:1]],
            passed=dict(passed),
        )

    def intent(self, record: IntentRecord) -> None:
        """An intent as it was put before the person."""
        intent = record.intent
        self._line(
            "intent",
            type=intent.intent_type,
            asset=intent.asset_id,
            side=intent.side,
            worst_price=intent.worst_price,
            amount=intent.amount,
            shares=intent.shares,
            edge_now=intent.edge_now,
            edge_worst=intent.edge_worst,
            triggers=intent.triggers,
        )

    def word(self, record: IntentRecord, came: str, after_seconds: float) -> None:
        """What the person decided, and after how long."""
        after = round(after_seconds * 1_000)
        self._line("word", asset=record.intent.asset_id, came=came, after_milliseconds=after)

    def end(self, record: IntentRecord) -> None:
        """How the execution of an intent ended."""
        self._line("end", asset=record.intent.asset_id, status=record.status, result=record.result)

    def fills(self, fills: Iterable[Fill]) -> None:
        for fill in fills:
            self._line(
                "fill",
                asset=fill.asset_id,
                side=fill.side,
                role=fill.role,
                price=fill.price,
                shares=fill.shares,
                fee=fill.fee,
            )

    def switch(self, name: str, reason: str) -> None:
        """A kill switch that tripped."""
        self._line("switch", name=name, reason=reason)

    def paid(self, asset: str, pusd: Pusd) -> None:
        """A resolved market paid."""
        self._line("paid", asset=asset, pusd=pusd)

    def close(self) -> None:
        self._file.close()

    def _line(self, kind: str, **content: object) -> None:
        line = {"at": iso(self.clock.now()), "kind": kind, **content}
        self._file.write(canonical_text(line) + "\n")


def _proposal(proposal: OpeningProposal) -> Mapping[str, Any]:
    return {
        "market": proposal.market.condition_id,
        "outcome": proposal.outcome.asset_id,
        "worst_price": proposal.worst_price,
        "amount": proposal.amount,
        "q": proposal.belief.q,
        "edge_now": proposal.edge_now,
        "edge_worst": proposal.edge_at_worst,
    }


@dataclass(frozen=True, slots=True)
class Worth:
    """The account at an instant, in pUSD: what is held is counted at the bid, or at the last good one."""

    cash: Pusd
    held: Pusd
    cost: Pusd
    positions: int

    @property
    def equity(self) -> Pusd:
        return Pusd(self.cash + self.held)


@dataclass
class EquityCurve:
    """Rows of `equity.csv`, at most one in `every_us` of simulated time, and the last."""

    path: Path
    clock: SimulatedClock
    every_us: int
    peak: Decimal = ZERO
    worst_drawdown: Decimal = ZERO
    _due_us: int = 0
    _file: IO[str] = field(init=False)

    def __post_init__(self) -> None:
        self._file = self.path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(_EQUITY_COLUMNS)

    @property
    def due(self) -> bool:
        return self.clock.now_us >= self._due_us

    def seen(self, worth: Worth) -> None:
        """Write it down; the next row is due at the next whole step."""
        self._due_us = (self.clock.now_us // self.every_us + 1) * self.every_us
        self.peak = max(self.peak, worth.equity)
        if self.peak > 0:
            self.worst_drawdown = max(self.worst_drawdown, 1 - worth.equity / self.peak)
        figures = (worth.cash, worth.held, worth.equity, worth.cost)
        self._rows.writerow([iso(self.clock.now()), *map(plain, figures), worth.positions])

    def fell(self, fraction: Decimal | None) -> None:
        """How far the account is under its peak now, between two rows as well; None: not known."""
        if fraction is not None:
            self.worst_drawdown = max(self.worst_drawdown, fraction)

    def close(self) -> None:
        self._file.close()
