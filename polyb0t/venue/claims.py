"""Claims on the chain, through one node: `execution.settlement.ports.ClaimChain`.

The chain's own counts and logs are what is believed; the node is asked which chain it is on before
anything is signed, and again before anything is sent.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from polyb0t.core.clock import from_microseconds
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import Pusd, Shares, from_e6
from polyb0t.execution.settlement.ports import (
    ChainHead,
    ClaimCall,
    ClaimRoute,
    Fees,
    Holding,
    Payout,
    Receipt,
    SendClass,
    SendOutcome,
    SignedClaim,
    Simulation,
)
from polyb0t.venue.chain_rpc import METHOD_NOT_FOUND, ChainRpc, RpcError, as_quantity
from polyb0t.venue.claims_abi import call_data, number_word, raw_bytes, wallet_word, words
from polyb0t.venue.claims_calls import TARGETS, claim_call, ledger_of, wrong_claim
from polyb0t.venue.claims_receipts import (
    BATCH,
    SINGLE,
    Mined,
    hash_of,
    parse_logs,
    parse_receipt,
    payouts_of,
)
from polyb0t.venue.claims_simulation import outcome_of, program
from polyb0t.venue.one_shot import NeverLeft, NoAnswer
from polyb0t.venue.parsing import Wire, as_object
from polyb0t.venue.relayer_answers import batch_signature
from polyb0t.venue.signing import DigestSigner
from polyb0t.venue.transactions import GasPolicy, of_error, of_result, signed_transaction

BLOCKS_PER_QUERY: Final = 2_000  # public nodes answer no larger range of logs
_HELD: Final = "balanceOf(address,uint256)"
_MONEY: Final = "balanceOf(address)"
_TIP: Final = "eth_maxPriorityFeePerGas"


class ChainClaims:
    """One node. With a `key` the transactions of its own address can be signed, without one none."""

    def __init__(
        self,
        rpc: ChainRpc,
        contracts: Mapping[str, Wallet],
        policy: GasPolicy,
        *,
        key: DigestSigner | None = None,
        receiver: Wallet | None = None,
    ) -> None:
        """`receiver`: whose payouts a receipt tells; the key's own address if unset."""
        self._rpc = rpc
        self._contracts = contracts
        self._policy = policy
        self._key = key
        self._receiver = receiver or (key.address if key is not None else None)

    # --- reads ----------------------------------------------------------------------------------

    def head(self) -> ChainHead:
        block = self._rpc.block()
        return ChainHead(self._rpc.quantity("eth_chainId"), self._number(block, "number"), self._time(block))

    def shares(self, wallet: Wallet, asset_id: AssetId, *, version: str, neg_risk: bool) -> Shares:  # noqa: ARG002 - the port's
        """Of both kinds of market of the first protocol the same contract keeps the shares."""
        data = call_data(_HELD, wallet_word(wallet), number_word(int(asset_id)))
        return Shares(from_e6(self._read_number(ledger_of(version, self._contracts), data)))

    def balance(self, wallet: Wallet) -> Pusd:
        data = call_data(_MONEY, wallet_word(wallet))
        return Pusd(from_e6(self._read_number(self._contracts["collateral"], data)))

    def nonce(self, wallet: Wallet) -> int:
        return self._rpc.quantity("eth_getTransactionCount", wallet, "latest")

    def receipt(self, tx_hash: str) -> Receipt | None:
        mined = self._mined(tx_hash)
        if mined is None:
            return None
        at = self._block_of(mined)
        if at is None:
            return None
        head = self._rpc.quantity("eth_blockNumber")
        own = self._receiver
        return Receipt(
            mined.tx_hash,
            mined.succeeded,
            mined.block_hash,
            mined.block_number,
            max(0, head - mined.block_number + 1),
            () if own is None else self._payouts(mined, own, at),
            mined.gas_cost_wei if own is not None and mined.sender == own.lower() else 0,
        )

    def block_hash(self, number: int) -> str | None:
        if number > self._rpc.quantity("eth_blockNumber"):
            return None
        with self._rpc.answering():
            return hash_of(self._rpc.block(number))

    def carries(self, tx_hash: str, raw: str) -> bool:
        """A batch's signature is of this batch alone, and whoever carries it has to bring it along."""
        told = self._rpc.ask("eth_getTransactionByHash", tx_hash)
        with self._rpc.answering():
            if told is None:
                return False
            data = raw_bytes(as_object(told, "the transaction").get("input"), "the transaction's input")
            return batch_signature(raw) in data

    def payouts(
        self, wallet: Wallet, condition_ids: Sequence[ConditionId], *, from_block: int
    ) -> tuple[Payout, ...]:
        wanted, head = set(condition_ids), self._rpc.quantity("eth_blockNumber")
        found: list[Payout] = []
        for first in range(from_block, head + 1, BLOCKS_PER_QUERY):
            for tx_hash in self._given_away(wallet, first, min(first + BLOCKS_PER_QUERY - 1, head)):
                mined = self._mined(tx_hash)
                at = None if mined is None else self._block_of(mined)
                if mined is not None and at is not None:
                    found += self._payouts(mined, wallet, at)
        return tuple(each for each in found if each.condition_id in wanted)

    # --- a claim --------------------------------------------------------------------------------

    def build(self, wallet: Wallet, holding: Holding) -> ClaimCall:
        return claim_call(wallet, holding, self._contracts)

    def simulate(self, calls: Sequence[ClaimCall]) -> Simulation:
        wallets = {call.wallet for call in calls}
        if len(wallets) != 1:
            raise wrong_claim("Calls of several wallets are never made together.")
        (wallet,) = wallets
        overrides: dict[Wallet, Wire] = {wallet: {"code": program(calls, self._contracts["collateral"])}}
        with self._rpc.answering():
            try:
                answer = self._rpc.read(wallet, "0x", overrides=overrides)
            except RpcError as error:
                if not error.reverted:
                    raise
                return Simulation(None, why=error.reason)
            return outcome_of(answer, calls)

    def fees(self, gas: int) -> Fees:
        """What a transaction of so much gas may cost now.

        Raises:
            ConflictError: more than the cap (`gas_over_cap`).
        """
        base = self._number(self._rpc.block(), "baseFeePerGas")
        return self._policy.fees(gas, base_wei=base, suggested_tip_wei=self._suggested_tip())

    def sign(self, call: ClaimCall, nonce: int, fees: Fees) -> SignedClaim:
        """
        Raises:
            ConfigurationError: the node is on another chain, the wallet is not the key's own, or the
                contract is none of those that pay.
            ConflictError: the fees are above the cap.
        """
        if self._key is None or self._key.address.lower() != call.wallet.lower():
            raise wrong_claim("Only the wallet that holds the shares is paid for them.")
        if call.target not in {self._contracts[name] for name in TARGETS}:
            raise wrong_claim(f"{call.target} is none of the contracts that pay.")
        self._policy.check(fees)
        self._rpc.require_chain()
        raw, tx_hash = signed_transaction(call, nonce, fees, chain_id=self._rpc.chain_id, key=self._key)
        return SignedClaim(
            ClaimRoute.TRANSACTION,
            nonce,
            raw,
            tx_hash,
            max_fee_wei=fees.max_fee_wei,
            priority_fee_wei=fees.priority_fee_wei,
            gas=fees.gas,
        )

    def broadcast(self, signed: SignedClaim) -> SendOutcome:
        try:
            self._rpc.require_chain()
        except PolybotError as error:
            return SendOutcome(SendClass.REFUSED, f"nothing was sent: {error}", retryable=True)
        try:
            return of_result(self._rpc.send_raw(signed.raw), signed.tx_hash)
        except RpcError as error:
            return of_error(error.what)
        except NeverLeft as error:
            return SendOutcome(SendClass.REFUSED, f"nothing was sent: {error}", retryable=True)
        except NoAnswer as error:
            return SendOutcome(SendClass.UNKNOWN, f"{error}")

    # --- inside ---------------------------------------------------------------------------------

    def _mined(self, tx_hash: str) -> Mined | None:
        raw = self._rpc.ask("eth_getTransactionReceipt", tx_hash)
        with self._rpc.answering():
            return None if raw is None else parse_receipt(raw, tx_hash)

    def _block_of(self, mined: Mined) -> datetime | None:
        """When its block was made; None where another block lies there by now."""
        block = self._rpc.block(mined.block_number)
        if str(block.get("hash")).lower() != mined.block_hash:
            return None
        return self._time(block)

    def _payouts(self, mined: Mined, wallet: Wallet, at: datetime) -> tuple[Payout, ...]:
        with self._rpc.answering():
            return payouts_of(mined, wallet, self._contracts, at=at)

    def _given_away(self, wallet: Wallet, first: int, last: int) -> list[str]:
        """The transactions of these blocks in which shares of the wallet went anywhere."""
        asked = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": [self._contracts["conditional_tokens"], self._contracts["position_manager"]],
            "topics": [[SINGLE, BATCH], None, "0x" + wallet_word(wallet).hex()],
        }
        raw = self._rpc.ask("eth_getLogs", asked)
        with self._rpc.answering():
            return list(dict.fromkeys(log.tx_hash for log in parse_logs(raw)))

    def _suggested_tip(self) -> int:
        with self._rpc.answering():
            try:
                return as_quantity(self._rpc.call(_TIP), _TIP)
            except RpcError as error:
                if error.number != METHOD_NOT_FOUND:
                    raise
                return 0

    def _read_number(self, target: Wallet, data: str) -> int:
        """One word; no word at all is what a place without a contract answers."""
        with self._rpc.answering():
            return words(self._rpc.read(target, data), 1, "the contract's answer")[0]

    def _number(self, block: Wire, name: str) -> int:
        with self._rpc.answering():
            return as_quantity(block.get(name), name)

    def _time(self, block: Wire) -> datetime:
        return from_microseconds(self._number(block, "timestamp") * 1_000_000)
