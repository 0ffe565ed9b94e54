"""Why a decision came to nothing, in the sentences that users get."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from polyb0t.core.errors import ConflictError
from polyb0t.models.wording import span

_SENT: Final = {
    "APPROVED": "It is being sent once.",
    "EXECUTING": "It is being sent once.",
    "EXECUTED": "It was sent once.",
    "FAILED": "It failed, and nothing more is sent.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an intent stands when somebody's decision about it is refused, as plain words and instants."""

    short: str  # the shortest unique prefix of its id
    status: str
    dry_run: bool
    created_at: datetime
    deadline: datetime
    decided_by: str | None
    decided_at: datetime | None
    ended_at: datetime
    result: str | None
    detail: str
    now: datetime
    setting: str = "POLYBOT_INTENT_EXPIRY_SECONDS"  # which sets the time to decide on such a trade
    usual_seconds: float | None = None  # that people take for a decision, the median of the newest


def person(actor: str | None) -> str:
    """`anna` of `user:anna`; standing approvals and the engine by what they are."""
    if not actor:
        return "somebody"
    kind, _, name = actor.partition(":")
    return name if kind in ("user", "token") and name else actor


def refusal(done: str, standing: Standing, refused: ConflictError) -> ConflictError:
    """The refusal of `done` (`approved`, `rejected`, `expired`) with what happened instead."""
    code, sentences = _sentences(standing, refused)
    what, why, do = sentences
    return ConflictError(f"Not {done}: {what}", why=why, do=do, code=code)


def _sentences(standing: Standing, refused: ConflictError) -> tuple[str, tuple[str, str, str]]:
    if refused.code == "halted" or standing.result == "halted":
        return "halted", _halted(standing, refused)
    if refused.code == "digest_mismatch":
        return refused.code, (
            f"{standing.short} is not the trade that you were shown. Nothing was sent.",
            "The digest that you gave is another one.",
            f"Look again: polyb0t intents show {standing.short}",
        )
    if standing.status == "EXPIRED":
        return "expired", _expired(standing)
    if standing.status in ("REJECTED", *_SENT):
        return "already_decided", _decided(standing)
    return refused.code, (f"{refused.what} Nothing was sent.", refused.why, refused.do)


def _halted(standing: Standing, refused: ConflictError) -> tuple[str, str, str]:
    ended = f" {standing.short} was rejected with it." if standing.status == "REJECTED" else ""
    why = (standing.detail if ended else refused.why).rstrip(".")
    return (
        "openings are stopped. Nothing was sent.",
        f"{why or 'A kill switch is tripped'}.{ended}",
        "Look: polyb0t status",
    )


def _expired(standing: Standing) -> tuple[str, str, str]:
    if standing.result == "superseded":
        return (
            f"{standing.short} was replaced by a newer proposal. Nothing was sent.",
            standing.detail,
            "See it: polyb0t intents list",
        )
    end = min(standing.ended_at, standing.deadline)
    had = round((standing.deadline - standing.created_at).total_seconds())
    return (
        f"{standing.short} expired {span((standing.now - end).total_seconds())} ago. Nothing was sent.",
        "The idea rests a while; after that it comes back by itself if the edge is there.",
        f"More time: {standing.setting} (now {had}).{_usual(standing.usual_seconds)}",
    )


def _usual(seconds: float | None) -> str:
    return "" if seconds is None else f" Your median decision takes {span(seconds)}."


def _decided(standing: Standing) -> tuple[str, str, str]:
    word = "rejected" if standing.status == "REJECTED" else "already approved"
    when = ""
    if standing.decided_at is not None:
        when = f", {span((standing.now - standing.decided_at).total_seconds())} before you"
    then = "Nothing was sent." if standing.status == "REJECTED" else _SENT[standing.status]
    if standing.dry_run:
        then = "Nothing was sent."
    return (f"{person(standing.decided_by)} {word} {standing.short}{when}. {then}", "", "")
