"""API credentials: how they are obtained, kept, and used to sign requests.

The credentials belong to the key that signs, never to the wallet that holds the money. They lie in a
file that only its owner can read, so that orders can be cancelled without the signing key.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from polyb0t.core.clock import milliseconds
from polyb0t.core.errors import ConfigurationError, NotAuthorisedError, VenueUnreachableError
from polyb0t.core.ids import Wallet
from polyb0t.venue.one_shot import NeverLeft, NoAnswer, OneShot, Reply
from polyb0t.venue.parsing import Refused, as_object, decode_json, text
from polyb0t.venue.signing import DigestSigner, checksummed, clob_auth_signature

_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class ApiCredentials:
    """One API key of one signer. Everything but the address is a secret and is never shown."""

    address: Wallet  # of the key that signs, not of the wallet that pays
    api_key: str = field(repr=False)
    secret: str = field(repr=False)  # url-safe base64
    passphrase: str = field(repr=False)
    nonce: int = 0  # under which the exchange derives them again for the same key

    @property
    def id(self) -> str:
        """Tells credentials apart without giving anything away; stored with every order."""
        return hashlib.sha256(f"credential {self.api_key}".encode()).hexdigest()[:16]

    def headers(self, *, at: int, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """The five L2 headers of one request made at unix second `at`.

        `path` has neither query nor mount prefix; `body` is the exact bytes that are sent.
        """
        message = f"{at}{method}{path}".encode() + body
        digest = hmac.digest(_decoded(self.secret), message, "sha256")
        return {
            "POLY_ADDRESS": self.address,
            "POLY_SIGNATURE": base64.urlsafe_b64encode(digest).decode(),
            "POLY_TIMESTAMP": str(at),
            "POLY_API_KEY": self.api_key,
            "POLY_PASSPHRASE": self.passphrase,
        }


def obtain_credentials(
    one_shot: OneShot, clob_url: str, key: DigestSigner, *, chain_id: int, at: datetime, nonce: int = 0
) -> ApiCredentials:
    """The credentials of this key under `nonce`: derived, or created where there are none yet (400).

    Derived first, because creating is the one of the two that changes something. Those of a nonce that
    was revoked can be neither; then new ones are made under the time's.

    Raises:
        VenueUnreachableError: no usable answer.
        NotAuthorisedError: the exchange refuses this key.
    """
    headers = _proof(key, chain_id=chain_id, at=at, nonce=nonce)
    reply = _ask(one_shot, "GET", f"{clob_url}/auth/derive-api-key", headers)
    if reply.status == 400:
        reply = _ask(one_shot, "POST", f"{clob_url}/auth/api-key", headers)
    if reply.status == 400:
        return make_credentials(one_shot, clob_url, key, chain_id=chain_id, at=at)
    return _read_reply(reply, key.address, nonce)


def make_credentials(
    one_shot: OneShot, clob_url: str, key: DigestSigner, *, chain_id: int, at: datetime
) -> ApiCredentials:
    """New credentials beside those that there are, under a nonce that was never used: the time's.

    Raises: as `obtain_credentials`.
    """
    nonce = milliseconds(at) // 1_000
    headers = _proof(key, chain_id=chain_id, at=at, nonce=nonce)
    return _read_reply(_ask(one_shot, "POST", f"{clob_url}/auth/api-key", headers), key.address, nonce)


def revoke_credentials(
    one_shot: OneShot, clob_url: str, credentials: ApiCredentials, *, at: datetime
) -> bool:
    """Make the exchange forget these credentials; whether it says that it did, or knew them no more.

    Raises:
        VenueUnreachableError: no usable answer; they may be valid still.
    """
    headers = credentials.headers(at=milliseconds(at) // 1_000, method="DELETE", path="/auth/api-key")
    reply = _ask(one_shot, "DELETE", f"{clob_url}/auth/api-key", headers)
    return 200 <= reply.status < 300 or reply.status == 401


def _proof(key: DigestSigner, *, chain_id: int, at: datetime, nonce: int) -> dict[str, str]:
    """The headers that prove control of the key."""
    seconds = milliseconds(at) // 1_000
    return {
        "POLY_ADDRESS": key.address,
        "POLY_SIGNATURE": clob_auth_signature(key, chain_id=chain_id, timestamp=seconds, nonce=nonce),
        "POLY_TIMESTAMP": str(seconds),
        "POLY_NONCE": str(nonce),
    }


def save_credentials(path: Path, credentials: ApiCredentials) -> None:
    """Write the file whole or not at all, readable by its owner only from its first byte.

    Raises:
        ConfigurationError: it can not be written.
    """
    content = json.dumps(
        {
            "address": credentials.address,
            "api_key": credentials.api_key,
            "secret": credentials.secret,
            "passphrase": credentials.passphrase,
            "nonce": credentials.nonce,
        }
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, content.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise _file_error("can not be written", error.strerror or "", path) from error


def load_credentials(path: Path) -> ApiCredentials | None:
    """The stored credentials, or None where there is no file.

    Raises:
        ConfigurationError: others can read the file, or it is damaged; its content is not repeated.
    """
    try:
        with path.open("rb") as file:
            exposed = os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077
            content = file.read(10_000)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _file_error("can not be read", error.strerror or "", path) from error
    if exposed:
        raise _file_error("are readable by others", f"Do: chmod 600 {path}", path, "credentials_exposed")
    try:
        raw = as_object(decode_json(content), "the file")
        return _made(
            checksummed(text(raw, "address")),
            raw.get("api_key"),
            raw.get("secret"),
            raw.get("passphrase"),
            raw.get("nonce", 0),  # files of the first version have none
        )
    except (Refused, ValueError):
        raise _file_error("are damaged", "The file is not what was written.", path) from None


def _made(
    address: Wallet, api_key: object, secret: object, passphrase: object, nonce: object
) -> ApiCredentials:
    """Raises ValueError, without repeating anything, where a part is missing or malformed."""
    parts = (api_key, secret, passphrase)
    usable = [part for part in parts if isinstance(part, str) and 0 < len(part) < _LONGEST and part.isascii()]
    if len(usable) != 3 or not all(part.isprintable() for part in usable):
        raise ValueError("a part of the credentials is missing or malformed")
    if not _decoded(usable[1]):
        raise ValueError("the secret is empty")
    if not isinstance(nonce, int) or not 0 <= nonce < 2**53:
        raise ValueError("the nonce is not a number")
    return ApiCredentials(address, usable[0], usable[1], usable[2], nonce)


def _decoded(secret: str) -> bytes:
    """Raises ValueError, without repeating anything, where it is not url-safe base64, padded or not."""
    try:
        return base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("the secret is not base64") from None


def _ask(one_shot: OneShot, method: str, url: str, headers: Mapping[str, str]) -> Reply:
    try:
        return one_shot.call(method, url, headers=headers)
    except (NeverLeft, NoAnswer) as error:
        raise VenueUnreachableError(
            "The exchange did not give API credentials.", why=f"{error}.", do="Check the connection."
        ) from error


def _read_reply(reply: Reply, address: Wallet, nonce: int) -> ApiCredentials:
    if reply.status in (400, 401, 403):
        raise NotAuthorisedError(
            "The exchange gives this key no API credentials.",
            why=f"It answered {reply.status}.",
            do="Check this machine's clock, and that the key belongs to an account of the exchange.",
            code="no_credentials",
        )
    try:
        raw = as_object(decode_json(reply.body), "the answer")
        if not 200 <= reply.status < 300:
            raise ValueError("not a success")
        return _made(address, raw.get("apiKey"), raw.get("secret"), raw.get("passphrase"), nonce)
    except (Refused, ValueError):
        # `from None`: what failed to parse may hold the secret.
        raise VenueUnreachableError(
            "The exchange did not give API credentials.",
            why=f"Its answer ({reply.status}) is not what it documents.",
            do="Try again in a minute.",
        ) from None


def _file_error(what: str, why: str, path: Path, code: str = "credentials_file") -> ConfigurationError:
    return ConfigurationError(
        f"The stored API credentials {what}: {path}",
        why=why,
        do="Remove the file to make new ones.",
        code=code,
    )
