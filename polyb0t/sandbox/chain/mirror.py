"""The practice accounts on a local chain: their money, what they hold of ended markets, what is paid there.

The exchange matches and settles in the sandbox's own ledger. When a market has a result, the shares of
practice wallets are put on the chain, and from then on the chain is what pays: a redemption that is mined
there is booked in the ledger once, by block. pUSD on the chain follows the ledger after every step.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.genesis import (
    OPERATOR,
    RICH,
    act_as,
    lay_out,
    make_deposit_wallet,
    read,
    send,
    token_balance,
)
from polyb0t.sandbox.chain.logs import asked_for, redemptions
from polyb0t.sandbox.contracts import CONTRACTS, ORACLE, collateral_of
from polyb0t.sandbox.ledger import PUSD
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.node import Node
from polyb0t.sandbox.redeeming import RevertedError
from polyb0t.sandbox.relayed import Relayed
from polyb0t.sandbox.types import MarketSpec
from polyb0t.sandbox.wallets import DEPOSIT
from polyb0t.sandbox.world import World

MINT: Final = "0x00000000000000000000000000000000000C0de5"  # makes complete sets and hands them out
_CTF, _PUSD = CONTRACTS["conditional_tokens"], CONTRACTS["collateral"]
_PROXY: Final = "proxy((address,uint256,uint256,(address,uint256,bytes)[])[],bytes[])"
_APPROVALS: Final = (
    (_CTF, CONTRACTS["collateral_adapter"]),
    (_CTF, CONTRACTS["neg_risk_collateral_adapter"]),
    (_CTF, CONTRACTS["auto_redeemer"]),
    (CONTRACTS["position_manager"], CONTRACTS["router"]),
    (CONTRACTS["position_manager"], CONTRACTS["auto_redeemer"]),
)
_PLENTY: Final = 2**255


class Mirror:
    """One world on one chain."""

    def __init__(self, world: World, node: Node, project: Path) -> None:
        """Lay the chain out, or find it as it was left.

        Raises:
            ConfigurationError: a contract is missing on this computer.
        """
        self._world = world
        self.node = node
        self._evened: dict[str, int] = {}  # pUSD by wallet, as last made equal
        lay_out(node, project)
        self._prepare_accounts()
        if world.chain_block > self._height():
            world.chain_block = 0  # another chain than the one that this world knew
            world.on_chain.clear()
        self.tick()

    def tick(self) -> None:
        """Bring over what has a result, book what was paid, make the money equal."""
        self._bring_results()
        self._book()
        self._even_money()

    def relay(self, batch: Relayed) -> str:
        """Send a deposit wallet's batch as the relayer's operator; the transaction's hash.

        Raises:
            RevertedError: the chain refused it, so that the wallet did nothing.
        """
        calls = [(call.target, 0, bytes.fromhex(call.data[2:])) for call in batch.calls]
        given = [(batch.wallet, batch.nonce, batch.deadline_s, calls)]
        data = call_data(_PROXY, given, [bytes.fromhex(batch.signature[2:])])
        receipt = send(self.node, OPERATOR, CONTRACTS["deposit_wallet_factory"], data)
        batch.transaction = receipt["transactionHash"]
        if receipt["status"] != "0x1":
            raise RevertedError("transaction reverted")
        return batch.transaction

    def redeem_for(self, wallet: str, spec: MarketSpec, outcomes: Sequence[int]) -> None:
        """Redeem as the venue's own operator does, which pays the gas.

        Raises:
            RevertedError: the chain refused it.
        """
        condition = bytes.fromhex(spec.condition_id[2:])
        if spec.version == "v2":
            asked = "redeemPositionFor(address,bytes31,uint256)"
            orders = [call_data(asked, wallet, condition[:31], outcome) for outcome in outcomes]
        else:
            orders = [call_data("redeemFor(address,bytes32)", wallet, condition)]
        for data in orders:
            if send(self.node, OPERATOR, CONTRACTS["auto_redeemer"], data)["status"] != "0x1":
                raise RevertedError("transaction reverted")

    # --- the accounts ---------------------------------------------------------------------------

    def _prepare_accounts(self) -> None:
        act_as(self.node, MINT)
        for account in self._world.accounts:
            if account.signature_type == DEPOSIT:
                make_deposit_wallet(self.node, account.wallet, account.address)
            self.node.call("anvil_setBalance", account.address, hex(RICH))
            self._approve(account.wallet)

    def _approve(self, wallet: str) -> None:
        """What the venue's website has every new wallet permit."""
        self._as_wallet(wallet)
        for token, operator in _APPROVALS:
            asked = call_data("isApprovedForAll(address,address)", wallet, operator)
            if read(self.node, token, asked, "bool") != (True,):
                send(self.node, wallet, token, call_data("setApprovalForAll(address,bool)", operator, True))
        self.node.call("anvil_stopImpersonatingAccount", wallet)

    def _as_wallet(self, wallet: str) -> None:
        self.node.call("anvil_impersonateAccount", wallet)
        self.node.call("anvil_setBalance", wallet, hex(RICH))

    def _even_money(self) -> None:
        """Make pUSD there what it is here; asked of the chain only where something moved."""
        for account in self._world.accounts:
            wanted = self._world.ledger.balance(account.wallet, PUSD)
            if self._evened.get(account.wallet) == wanted:
                continue
            there = token_balance(self.node, _PUSD, account.wallet)
            if wanted != there:
                change = "mint(address,uint256)" if wanted > there else "burn(address,uint256)"
                send(self.node, MINT, _PUSD, call_data(change, account.wallet, abs(wanted - there)))
            self._evened[account.wallet] = wanted

    # --- results --------------------------------------------------------------------------------

    def _bring_results(self) -> None:
        for market in self._world.engine.markets.values():
            condition = market.spec.condition_id
            if market.payouts is None or condition in self._world.on_chain:
                continue
            self._world.on_chain.add(condition)
            held = self._held(market)
            if held:
                self._bring(market, held)

    def _held(self, market: Market) -> list[tuple[str, int, int]]:
        """Wallet, outcome and shares of the practice accounts."""
        ledger = self._world.ledger
        return [
            (account.wallet, outcome, shares)
            for account in self._world.accounts
            for outcome, token in enumerate(market.spec.token_ids)
            if (shares := ledger.balance(account.wallet, token))
        ]

    def _bring(self, market: Market, held: list[tuple[str, int, int]]) -> None:
        assert market.payouts is not None
        sets = max(sum(shares for _, outcome, shares in held if outcome == side) for side in (0, 1))
        spec = market.spec
        if spec.version == "v2":
            tokens = self._make_v2(bytes.fromhex(spec.condition_id[2:64]), market.payouts, sets)
        else:
            tokens = self._make_v1(market, sets)
        give = "safeTransferFrom(address,address,uint256,uint256,bytes)"
        for wallet, outcome, shares in held:
            data = call_data(give, MINT, wallet, int(spec.token_ids[outcome]), shares, b"")
            send(self.node, MINT, tokens, data)

    def _make_v1(self, market: Market, sets: int) -> str:
        spec, payouts = market.spec, market.payouts
        question, condition = bytes.fromhex(spec.question_id[2:]), bytes.fromhex(spec.condition_id[2:])
        collateral = collateral_of(spec.neg_risk)
        prepare = call_data("prepareCondition(address,bytes32,uint256)", ORACLE, question, 2)
        split = "splitPosition(address,bytes32,bytes32,uint256[],uint256)"
        send(self.node, ORACLE, _CTF, prepare)
        send(self.node, MINT, collateral, call_data("mint(address,uint256)", MINT, sets))
        send(self.node, MINT, collateral, call_data("approve(address,uint256)", _CTF, _PLENTY))
        send(self.node, MINT, _CTF, call_data(split, collateral, bytes(32), condition, [1, 2], sets))
        send(self.node, ORACLE, _CTF, call_data("reportPayouts(bytes32,uint256[])", question, payouts))
        return _CTF

    def _make_v2(self, condition: bytes, payouts: tuple[int, int], sets: int) -> str:
        router, manager = CONTRACTS["router"], CONTRACTS["position_manager"]
        send(self.node, MINT, _PUSD, call_data("mint(address,uint256)", MINT, sets))
        send(self.node, MINT, _PUSD, call_data("approve(address,uint256)", router, _PLENTY))
        send(self.node, MINT, router, call_data("split(bytes31,uint256)", condition, sets))
        report = call_data("report(bytes31,uint256,uint256)", condition, *payouts)
        send(self.node, ORACLE, manager, report)
        return manager

    # --- payments -------------------------------------------------------------------------------

    def _book(self) -> None:
        """Book what was redeemed in the blocks since the last look."""
        height = self._height()
        if height <= self._world.chain_block:
            return
        logs: list[dict[str, Any]] = self.node.call(
            "eth_getLogs", asked_for(self._world.chain_block + 1, height)
        )
        self._evened.clear()
        for redemption in redemptions(logs):
            self._world.redeemed_on_chain(
                redemption.wallet, redemption.token_id, redemption.shares_e6, redemption.transaction
            )
        self._world.chain_block = height

    def _height(self) -> int:
        return int(self.node.call("eth_blockNumber"), 16)
