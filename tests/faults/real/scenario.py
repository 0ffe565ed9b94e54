"""A scenario of real histories: what happens, by name."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.real.history import RealHistory


@dataclass(frozen=True, slots=True)
class Scenario:
    """`run` ends with whatever it left; the history puts it right. `counts`: it strikes at one of the
    numbered points. `sqlite`: not on another database."""

    name: str
    run: Callable[[RealHistory], None]
    counts: bool = False
    sqlite: bool = False
