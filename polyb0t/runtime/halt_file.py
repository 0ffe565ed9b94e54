"""The HALT file: a halt that works when the database is stuck or full. Checked before each send."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HaltFile:
    """Lies in the scope's folder; `halt` writes it, `resume` removes it."""

    path: Path

    def present(self) -> bool:
        return self.path.exists()

    def write(self, text: str) -> None:
        self.path.write_text(text + "\n", encoding="utf-8")

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
