"""A card as one page of HTML with its reliability plot; no script, nothing fetched."""

from collections.abc import Sequence
from html import escape
from typing import Final

from polyb0t.research.cards import words
from polyb0t.research.cards.card import Card
from polyb0t.research.evaluation.scores import Bin

_SIDE: Final = 320
_PAD: Final = 34
_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; }
h1 { font-size: 1.25rem; } h2 { font-size: 1rem; margin: 2rem 0 .4rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; }
dt { font-weight: 600; } dd { margin: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #ddd; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.axis { stroke: currentColor; opacity: .35; } .model { stroke: #0a6b2d; fill: #0a6b2d; }
.price { stroke: #b06a00; fill: none; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #161616; }
  th, td { border-color: #333; } .model { stroke: #5ec27c; fill: #5ec27c; } .price { stroke: #e0a850; } }
"""


def card_page(card: Card) -> str:
    """The page. Everything that came from outside is escaped."""
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in words.facts(card))
    head = "".join(f"<th>{escape(name)}</th>" for name in words.TABLE)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in words.rows(card)
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Model card {escape(card.id)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Model card {escape(card.id)}</h1><dl>{facts}</dl>"
        f"<p>{escape(words.verdict(card.overall))}</p>"
        f"<h2>Where it may speak</h2><ul>{_list(words.reasons(card))}</ul>"
        f"<h2>Said and happened</h2>{_plot(card.model_bins, card.price_bins)}"
        "<p>Filled: the model, with 95 % intervals. Open: the market price. On the diagonal, what was said "
        "is what happened.</p>"
        f"<h2>By category and time to the end</h2><table><tr>{head}</tr>{body}</table>"
        f"<h2>What was wrong with the data</h2><ul>{_list(card.problems) or '<li>Nothing.</li>'}</ul>"
        "</body></html>\n"
    )


def _list(lines: Sequence[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _plot(model: Sequence[Bin], price: Sequence[Bin]) -> str:
    far = _PAD + _SIDE
    parts = [
        f'<path class="axis" fill="none" d="M{_PAD} {_PAD}V{far}H{far}M{_PAD} {far}L{far} {_PAD}"/>',
        *(
            f'<text x="{_x(tick / 4) - 8:.1f}" y="{far + 16}">{tick * 25}%</text>'
            f'<text x="2" y="{_y(tick / 4) + 4:.1f}">{tick * 25}%</text>'
            for tick in range(5)
        ),
        *(_whisker(each) for each in model),
        *(_circle(each, "price", 4) for each in price),
    ]
    size = _SIDE + 2 * _PAD
    return (
        f'<svg viewBox="0 0 {size} {size}" width="{size}" height="{size}" role="img" '
        f'aria-label="Reliability of the model and of the price">{"".join(parts)}</svg>'
    )


def _whisker(each: Bin) -> str:
    x = _x(each.said)
    return f'<path class="model" d="M{x:.1f} {_y(each.low):.1f}V{_y(each.high):.1f}"/>' + _circle(
        each, "model", 3
    )


def _circle(each: Bin, kind: str, radius: int) -> str:
    return f'<circle class="{kind}" cx="{_x(each.said):.1f}" cy="{_y(each.happened):.1f}" r="{radius}"/>'


def _x(share: float) -> float:
    return _PAD + share * _SIDE


def _y(share: float) -> float:
    return _PAD + (1 - share) * _SIDE
