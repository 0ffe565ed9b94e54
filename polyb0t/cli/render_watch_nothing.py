"""Why nothing waits: the engine, the switches, what rests, what was nearest."""

from collections.abc import Mapping

from polyb0t.cli import words
from polyb0t.cli.render_intents import nothing_waits
from polyb0t.cli.scene import Scene
from polyb0t.cli.terminal import Paint
from polyb0t.core.units import plain
from polyb0t.runtime.resting import Resting
from polyb0t.runtime.watch_look import Nothing, WatchLook


def nothing_here(look: WatchLook, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """In sentences, with the commands that tell more."""
    nothing = look.nothing
    rest = None
    if nothing is not None and nothing.resting and nothing.resting_until is not None:
        rest = Resting(nothing.resting, nothing.resting_until)
    lines = nothing_waits(scene, None if nothing is None else _universe(nothing), paint, rest)
    return [part for line in lines for part in words.fold(line, columns)]


def _universe(nothing: Nothing) -> Mapping[str, object] | None:
    if nothing.watched is None:
        return None
    miss = nothing.miss
    misses = []
    if miss is not None:
        edge, needed = (None if each is None else plain(each) for each in (miss.edge, miss.needed))
        misses = [{"question": miss.question, "edge": edge, "needed": needed}]
    return {"watched": nothing.watched, "tradable": nothing.tradable or 0, "misses": misses}
