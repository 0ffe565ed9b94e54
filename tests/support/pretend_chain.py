"""A chain and a relayer in memory that do what they are told to do wrong."""

import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from polyb0t.core.errors import ConflictError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.execution.settlement.booking import expected_of
from polyb0t.execution.settlement.ports import (
    ChainHead,
    ClaimCall,
    ClaimRoute,
    Fees,
    Holding,
    Payout,
    Receipt,
    RelayerState,
    RelayerTransaction,
    SendClass,
    SendOutcome,
    SignedClaim,
    Simulation,
)

BLOCK_SECONDS = 2
GAS = 200_000


@dataclass
class Market:
    """A market on the chain. `payouts` None: no result yet."""

    assets: tuple[AssetId, AssetId]
    payouts: tuple[Price, Price] | None


@dataclass
class Mined:
    tx_hash: str
    calls: tuple[ClaimCall, ...]
    succeeded: bool
    payouts: tuple[Payout, ...]
    ours: bool


@dataclass
class Block:
    number: int
    hash: str
    at: datetime
    mined: list[Mined] = field(default_factory=list)


@dataclass
class Waiting:
    """A transaction that the node knows. `fee` decides whether somebody takes it."""

    tx_hash: str
    nonce: int
    calls: tuple[ClaimCall, ...]
    fee: int


class PretendChain:
    """`trouble` is a queue of words, one used by each broadcast; see `_take`."""

    def __init__(self, wallet: Wallet, start: datetime) -> None:
        self.wallet = wallet
        self.markets: dict[ConditionId, Market] = {}
        self.held: dict[AssetId, Shares] = {}
        self.money = Pusd(Decimal(1000))
        self.blocks = [Block(1000, "0xb1000", start)]
        self.nonces = 7
        self.wallet_nonce = 3
        self.pool: dict[int, Waiting] = {}
        self.trouble: deque[str] = deque()
        self.floor_fee = 30
        self.unreachable = 0  # so many reads fail
        self.forks = 0
        self.reverting = False
        self.reverts_when_mined = False  # though a simulation says that it pays
        self.one_by_one = False  # whether calls that are tried out together pay for the first of them only
        self.brought: dict[str, str] = {}  # by transaction: the batch that it carried
        self.behind = 0  # so many of the newest blocks this node does not have yet

    # -- the world -----------------------------------------------------------------------------

    def market(self, condition: ConditionId, assets: tuple[AssetId, AssetId], *held: str) -> None:
        self.markets[condition] = Market(assets, None)
        for asset, shares in zip(assets, held, strict=True):
            self.held[asset] = Shares(Decimal(shares))

    def resolve(self, condition: ConditionId, *payouts: str) -> None:
        first, second = (Price(Decimal(each)) for each in payouts)
        self.markets[condition].payouts = (first, second)

    def advance(self, seconds: float) -> None:
        for _ in range(max(1, int(seconds // BLOCK_SECONDS))):
            last = self.blocks[-1]
            number = last.number + 1
            block = Block(number, f"0xb{number}{self.forks}", last.at + timedelta(seconds=BLOCK_SECONDS))
            self.blocks.append(block)
            waiting = self.pool.get(self.nonces)
            if waiting is not None and waiting.fee >= self.floor_fee:
                del self.pool[self.nonces]
                self.nonces += 1
                self.mine(waiting.tx_hash, waiting.calls, ours=True)

    def mine(self, tx_hash: str, calls: Sequence[ClaimCall], *, ours: bool) -> None:
        """All of the calls or none of them, in the newest block."""
        block, paid = self.blocks[-1], list[Payout]()
        fails = self.reverting or self.reverts_when_mined
        succeeded = not fails and all(self.markets[c.condition_id].payouts for c in calls)
        for call in calls if succeeded else ():
            amount = self._redeem(call.condition_id)
            if amount:
                self.money = Pusd(self.money + amount)
                log = len(paid) + 10 * len(block.mined)
                paid.append(
                    Payout(
                        tx_hash,
                        log,
                        block.hash,
                        block.number,
                        call.condition_id,
                        self.wallet,
                        amount,
                        block.at,
                    )
                )
        block.mined.append(Mined(tx_hash, tuple(calls), succeeded, tuple(paid), ours))

    def auto_redeem(self, condition: ConditionId) -> None:
        """The venue's operator was first."""
        self.advance(BLOCK_SECONDS)
        call = ClaimCall(condition, self.wallet, self.wallet, "redeemFor", "0xauto", Pusd(Decimal(1)))
        self.mine("0xauto" + condition[2:8], (call,), ours=False)

    def reorganise(self) -> None:
        """The newest blocks with something of ours are taken back; its transaction waits again."""
        self.forks += 1
        while len(self.blocks) > 1:
            block = self.blocks.pop()
            for mined in block.mined:
                for payout in mined.payouts:
                    self.money = Pusd(self.money - payout.pusd)
                    self._give_back(payout.condition_id)
                if mined.ours:
                    self.nonces -= 1
                    self.pool[self.nonces] = Waiting(mined.tx_hash, self.nonces, mined.calls, 10**9)
            if block.mined:
                break
        self.blocks.append(
            replace(self.blocks[-1], number=self.blocks[-1].number + 1, hash=f"0xf{self.forks}", mined=[])
        )

    @property
    def mined(self) -> list[Mined]:
        return [each for block in self.blocks for each in block.mined]

    def _redeem(self, condition: ConditionId) -> Pusd:
        market = self.markets[condition]
        shares = (self.held[market.assets[0]], self.held[market.assets[1]])
        assert market.payouts is not None
        self._before = getattr(self, "_before", {})
        self._before[condition] = shares
        for asset in market.assets:
            self.held[asset] = Shares(ZERO)
        return expected_of(shares, market.payouts)

    def _give_back(self, condition: ConditionId) -> None:
        for asset, shares in zip(self.markets[condition].assets, self._before[condition], strict=True):
            self.held[asset] = shares

    def read(self) -> None:
        if self.unreachable > 0:
            self.unreachable -= 1
            raise VenueUnreachableError("The node does not answer.")

    # -- the port ------------------------------------------------------------------------------

    def head(self) -> ChainHead:
        self.read()
        newest = self._known()[-1]
        return ChainHead(137, newest.number, newest.at)

    def shares(self, wallet: Wallet, asset_id: AssetId, *, version: str, neg_risk: bool) -> Shares:
        self.read()
        return self.held.get(asset_id, Shares(ZERO))

    def build(self, wallet: Wallet, holding: Holding) -> ClaimCall:
        data = "0x" + holding.condition_id[2:]
        return ClaimCall(
            holding.condition_id, wallet, Wallet("0xAdapter"), "redeem()", data, holding.expected
        )

    def simulate(self, calls: Sequence[ClaimCall]) -> Simulation:
        self.read()
        if self.reverting:
            return Simulation(None, why="need operator approval")
        total = ZERO
        for call in calls[:1] if self.one_by_one else calls:
            market = self.markets[call.condition_id]
            if market.payouts is None:
                return Simulation(None, why="result for condition not received yet")
            shares = (self.held[market.assets[0]], self.held[market.assets[1]])
            total += expected_of(shares, market.payouts)
        return Simulation(Pusd(total), GAS)

    def fees(self, gas: int) -> Fees:
        self.read()
        if self.floor_fee > 500:
            raise ConflictError("Gas costs too much.", why="over the cap", code="gas_over_cap")
        return Fees(gas, 40, 30)

    def sign(self, call: ClaimCall, nonce: int, fees: Fees) -> SignedClaim:
        raw = _raw(nonce, (call,), fees.max_fee_wei, 0)
        tx_hash = _hash(raw)
        return SignedClaim(
            ClaimRoute.TRANSACTION,
            nonce,
            raw,
            tx_hash,
            None,
            fees.max_fee_wei,
            fees.priority_fee_wei,
            fees.gas,
        )

    def broadcast(self, signed: SignedClaim) -> SendOutcome:
        trouble = self.trouble.popleft() if self.trouble else ""
        if trouble == "refused":
            return SendOutcome(SendClass.REFUSED, "insufficient funds for gas")
        if trouble != "lost" and signed.nonce >= self.nonces:
            known = json.loads(signed.raw)
            self.pool[signed.nonce] = Waiting(signed.tx_hash, signed.nonce, _calls(known), known["fee"])
        if trouble in ("lost", "no_answer"):
            return SendOutcome(SendClass.UNKNOWN, "the answer did not come")
        if trouble == "forgotten":
            self.pool.pop(signed.nonce, None)
        return SendOutcome(SendClass.ACCEPTED)

    def receipt(self, tx_hash: str) -> Receipt | None:
        self.read()
        for block in self._known():
            for mined in block.mined:
                if mined.tx_hash.lower() == tx_hash.lower():
                    deep = self.blocks[-1].number - block.number + 1
                    return Receipt(
                        mined.tx_hash,
                        mined.succeeded,
                        block.hash,
                        block.number,
                        deep,
                        mined.payouts,
                        GAS * 30,
                    )
        return None

    def block_hash(self, number: int) -> str | None:
        self.read()
        return next((block.hash for block in self._known() if block.number == number), None)

    def carries(self, tx_hash: str, raw: str) -> bool:
        self.read()
        return self.brought.get(tx_hash.lower()) == raw

    def _known(self) -> list[Block]:
        return self.blocks[: len(self.blocks) - self.behind]

    def nonce(self, wallet: Wallet) -> int:
        self.read()
        return self.nonces

    def balance(self, wallet: Wallet) -> Pusd:
        self.read()
        return self.money

    def payouts(
        self, wallet: Wallet, condition_ids: Sequence[ConditionId], *, from_block: int
    ) -> tuple[Payout, ...]:
        self.read()
        return tuple(
            payout
            for mined in self.mined
            for payout in mined.payouts
            if payout.condition_id in condition_ids and payout.block_number >= from_block
        )


class PretendRelayer:
    """Carries batches to a `PretendChain`; `trouble` as there, one word a submission."""

    def __init__(self, chain: PretendChain) -> None:
        self.chain = chain
        self.trouble: deque[str] = deque()
        self.known: dict[str, dict[str, object]] = {}
        self.submissions = 0
        self.silent = False  # it answers nothing
        self.forgetful = False  # it does not know what it was given

    def nonce(self) -> int | None:
        return None if self.silent else self.chain.wallet_nonce

    def sign(self, calls: Sequence[ClaimCall], nonce: int, *, deadline: int) -> SignedClaim:
        return SignedClaim(ClaimRoute.RELAYER, nonce, _raw(nonce, calls, 0, deadline), deadline=deadline)

    def submit(self, signed: SignedClaim) -> SendOutcome:
        self.submissions += 1
        trouble = self.trouble.popleft() if self.trouble else ""
        if trouble == "busy":
            return SendOutcome(SendClass.REFUSED, "wallet busy", retryable=True)
        if trouble == "lost" or self.silent:
            return SendOutcome(SendClass.UNKNOWN, "timed out")
        told = json.loads(signed.raw)
        if told["nonce"] != self.chain.wallet_nonce:
            return SendOutcome(SendClass.REFUSED, "batch nonce does not match", retryable=True)
        if any(not each["over"] for each in self.known.values()):
            return SendOutcome(SendClass.REFUSED, "wallet has in-flight action", retryable=True)
        name = f"r{len(self.known) + 1}"
        self.known[name] = {
            "told": told,
            "state": RelayerState.NEW,
            "tx": "",
            "over": False,
            "trouble": trouble,
        }
        if trouble in ("failed", "invalid"):
            failed = RelayerState.FAILED if trouble == "failed" else RelayerState.INVALID
            self.known[name] |= {"state": failed, "over": True}
        if trouble == "accepted_unheard":
            return SendOutcome(SendClass.UNKNOWN, "timed out")
        return SendOutcome(SendClass.ACCEPTED, transaction_id=name)

    def state(self, transaction_id: str) -> RelayerTransaction:
        one = self.known.get(transaction_id)
        if one is None or self.silent or self.forgetful:
            return RelayerTransaction(RelayerState.UNKNOWN)
        if one["trouble"] == "failed_mined":
            return RelayerTransaction(RelayerState.FAILED)
        return RelayerTransaction(RelayerState(str(one["state"])), str(one["tx"]))

    def work(self) -> None:
        """Send what waits."""
        for name, one in self.known.items():
            told = one["told"]
            assert isinstance(told, dict)
            if told["deadline"] < self.chain.blocks[-1].at.timestamp() and not one["over"]:
                self.known[name] |= {"state": RelayerState.FAILED, "over": True}
            if one["over"] or one["trouble"] == "stall":
                continue
            self.chain.advance(BLOCK_SECONDS)
            tx_hash = _hash(name + json.dumps(told))
            self.chain.brought[tx_hash] = json.dumps(told)
            self.chain.mine(tx_hash, _calls(told), ours=True)
            mined = self.chain.blocks[-1].mined[-1].succeeded
            self.chain.wallet_nonce += mined  # what reverts leaves the wallet as it was
            state = RelayerState.MINED if mined else RelayerState.FAILED
            self.known[name] |= {"state": state, "tx": tx_hash, "over": True}


def _raw(nonce: int, calls: Sequence[ClaimCall], fee: int, deadline: int) -> str:
    told = [[c.condition_id, c.wallet, c.target, c.function, c.data, str(c.expected)] for c in calls]
    return json.dumps({"nonce": nonce, "calls": told, "fee": fee, "deadline": deadline})


def _calls(told: Mapping[str, object]) -> tuple[ClaimCall, ...]:
    rows = told["calls"]
    assert isinstance(rows, list)
    return tuple(
        ClaimCall(ConditionId(c[0]), Wallet(c[1]), Wallet(c[2]), c[3], c[4], Pusd(Decimal(c[5])))
        for c in rows
    )


def _hash(text: str) -> str:
    return "0x" + hashlib.sha256(text.encode()).hexdigest()
