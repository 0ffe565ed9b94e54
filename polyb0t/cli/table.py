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
    """Heading and rows; the last column is cut so that no line passes `screen`."""
    cells = [[_fit(cell, column) for cell, column in zip(row, columns, strict=True)] for row in rows]
    widths = [
        max([width(column.heading), *(width(row[index]) for row in cells)])
        for index, column in enumerate(columns)
    ]
    widths[-1] = max(0, min(widths[-1], screen - sum(widths[:-1]) - len(GAP) * (len(columns) - 1)))
    heading = [column.heading for column in columns]
    return [_line(row, columns, widths) for row in (heading, *cells)]


def _fit(cell: str, column: Column) -> str:
    return cell if column.widest is None else cut(cell, column.widest)


def _line(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    last = len(columns) - 1
    parts = [
        pad(cut(cell, size) if index == last else cell, size, right=column.right)
        for index, (cell, column, size) in enumerate(zip(row, columns, widths, strict=True))
    ]
    return GAP.join(parts).rstrip()
