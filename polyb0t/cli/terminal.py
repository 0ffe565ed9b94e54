"""The terminal that a command talks to: how wide, whether it shows colour and `¢`, whether JSON is wanted."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Final

NARROW: Final = 60
MEDIUM: Final = 80
FULL: Final = 100
_CODES: Final = {"red": "31", "yellow": "33", "green": "32", "dim": "2", "bold": "1", "reverse": "7"}
_ASCII: Final = str.maketrans(
    {"¢": "c", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "…": "."}
)


@dataclass(frozen=True, slots=True)
class Paint:
    """Colour, which never carries a meaning alone; switched off it leaves text as it is."""

    on: bool = False

    def _in(self, name: str, text: str) -> str:
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if self.on and text else text

    def red(self, text: str) -> str:
        return self._in("red", text)

    def yellow(self, text: str) -> str:
        return self._in("yellow", text)

    def green(self, text: str) -> str:
        return self._in("green", text)

    def dim(self, text: str) -> str:
        return self._in("dim", text)

    def reverse(self, text: str) -> str:
        return self._in("reverse", text)


PLAIN: Final = Paint(on=False)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command's words go."""

    out: IO[str]
    err: IO[str]
    columns: int = FULL
    paint: Paint = PLAIN
    unicode: bool = True
    json: bool = False

    @property
    def somebody_sits_here(self) -> bool:
        """Whether both ends are a terminal, so that a question can be asked."""
        return sys.stdin.isatty() and self.out.isatty()

    def show(self, lines: Iterable[str]) -> None:
        """Print a screen."""
        for line in lines:
            self.out.write(self.spell(line) + "\n")
        self.out.flush()

    def say(self, *lines: str) -> None:
        """Words beside the data: to standard error, so that standard output stays pure."""
        for line in lines:
            self.err.write(self.spell(line, self.err) + "\n")
        self.err.flush()

    def data(self, value: object) -> None:
        """Print `value` as JSON, and nothing else."""
        self.out.write(json.dumps(value, indent=2, ensure_ascii=not self.unicode) + "\n")
        self.out.flush()

    def problem(self, value: Mapping[str, object]) -> None:
        """One problem object on standard error."""
        self.err.write(json.dumps(value) + "\n")
        self.err.flush()

    def ask(self, question: str) -> bool:
        """Ask on standard error; only `y` is a yes."""
        self.err.write(self.spell(question, self.err) + " ")
        self.err.flush()
        return sys.stdin.readline().strip().lower() == "y"

    def ask_text(self, question: str) -> str:
        """Ask on standard error; the line that was typed."""
        self.err.write(self.spell(question, self.err) + " ")
        self.err.flush()
        return sys.stdin.readline().strip()

    def spell(self, line: str, stream: IO[str] | None = None) -> str:
        """`line` in letters that this terminal has."""
        if self.unicode:
            return line
        encoding = getattr(stream or self.out, "encoding", None) or "ascii"
        return line.translate(_ASCII).encode(encoding, "replace").decode(encoding)


def this_terminal(*, as_json: bool = False, no_color: bool = False) -> Terminal:
    """The terminal of this process, as the environment and its own size describe it."""
    out, err = sys.stdout, sys.stderr
    dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("NO_COLOR")) or no_color
    encoding = (getattr(out, "encoding", None) or "ascii").lower().replace("-", "")
    return Terminal(
        out=out,
        err=err,
        columns=max(40, min(FULL, shutil.get_terminal_size((FULL, 30)).columns)),
        paint=Paint(on=out.isatty() and not dumb and not as_json),
        unicode=encoding.startswith("utf"),
        json=as_json,
    )
