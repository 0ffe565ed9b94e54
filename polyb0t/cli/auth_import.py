"""What `auth import` asks, does and says."""

import getpass
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from polyb0t.cli.terminal import Terminal
from polyb0t.core.errors import ConfigurationError, NotAuthorisedError, UsageError
from polyb0t.runtime.auth import Kept, keep_key, keep_relayer_key, new_key, surroundings
from polyb0t.runtime.passwords import Passwords, read_descriptor

if TYPE_CHECKING:
    from polyb0t.config.settings import Settings

_PROCESS: Final = {
    "engine": "polyb0t run --live --no-dry-run",
    "claims": "polyb0t claims run",
    "relayer": "polyb0t claims run",
}
_AUTHORISE: Final = (
    "It may trade when the wallet's owner has authorised it, for at most 180 days: docs/operations.md,",
    "Keys, says how. Then: polyb0t auth check",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """How `auth import` was called."""

    purpose: str
    new: bool
    file: Path | None
    key_fd: int | None
    password_fd: int | None
    address: str | None
    replace: bool


def run(terminal: Terminal, settings: "Settings", asked: Asked) -> None:
    """Take the key, encrypt it, say where it is.

    Raises:
        UsageError: nobody can be asked, or two ways to give the key. ConfigurationError: it is no key, of the
        wrong venue, or the password is weak. ConflictError: there is one already.
    """
    _refuse_two_ways(asked)
    around, keystore = surroundings(settings)
    if asked.purpose == "relayer":
        secret = _secret(asked, "The relayer's key (it is not shown): ")
        address = asked.address or (terminal.ask_text("The owner's address:") if _somebody() else "")
        kept = keep_relayer_key(keystore, secret, address, _password(asked), replace=asked.replace)
    else:
        key = _key(asked)
        kept = keep_key(around, keystore, asked.purpose, key, _password(asked), replace=asked.replace)
    _told(terminal, kept, asked)


def _refuse_two_ways(asked: Asked) -> None:
    ways = [asked.new, asked.file is not None, asked.key_fd is not None]
    if sum(ways) > 1:
        raise UsageError("Nothing stored: --new, --file and --key-fd exclude each other.", do="Give one.")
    if asked.purpose == "relayer" and (asked.new or asked.file):
        raise UsageError(
            "Nothing stored: the relayer's key is made by the exchange.",
            do="Make it on its website, under Settings, API Keys; then type it here.",
        )


def _key(asked: Asked) -> str:
    if asked.new:
        return new_key()
    if asked.file is not None:
        return _from_file(asked.file)
    return _secret(asked, "The private key (it is not shown): ")


def _secret(asked: Asked, question: str) -> str:
    if asked.key_fd is not None:
        return read_descriptor(asked.key_fd).strip()
    if not _somebody():
        raise UsageError(
            "Nothing stored: nobody can be asked for the key here.",
            why="It is never an argument: those are in the shell's history and in every process list.",
            do="Hand it over by a descriptor: --key-fd 4 4<file",
            code="answer_required",
        )
    return getpass.getpass(question)


def _from_file(path: Path) -> str:
    """The key of another wallet's file, opened with that file's own password."""
    from eth_account import Account

    if not _somebody():
        raise UsageError(
            "Nothing stored: nobody can be asked for that file's password.", code="answer_required"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return "0x" + bytes(Account.decrypt(content, getpass.getpass(f"The password of {path}: "))).hex()
    except OSError as error:
        raise ConfigurationError(
            f"Nothing stored: {path}: {error.strerror}.", code="keystore_unusable"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        if "MAC" in str(error):
            raise NotAuthorisedError(
                "Nothing stored: that is not the file's password.", code="wrong_password"
            ) from None
        raise ConfigurationError(
            f"Nothing stored: {path} is no key file (JSON, version 3).", code="keystore_unusable"
        ) from None


def _password(asked: Asked) -> str:
    return Passwords(asked.password_fd).new("the key")


def _somebody() -> bool:
    return sys.stdin.isatty()


def _told(terminal: Terminal, kept: Kept, asked: Asked) -> None:
    if terminal.json:
        terminal.data({"name": kept.name, "path": kept.path, "address": kept.address, "is": kept.what})
        return
    lines = [f"Stored: {kept.path}, encrypted.", f"{kept.address}: {kept.what}."]
    if kept.session:
        lines += _AUTHORISE
        if not asked.new:
            lines.append("If it is meant to be the owner's key, POLYBOT_WALLET_ADDRESS names another wallet.")
    elif asked.new:
        lines.append("Nobody has seen this key and only this file has it: keep a copy of file and password.")
    elif asked.purpose == "engine" and "move the money" in kept.what:
        lines.append("A session key does the engine's work and cannot withdraw: polyb0t auth import --new")
    lines.append(f"The password is asked for by: {_PROCESS[asked.purpose]}")
    terminal.show(lines)
