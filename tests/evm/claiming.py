"""A wallet on the local chain that holds shares of ended markets, and the product's own hands on it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.practice import practice_key
from polyb0t.core.units import Pusd, Shares, from_e6
from polyb0t.execution.settlement.ports import Holding
from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.genesis import act_as, send
from polyb0t.sandbox.contracts import BRIDGED_USDC, CONTRACTS, ORACLE, WRAPPED_COLLATERAL
from polyb0t.sandbox.ctf_ids import condition_id, token_ids
from polyb0t.sandbox.node import Node
from polyb0t.venue.chain_rpc import ChainRpc
from polyb0t.venue.claims import ChainClaims
from polyb0t.venue.environment import POLYMARKET
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.one_shot import OneShot
from polyb0t.venue.resolutions_chain import ChainResults
from polyb0t.venue.signing import SigningKey
from polyb0t.venue.transactions import GWEI, GasPolicy

KEY = SigningKey(practice_key(60))
PUSD, CTF = CONTRACTS["collateral"], CONTRACTS["conditional_tokens"]
CAP_GWEI = 500
KINDS = ("standard", "neg-risk", "v2")
_BORN = "0x" + "51" * 32
_V2 = "0x017791f201d5a788e0039e511fc1900e5f" + "00" * 15
_LEDGERS: Mapping[str, tuple[str, str]] = {
    "standard": ("collateral_adapter", BRIDGED_USDC),
    "neg-risk": ("neg_risk_collateral_adapter", WRAPPED_COLLATERAL),
}


@dataclass
class Hands:
    """The product's reader and sender at one node."""

    node: Node
    rpc: ChainRpc
    claims: ChainClaims
    results: ChainResults

    @property
    def wallet(self) -> Wallet:
        return KEY.address


@contextmanager
def hands(node: Node, *, url: str = "", chain_id: int = 137, clock: Clock | None = None) -> Iterator[Hands]:
    """Hands of the wallet of `KEY`; `url` is another door to the node."""
    clock = clock or SystemClock()
    one_shot = OneShot(clock)
    with HttpReader(clock, limits=ReadLimits(attempts=1)) as reader:
        rpc = ChainRpc(url or f"http://127.0.0.1:{node.port}", chain_id, reader, one_shot)
        claims = ChainClaims(rpc, POLYMARKET.contracts, GasPolicy(CAP_GWEI * GWEI), key=KEY)
        yield Hands(node, rpc, claims, ChainResults(rpc, POLYMARKET.contracts))
    one_shot.close()


def condition_of(kind: str) -> ConditionId:
    return ConditionId(_V2 if kind == "v2" else condition_id(ORACLE, _BORN))


def assets_of(kind: str) -> tuple[AssetId, AssetId]:
    condition = condition_of(kind)
    if kind == "v2":
        first = int(condition, 16)
        return AssetId(str(first)), AssetId(str(first + 1))
    one, other = token_ids(_LEDGERS[kind][1], condition)
    return AssetId(one), AssetId(other)


def holding(kind: str, shares: tuple[str, str], expected: str) -> Holding:
    """Shares of both outcomes and what they should pay."""
    first, second = (Shares(Decimal(each)) for each in shares)
    version = "v2" if kind == "v2" else "v1"
    return Holding(
        condition_of(kind),
        version,
        kind == "neg-risk",
        assets_of(kind),
        (first, second),
        Pusd(Decimal(expected)),
    )


def give(node: Node, wallet: Wallet, kind: str, shares: tuple[int, int], *, approve: bool = True) -> None:
    """Shares of both outcomes in millionths, to a wallet with coin for gas."""
    act_as(node, wallet)
    sets = max(shares)
    operator = CONTRACTS["router"] if kind == "v2" else CONTRACTS[_LEDGERS[kind][0]]
    ledger = CONTRACTS["position_manager"] if kind == "v2" else CTF
    send(node, ORACLE, PUSD, call_data("mint(address,uint256)", ORACLE, sets))
    send(node, ORACLE, PUSD, call_data("approve(address,uint256)", operator, sets))
    if kind == "v2":
        send(node, ORACLE, operator, call_data("split(bytes31,uint256)", bytes.fromhex(_V2[2:64]), sets))
    else:
        prepare = call_data("prepareCondition(address,bytes32,uint256)", ORACLE, bytes.fromhex(_BORN[2:]), 2)
        send(node, ORACLE, CTF, prepare)
        types = "splitPosition(address,bytes32,bytes32,uint256[],uint256)"
        condition = bytes.fromhex(condition_of(kind)[2:])
        send(node, ORACLE, operator, call_data(types, PUSD, bytes(32), condition, [1, 2], sets))
    move = "safeTransferFrom(address,address,uint256,uint256,bytes)"
    for asset, amount in zip(assets_of(kind), shares, strict=True):
        if amount:
            send(node, ORACLE, ledger, call_data(move, ORACLE, wallet, int(asset), amount, b""))
    if approve:
        send(node, wallet, ledger, call_data("setApprovalForAll(address,bool)", operator, True))


def report(node: Node, kind: str, first_e6: int) -> None:
    """The result: what a share of the first outcome pays in millionths."""
    pays = (first_e6, 1_000_000 - first_e6)
    if kind == "v2":
        data = call_data("report(bytes31,uint256,uint256)", bytes.fromhex(_V2[2:64]), *pays)
        send(node, ORACLE, CONTRACTS["position_manager"], data)
    else:
        data = call_data("reportPayouts(bytes32,uint256[])", bytes.fromhex(_BORN[2:]), pays)
        send(node, ORACLE, CTF, data)


def won(node: Node, kind: str, millionths: int = 40_000_001) -> Holding:
    """The wallet of `KEY` holds so many shares of the first outcome, which won."""
    give(node, KEY.address, kind, (millionths, 0))
    report(node, kind, 1_000_000)
    amount = str(from_e6(millionths))
    return holding(kind, (amount, "0"), amount)
