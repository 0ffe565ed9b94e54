"""Charts as inline SVG, for pages that fetch nothing. Text that comes from outside is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

from polyb0t.research.evaluation.scores import Bin

_PAD: Final = 34
_SQUARE: Final = 320
_WIDE, _HIGH = 720, 220
_LEFT: Final = 64


class Point(NamedTuple):
    """A place on a chart, with an interval where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """A range and how its ends are told."""

    low: float
    high: float
    low_words: str
    high_words: str

    def part(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        return (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5


def reliability_plot(model: Sequence[Bin], price: Sequence[Bin]) -> str:
    """What was said against how often it happened; the diagonal is where both agree."""
    far = _PAD + _SQUARE
    parts = [
        f'<path class="axis" d="M{_PAD} {_PAD}V{far}H{far}M{_PAD} {far}L{far} {_PAD}"/>',
        *(
            f'<text x="{_square_x(tick / 4) - 8:.1f}" y="{far + 16}">{tick * 25}%</text>'
            f'<text x="2" y="{_square_y(tick / 4) + 4:.1f}">{tick * 25}%</text>'
            for tick in range(5)
        ),
        *(_whisker(each) for each in model),
        *(_circle(each, "price", 4) for each in price),
    ]
    size = _SQUARE + 2 * _PAD
    return _svg(size, size, "Reliability of the model and of the price", parts)


def _whisker(each: Bin) -> str:
    x = _square_x(each.said)
    stem = f'<path class="model" d="M{x:.1f} {_square_y(each.low):.1f}V{_square_y(each.high):.1f}"/>'
    return stem + _circle(each, "model", 3)


def _circle(each: Bin, kind: str, radius: int) -> str:
    x, y = _square_x(each.said), _square_y(each.happened)
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _square_x(share: float) -> float:
    return _PAD + share * _SQUARE


def _square_y(share: float) -> float:
    return _PAD + (1 - share) * _SQUARE


def curve_chart(name: str, points: Sequence[Point], x: Axis, y: Axis, *, under: bool = False) -> str:
    """A line through `points`; `under` fills from the top down to it, as drawdowns are drawn."""
    path = " ".join(f"{_x(x, point.x):.1f},{_y(y, point.y):.1f}" for point in points)
    parts = [*_frame(x, y)]
    if under and points:
        top, first, last = _y(y, y.high), _x(x, points[0].x), _x(x, points[-1].x)
        parts.append(f'<polygon class="under" points="{first:.1f},{top:.1f} {path} {last:.1f},{top:.1f}"/>')
    parts.append(f'<polyline class="model line" points="{path}"/>')
    return _svg(_WIDE, _HIGH, name, parts)


def interval_chart(
    name: str,
    points: Sequence[Point],
    x: Axis,
    y: Axis,
    labels: Sequence[str] = (),
    *,
    diagonal: bool = False,
) -> str:
    """Points with their intervals; `labels` stand under them, `diagonal` is where y equals x."""
    parts = [*_frame(x, y)]
    if diagonal:
        low, high = max(x.low, y.low), min(x.high, y.high)
        if low < high:
            start, end = (f"{_x(x, value):.1f} {_y(y, value):.1f}" for value in (low, high))
            parts.append(f'<path class="axis" d="M{start}L{end}"/>')
    for point in points:
        at, mid = _x(x, point.x), _y(y, point.y)
        if point.low is not None and point.high is not None:
            ends = f"M{at:.1f} {_y(y, point.low):.1f}V{_y(y, point.high):.1f}"
            parts.append(f'<path class="model" d="{ends}"/>')
        parts.append(f'<circle class="model" cx="{at:.1f}" cy="{mid:.1f}" r="3"/>')
    for point, label in zip(points, labels, strict=False):
        parts.append(f'<text x="{_x(x, point.x) - 12:.1f}" y="{_HIGH - 4}">{escape(label)}</text>')
    return _svg(_WIDE, _HIGH, name, parts)


def span_of(points: Sequence[Point]) -> tuple[float, float]:
    """The lowest and highest y with its interval, zero among them, a little apart."""
    values = [0.0]
    for point in points:
        values += [value for value in (point.y, point.low, point.high) if value is not None]
    room = (max(values) - min(values)) * 0.05 or 0.01
    return min(values) - room, max(values) + room


def _frame(x: Axis, y: Axis) -> list[str]:
    top, bottom, left, right = _PAD / 2, _HIGH - _PAD, _LEFT, _WIDE - _PAD
    found = [
        f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>',
        f'<text x="2" y="{bottom + 4}">{escape(y.low_words)}</text>',
        f'<text x="2" y="{top + 8}">{escape(y.high_words)}</text>',
        f'<text x="{left}" y="{_HIGH - 18}">{escape(x.low_words)}</text>',
        f'<text x="{right}" y="{_HIGH - 18}" text-anchor="end">{escape(x.high_words)}</text>',
    ]
    if y.low < 0 < y.high:
        found.append(
            f'<path class="fine" d="M{left} {_y(y, 0):.1f}H{right}"/><text x="2" y="{_y(y, 0):.1f}">0</text>'
        )
    return found


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.part(value) * (_WIDE - _PAD - _LEFT)


def _y(axis: Axis, value: float) -> float:
    bottom, top = _HIGH - _PAD, _PAD / 2
    return bottom - axis.part(value) * (bottom - top)


def _svg(width: int, height: int, name: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(name)}">{"".join(parts)}</svg>'
    )
