"""Tokens: made, shown once, and recognised. Only their digest is stored.

A token is 256 random bits, so one SHA-256 is the right hash for it: there is no list of likely ones to try,
and a slow hash, made for passwords that people think up, would only make each request slow.
"""

import contextlib
import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import ConfigurationError, DatabaseError, NotAuthorisedError, UsageError
from polyb0t.execution.access import Role, TokenRecord
from polyb0t.execution.scope import Regime
from polyb0t.runtime.opened import OpenedStore

PREFIX: Final = "pbt_"  # so that whoever finds one, a scanner of secrets too, knows what it is
_BYTES: Final = 32
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)  # also the name of a file in the keystore
LONGEST_NAME: Final = 32
_TOKEN: Final = re.compile(r"pbt_[A-Za-z0-9_-]{43}", re.ASCII)
USED_EVERY: Final = timedelta(minutes=1)
REMEMBERED: Final = timedelta(seconds=1)  # how long a reader's token is believed without asking again
VARIABLE: Final = "POLYBOT_TOKEN"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `token` is the text that was shown, for who opens a code's seed with it; None: the user of
    this computer, without one."""

    actor: str
    role: Role
    record: TokenRecord | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewToken:
    """What is shown once."""

    record: TokenRecord
    text: str = field(repr=False)


def create_token(opened: OpenedStore, *, name: str, role: Role, days: float, actor: str) -> NewToken:
    """Make one and store its digest.

    Raises:
        UsageError: `token_name`. ConflictError: `token_name_taken`.
    """
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise UsageError(
            "No token was made: that is no name for one.",
            why="Decisions are signed with it: small letters, digits and single hyphens, at most "
            f"{LONGEST_NAME}.",
            do="polyb0t auth token create anna --role approver",
            code="token_name",
        )
    text = PREFIX + secrets.token_urlsafe(_BYTES)
    record = opened.stores.access.create(digest=digest_of(text), name=name, role=role, days=days, actor=actor)
    return NewToken(record, text)


def digest_of(text: str) -> str:
    """What is stored of a token: SHA-256, 64 hex characters."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def identify(opened: OpenedStore, text: str, now: datetime) -> Identity:
    """Whose token it is.

    Raises:
        NotAuthorisedError: `token_refused`, `token_expired`. Unknown and revoked ones are told alike.
    """
    shown = text.strip()
    record = opened.stores.access.find(digest_of(shown)) if _TOKEN.fullmatch(shown) else None
    state = "unknown" if record is None else record.state(now)
    if record is None or state == "revoked":
        raise NotAuthorisedError(
            "Nothing was done: this token is not in force.",
            why="It is unknown here, or was taken back.",
            do="On the machine of the database: polyb0t auth token list",
            code="token_refused",
        )
    if state == "expired":
        raise NotAuthorisedError(
            f"Nothing was done: this token ended at {record.expires_at:%Y-%m-%d %H:%M} UTC.",
            why="Every token has an end.",
            do=f"Make a new one: polyb0t auth token create {record.name} --role {record.role}",
            code="token_expired",
        )
    return Identity(record.actor, record.role, record, shown)


def token_of_environment(opened: OpenedStore) -> Identity | None:
    """Who the environment says that is: the token in `POLYBOT_TOKEN`; None without one.

    Raises:
        NotAuthorisedError: there is one and it is not in force.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    now = opened.stores.intents.now()
    found = identify(opened, text, now)
    note_use(opened, found, now)
    return found


def note_use(opened: OpenedStore, identity: Identity, now: datetime) -> None:
    """For the list of tokens, at most once a minute. A hint: a lock in the way stops nobody."""
    record = identity.record
    if record is not None and (record.used_at is None or now - record.used_at > USED_EVERY):
        with contextlib.suppress(DatabaseError):
            opened.stores.access.used(record.digest)


def needs_tokens(opened: OpenedStore) -> bool:
    """Whether nobody is answered without one: with real money, and where there ever was a token."""
    return is_real_money(opened) or opened.stores.access.ever()


def is_real_money(opened: OpenedStore) -> bool:
    """Whether the engine of this database sends real orders, by its own row."""
    return not opened.scope.is_sandbox and opened.regime() is Regime.LIVE


def require_usable_token(opened: OpenedStore, why: str) -> None:
    """Raises ConfigurationError: nobody has a token that is in force, so nobody could be answered."""
    now = opened.stores.intents.now()
    if any(each.state(now) == "active" for each in opened.stores.access.tokens()):
        return
    raise ConfigurationError(
        "Not started: nobody has a token.",
        why=why,
        do="Make one: polyb0t auth token create NAME --role approver",
        code="tokens_required",
    )


class Doorkeeper:
    """Knows who asks. What it found is remembered for a second for those who only read; a decision asks the
    database every time, and once more inside its own transaction."""

    def __init__(self, opened: OpenedStore, clock: Clock | None = None, *, always: bool = False) -> None:
        self._opened = opened
        self._clock = clock or SystemClock()
        self._always = always
        self._known: dict[str, tuple[float, Identity]] = {}
        self._open_until = 0.0

    def open_to_all(self, *, reading: bool) -> bool:
        """Whether somebody without a token is answered."""
        if self._always:
            return False
        if reading and self.lately_open():
            return True
        needed = needs_tokens(self._opened)
        self._open_until = 0.0 if needed else self._clock.boot_seconds() + REMEMBERED.total_seconds()
        return not needed

    def lately_open(self) -> bool:
        """Whether that was found to be so within the last second."""
        return self._clock.boot_seconds() < self._open_until

    def lately(self, text: str) -> Identity | None:
        """Whose token it is, if that was found within the last second."""
        known = self._known.get(digest_of(text))
        return known[1] if known is not None and self._clock.boot_seconds() < known[0] else None

    def who(self, text: str, *, reading: bool) -> Identity:
        """Raises NotAuthorisedError: as `identify`."""
        lately = self.lately(text) if reading else None
        if lately is not None:
            return lately
        digest = digest_of(text)
        self._known.pop(digest, None)
        at = self._opened.stores.intents.now()
        found = identify(self._opened, text, at)
        note_use(self._opened, found, at)
        self._known[digest] = (self._clock.boot_seconds() + REMEMBERED.total_seconds(), found)
        return found
