"""What every driver shares: the scene it is given, and one outcome a case.

A driver is a process of its own that makes a vendor's client do each thing of the table and prints
what came of it. It knows nothing of the sandbox but its addresses.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KINDS = ("v1", "neg-risk", "v2")
OK = "ok"
NOT_APPLICABLE = "n.a."


class Refused(Exception):
    """The exchange or the client said no, in these words."""


@dataclass(frozen=True, slots=True)
class Place:
    """A market of one kind: an outcome, a price far below its book and one that takes from it."""

    token: str
    condition: str
    low: str
    worst: str


@dataclass
class Judge:
    """The scene, and outcomes by case in the order in which they came."""

    scene: dict[str, Any]
    outcomes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_arguments(cls) -> "Judge":
        return cls(json.loads(Path(sys.argv[1]).read_text()))

    @property
    def account(self) -> dict[str, Any]:
        found: dict[str, Any] = self.scene["account"]
        return found

    @property
    def deposit(self) -> dict[str, Any]:
        found: dict[str, Any] = self.scene["deposit"]
        return found

    def url(self, name: str) -> str:
        found: str = self.scene["urls"][name]
        return found

    def place(self, kind: str) -> Place:
        return Place(**self.scene["markets"][kind])

    def note(self, case: str, act: Callable[[], object]) -> Any:
        """Run `act`; what it returns, or None where it was refused."""
        try:
            result = act()
        except Exception as error:  # noqa: BLE001 - whatever a client raises is its outcome
            self.outcomes[case] = f"refused: {words_of(error)}"
            return None
        self.outcomes[case] = OK
        return result

    async def watch(self, case: str, act: Callable[[], Awaitable[object]]) -> Any:
        """`note` for coroutines."""
        try:
            result = await act()
        except Exception as error:  # noqa: BLE001 - as above
            self.outcomes[case] = f"refused: {words_of(error)}"
            return None
        self.outcomes[case] = OK
        return result

    def lacks(self, *cases: str) -> None:
        """The client has no such thing."""
        self.outcomes.update(dict.fromkeys(cases, NOT_APPLICABLE))

    def finish(self) -> None:
        print(json.dumps(self.outcomes))


def words_of(error: BaseException) -> str:
    """The exchange's own text where the client kept it, else its message, or at least its name."""
    answer = getattr(error, "error_msg", None)
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        return str(answer["error"])
    return " ".join(str(error).split()) or type(error).__name__


def expect(condition: object, what: object) -> None:
    """A success that is none is a refusal of its own."""
    if not condition:
        raise Refused(f"unexpected: {what}")
