"""What `status --watch` sees at one moment, and its screen."""

from dataclasses import dataclass
from typing import Final

from polyb0t.cli.scene import Scene, look
from polyb0t.cli.status_read import status_screen
from polyb0t.cli.terminal import Paint
from polyb0t.models.wording import clock_time
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.overview import Overview, overview

_KEYS: Final = "q quit"


@dataclass(frozen=True, slots=True)
class Seen:
    """The state at one moment."""

    state: Overview
    scene: Scene


def see(opened: OpenedStore) -> Seen:
    """Raises DatabaseError: it could not be read."""
    return Seen(overview(opened), look(opened))


def screen(seen: Seen, paint: Paint, columns: int, rows: int, trouble: str = "") -> list[str]:
    """The status, why it is an old one if it is, and the one key; at most `rows` lines."""
    lines = status_screen(seen.state, seen.scene, paint, columns)
    if trouble:
        old = f"Not read since {clock_time(seen.scene.now)}. {trouble}"
        lines = [lines[0], paint.yellow(old[:columns]), *lines[1:]]
    shown = lines[: max(1, rows - 2)]
    return [*shown, "-" * columns, paint.dim(_KEYS)]
