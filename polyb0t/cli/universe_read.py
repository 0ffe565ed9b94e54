"""The funnel from all markets to a proposal, as the engine last wrote it down."""

from collections.abc import Mapping

from polyb0t.cli import words
from polyb0t.cli.render_intents import miss_words
from polyb0t.cli.scene import context_line, look
from polyb0t.cli.terminal import Terminal
from polyb0t.core.clock import from_iso
from polyb0t.core.errors import NotFoundError
from polyb0t.models import wording
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import latest_universe


def show(terminal: Terminal, opened: OpenedStore, *, why: bool) -> None:
    """Print the funnel.

    Raises:
        NotFoundError: no engine has looked at the markets yet.
    """
    universe = latest_universe(opened.stores.engine)
    if universe is None:
        raise NotFoundError(
            "Nothing shown: no engine has looked at the markets yet.",
            do="Start one: make run",
            code="no_universe",
        )
    if terminal.json:
        terminal.data(universe)
        return
    scene = look(opened)
    seen = (scene.now - from_iso(str(universe["at"]))).total_seconds()
    counts = [
        f"{universe.get('watched', 0)} markets watched",
        f"{universe.get('tradable', 0)} tradable",
        f"{universe.get('proposed', 0)} worth proposing",
    ]
    lines = [
        *context_line(scene, terminal.paint, terminal.columns).split("\n"),
        "",
        f"{', '.join(counts)}; {wording.coarse(seen)} ago.",
        *(_why(universe) if why else ["Reasons with counts: polyb0t universe --why"]),
    ]
    terminal.show(part for line in lines for part in words.fold(line, terminal.columns))


def _why(universe: Mapping[str, object]) -> list[str]:
    lines: list[str] = []
    for name, title in (("reasons", "Left out, for want of:"), ("passed", "Tradable, but not proposed:")):
        rows = [row for row in _rows(universe, name) if row.get("count")]
        if rows:
            lines += ["", title, *(f"  {row.get('count'):>5}  {_sentence(row)}" for row in rows)]
    misses = _rows(universe, "misses")
    if misses:
        lines += ["", "Nearest misses:", *(f"  {miss_words(miss)}" for miss in misses)]
    skipped = _rows(universe, "skipped")
    if skipped:
        count = universe.get("skipped_count", len(skipped))
        lines += ["", f"Not understood, so left out: {count}"]
        lines += [
            f"  {wording.one_line(str(row.get('name', '')))}: {wording.one_line(str(row.get('reason', '')))}"
            for row in skipped
        ]
    return lines


def _sentence(row: Mapping[str, object]) -> str:
    return wording.one_line(str(row.get("sentence") or row.get("code") or ""))


def _rows(universe: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    rows = universe.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
