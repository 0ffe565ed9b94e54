"""One-time codes (RFC 6238, as authenticator apps make them): set up once per token, checked with it.

The seed lies in the keystore, encrypted with the token itself, so that neither a copy of the data directory
nor an overheard token is enough to make codes. Whoever checks one has just been shown the token, and needs
no password of any other secret.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass, field, replace
from typing import Final

import pyotp

from polyb0t.core.errors import ConflictError, NotAuthorisedError, NotFoundError
from polyb0t.execution.access import WRONG_CODES, TokenRecord
from polyb0t.runtime.keystore import Keystore, keystore_of
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.tokens import Identity

STEP_SECONDS: Final = 30
DIGITS: Final = 6
_SEED_BYTES: Final = 20  # what the RFC asks for
_DRIFT: Final = (0, -1, 1)  # steps: a phone's clock may be half a minute off
# A token is 256 random bits: nobody tries them out, so a slow hash would only make every approval slow.
_WORK_FACTOR: Final = 1 << 10


@dataclass(frozen=True, slots=True)
class Seed:
    """A new seed before its first code was shown to be right."""

    name: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """As an authenticator takes it by hand."""
        return base64.b32encode(self.secret).decode()

    def address(self, account: str) -> str:
        """What the QR code says."""
        return pyotp.TOTP(self.text).provisioning_uri(name=account, issuer_name="polyb0t")


def new_seed(opened: OpenedStore, identity: Identity) -> Seed:
    """A seed for this token; nothing is stored yet.

    Raises:
        ConflictError: `code_exists`. NotAuthorisedError: without a token.
    """
    record, _ = _token_of(identity)
    if record.code_enrolled:
        raise ConflictError(
            f"Nothing changed: {record.name}'s token has its codes already.",
            why="Who has a token alone must not get codes for it.",
            do=f"For a new telephone make a new token: polyb0t auth token revoke {record.name}",
            code="code_exists",
        )
    del opened
    return Seed(record.name, secrets.token_bytes(_SEED_BYTES))


def enrol(opened: OpenedStore, identity: Identity, seed: Seed, code: str, *, actor: str) -> None:
    """Keep the seed, once a code of it was shown to be right; that code is used up.

    Raises:
        NotAuthorisedError: `code_wrong`, `token_refused`.
    """
    record, token = _token_of(identity)
    step = matching_step(seed.secret, code, opened.stores.intents.now().timestamp())
    if step is None:
        raise _wrong("No one-time code was set up.")
    _keystore(opened).write_secret(_file(record.name), seed.secret, token, replace=True)
    opened.stores.access.enrol_code(record.digest, step, actor=actor)


def check_code(opened: OpenedStore, identity: Identity, code: str) -> int:
    """The step of a right code; the store accepts each step once. Every try counts before it is judged.

    Raises:
        NotAuthorisedError: `code_not_set_up`, `code_locked`, `code_wrong`.
    """
    record, token = _token_of(identity)
    opened.stores.access.try_code(record.digest)
    try:
        seed = _keystore(opened).read_secret(_file(record.name), token)
    except (NotFoundError, NotAuthorisedError):
        raise NotAuthorisedError(
            "Not approved: this machine does not know the codes of this token. Nothing was sent.",
            why="They were set up on another machine, or for an earlier token of this name.",
            do="Copy the keystore of the machine where they were set up, or make a new token.",
            code="code_not_set_up",
        ) from None
    step = matching_step(seed, code, opened.stores.intents.now().timestamp())
    if step is None:
        raise _wrong("Not approved. Nothing was sent.")
    opened.stores.access.code_was_right(record.digest, step)
    return step


def matching_step(seed: bytes, code: str, at: float) -> int | None:
    """Which step's code it is, of those around `at` (seconds since 1970); None: of none of them."""
    shown = code.replace(" ", "")
    if len(shown) != DIGITS or not (shown.isascii() and shown.isdigit()):
        return None
    now = int(at) // STEP_SECONDS
    made = pyotp.TOTP(base64.b32encode(seed).decode())
    for drift in _DRIFT:
        if hmac.compare_digest(made.generate_otp(now + drift), shown):
            return now + drift
    return None


def _token_of(identity: Identity) -> tuple[TokenRecord, str]:
    if identity.record is None or identity.token is None:
        raise NotAuthorisedError(
            "Nothing changed: one-time codes belong to a token.",
            do="Set POLYBOT_TOKEN to yours.",
            code="token_needed",
        )
    return identity.record, identity.token


def _keystore(opened: OpenedStore) -> Keystore:
    return replace(keystore_of(opened.settings, opened.scope), work_factor=_WORK_FACTOR)


def _file(name: str) -> str:
    return f"code-{name}"


def _wrong(what: str) -> NotAuthorisedError:
    return NotAuthorisedError(
        what,
        why="The code is wrong, or its half minute is over.",
        do=f"Wait for the next one. After {WRONG_CODES} wrong ones they rest for 15 minutes.",
        code="code_wrong",
    )
