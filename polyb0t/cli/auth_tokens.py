"""What `polyb0t auth token` does and shows."""

from collections.abc import Mapping
from datetime import datetime

from polyb0t.cli import door, words
from polyb0t.cli.terminal import Terminal
from polyb0t.core.clock import iso
from polyb0t.core.errors import UsageError
from polyb0t.execution.access import Role, TokenRecord
from polyb0t.models.wording import coarse, one_line
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import VARIABLE, create_token

MAY = {
    Role.VIEWER: "reads",
    Role.APPROVER: "reads, decides, stops",
    Role.ADMIN: "reads, decides, stops, lets trading go on",
}


def create(terminal: Terminal, opened: OpenedStore, name: str, role: str, days: float) -> None:
    """Make one and show it, once."""
    whose = name.strip().lower()
    made = create_token(opened, name=whose, role=role_named(role), days=days, actor=door.actor())
    record = made.record
    if terminal.json:
        terminal.data({**view(record, record.created_at), "token": made.text})
        return
    said = (
        f"A token for {record.name}, who {MAY[record.role]}, until {record.expires_at:%Y-%m-%d %H:%M} UTC. "
        "It is shown this once and stored nowhere; hand it over so that nobody else reads it."
    )
    how = f"For the API: Authorization: Bearer TOKEN. In a shell: read -rs {VARIABLE} && export {VARIABLE}"
    lines = [
        *words.wrap(said, terminal.columns),
        "",
        f"  {made.text}",
        "",
        *words.wrap(how, terminal.columns),
    ]
    terminal.show(lines)


def show(terminal: Terminal, opened: OpenedStore, *, every: bool) -> None:
    """The list; without `every` only those that open something."""
    now = opened.stores.intents.now()
    records = [each for each in opened.stores.access.tokens() if every or each.state(now) == "active"]
    if terminal.json:
        terminal.data([view(each, now) for each in records])
        return
    if not records:
        ended = len(opened.stores.access.tokens())
        gone = f" {ended} ended: polyb0t auth token list --all" if ended else ""
        terminal.show(
            [f"Nobody has a token.{gone}", "Make one: polyb0t auth token create NAME --role approver"]
        )
        return
    terminal.show(["NAME              ROLE      LEFT     USED        CODE  STATE"])
    terminal.show([_line(each, now) for each in records])
    terminal.show(["", "Take one back: polyb0t auth token revoke NAME"])


def revoke(terminal: Terminal, opened: OpenedStore, name: str, reason: str) -> None:
    """Take one back."""
    gone = opened.stores.access.revoke(name.strip().lower(), actor=door.actor(), reason=reason)
    if terminal.json:
        terminal.data(view(gone, opened.stores.intents.now()))
        return
    said = (
        f"{gone.name}'s token opens nothing any more. What it approved and is not sent yet is not sent; "
        "orders at the exchange stay: polyb0t orders list"
    )
    terminal.show(words.wrap(said, terminal.columns))


def role_named(text: str) -> Role:
    """Raises UsageError: there is no such role."""
    try:
        return Role(text.strip().lower())
    except ValueError:
        raise UsageError(
            f"No token was made: there is no role {one_line(text):.20}.",
            do=f"Use one of {', '.join(Role)}.",
            code="no_such_role",
        ) from None


def view(record: TokenRecord, now: datetime) -> Mapping[str, object]:
    """A token as data; never its text or its digest."""
    return {
        "name": record.name,
        "role": record.role.value,
        "state": record.state(now),
        "created_at": iso(record.created_at),
        "created_by": record.created_by,
        "expires_at": iso(record.expires_at),
        "revoked_at": None if record.revoked_at is None else iso(record.revoked_at),
        "revoked_by": record.revoked_by,
        "used_at": None if record.used_at is None else iso(record.used_at),
        "code_enrolled": record.code_enrolled,
    }


def _line(record: TokenRecord, now: datetime) -> str:
    active = record.state(now) == "active"
    left = coarse((record.expires_at - now).total_seconds()) if active else "-"
    used = "never" if record.used_at is None else f"{coarse((now - record.used_at).total_seconds())} ago"
    code = "yes" if record.code_enrolled else "-"
    return f"{record.name:<17} {record.role:<9} {left:<8} {used:<11} {code:<5} {record.state(now)}"
