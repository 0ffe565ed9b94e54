"""Secrets in encrypted files: one file and one password for each, beside the scope's database.

The files have the layout that Ethereum's wallets know (Web3 secret storage, version 3, scrypt), so a
signing key that was exported by another wallet can be put here and one from here read elsewhere. Each
secret has a password of its own: who may check codes need not be able to sign.
"""

import json
import os
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError, ConflictError, NotAuthorisedError, NotFoundError
from polyb0t.core.files import write_durably
from polyb0t.execution.scope import Scope
from polyb0t.runtime.places import scope_dir

SIGNING_KEY: Final = "signing-key"  # signs orders; best a session key, which cannot move money away
OWNER_KEY: Final = "owner-key"  # of the wallet's owner, for the process that carries claims out
RELAYER_KEY: Final = "relayer-key"  # of the venue's relayer, for the same process
LEAST_PASSWORD: Final = 8  # characters
WORK_FACTOR: Final = 1 << 18  # scrypt's n: about a second and 256 MB for each try of a password
_NAMES: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_LONGEST_NAME: Final = 60
_LARGEST_FILE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Keystore:
    """A folder of encrypted secrets. Shows names, never contents."""

    folder: Path
    work_factor: int = field(default=WORK_FACTOR, repr=False)

    def names(self) -> tuple[str, ...]:
        """What is stored, by name."""
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(path.stem for path in self.folder.glob("*.json") if _NAMES.fullmatch(path.stem)))

    def has(self, name: str) -> bool:
        return self._path(name).exists()

    def write_secret(
        self, name: str, secret: bytes, password: str, *, address: str = "", replace: bool = False
    ) -> Path:
        """Encrypt `secret` into its file; `address` is written in the clear, for who asks whose key it is.

        Raises:
            ConfigurationError: `weak_password`, or the file cannot be written.
            ConflictError: `secret_exists`, unless it may be replaced.
        """
        path = self._path(name)
        if path.exists() and not replace:
            raise ConflictError(
                f"Nothing stored: the keystore has a {name} already.",
                why=f"It is {path}.",
                do="Say --replace to put another in its place; the old one is gone then.",
                code="secret_exists",
            )
        if len(password) < LEAST_PASSWORD:
            raise ConfigurationError(
                "Nothing stored: the password is too short.",
                why=f"It has fewer than {LEAST_PASSWORD} characters; who gets the file could try them all.",
                do="Take a longer one, best several words.",
                code="weak_password",
            )
        content = _sealed(secret, password, self.work_factor, address)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(path, json.dumps(content, indent=2) + "\n")
        except OSError as error:
            raise _unusable(path, f"It can not be written: {error.strerror}.") from None
        return path

    def read_secret(self, name: str, password: str) -> bytes:
        """The secret, decrypted. No message contains it, nor the password.

        Raises:
            NotFoundError: `no_secret`. NotAuthorisedError: `wrong_password`.
            ConfigurationError: others can read the file, or it is damaged.
        """
        content = self._content(name)
        from eth_account import Account  # noqa: PLC0415 - 0.3 s that only who opens a secret pays

        try:
            return bytes(Account.decrypt(dict(content), password))
        except ValueError as error:
            if "MAC" not in str(error):
                raise _damaged(self._path(name)) from None
            raise NotAuthorisedError(
                f"The {name} in the keystore was not opened: the password is wrong.",
                why=f"It does not open {self._path(name)}.",
                do="Give the password that was set when it was stored.",
                code="wrong_password",
            ) from None
        except (KeyError, TypeError, AssertionError, NotImplementedError):
            raise _damaged(self._path(name)) from None

    def address(self, name: str) -> str | None:
        """The address of a stored key, checked by nobody before it is opened; None where none is noted."""
        if not self.has(name):
            return None
        told = self._content(name).get("address")
        return f"0x{told.removeprefix('0x')}" if isinstance(told, str) and told else None

    def remove(self, name: str) -> None:
        """Forget a secret. Raises NotFoundError."""
        self._content(name)
        self._path(name).unlink()

    def _path(self, name: str) -> Path:
        if len(name) > _LONGEST_NAME or not _NAMES.fullmatch(name):
            raise ValueError(f"{name!r:.80} is no name of a secret")
        return self.folder / f"{name}.json"

    def _content(self, name: str) -> Mapping[str, Any]:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                exposed = os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077
                raw = file.read(_LARGEST_FILE)
        except FileNotFoundError:
            raise NotFoundError(
                f"There is no {name} in the keystore.",
                why=f"There is no {path}.",
                do="Put it there: polyb0t auth import",
                code="no_secret",
            ) from None
        except OSError as error:
            raise _unusable(path, f"It can not be read: {error.strerror}.") from None
        if exposed:
            raise ConfigurationError(
                f"The {name} in the keystore was not read: others can read its file.",
                why=f"{path} is readable by more than its owner.",
                do=f"chmod 600 {path}, and think of who may have copied it.",
                code="keystore_exposed",
            )
        return _parsed(raw, path)


def keystore_of(settings: Settings, scope: Scope) -> Keystore:
    """The keystore of a scope, beside its database."""
    return Keystore(scope_dir(settings, scope) / "keystore", WORK_FACTOR)


def _sealed(secret: bytes, password: str, work_factor: int, address: str) -> dict[str, object]:
    """Web3 secret storage, version 3: AES-128-CTR under scrypt, authenticated with keccak.

    Of our own making only because the library's writer takes nothing but private keys; its reader, which
    is the one that is used here, reads both.
    """
    from Crypto.Cipher import AES  # noqa: PLC0415 - as above
    from Crypto.Protocol.KDF import scrypt  # noqa: PLC0415

    salt, counter = secrets.token_bytes(32), secrets.token_bytes(16)
    derived = scrypt(password, salt, key_len=32, N=work_factor, r=8, p=1)  # type: ignore[arg-type]
    assert isinstance(derived, bytes)
    cipher = AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=counter)
    hidden = cipher.encrypt(secret)
    return {
        "version": 3,
        "id": str(uuid.uuid4()),
        "address": address.removeprefix("0x").lower(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": counter.hex()},
            "ciphertext": hidden.hex(),
            "kdf": "scrypt",
            "kdfparams": {"dklen": 32, "n": work_factor, "r": 8, "p": 1, "salt": salt.hex()},
            "mac": keccak(derived[16:32] + hidden).hex(),
        },
    }


def _parsed(raw: bytes, path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(raw)
    except ValueError:
        raise _damaged(path) from None
    if not isinstance(content, dict) or not isinstance(content.get("crypto") or content.get("Crypto"), dict):
        raise _damaged(path)
    return content


def _damaged(path: Path) -> ConfigurationError:
    return _unusable(path, "It is not an encrypted secret, or it is damaged.")


def _unusable(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The keystore can not be used: {path}",
        why=why,
        do="Put the secret there again: polyb0t auth import",
        code="keystore_unusable",
    )
