"""One measured figure with its target and its rival, and how a section of them is printed."""

from dataclasses import dataclass, field

# Decimal places; milliseconds have as many as their size deserves.
_PLACES = {"s": 3, "MB": 1, "%": 1, "KB/h": 1, "x": 1}


@dataclass(frozen=True, slots=True)
class Figure:
    """`value`, `target` and `rival` share `unit`. A figure meets its target when it is not above it;
    with `at_least` when it is not below it."""

    name: str
    value: float
    unit: str
    target: float | None = None
    rival: float | None = None
    at_least: bool = False

    @property
    def missed(self) -> bool:
        if self.target is None:
            return False
        return self.value < self.target if self.at_least else self.value > self.target

    def _times(self, rival: float) -> float:
        """How many times the rival takes as much; of a rate, how many times as long."""
        return self.value / rival if self.at_least else rival / self.value

    @property
    def row(self) -> tuple[str, ...]:
        sign = ">=" if self.at_least else "<="
        target = "" if self.target is None else f"{sign} {self.target:g} {self.unit}"
        rival = "" if self.rival is None else _shown(self.rival, self.unit)
        ratio = "" if self.rival is None or not self.value else f"{self._times(self.rival):.2f} x"
        verdict = "" if self.target is None else "MISSED" if self.missed else "ok"
        return (self.name, _shown(self.value, self.unit), target, verdict, rival, ratio)


@dataclass(slots=True)
class Section:
    """What one section found. `rival` names whom the column of that name is about."""

    title: str
    rival: str = ""
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        target: float | None = None,
        rival: float | None = None,
        at_least: bool = False,
    ) -> None:
        self.figures.append(Figure(name, value, unit, target, rival, at_least))

    @property
    def missed(self) -> list[str]:
        return [figure.name for figure in self.figures if figure.missed]

    def show(self) -> None:
        """Print the table; the last column is how many times the rival takes as much."""
        head = ("", "measured", "target", "", "rival", "rival/ours")
        rows = [head, *(figure.row for figure in self.figures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        print(f"\n{self.title}")
        for name, *cells in rows:
            shown = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
            print(f"  {name.ljust(widths[0])}  {'  '.join(shown)}".rstrip())
        if self.rival:
            print(f"  rival: {self.rival}")
        for note in self.notes:
            print(f"  {note}")


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(share * 1000) // 1000) - 1)]


def median(values: list[float]) -> float:
    return percentile(values, 0.5)


def _shown(value: float, unit: str) -> str:
    places = _PLACES.get(unit, 1 if abs(value) >= 10 else 3)
    return f"{value:.{places}f} {unit}"
