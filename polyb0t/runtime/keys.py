"""The signing key: read here, in the live regime, by the process that signs, and nowhere else.

From the environment, else from the encrypted keystore, else (on the sandbox) the practice account's.
"""

import os
from collections.abc import Callable
from typing import Final

from polyb0t.config.settings import Settings
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.core.practice import is_practice_key
from polyb0t.runtime.keystore import OWNER_KEY, SIGNING_KEY, Keystore, keystore_of
from polyb0t.runtime.passwords import Passwords, passwords_of
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.signing import SigningKey
from polyb0t.venue.wallets import is_session_key

KEY_NAME: Final = "POLYBOT_PRIVATE_KEY"
Stored = Callable[[], str | None]


def nothing_stored() -> str | None:
    """Where there is no keystore."""
    return None


def signing_key(around: Surroundings, stored: Stored = nothing_stored) -> SigningKey:
    """The key for live orders. `stored` is only asked where the environment has none.

    No message of a refusal contains the key.

    Raises:
        ConfigurationError: no key, not a key, or a key of the other kind of venue.
        NotAuthorisedError: a stored one was not opened.
    """
    given = os.environ.get(KEY_NAME, "").strip() or stored() or _practice(around)
    key = SigningKey(given)  # first, so that a text that is no key is refused as that
    refuse_wrong_key(around, given)
    return key


def engines_key(settings: Settings, around: Surroundings, passwords: Passwords | None = None) -> SigningKey:
    """The key that orders are signed with. Raises as `signing_key` does."""
    return signing_key(around, lambda: _opened(settings, around, passwords, (SIGNING_KEY,)))


def owners_key(settings: Settings, around: Surroundings, passwords: Passwords | None = None) -> SigningKey:
    """The key that claims are signed with: the owner's, since a session key may only trade.

    Raises:
        ConfigurationError: as `signing_key` does, or `session_key_cannot_claim`.
    """
    key = signing_key(around, lambda: _opened(settings, around, passwords, _owners(settings, around)))
    if is_session_key(key.address, around.wallet, around.signature_type):
        raise ConfigurationError(
            "Not started: this is a session key, which can trade and cannot claim.",
            why=f"The wallet {around.wallet} is not that of {key.address}, so only its owner's key moves it.",
            do="Give this process the owner's key: polyb0t auth import --for claims; or use the website.",
            code="session_key_cannot_claim",
        )
    return key


def _owners(settings: Settings, around: Surroundings) -> tuple[str, ...]:
    """Where the owner's key may lie: under its own name, or as the signing key if that is the owner's."""
    address = keystore_of(settings, around.scope).address(SIGNING_KEY)
    if address is None or is_session_key(address, around.wallet, around.signature_type):
        return (OWNER_KEY,)
    return (OWNER_KEY, SIGNING_KEY)


def _opened(
    settings: Settings, around: Surroundings, passwords: Passwords | None, names: tuple[str, ...]
) -> str | None:
    """The first of `names` that is stored, opened; None where none is."""
    keystore = keystore_of(settings, around.scope)
    name = next((each for each in names if keystore.has(each)), None)
    return None if name is None else open_key(keystore, name, passwords or passwords_of(settings))


def open_key(keystore: Keystore, name: str, passwords: Passwords) -> str:
    """A stored key as 0x and 64 digits. Raises as `Passwords.open` does."""
    return "0x" + passwords.open(keystore, name).hex()


def _practice(around: Surroundings) -> str:
    if not around.environment.is_sandbox:
        raise ConfigurationError(
            "Not started: there is no signing key.",
            why=f"Live orders have to be signed; {KEY_NAME} is not set and the keystore has none. "
            "Nothing was sent.",
            do="Store one: polyb0t auth import (for claims: --for claims). Or stay in dry run.",
            code="no_key",
        )
    account = next((a for a in around.environment.accounts if a.wallet == around.wallet), None)
    if account is None:
        raise ConfigurationError(
            "Not started: the wallet is not one of the sandbox's practice accounts.",
            why="Only those can be traded with here.",
            do="Leave POLYBOT_WALLET_ADDRESS unset to use the first one.",
            code="not_a_practice_wallet",
        )
    return account.key  # the owner's; several wallets may have the same one


def refuse_wrong_key(around: Surroundings, key: str) -> None:
    """Practice keys are for the sandbox, and nothing else is. Raises ConfigurationError."""
    if is_practice_key(key) == around.environment.is_sandbox:
        return
    if around.environment.is_sandbox:
        raise ConfigurationError(
            "Not done: this is a key that is not a practice key.",
            why="A key that may hold money is never used on the sandbox. It was not used.",
            do=f"Unset {KEY_NAME}; the sandbox has an account ready.",
            code="real_key_on_sandbox",
        )
    raise ConfigurationError(
        "Not done: this is a practice key, which everybody knows.",
        why="Money on it would be anybody's. Nothing was sent.",
        do="Use your own key on the real venue, or practise: make practice",
        code="practice_key_on_real_venue",
    )


def whose(around: Surroundings, address: Wallet) -> str:
    """What a key is to the wallet, in words."""
    if around.signature_type == 0:
        return "the wallet's own key" if address == around.wallet else "the key of another wallet"
    if is_session_key(address, around.wallet, around.signature_type):
        return "not the wallet's own: a session key of it, once its owner has authorised it"
    return "the owner's key: who has it can move the money"
