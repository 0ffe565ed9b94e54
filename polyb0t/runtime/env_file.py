"""The file `.env` as the wizard writes it: checked before it is written, never with a secret in it."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from polyb0t.config.refusals import PREFIX
from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConfigurationError, ConflictError, UsageError

HEAD: Final = """\
# Written by polyb0t init. Meaning of each setting: CONFIG_LIVE_MODE.md.
# Never put a private key into this file: a key is read from the environment of the process that signs.
"""
_SECRET_LENGTH: Final = re.compile(
    r"(0[xX])?[0-9a-fA-F]{64}"
)  # a private key, typed where an address belongs


def refuse_secret(text: str) -> None:
    """Raises UsageError, which does not repeat it: this looks like a private key."""
    if _SECRET_LENGTH.fullmatch(text.strip()):
        raise UsageError(
            "Not written: that looks like a private key. It was not stored.",
            why="An address has 40 hexadecimal digits after 0x; a key has 64 and stays out of files.",
            do="Name the wallet's public address. If the key was shown to anybody, move your money off it.",
            code="key_typed",
        )


def write(path: Path, values: Mapping[str, str]) -> None:
    """Make the file, readable by its owner only; the values are checked as settings first.

    Raises:
        ConfigurationError: a value is not possible, or the folder takes no file. ConflictError: it exists.
    """
    for value in values.values():
        refuse_secret(value)
    load_settings(**values)
    lines = [f"{PREFIX}{name.upper()}={value}\n" for name, value in values.items()]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConflictError(
            f"Not written: {path} exists.",
            why="Nothing of yours is overwritten.",
            do="Change it by hand, or move it away and run this again.",
            code="file_exists",
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"Not written: {path}.",
            why=f"{error.strerror}.",
            do="Run it in a folder that you may write to.",
            code="env_not_written",
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(HEAD + "".join(lines))
