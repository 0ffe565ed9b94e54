"""Standing approvals in words: what runs by itself, how low, until when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from polyb0t.cli import words
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.standing import StandingApproval
from polyb0t.execution.store import Stores
from polyb0t.models import wording

_NAMES: Final = {
    "take_profit": "take-profit",
    "stop_loss": "stop-loss",
    "time": "time",
    "liquidity": "liquidity",
    "edge_gone": "edge gone",
}


def trigger_words(triggers: Sequence[str]) -> str:
    return ", ".join(_NAMES.get(trigger, trigger) for trigger in triggers)


def until_words(until: datetime) -> str:
    return f"{until:%d %b %H:%M} UTC"


def content_words(standing: StandingApproval) -> str:
    """`exits by take-profit, stop-loss at 50¢ or more, until 22 Dec 12:41 UTC`."""
    least = wording.cents(standing.worst_price)
    return f"{trigger_words(standing.triggers)} at {least} or more, until {until_words(standing.until)}"


def exit_lines(standing: StandingApproval | None, columns: int) -> list[str]:
    """Below the trade's dialog: the exits that the same `y` approves, with their own digest."""
    if standing is None:
        return []
    text = (
        f"And its exits, without asking again: {content_words(standing)}. At most what this trade buys; "
        f"take it back: polyb0t positions unprotect. Exit digest {wording.short_digest(standing.digest)}"
    )
    return [f"  {line}" for line in words.wrap(text, columns - 4)]


def exits_fact(stores: Stores, record: IntentRecord) -> tuple[str, str]:
    """The line `Exits` of `intents show`: what stands, and how to get it."""
    covering = [each for each in stores.standing.active() if each.standing.opening_id == record.id]
    if covering:
        return f"approved: {content_words(covering[0].standing)}", ""
    hint = "approve both: --with-exits" if record.status is IntentStatus.PENDING else ""
    return "none approved: a later exit will wait for you", hint
