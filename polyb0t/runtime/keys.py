"""The signing key: read here, in the live regime, by the process that signs, and nowhere else."""

import os
from typing import Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.practice import is_practice_key
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.venue.signing import SigningKey

KEY_NAME: Final = "POLYBOT_PRIVATE_KEY"


def signing_key(around: Surroundings) -> SigningKey:
    """The key for live orders; on the sandbox, without one, the practice account's.

    No message of a refusal contains the key.

    Raises:
        ConfigurationError: no key, not a key, or a key of the other kind of venue.
    """
    given = os.environ.get(KEY_NAME, "").strip() or _practice(around)
    key = SigningKey(given)  # first, so that a text that is no key is refused as that
    _refuse_wrong_key(around, given)
    return key


def _practice(around: Surroundings) -> str:
    if not around.environment.is_sandbox:
        raise ConfigurationError(
            f"Not started: {KEY_NAME} is not set.",
            why="Live orders have to be signed. Nothing was sent.",
            do="Set it in the environment of this process, or stay in dry run: POLYBOT_DRY_RUN=true",
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


def _refuse_wrong_key(around: Surroundings, key: str) -> None:
    """Practice keys are for the sandbox, and nothing else is."""
    if is_practice_key(key) == around.environment.is_sandbox:
        return
    if around.environment.is_sandbox:
        raise ConfigurationError(
            f"Not started: {KEY_NAME} holds a key that is not a practice key.",
            why="A key that may hold money is never used on the sandbox. It was not used.",
            do=f"Unset {KEY_NAME}; the sandbox has an account ready.",
            code="real_key_on_sandbox",
        )
    raise ConfigurationError(
        "Not started: this is a practice key, which everybody knows.",
        why="Money on it would be anybody's. Nothing was sent.",
        do="Use your own key on the real venue, or practise: make practice",
        code="practice_key_on_real_venue",
    )
