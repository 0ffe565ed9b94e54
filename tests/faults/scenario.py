"""What a scenario is."""

from collections.abc import Callable
from dataclasses import dataclass

from polyb0t.execution.intents import TradeIntent
from tests.faults.history import History
from tests.faults.points import Point

Act = Callable[[History, Point], None]
Run = Callable[[History, TradeIntent], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`run` acts from a proposed trade on.

    `counts`: it strikes at one of the numbered points of the way that `probe` goes through without a fault
    (None: an approved intent is carried out). `shapes`: the trades that it is about; empty: all.
    `sqlite`: not on another database.
    """

    name: str
    run: Run
    counts: bool = False
    small_pages: bool = False
    probe: Run | None = None
    way: str = ""  # what the points of `probe` are called
    shapes: tuple[str, ...] = ()
    sqlite: bool = False
