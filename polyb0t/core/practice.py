"""Practice keys: published, worthless, and recognised without a network.

They open accounts on the sandbox only. Anybody can derive them, so the real venue is refused with
one of these and the sandbox is refused with any other.
"""

import hashlib
from typing import Final

PRACTICE_ACCOUNTS: Final = 100
_PUBLISHED: Final = "polyb0t practice account, worth nothing, known to everybody"


def practice_key(index: int) -> str:
    """The private key of practice account `index` (0 to 99), 0x + 64 hex.

    Raises:
        ValueError: there is no such practice account.
    """
    if not 0 <= index < PRACTICE_ACCOUNTS:
        raise ValueError(f"practice accounts are numbered 0 to {PRACTICE_ACCOUNTS - 1}, not {index}")
    return "0x" + hashlib.sha256(f"{_PUBLISHED} {index}".encode()).hexdigest()


def is_practice_key(key: str) -> bool:
    """Whether `key` is one that everybody knows."""
    wanted = key.lower().removeprefix("0x")
    return any(practice_key(index)[2:] == wanted for index in range(PRACTICE_ACCOUNTS))
