"""Of the audit: behind every large trade stand as many people as its content asks for."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection, select

from polyb0t.core.errors import DatabaseError
from polyb0t.db.rows import parse_intent
from polyb0t.db.tables import approvals, trade_intents
from polyb0t.execution.access import Approval, required_of, why_incomplete
from polyb0t.execution.intents import IntentStatus
from polyb0t.execution.scope import Scope
from polyb0t.execution.standing import ACTOR

_GONE_ON: Final = (
    IntentStatus.APPROVED,
    IntentStatus.EXECUTING,
    IntentStatus.EXECUTED,
    IntentStatus.FAILED,
)


def approval_findings(
    connection: Connection, scope: Scope, digests: Mapping[str, str], adopted: Collection[str]
) -> list[str]:
    """What is wrong with the approvals. `digests` are those that the journal knows, by subject; `adopted`
    were sent before a backup was put back that knows nothing of their approvals."""
    found: list[str] = []
    given: dict[str, list[Approval]] = defaultdict(list)
    words = select(approvals).where(approvals.c.scope == str(scope))
    for word in connection.execute(words).mappings():
        given[word["subject"]].append(Approval(word["actor"], word["at"], word["code_step"] is not None))
        if digests.get(word["subject"]) != word["digest"]:
            found.append(f"Approval of {word['subject']} by {word['actor']}: of another content.")
    table = trade_intents.c
    query = select(table.id, table.canonical, table.digest).where(
        table.scope == str(scope), table.status.in_(_GONE_ON), table.decided_by.not_like(f"{ACTOR}%")
    )
    for row in connection.execute(query):
        try:
            needed = required_of(parse_intent(row.canonical, row.digest))
        except DatabaseError:
            continue  # told where its text is compared
        missing = why_incomplete(needed, given[row.id])
        if missing is not None and row.id not in adopted:
            found.append(f"Intent {row.id}: it went on with {missing.detail}")
    return found
