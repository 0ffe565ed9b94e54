"""The person of a replay by the word that a command gives: stated, or measured from one's own journal."""

from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError, NotFoundError, UsageError
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.research.replay.human import APPROVES_ALL, AT_ONCE, NOBODY, HumanModel, measured
from polyb0t.runtime.opened import open_store

JOURNAL: Final = "journal"
_STATED: Final = {"approves": APPROVES_ALL, "at-once": AT_ONCE, "nobody": NOBODY}


def person(word: str, settings: Settings) -> HumanModel:
    """`approves`, `at-once`, `nobody`, `journal`, or a fraction that is approved (`0.7`; the rest is
    rejected), or two of them (`0.7/0.1`: approved and rejected, the rest is let end).

    Raises:
        UsageError: another word. ConfigurationError: too few decisions in the journal.
        NotFoundError, DatabaseError: `journal`, and nothing has run here. It is only read.
    """
    if word in _STATED:
        return _STATED[word]
    if word == JOURNAL:
        return _from_journal(settings)
    try:
        approves, sign, rejects = word.partition("/")
        share = float(approves)
        return HumanModel(word, share, float(rejects) if sign else 1 - share)
    except ValueError:
        raise UsageError(
            f"Not replayed: {word!r:.40} is no person.",
            do="--human approves, at-once, nobody, journal, or the fraction approved: 0.7, or 0.7/0.1.",
        ) from None


def _from_journal(settings: Settings) -> HumanModel:
    """How people decided about openings here: how often, and after how many seconds."""
    try:
        opened = open_store(settings)
    except NotFoundError as error:
        raise NotFoundError(
            "Not replayed: there is no journal here that tells how people decide.",
            why=f"{_sentence(error.what.removeprefix('Nothing shown: '))} {error.why}",
            do="State it: --human approves, or --human 0.7",
            code=error.code,
        ) from error
    try:
        asked = opened.stores.intents.list(types=(IntentType.OPEN_POSITION,), limit=None)
    finally:
        opened.stores.close()  # type: ignore[attr-defined]
    of_people = [record for record in asked if record.decided_by is None or _by_a_person(record)]
    approved = [_after(record) for record in of_people if _by_a_person(record) and not _rejected(record)]
    rejected = [_after(record) for record in of_people if _by_a_person(record) and _rejected(record)]
    try:
        return measured(len(of_people), approved, rejected)
    except ValueError as error:
        raise ConfigurationError(
            "Not replayed: the journal does not tell how people decide here.",
            why=f"It has {error}.",
            do="State it: --human approves, or --human 0.7",
            code="human_not_measured",
        ) from None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _by_a_person(record: IntentRecord) -> bool:
    return record.decided_at is not None and (record.decided_by or "").startswith(("user:", "token:"))


def _rejected(record: IntentRecord) -> bool:
    return record.status is IntentStatus.REJECTED


def _after(record: IntentRecord) -> float:
    assert record.decided_at is not None
    return (record.decided_at - record.intent.created_at).total_seconds()
