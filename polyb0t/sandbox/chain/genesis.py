"""The venue's contracts on a fresh local chain, each at its real address.

ConditionalTokens is the real one, from its npm package (LGPL, so it is not kept here); the others are
doubles of our own (`contracts/`). An adapter, a token or a factory is placed as code without a
constructor, which is why the doubles keep what they need in constants or in named slots.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.sandbox.abi import call_data, results
from polyb0t.sandbox.contracts import BRIDGED_USDC, CONTRACTS, ORACLE, WRAPPED_COLLATERAL
from polyb0t.sandbox.node import Node

OPERATOR: Final = "0x00000000000000000000000000000000000B0b00"  # the relayer's own address
RICH: Final = 10**24  # a million of the chain's coin, in its smallest unit
_PACKAGE: Final = Path("node_modules/@gnosis.pm/conditional-tokens-contracts/build/contracts")
_PLACES: Final[dict[str, str]] = {
    CONTRACTS["collateral"]: "PracticeToken",
    BRIDGED_USDC: "PracticeToken",
    WRAPPED_COLLATERAL: "PracticeToken",
    CONTRACTS["collateral_adapter"]: "CtfCollateralAdapter",
    CONTRACTS["neg_risk_collateral_adapter"]: "NegRiskCtfCollateralAdapter",
    CONTRACTS["auto_redeemer"]: "AutoRedeemer",
    CONTRACTS["position_manager"]: "PositionManager",
    CONTRACTS["router"]: "Router",
    CONTRACTS["deposit_wallet_factory"]: "DepositWalletFactory",
}


def own_code() -> dict[str, str]:
    """The doubles' runtime code by name, as `scripts/compile_contracts.mjs` prints it."""
    text = files("polyb0t.sandbox.chain").joinpath("contracts.json").read_text(encoding="utf-8")
    code: dict[str, str] = json.loads(text)
    return code


def conditional_tokens_code(project: Path) -> str:
    """The real ConditionalTokens, from the package under the project's folder.

    Raises:
        ConfigurationError: the package is not installed.
    """
    artifact = project / _PACKAGE / "ConditionalTokens.json"
    if not artifact.is_file():
        raise ConfigurationError(
            "The practice chain was not started: the ConditionalTokens contract is missing.",
            why=f"There is no {artifact.name} of its npm package in {project}.",
            do="Install it with `make install` where npm is present.",
            code="chain_not_started",
        )
    code: str = json.loads(artifact.read_text(encoding="utf-8"))["deployedBytecode"]
    return code


def lay_out(node: Node, project: Path) -> None:
    """Put every contract in its place. What they keep stays, so a chain of an earlier version goes on."""
    code = own_code()
    places = {address: code[name] for address, name in _PLACES.items()}
    places[CONTRACTS["conditional_tokens"]] = conditional_tokens_code(project)
    for address, runtime in places.items():
        if node.call("eth_getCode", address, "latest").lower() != runtime.lower():
            node.call("anvil_setCode", address, runtime)
    node.call("anvil_setStorageAt", CONTRACTS["deposit_wallet_factory"], _slot(0), _word(OPERATOR))
    for each in (ORACLE, OPERATOR):
        act_as(node, each)


def act_as(node: Node, address: str) -> None:
    """Let the chain's owner send transactions from `address` without its key, with coin for the gas."""
    node.call("anvil_impersonateAccount", address)
    node.call("anvil_setBalance", address, hex(RICH))


def make_deposit_wallet(node: Node, wallet: str, owner: str) -> None:
    """The owner's deposit wallet at its derived address; a wallet that is there stays as it is."""
    if node.call("eth_getCode", wallet, "latest") != "0x":
        return
    node.call("anvil_setCode", wallet, own_code()["DepositWallet"])
    node.call("anvil_setStorageAt", wallet, _slot(0), _word(owner))


def send(node: Node, sender: str, target: str, data: str) -> dict[str, str]:
    """A transaction of an account that `act_as` opened, mined at once; its receipt."""
    order = {"from": sender, "to": target, "data": data, "gas": hex(3_000_000)}
    receipt: dict[str, str] = node.call("eth_sendTransactionSync", order)
    return receipt


def read(node: Node, target: str, data: str, types: str, *, sender: str = ORACLE) -> tuple[object, ...]:
    """The answer of a call that changes nothing, as `sender` would get it."""
    order = {"from": sender, "to": target, "data": data}
    return results(types, node.call("eth_call", order, "latest"))


def token_balance(node: Node, contract: str, owner: str, token_id: str | None = None) -> int:
    """Millionths of a token: ERC-20 without an id, ERC-1155 with one."""
    if token_id is None:
        data = call_data("balanceOf(address)", owner)
    else:
        data = call_data("balanceOf(address,uint256)", owner, int(token_id))
    (held,) = read(node, contract, data, "uint256")
    return int(str(held))


def _slot(number: int) -> str:
    return f"0x{number:064x}"


def _word(address: str) -> str:
    return "0x" + address[2:].lower().rjust(64, "0")
