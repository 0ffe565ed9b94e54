"""What `auth check`, `auth derive` and `auth rotate` do and say."""

from typing import TYPE_CHECKING

from polyb0t.cli import door, words
from polyb0t.cli.doctor_read import FAILED, row
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import NotFoundError
from polyb0t.models import wording
from polyb0t.runtime import auth
from polyb0t.runtime.auth_check import check as look
from polyb0t.runtime.opened import OpenedStore, open_store

if TYPE_CHECKING:
    from polyb0t.config.settings import Settings

_KINDS = {0: "plain wallet", 1: "proxy wallet", 2: "Safe", 3: "deposit wallet"}


def check(terminal: Terminal, settings: "Settings") -> int:
    """Look and say; the exit code."""
    found = look(settings)
    if terminal.json:
        rows = [
            {"name": c.name, "state": c.state.value, "detail": c.detail, "do": c.do} for c in found.checks
        ]
        terminal.data(
            {
                "venue": found.place.lower(),
                "wallet": found.wallet,
                "signature_type": found.signature_type,
                "checks": rows,
            }
        )
    else:
        kind = _KINDS[found.signature_type]
        head = f"{found.place}, {kind} {wording.short_hex(found.wallet)}. Reads only; no key is opened."
        lines = [line for one in found.checks for line in row(one, terminal.paint, terminal.columns)]
        terminal.show([*words.wrap(head, terminal.columns), *lines])
    return FAILED if found.failed else 0


def derive(terminal: Terminal, settings: "Settings") -> None:
    """Get them and say which. Raises as `auth.derive`."""
    got = auth.derive(settings)
    if terminal.json:
        terminal.data(
            {"address": got.address, "credential": got.credential_id, "path": got.path, "new": got.new}
        )
        return
    was = "Stored" if got.new else "They were stored already"
    terminal.show(
        [
            f"API credentials {got.credential_id} of {got.address}: the exchange takes them.",
            f"{was}: {got.path}, readable by you only. Cancels use this file and never the key.",
        ]
    )


def rotate(terminal: Terminal, settings: "Settings") -> None:
    """Replace them and say what came of it. Raises as `auth.rotate`."""
    done = auth.rotate(
        settings,
        _opened(settings),
        actor=door.actor(),
        waiting=lambda: terminal.say("Asked the engine that runs; it makes and checks them."),
    )
    if terminal.json:
        terminal.data(
            {"old": done.old_id, "new": done.new_id, "revoked": done.revoked, "by_engine": done.by_engine}
        )
        return
    used = "The engine uses them now, without a restart." if done.by_engine else "The next start uses them."
    old = (
        f"The old ones ({done.old_id}) are revoked."
        if done.revoked
        else f"The old ones ({done.old_id}) could not be revoked yet; the engine's next start tries it again."
    )
    terminal.show([f"Replaced: API credentials {done.new_id}, checked by a read. {used}", old])


def _opened(settings: "Settings") -> OpenedStore | None:
    """The database, if an engine ever ran on it; else this command does all by itself."""
    try:
        return open_store(settings)
    except NotFoundError:
        return None
