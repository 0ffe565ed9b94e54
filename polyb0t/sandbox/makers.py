"""Who may pay with which wallet, and who may sign for it.

An order names the wallet that pays (maker) and who signs (signer); the request names the key's own
address. For a deposit wallet both fields of the order are the wallet, and the signature says which
key stands behind it: the owner, or a session key that the owner authorised.
"""

from typing import Final

from polyb0t.sandbox.signatures import checksum
from polyb0t.sandbox.wallets import DEPOSIT, EOA, KINDS, wallets_of
from polyb0t.sandbox.wire import WireError
from polyb0t.sandbox.world import World
from polyb0t.sandbox.wrapped import WalletSigner

NOT_SIGNER: Final = "the order signer address has to be the address of the API KEY"
NOT_ALLOWED: Final = "maker address not allowed, please use the deposit wallet flow"


def check_maker(maker: str, signer: str, signature_type: int, address: str, world: World) -> None:
    """Refuse a wallet that the key at `address` cannot pay with.

    Raises:
        WireError: 400. A deposit wallet of somebody else is refused for its signer, as the venue does.
    """
    if signature_type not in KINDS:
        raise WireError(400, "Invalid order payload")
    expected = maker if signature_type == DEPOSIT else address
    if signer.lower() != expected.lower():
        raise WireError(400, NOT_SIGNER)
    wallet = wallet_of(address, signature_type, world)
    if wallet is None or wallet.lower() != maker.lower():
        raise WireError(400, NOT_SIGNER if signature_type == DEPOSIT else NOT_ALLOWED)


def wallet_of(address: str, signature_type: int, world: World) -> str | None:
    """The wallet that a key pays with under this signature type, or `None`.

    An externally owned account is its own wallet, unless it is a new account: those have a deposit
    wallet (here: the owners of practice smart wallets). A smart wallet must exist.
    """
    smart = {account.wallet for account in world.accounts if account.signature_type != EOA}
    if signature_type == EOA:
        owners = {account.address for account in world.accounts if account.signature_type != EOA}
        return None if checksum(address) in owners else checksum(address)
    for wallet in wallets_of(checksum(address), signature_type):
        if wallet in smart:
            return wallet
    return session_wallet(address, world) if signature_type == DEPOSIT else None


def session_wallet(address: str, world: World) -> str | None:
    """The deposit wallet that this session key may trade with now, or `None`."""
    wallet, until_s = world.sessions.get(address.lower(), ("", 0))
    return wallet if wallet and world.now_ms < until_s * 1_000 else None


def may_sign(signed: WalletSigner, wallet: str, world: World) -> bool:
    """Whether this signature counts for the wallet: the owner's bare, a session key's in its envelope."""
    if signed.session:
        return session_wallet(signed.address, world) == checksum(wallet)
    return checksum(wallet) in wallets_of(checksum(signed.address), DEPOSIT)


def sessions_of(wallet: str, world: World) -> list[dict[str, object]]:
    """The session keys of a deposit wallet that count now, as the venue lists them."""
    return [
        {"address": checksum(address), "scopes": ["CLOB"], "valid_until": until_s}
        for address, (whose, until_s) in world.sessions.items()
        if whose == wallet and world.now_ms < until_s * 1_000
    ]
