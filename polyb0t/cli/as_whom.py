"""As whom this shell approves, and how far the approvals of a large trade are, in words."""

import getpass
from collections.abc import Sequence
from datetime import datetime

from polyb0t.cli import door, words
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import ConflictError
from polyb0t.execution.access import Approval, Required, words_of
from polyb0t.execution.intents import IntentRecord
from polyb0t.models import wording
from polyb0t.runtime.approving import Approver, Progress, approver_here, progress_of
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import Identity, identify, token_of_environment


def as_whom(
    terminal: Terminal,
    opened: OpenedStore,
    needed: Required,
    code: str | None,
    *,
    ask: bool,
    given: Sequence[Approval] = (),
) -> Approver:
    """The user of this computer, or above the thresholds whose token it is. `ask`: what is missing may be
    asked for; `given`: who has approved it already, and is not asked for a code.

    Raises:
        NotAuthorisedError: a token or a code is missing or wrong; nothing was approved.
        ConflictError: `already_approved_by_you`.
    """
    if not needed.more_than_one_word:
        return Approver(door.actor())
    may_ask = ask and terminal.somebody_sits_here and not terminal.json
    identity = token_of_environment(opened)
    if identity is None and may_ask:
        identity = typed_token(opened)
    if identity is not None and any(each.actor == identity.actor for each in given):
        raise ConflictError(
            "Not approved: you have approved it already. Nothing was sent.",
            why="It needs somebody else as well.",
            do="Ask another approver.",
            code="already_approved_by_you",
        )
    if needed.code and not code and may_ask:
        code = terminal.ask_text("One-time code, six digits:")
    return approver_here(opened, needed, actor=door.actor(), code=code, identity=identity)


def typed_token(opened: OpenedStore) -> Identity | None:
    """Asked for without showing it; None when nothing was typed.

    Raises:
        NotAuthorisedError: it is not in force.
    """
    text = getpass.getpass("Your token (it is not shown): ").strip()
    return identify(opened, text, opened.stores.intents.now()) if text else None


def progress_lines(opened: OpenedStore, record: IntentRecord, now: datetime, columns: int) -> list[str]:
    """What a large trade that waits still needs; nothing for any other."""
    found = progress_of(opened, record)
    if found is None:
        return []
    return words.wrap(progress_words(found, (record.intent.deadline - now).total_seconds()), columns)


def one_of(names: Sequence[str]) -> str:
    """`anna, bob or carla`."""
    *rest, last = names
    return f"{', '.join(rest)} or {last}" if rest else last


def progress_words(progress: Progress, seconds: float) -> str:
    """`1 of 2 approvals. bob or carla must approve within 4 min 10 s.`"""
    needed, have = progress.needed, len(progress.given)
    if needed.approvals == 1:
        begun = f"It needs {words_of(needed)}."
    else:
        with_code = ", each with a code" if needed.code else ""
        by = f" ({' and '.join(progress.names)})" if have else ""
        begun = f"{have} of {needed.approvals} approvals{by}{with_code}."
    if not progress.who and progress.without_code:
        who = " and ".join(progress.without_code)
        return f"{begun} First {who} set up one-time codes: polyb0t auth code"
    if not progress.who:
        return f"{begun} Nobody else has a token that may: polyb0t auth token create NAME --role approver"
    who = one_of(progress.who)
    return f"{begun} {who} must approve within {wording.left(seconds)}."
