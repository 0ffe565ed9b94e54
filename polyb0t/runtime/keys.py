"""The signing key: read here, in the live regime, by the process that signs, and nowhere else."""

import os
from typing import Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.practice import is_practice_key, practice_key
from polyb0t.runtime.surroundings import Surroundings

KEY_NAME: Final = "POLYBOT_PRIVATE_KEY"


def signing_key(around: Surroundings) -> str:
    """The key for live orders; on the sandbox, without one, the practice account's.

    The message of a refusal never contains the key.

    Raises:
        ConfigurationError: no key, not a key, or a key of the other kind of venue.
    """
    given = os.environ.get(KEY_NAME, "").strip()
    if around.environment.is_sandbox:
        return _practice(given, around)
    if not given:
        raise ConfigurationError(
            f"Not started: {KEY_NAME} is not set.",
            why="Live orders have to be signed. Nothing was sent.",
            do="Set it in the environment of this process, or stay in dry run: POLYBOT_DRY_RUN=true",
            code="no_key",
        )
    _check_form(given)
    if is_practice_key(given):
        raise ConfigurationError(
            "Not started: this is a practice key, which everybody knows.",
            why="Money on it would be anybody's. Nothing was sent.",
            do="Use your own key on the real venue, or practise: make practice",
            code="practice_key_on_real_venue",
        )
    return given


def _practice(given: str, around: Surroundings) -> str:
    if not given:
        account = next((a for a in around.environment.accounts if a.wallet == around.wallet), None)
        if account is None:
            raise ConfigurationError(
                "Not started: the wallet is not one of the sandbox's practice accounts.",
                do="Leave POLYBOT_WALLET_ADDRESS unset to use the first one.",
                code="not_a_practice_wallet",
            )
        return practice_key(account.index)
    _check_form(given)
    if not is_practice_key(given):
        raise ConfigurationError(
            f"Not started: {KEY_NAME} holds a key that is not a practice key.",
            why="A key that may hold money is never used on the sandbox. It was not used and not sent.",
            do=f"Unset {KEY_NAME}; the sandbox has an account ready.",
            code="real_key_on_sandbox",
        )
    return given


def _check_form(key: str) -> None:
    digits = key.lower().removeprefix("0x")
    if len(digits) != 64 or any(letter not in "0123456789abcdef" for letter in digits):
        raise ConfigurationError(
            f"Not started: {KEY_NAME} does not hold a private key.",
            why=f"A key has 64 hexadecimal digits; this has {len(digits)} characters.",
            do="Check that it was copied whole.",
            code="bad_key",
        )
