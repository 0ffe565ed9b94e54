"""Practice accounts: funded wallets whose keys everybody knows, one of each kind that the venue has."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from eth_account import Account

from polyb0t.core.practice import practice_key
from polyb0t.sandbox.types import PracticeAccount
from polyb0t.sandbox.wallets import (
    DEPOSIT,
    PROXY,
    SAFE,
    deposit_wallet,
    old_deposit_wallet,
    proxy_wallet,
    safe_wallet,
)

# The kinds of smart wallet, in the order in which they follow the plain accounts.
_SMART: Final[tuple[tuple[int, Callable[[str], str]], ...]] = (
    (PROXY, proxy_wallet),
    (SAFE, safe_wallet),
    (DEPOSIT, deposit_wallet),
    (DEPOSIT, old_deposit_wallet),
)


def accounts(count: int, funding_e6: int) -> tuple[PracticeAccount, ...]:
    """`count` externally owned accounts, whose wallet is the key's address, then four smart wallets.

    Those four (proxy, Safe, deposit wallet, deposit wallet of the old kind) have owners of their own,
    the next practice keys, so that no key pays from two wallets.

    Raises:
        ValueError: there are not so many practice keys.
    """
    plain = tuple(_account(index, funding_e6) for index in range(count))
    owners = tuple(_account(count + at, funding_e6) for at in range(len(_SMART)))
    return plain + tuple(
        replace(owner, wallet=derive(owner.address), signature_type=kind)
        for owner, (kind, derive) in zip(owners, _SMART, strict=True)
    )


def _account(index: int, funding_e6: int) -> PracticeAccount:
    key = practice_key(index)
    address = str(Account.from_key(key).address)
    return PracticeAccount(
        index=index, key=key, address=address, wallet=address, signature_type=0, funding_e6=funding_e6
    )
