"""Practice accounts: funded wallets whose keys everybody knows."""

from eth_account import Account

from polyb0t.core.practice import practice_key
from polyb0t.sandbox.types import PracticeAccount


def accounts(count: int, funding_e6: int) -> tuple[PracticeAccount, ...]:
    """The first `count` practice accounts, externally owned: the wallet is the key's address.

    Raises:
        ValueError: there are not so many.
    """
    return tuple(_account(index, funding_e6) for index in range(count))


def _account(index: int, funding_e6: int) -> PracticeAccount:
    key = practice_key(index)
    address = str(Account.from_key(key).address)
    return PracticeAccount(
        index=index, key=key, address=address, wallet=address, signature_type=0, funding_e6=funding_e6
    )
