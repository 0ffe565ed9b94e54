"""What every report is asked with, and where it goes: to a file, out as data, or onto the screen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import UsageError
from polyb0t.core.files import write_durably

SideT = TypeVar("SideT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Asked(Generic[SideT]):
    """What was typed. `by` is a side that this report has a table of; `form` is text, csv or html; `out` a
    file in place of the screen."""

    since: str | None = None
    until: str | None = None
    by: SideT | None = None
    form: str = "text"
    out: Path | None = None


def deliver(
    terminal: Terminal,
    asked: Asked[SideT],
    *,
    file: Callable[[], str],
    data: Callable[[], object],
    screen: Callable[[], Iterable[str]],
) -> None:
    """Make the one form that was asked for, and put it there.

    Raises:
        UsageError: `file_not_written`.
    """
    if asked.out is not None:
        write(asked.out, file())
        terminal.show([f"Written: {asked.out}"])
    elif terminal.json:
        terminal.data(data())
    elif asked.form != "text":
        terminal.out.write(file())
    else:
        terminal.show(screen())


def write(path: Path, text: str) -> None:
    """Raises UsageError (`file_not_written`)."""
    try:
        write_durably(path.absolute(), text)
    except OSError as error:
        raise UsageError(
            f"No report was written: {path} cannot be written.",
            why=error.strerror or "",
            do="Name a file in a folder that is yours.",
            code="file_not_written",
        ) from error
