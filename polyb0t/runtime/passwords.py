"""The password of a stored secret: from a file descriptor, else typed by a person; never from a command
line, the environment or a setting, where others could read it."""

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError, NotAuthorisedError, UsageError
from polyb0t.runtime.keystore import Keystore

TRIES: Final = 3  # at the keyboard
_MOST_BYTES: Final = 16_384
_STANDARD: Final = 2  # the last of the descriptors that every process has


def _typed(question: str) -> str | None:
    """What was typed unseen, or None where nobody sits."""
    return getpass.getpass(question) if sys.stdin.isatty() else None


@dataclass
class Passwords:
    """Opens secrets. A descriptor is read once, to its end: a password a line, each is tried."""

    descriptor: int | None = None
    ask: Callable[[str], str | None] = _typed
    _lines: tuple[str, ...] | None = field(default=None, repr=False)

    def open(self, keystore: Keystore, name: str) -> bytes:
        """The secret `name`.

        Raises:
            NotAuthorisedError: `wrong_password`, or `keystore_locked` where nobody can be asked.
            NotFoundError, ConfigurationError: said in `Keystore.read_secret`, or the descriptor is none.
        """
        refused: NotAuthorisedError | None = None
        for password in self._candidates(keystore, name):
            try:
                return keystore.read_secret(name, password)
            except NotAuthorisedError as error:
                refused = error
        raise refused or NotAuthorisedError(
            f"The {name} in the keystore was not opened: no password was given.",
            why="Nobody sits at this terminal, and POLYBOT_KEYSTORE_PASSWORD_FD is not set.",
            do="Start it at a terminal, or hand the password over by a descriptor: docs/operations.md, Keys",
            code="keystore_locked",
        )

    def new(self, what: str) -> str:
        """The password for a secret that is stored now: a line of the descriptor, or typed twice.

        Raises:
            UsageError: nobody can be asked, or the two differ.
        """
        if self.descriptor is not None:
            return self._read()[0]
        first = self.ask(f"A password for {what}, which encrypts it here: ")
        if first is None:
            raise UsageError(
                "Nothing stored: nobody can be asked for a password here.",
                do="Hand it over by a descriptor: --password-fd 3 3<file",
                code="answer_required",
            )
        if self.ask("The same password again: ") != first:
            raise UsageError("Nothing stored: the two passwords differ.", code="passwords_differ")
        return first

    def _candidates(self, keystore: Keystore, name: str) -> Iterator[str]:
        if self.descriptor is not None:
            yield from self._read()
            return
        for _ in range(TRIES):
            typed = self.ask(f"Password of the {name} in {keystore.folder}: ")
            if not typed:
                return
            yield typed

    def _read(self) -> tuple[str, ...]:
        if self._lines is None:
            assert self.descriptor is not None
            self._lines = tuple(read_descriptor(self.descriptor).splitlines())
        if not self._lines:
            raise no_password("It is empty.")
        return self._lines


def passwords_of(settings: Settings) -> Passwords:
    """As the settings say."""
    return Passwords(settings.keystore_password_fd)


def read_descriptor(descriptor: int) -> str:
    """Everything that comes from `descriptor`, which is closed then.

    Raises:
        ConfigurationError: it cannot be read, or is no text.
    """
    content = b""
    try:
        while len(content) <= _MOST_BYTES and (part := os.read(descriptor, _MOST_BYTES)):
            content += part
        if descriptor > _STANDARD:
            os.close(descriptor)
        return content.decode()
    except OSError as error:
        raise no_password(f"Descriptor {descriptor} can not be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise no_password(f"What descriptor {descriptor} gives is no text.") from None


def no_password(why: str) -> ConfigurationError:
    """A descriptor that gives nothing usable."""
    return ConfigurationError(
        "The password was not read.",
        why=why,
        do="Open it for this process: polyb0t run ... 3<file, with POLYBOT_KEYSTORE_PASSWORD_FD=3",
        code="no_password",
    )
