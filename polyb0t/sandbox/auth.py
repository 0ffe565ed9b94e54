"""Who is asking: wallet statements (L1) that create credentials, and HMACs (L2) that use them.

Credentials follow from wallet and nonce, so a lost secret can be derived again, as at the venue.
Which of them were created is state; `created` is what the world's file keeps.
"""

import base64
import hmac
import uuid
from dataclasses import dataclass
from typing import Final

from polyb0t.core.clock import Clock
from polyb0t.sandbox.signatures import InvalidSignatureError, checksum, clob_auth_hash, is_address, recover
from polyb0t.sandbox.wire import Request, WireError

# One third party saw about a minute; the venue documents no number.
TOLERANCE_S: Final = 60
MOUNT: Final = "/clob"  # not part of what is signed: at the venue the CLOB has a host of its own
_SEED: Final = b"polyb0t sandbox credentials, worth nothing"
BAD_KEY: Final = "Unauthorized/Invalid api key"
BAD_L1: Final = "Invalid L1 Request headers"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One API key of one wallet."""

    address: str  # checksummed
    nonce: int
    api_key: str
    secret: str
    passphrase: str

    def wire(self) -> dict[str, str]:
        """The reply of create and derive."""
        return {"apiKey": self.api_key, "secret": self.secret, "passphrase": self.passphrase}


def credentials_of(address: str, nonce: int) -> Credentials:
    """The credentials that follow from wallet and nonce."""

    def part(name: str) -> bytes:
        return hmac.digest(_SEED, f"{name}|{address.lower()}|{nonce}".encode(), "sha256")

    return Credentials(
        address=checksum(address),
        nonce=nonce,
        api_key=str(uuid.UUID(bytes=part("key")[:16], version=4)),
        secret=base64.urlsafe_b64encode(part("secret")).decode(),
        passphrase=part("passphrase").hex(),
    )


def l2_signature(secret: str, timestamp: str, method: str, path: str, body: bytes) -> str:
    """The HMAC of a request: path without query and mount prefix, body as the raw bytes sent."""
    message = f"{timestamp}{method}{path}".encode() + body
    digest = hmac.digest(base64.urlsafe_b64decode(secret), message, "sha256")
    return base64.urlsafe_b64encode(digest).decode()


class KeyRing:
    """The API keys that exist in this world."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_key: dict[str, Credentials] = {}

    def created(self) -> list[tuple[str, int]]:
        """Wallet and nonce of each key, in the order of creation."""
        return [(one.address, one.nonce) for one in self._by_key.values()]

    def restore(self, created: list[tuple[str, int]]) -> None:
        """Bring back the keys of an earlier run."""
        for address, nonce in created:
            one = credentials_of(address, nonce)
            self._by_key[one.api_key] = one

    def create(self, request: Request) -> Credentials:
        """A new key for the wallet that signed.

        Raises:
            WireError: 401 for a bad statement, 400 where the key exists already.
        """
        one = credentials_of(*self._wallet(request))
        if one.api_key in self._by_key:
            raise WireError(400, "Could not create api key")
        self._by_key[one.api_key] = one
        return one

    def derive(self, request: Request) -> Credentials:
        """The existing key of the wallet that signed.

        Raises:
            WireError: 401 for a bad statement, 400 where no key exists.
        """
        one = credentials_of(*self._wallet(request))
        if one.api_key not in self._by_key:
            raise WireError(400, "Could not derive api key!")
        return one

    def revoke(self, credentials: Credentials) -> None:
        """Forget a key; deriving it afterwards is refused."""
        self._by_key.pop(credentials.api_key, None)

    def keys_of(self, address: str) -> list[str]:
        """Every API key of a wallet."""
        return [one.api_key for one in self._by_key.values() if one.address == address]

    def authenticate(self, request: Request) -> Credentials:
        """Whose request this is.

        Raises:
            WireError: 401; the venue does not say which of the five headers was wrong.
        """
        headers = request.headers
        one = self._by_key.get(headers.get("poly_api_key", ""))
        timestamp = headers.get("poly_timestamp", "")
        if one is None or headers.get("poly_address", "").lower() != one.address.lower():
            raise WireError(401, BAD_KEY)
        if not self._fresh(timestamp) or not _same(headers.get("poly_passphrase", ""), one.passphrase):
            raise WireError(401, BAD_KEY)
        path = request.path.removeprefix(MOUNT)
        wanted = l2_signature(one.secret, timestamp, request.method, path, request.body)
        if not _same(headers.get("poly_signature", ""), wanted):
            raise WireError(401, BAD_KEY)
        return one

    def socket_login(self, api_key: object, secret: object, passphrase: object) -> Credentials | None:
        """The credentials of a user socket's first frame, or None where they do not fit."""
        one = self._by_key.get(api_key) if isinstance(api_key, str) else None
        if one is None or not isinstance(secret, str) or not isinstance(passphrase, str):
            return None
        return one if _same(secret, one.secret) and _same(passphrase, one.passphrase) else None

    def _wallet(self, request: Request) -> tuple[str, int]:
        headers = request.headers
        address, timestamp = headers.get("poly_address", ""), headers.get("poly_timestamp", "")
        nonce = headers.get("poly_nonce", "")
        if not is_address(address) or not _digits(nonce) or not self._fresh(timestamp):
            raise WireError(401, BAD_L1)
        try:
            digest = clob_auth_hash(address, timestamp, int(nonce))
            signer = recover(digest, headers.get("poly_signature", ""))
        except (InvalidSignatureError, ValueError) as error:
            raise WireError(401, BAD_L1) from error
        if signer != address.lower():
            raise WireError(401, BAD_L1)
        return address, int(nonce)

    def _fresh(self, timestamp: str) -> bool:
        """Within the tolerance of the clock, in either direction."""
        if not _digits(timestamp):
            return False
        return abs(self._clock.now().timestamp() - int(timestamp)) <= TOLERANCE_S


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
