"""The funnel from all markets to a proposal, as the engine last wrote it down."""

from collections.abc import Mapping, Sequence
from typing import Final

from polyb0t.cli import words
from polyb0t.cli.render_intents import miss_words
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.terminal import Terminal
from polyb0t.core.clock import from_iso
from polyb0t.core.errors import NotFoundError
from polyb0t.core.units import parse_decimal
from polyb0t.data.universe_words import left_out
from polyb0t.models import wording
from polyb0t.runtime.coherence_watch import latest_gaps
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import latest_universe

_SUMS: Final = 5


def show(terminal: Terminal, opened: OpenedStore, *, why: bool) -> None:
    """Print the funnel.

    Raises:
        NotFoundError: no engine has looked at the markets yet.
    """
    universe, scene = latest_universe(opened.stores.engine), look(opened)
    if universe is None:
        raise _not_looked(scene)
    if terminal.json:
        terminal.data({**universe, "coherence": latest_gaps(opened.stores.engine)})
        return
    seen = (scene.now - from_iso(str(universe["at"]))).total_seconds()
    counts = [
        f"{universe.get('watched', 0)} markets watched",
        f"{universe.get('tradable', 0)} tradable",
        f"{universe.get('proposed', 0)} worth proposing",
    ]
    lines = [
        *context_line(scene, terminal.paint, terminal.columns).split("\n"),
        "",
        *([f"The engine runs, but: {scene.problem}"] if scene.problem else []),
        *([scene.too_small] if scene.running and scene.too_small else []),
        f"{', '.join(counts)}; {wording.coarse(seen)} ago.",
        *(_why(universe) if why else ["Reasons with counts: polyb0t universe --why"]),
        *(_contradictions(latest_gaps(opened.stores.engine)) if why else []),
    ]
    terminal.show(part for line in lines for part in words.fold(line, terminal.columns))


def _not_looked(scene: Scene) -> NotFoundError:
    """Whether an engine runs and cannot read the markets, has just begun, or is missing."""
    if not scene.running:
        return NotFoundError(
            "Nothing shown: no engine has looked at the markets yet.",
            why=scene.no_engine("").strip(),
            do=f"Start one: {scene.start}",
            code="no_universe",
        )
    return NotFoundError(
        "Nothing shown: the engine runs and has not been able to look at the markets yet.",
        why=scene.problem or "It has just begun.",
        do="Look again in a moment, or see what it says of itself: polyb0t status",
        code="no_universe",
    )


def _why(universe: Mapping[str, object]) -> list[str]:
    lines: list[str] = []
    out = [row for row in _rows(universe, "reasons") if row.get("count")]
    if out:
        lines += ["", "Left out, because they"]
        lines += [
            f"  {row['count']:>5}  {left_out(wording.one_line(str(row.get('code', ''))))}" for row in out
        ]
    passed = _not_proposed(universe)
    if passed:
        lines += ["", "Tradable, but not proposed:", *(f"  {count:>5}  {words}" for count, words in passed)]
    waiting = _rows(universe, "no_slot")
    if waiting:
        lines += ["", "Good enough, but without a place on the list:"]
        for row in waiting:
            question, place = (wording.one_line(str(row.get(key, ""))) for key in ("question", "place"))
            lines += [f"  {question}: {place}"]
    unknown = universe.get("links_unknown")
    if isinstance(unknown, list) and unknown:
        count = universe.get("links_unknown_count", len(unknown))
        lines += ["", f"Declared links that name what the catalogue does not list: {count}"]
        lines += [f"  {wording.one_line(str(name))}" for name in unknown]
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


def _contradictions(found: Mapping[str, object] | None) -> list[str]:
    """Executable prices of related markets that do not fit together."""
    gaps = _rows(found or {}, "gaps")
    sums = _sums(_rows(found or {}, "sums"))
    if not gaps:
        return sums
    lines = ["", "Prices that contradict each other. Read both rules before you believe it:"]
    for gap in gaps:
        net = wording.signed_cents(parse_decimal(str(gap.get("net", "0"))))
        lines += [f"  {wording.one_line(str(gap.get('sentence', '')))} After fees: {net} a share."]
    others = _count((found or {}).get("gaps_count")) - len(gaps)
    return [*lines, *([f"  and {others} more"] if others > 0 else []), *sums]


def _sums(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """What mids of excluding markets added up to, the farthest from one dollar first."""
    if not rows:
        return []
    lines = ["", "Sums of mids, where at most one market can pay (nobody trades at mids):"]
    for row in rows[:_SUMS]:
        mids, kept = (parse_decimal(str(row.get(name, "0"))) for name in ("mids", "kept"))
        other = f", {wording.cents(kept)} of it without a name" if kept else ""
        title = wording.one_line(str(row.get("event", "")))
        lines.append(f"  {wording.cents(mids):>7}  {row.get('markets')} markets of {title}{other}")
    return lines


def _not_proposed(universe: Mapping[str, object]) -> list[tuple[int, str]]:
    """How many for which reason. They add up to what is tradable and not worth proposing."""
    named = [(_count(row.get("count")), _sentence(row)) for row in _rows(universe, "passed")]
    others = _count(universe.get("passed_count")) - sum(count for count, _ in named)
    found = [
        (_count(universe.get("missed")), "The model sees too little edge at the present offers."),
        *named,
        (others, "Other reasons."),
    ]
    return [(count, words) for count, words in found if count > 0]


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _sentence(row: Mapping[str, object]) -> str:
    return wording.one_line(str(row.get("sentence") or row.get("code") or ""))


def _rows(universe: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    rows = universe.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
