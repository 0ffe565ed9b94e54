"""What goes wrong on a socket that stays open: nothing arrives, or some of it, or twice, or too late.

PING is answered whatever happens: a socket that only seems alive is the fault worth practising.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

_STAMP: Final = re.compile(r'("(?:timestamp|created_at|match_time|last_update)":")(\d{10})\d{3}"')


class SocketFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule for what is sent; the first that covers a message acts on it.

    `silence` and `drop` send nothing (the one until lifted, the other as often as `count` says),
    `duplicate` sends twice, `reorder` sends two messages in the opposite order, `late` waits, and
    `seconds` writes timestamps in seconds, as some of the venue's frames have them.
    """

    action: Literal["silence", "drop", "duplicate", "reorder", "late", "seconds"]
    channel: Literal["", "market", "user"] = ""  # empty: both
    event: str = ""  # an event_type; empty: any
    skip: int = 0  # so many messages pass first
    count: int | None = None  # None: until it is lifted
    delay_ms: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense; msgspec reports it as a decoding error."""
        if min(self.skip, self.delay_ms, self.count or 0) < 0 or self.delay_ms > 3_600_000:
            raise ValueError("skip, count and delay_ms are counts; a delay is an hour at most")


@dataclass
class _Armed:
    rule: SocketFault
    left: int | None
    to_skip: int
    struck: int = 0
    held: dict[int, tuple[Callable[[str], None], str]] = field(default_factory=dict)


class SocketFaults:
    """The rules in force."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    @property
    def armed(self) -> bool:
        """Whether there is any rule; without one nobody needs to ask."""
        return bool(self._armed)

    def replace(self, rules: list[SocketFault]) -> None:
        """Put these rules in force and no others; what was held back is sent."""
        for one in self._armed:
            for send, text in one.held.values():
                send(text)
        self._armed = [_Armed(rule, rule.count, rule.skip) for rule in rules]

    def listing(self) -> list[dict[str, Any]]:
        """Every rule with what is left of it and how often it struck."""
        return [
            msgspec.to_builtins(one.rule) | {"count": one.left, "struck": one.struck} for one in self._armed
        ]

    def forget(self, connection: int) -> None:
        """A connection is gone, with what was held back for it."""
        for one in self._armed:
            one.held.pop(connection, None)

    def send(
        self,
        channel: str,
        connection: int,
        text: str,
        put: Callable[[str], None],
        later: Callable[[float, Callable[[str], None], str], object],
    ) -> None:
        """Send `text` with `put`, or do to it what the first rule that covers it says."""
        for one in self._armed:
            if _covers(one, channel, text):
                self._act(one, connection, text, put, later)
                return
        put(text)

    def _act(
        self,
        one: _Armed,
        connection: int,
        text: str,
        put: Callable[[str], None],
        later: Callable[[float, Callable[[str], None], str], object],
    ) -> None:
        one.struck += 1
        one.left = None if one.left is None else one.left - 1
        match one.rule.action:
            case "duplicate":
                put(text)
                put(text)
            case "late":
                later(one.rule.delay_ms / 1_000, put, text)
            case "seconds":
                put(_STAMP.sub(r'\1\2"', text))
            case "reorder":
                held = one.held.pop(connection, None)
                if held is None and one.left != 0:
                    one.held[connection] = (put, text)
                    return
                put(text)
                if held is not None:
                    put(held[1])
            case _:  # silence, drop
                return


def _covers(one: _Armed, channel: str, text: str) -> bool:
    """Whether a rule strikes this message; one that it lets pass first is counted."""
    rule = one.rule
    if one.left == 0 or (rule.channel and rule.channel != channel):
        return False
    if rule.event and f'"event_type":"{rule.event}"' not in text:
        return False
    if one.to_skip > 0:
        one.to_skip -= 1
        return False
    return True
