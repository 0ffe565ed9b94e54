"""Who decides over HTTP, and what nobody may decide there."""

import getpass

from polyb0t.core.errors import NotAuthorisedError
from polyb0t.execution.scope import Regime, Scope


def actor() -> str:
    """Whoever runs this API: it answers this computer only and has no tokens yet."""
    return f"user:{getpass.getuser()}@http"


def may_decide_on(
    scope: Scope, regime: Regime, command: str, *, undone: str = "Not decided, and nothing was sent"
) -> None:
    """With real money a decision over HTTP needs a token, and there are none. Stopping needs none: what
    only takes something back does not ask here.

    Raises:
        NotAuthorisedError: real money. `undone` says what did not happen, `command` what to type.
    """
    if regime is Regime.LIVE and not scope.is_sandbox:
        raise NotAuthorisedError(
            f"{undone}: decisions about real money over HTTP need tokens.",
            why="This version has none.",
            do=f"Decide in a terminal: polyb0t {command}",
            code="tokens_required",
        )
