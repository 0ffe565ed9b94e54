"""Where a venue is: every address, chain and contract in one value, the real one or a sandbox's.

The sandbox tells its own environment, so nothing about it is configured but its URL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import Wallet
from polyb0t.core.units import Pusd
from polyb0t.data.markets import ProtocolVersion
from polyb0t.execution.scope import POLYMARKET as POLYMARKET_NAME
from polyb0t.execution.scope import SANDBOX as SANDBOX_NAME
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.parsing import Refused, Wire, as_object, exact_decimal, text, whole
from polyb0t.venue.signing import ExchangeDomain, checksummed


@dataclass(frozen=True, slots=True)
class PracticeAccount:
    """A funded account of a sandbox. Its key is published and worth nothing."""

    index: int
    key: str = field(repr=False)
    wallet: Wallet
    signature_type: int
    funding: Pusd


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueEnvironment:
    """URLs without a trailing slash; contracts by the names below, checksummed."""

    name: str  # execution.scope: POLYMARKET or SANDBOX
    chain_id: int
    gamma_url: str
    clob_url: str
    data_url: str
    relayer_url: str
    geoblock_url: str
    market_ws_url: str
    user_ws_url: str
    contracts: Mapping[str, Wallet]
    world_id: str = ""  # sandbox only
    accounts: tuple[PracticeAccount, ...] = ()  # sandbox only
    rpc_url: str = ""  # sandbox only: its local chain, if it runs one
    relayer_keys: Mapping[Wallet, str] = field(default_factory=dict, repr=False)  # sandbox only, by owner

    @property
    def is_sandbox(self) -> bool:
        return self.name == SANDBOX_NAME

    def exchange(self, version: str, *, neg_risk: bool) -> ExchangeDomain:
        """The domain under which an order on such a market is signed.

        Raises:
            ConfigurationError: an unknown protocol version; guessing would sign for another contract.
        """
        if version == ProtocolVersion.V2:
            return ExchangeDomain("3", self.chain_id, self.contracts["exchange_v3"])
        if version != ProtocolVersion.V1:
            raise ConfigurationError(
                f"Markets of protocol version {version!r:.20} can not be traded.",
                why="Which contract settles them is not known.",
                code="unknown_protocol",
            )
        name = "neg_risk_exchange_v2" if neg_risk else "exchange_v2"
        return ExchangeDomain("2", self.chain_id, self.contracts[name])


EXCHANGES: Final = ("exchange_v2", "neg_risk_exchange_v2", "exchange_v3")
_NEEDED_CONTRACTS: Final = (
    *EXCHANGES,
    "collateral",
    "conditional_tokens",
    "position_manager",
    "collateral_adapter",
    "neg_risk_collateral_adapter",
    "router",
    "auto_redeemer",
    "deposit_wallet_factory",
)

# docs.polymarket.com resources/contracts, October 2026, and the vendor's SDK 0.14.
POLYMARKET: Final = VenueEnvironment(
    name=POLYMARKET_NAME,
    chain_id=137,
    gamma_url="https://gamma-api.polymarket.com",
    clob_url="https://clob.polymarket.com",
    data_url="https://data-api.polymarket.com",
    relayer_url="https://relayer-v2.polymarket.com",
    geoblock_url="https://polymarket.com/api/geoblock",
    market_ws_url="wss://ws-subscriptions-clob.polymarket.com/ws/market",
    user_ws_url="wss://ws-subscriptions-clob.polymarket.com/ws/user",
    contracts={
        "collateral": Wallet("0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB"),
        "conditional_tokens": Wallet("0x4D97DCd97eC945f40cF65F87097ACe5EA0476045"),
        "exchange_v2": Wallet("0xE111180000d2663C0091e4f400237545B87B996B"),
        "neg_risk_exchange_v2": Wallet("0xe2222d279d744050d28e00520010520000310F59"),
        "exchange_v3": Wallet("0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"),
        "position_manager": Wallet("0x006F54F7f9A22e0000CC2AB60031000000ae9fEF"),
        "collateral_adapter": Wallet("0xAdA100Db00Ca00073811820692005400218FcE1f"),
        "neg_risk_collateral_adapter": Wallet("0xadA2005600Dec949baf300f4C6120000bDB6eAab"),
        "router": Wallet("0x12121212006e4CD160D18e3f00711DA5c3372600"),
        "auto_redeemer": Wallet("0xa1200000d0002264C9a1698e001292D00E1b00af"),
        "deposit_wallet_factory": Wallet("0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"),
    },
)


def from_sandbox(raw: object, url: str) -> VenueEnvironment:
    """The environment that the sandbox at `url` told.

    Raises:
        ConfigurationError: it is not one, or it points at another machine.
    """
    try:
        told = as_object(raw, "the environment")
        urls = as_object(told.get("urls"), "urls")
        contracts = as_object(told.get("contracts"), "contracts")
        rows = told.get("accounts")
        environment = VenueEnvironment(
            name=SANDBOX_NAME,
            chain_id=whole(told, "chain_id", largest=2**53),
            gamma_url=_url(urls, "gamma", url),
            clob_url=_url(urls, "clob", url),
            data_url=_url(urls, "data", url),
            relayer_url=_url(urls, "relayer", url),
            geoblock_url=_url(urls, "geoblock", url),
            market_ws_url=_url(urls, "market_ws", url),
            user_ws_url=_url(urls, "user_ws", url),
            contracts={name: checksummed(text(contracts, name)) for name in _NEEDED_CONTRACTS},
            world_id=text(told, "world_id"),
            accounts=tuple(_account(as_object(row, "an account")) for row in _list(rows)),
            rpc_url=_url(urls, "rpc", url),
            relayer_keys=_relayer_keys(as_object(told.get("relayer_keys") or {}, "relayer_keys")),
        )
    except (Refused, ValueError) as error:
        raise _not_a_sandbox(url, str(error)) from error
    if not environment.world_id or not environment.chain_id:
        raise _not_a_sandbox(url, "It names no world or no chain.")
    return environment


def fetch_sandbox_environment(url: str, clock: Clock) -> VenueEnvironment:
    """Ask the sandbox at `url` where everything is.

    Raises:
        VenueUnreachableError: nobody answers there.
        ConfigurationError: what answers is not a sandbox.
    """
    base = url.rstrip("/")
    with HttpReader(clock, limits=ReadLimits(total_seconds=5, attempts=1), sandbox=True) as reader:
        return from_sandbox(reader.parsed(reader.get(f"{base}/sandbox/environment")), base)


def _url(urls: Wire, name: str, sandbox_url: str) -> str:
    """An address of the sandbox. One of another machine is refused: practice must not reach the world."""
    address = text(urls, name)
    there, here = urlsplit(address), urlsplit(sandbox_url)
    if there.scheme not in ("http", "https", "ws", "wss") or there.netloc != here.netloc:
        raise ValueError(f"Its address for {name} is {address!r:.80}, which is not on {here.netloc}.")
    return address.rstrip("/")


def _account(row: Wire) -> PracticeAccount:
    return PracticeAccount(
        index=whole(row, "index", largest=99),
        key=text(row, "key"),
        wallet=checksummed(text(row, "wallet")),
        signature_type=whole(row, "signature_type", largest=3),
        funding=Pusd(exact_decimal(row.get("funding"), "funding")),
    )


def _relayer_keys(rows: Wire) -> Mapping[Wallet, str]:
    return {checksummed(owner): text(rows, owner) for owner in rows}


def _list(rows: object) -> list[object]:
    if not isinstance(rows, list) or not rows:
        raise ValueError("It offers no practice accounts.")
    return rows


def _not_a_sandbox(url: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"What answers at {url} is not a sandbox that this version understands.",
        why=why,
        do="Start one with `polyb0t sandbox`, or set POLYBOT_SANDBOX_URL.",
        code="not_a_sandbox",
    )
