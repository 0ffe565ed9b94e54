"""Columns that are as wide as what is in them; the last one takes what is left."""

from collections.abc import Sequence
from dataclasses import dataclass

from polyb0t.cli.words import cut, pad, width

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and how its cells stand. `widest` cuts longer cells."""

    heading: str
    right: bool = False
    widest: int | None = None


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], screen: int) -> list[str]:
    """Heading and rows. So that no line passes `screen` the last column is cut, and if that is not
    enough those that have a `widest`."""
    cells = [[_fit(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows]
    widths = [
        max([width(column.heading), *(width(row[index]) for row in cells)])
        for index, column in enumerate(columns)
    ]
    room = screen - len(GAP) * (len(columns) - 1)
    widths[-1] = max(0, min(widths[-1], room - sum(widths[:-1])))
    _narrow(columns, widths, sum(widths) - room)
    heading = [column.heading for column in columns]
    return [_line(row, columns, widths) for row in (heading, *cells)]


def _narrow(columns: Sequence[Column], widths: list[int], excess: int) -> None:
    """Take `excess` from the columns that may be cut, the widest first; their heading stays."""
    while excess > 0:
        wider = [
            index
            for index, column in enumerate(columns)
            if column.widest is not None and widths[index] > width(column.heading)
        ]
        if not wider:
            return
        widths[max(wider, key=lambda index: widths[index])] -= 1
        excess -= 1


def _fit(cell: str, column: Column) -> str:
    return cell if column.widest is None else cut(cell, column.widest)


def _line(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    parts = [
        pad(cut(cell, size), size, right=column.right)
        for cell, column, size in zip(row, columns, widths, strict=True)
    ]
    return GAP.join(parts).rstrip()
