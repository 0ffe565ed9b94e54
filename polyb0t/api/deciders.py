"""Who decides over HTTP, and what each may decide there."""

from polyb0t.api.security_gate import asking
from polyb0t.core.errors import NotAuthorisedError, UsageError
from polyb0t.execution.access import Role
from polyb0t.execution.scope import Regime, Scope


def actor() -> str:
    """Who makes this request, as the journal stores it: a token's name, or whoever runs this API."""
    return asking().actor


def require(role: Role, what: str) -> None:
    """Raises NotAuthorisedError: `role_too_low`. `what` was not done."""
    found = asking()
    if not found.role.covers(role):
        raise NotAuthorisedError(
            what,
            why=f"This token's role is {found.role}, and it needs {role}.",
            do="Ask who has one, or do it in a terminal.",
            code="role_too_low",
        )


def may_decide_on(
    scope: Scope, regime: Regime, command: str, *, undone: str = "Not decided, and nothing was sent"
) -> None:
    """A decision needs a role that decides, and with real money a token whatever the door let in. What
    only takes something back does not ask here.

    Raises:
        NotAuthorisedError: `undone` says what did not happen, `command` what to type instead.
    """
    require(Role.APPROVER, f"{undone}.")
    if regime is Regime.LIVE and not scope.is_sandbox and asking().record is None:
        raise NotAuthorisedError(
            f"{undone}: decisions about real money over HTTP need a token.",
            why="This request brought none.",
            do=f"Send one as Authorization: Bearer ..., or decide in a terminal: polyb0t {command}",
            code="tokens_required",
        )


def require_digest(scope: Scope, regime: Regime, digest: str | None, intent_id: str) -> None:
    """With real money what is approved has to be named by its content.

    Raises:
        UsageError: `digest_required`.
    """
    if regime is Regime.LIVE and not scope.is_sandbox and not digest:
        raise UsageError(
            "Not approved: a real order needs the digest of what was seen. Nothing was sent.",
            why="It ties the approval to the content that was shown.",
            do=f"Read GET /intents/{intent_id} and send its digest.",
            code="digest_required",
        )
