"""The relayer's key: read by the process that carries claims out, and nowhere else; from the environment,
else from the encrypted keystore."""

import os
from collections.abc import Callable
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.runtime.keystore import RELAYER_KEY, keystore_of
from polyb0t.runtime.passwords import Passwords
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.relayer import RelayerKey
from polyb0t.venue.signing import checksummed

RELAYER_KEY_NAME: Final = "POLYBOT_RELAYER_API_KEY"
RELAYER_ADDRESS_NAME: Final = "POLYBOT_RELAYER_API_KEY_ADDRESS"
_LONGEST: Final = 200


def stored_relayer_key(
    settings: Settings, around: Surroundings, passwords: Passwords
) -> tuple[str, str] | None:
    """Secret and address from the keystore, if there is one. Raises as `Passwords.open` does."""
    keystore = keystore_of(settings, around.scope)
    if not keystore.has(RELAYER_KEY):
        return None
    secret = passwords.open(keystore, RELAYER_KEY).decode("ascii", "replace")
    return secret, keystore.address(RELAYER_KEY) or ""


def relayer_key(
    around: Surroundings, owner: Wallet, stored: Callable[[], tuple[str, str] | None] = lambda: None
) -> RelayerKey | None:
    """The key for `owner`'s deposit wallet; on the sandbox, without one, the practice account's. `stored`
    is only asked where the environment has none.

    None: there is none, so that a claim is an instruction for the website. No message contains the key.

    Raises:
        ConfigurationError: half of it is set, or it is not what such a key looks like.
    """
    secret = os.environ.get(RELAYER_KEY_NAME, "").strip()
    address = os.environ.get(RELAYER_ADDRESS_NAME, "").strip()
    if not secret and not address:
        secret, address = stored() or ("", "")
    if not secret and not address:
        known = around.environment.relayer_keys.get(owner)
        return None if known is None else RelayerKey(owner, known)
    if around.environment.is_sandbox and around.environment.relayer_keys.get(owner) != secret:
        raise _refused(
            f"{RELAYER_KEY_NAME} holds a key that is not a practice key. It was not used.",
            f"Unset {RELAYER_KEY_NAME} and {RELAYER_ADDRESS_NAME}; the sandbox has one ready.",
        )
    if not secret or not address:
        missing = RELAYER_ADDRESS_NAME if secret else RELAYER_KEY_NAME
        raise _refused(f"{missing} is not set.", "Set both, or neither to claim on the website.")
    if len(secret) > _LONGEST or not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise _refused(f"{RELAYER_KEY_NAME} is not one line of printable text.", "Copy it once more.")
    try:
        return RelayerKey(checksummed(address), secret)
    except ValueError:
        raise _refused(
            f"{RELAYER_ADDRESS_NAME} is not an address.", "Set it to the owner's address, 0x and 40 digits."
        ) from None


def _refused(why: str, do: str) -> ConfigurationError:
    return ConfigurationError("Claims are not sent by the relayer.", why=why, do=do, code="bad_relayer_key")
