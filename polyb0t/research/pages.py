"""One page of HTML to keep or to print: it needs nothing else, runs nothing, and fetches nothing."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from polyb0t.models import wording
from polyb0t.research.report_words import Heading, Sheet

POLICY: Final = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; }
h1 { font-size: 1.25rem; margin: 0; } h2 { font-size: 1rem; margin: 2rem 0 .4rem; }
p { margin: .2rem 0; color: #555; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; }
dt { font-weight: 600; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #ddd; }
th.text, td.text { text-align: left; } tfoot td { font-weight: 600; border-bottom: none; }
.gain { color: #0a6b2d; } .loss { color: #a8201a; }
svg { max-width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.axis { stroke: currentColor; opacity: .35; fill: none; } .fine { stroke: currentColor; opacity: .12; }
.model { stroke: #0a6b2d; fill: #0a6b2d; } .price { stroke: #b06a00; fill: none; }
.line { fill: none; stroke-width: 1.5; } .under { fill: #a8201a; opacity: .18; stroke: none; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #161616; } p { color: #aaa; } th, td { border-color: #333; }
  .gain { color: #5ec27c; } .loss { color: #f08a80; }
  .model { stroke: #5ec27c; fill: #5ec27c; } .line { fill: none; } .price { stroke: #e0a850; } }
@media print { body { margin: 0; max-width: none; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """A page of `parts`, which are HTML already; the title is text."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            POLICY,
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            "</body>\n</html>\n",
        ]
    )


def facts(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Names and values, as text."""
    yield "<dl>"
    for name, text in pairs:
        yield f"<dt>{escape(name)}</dt><dd>{escape(wording.one_line(text))}</dd>"
    yield "</dl>"


def bullets(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def section(name: str, found: Sheet, empty: str = "Nothing in this time.") -> Iterator[str]:
    """A heading and a table."""
    yield f"<h2>{escape(name)}</h2>"
    if not found.rows:
        yield paragraph(empty)
        return
    yield "<table>\n<thead><tr>" + "".join(_head(each) for each in found.headings) + "</tr></thead>\n<tbody>"
    for row in found.rows:
        yield _line(found, row)
    yield "</tbody>"
    if found.total is not None:
        yield "<tfoot>" + _line(found, found.total) + "</tfoot>"
    yield "</table>"


def _head(heading: Heading) -> str:
    return f'<th scope="col"{_class(heading, "")}>{escape(heading.name)}</th>'


def _line(found: Sheet, cells: Sequence[str]) -> str:
    pairs = zip(found.headings, cells, strict=True)
    return "<tr>" + "".join(f"<td{_class(one, cell)}>{escape(cell)}</td>" for one, cell in pairs) + "</tr>"


def _class(heading: Heading, cell: str) -> str:
    if heading.text:
        return ' class="text"'
    if heading.signed and cell[:1] in ("+", "-") and len(cell) > 1:
        return ' class="gain"' if cell[0] == "+" else ' class="loss"'
    return ""
