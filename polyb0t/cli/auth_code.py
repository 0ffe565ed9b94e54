"""`polyb0t auth code`: show a new seed once, and keep it when its first code was right."""

import io
from collections.abc import Sequence
from typing import Final

import segno

from polyb0t.cli import door, words
from polyb0t.cli.as_whom import typed_token
from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import UsageError
from polyb0t.runtime.codes import Seed, enrol, new_seed
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import token_of_environment

GROUP: Final = 4


def set_up(terminal: Terminal, opened: OpenedStore) -> None:
    """Ask for the token if the environment has none, show the QR code, ask for the first code.

    Raises:
        UsageError: `no_terminal`. NotAuthorisedError: the token or the code is wrong; nothing was kept.
        ConflictError: `code_exists`.
    """
    if not terminal.somebody_sits_here:
        raise UsageError(
            "No one-time code was set up: this is not a terminal.",
            why="A QR code is shown and a code of it asked for.",
            do="Type it in a terminal: polyb0t auth code",
            code="no_terminal",
        )
    identity = token_of_environment(opened) or typed_token(opened)
    if identity is None or identity.record is None:
        raise UsageError(
            "No one-time code was set up: no token was given.",
            why="The codes belong to one.",
            do="Type it when asked, or set POLYBOT_TOKEN.",
            code="token_needed",
        )
    seed = new_seed(opened, identity)
    terminal.show(_shown(seed, f"{seed.name} {opened.scope.wallet[-4:]}", terminal))
    enrol(opened, identity, seed, terminal.ask_text("The six digits that it shows now:"), actor=door.actor())
    said = f"Set up. Trades above POLYBOT_TOTP_PUSD ask for a code of {seed.name}'s from now on."
    terminal.show(["", *words.wrap(said, terminal.columns)])


def _shown(seed: Seed, account: str, terminal: Terminal) -> Sequence[str]:
    digits = " ".join(seed.text[at : at + GROUP] for at in range(0, len(seed.text), GROUP))
    told = (
        "Scan this with an authenticator app, or type the key. It is shown this once: clear the screen after."
    )
    return [*words.wrap(told, terminal.columns), "", *_drawn(seed, account, terminal), f"  Key: {digits}", ""]


def _drawn(seed: Seed, account: str, terminal: Terminal) -> Sequence[str]:
    """The QR code in half blocks; nothing where the terminal has no such letters or is too narrow."""
    drawing = io.StringIO()
    segno.make(seed.address(account), error="l").terminal(out=drawing, compact=True, border=2)
    lines = drawing.getvalue().splitlines()
    if not terminal.unicode or any(words.width(line) > terminal.columns for line in lines):
        return []
    return [*lines, ""]
