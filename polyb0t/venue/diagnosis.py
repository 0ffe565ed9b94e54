"""Looks at the venue that only a diagnosis takes: how far away it is, and whether the wallet is one."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from polyb0t.core.clock import Clock
from polyb0t.core.errors import PolybotError
from polyb0t.core.ids import Wallet
from polyb0t.venue.environment import VenueEnvironment
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.parsing import as_object, flag
from polyb0t.venue.preflight import Check, CheckState

_LIMITS: Final = ReadLimits(total_seconds=8, attempts=1, budget_seconds=10)
_SOCKET_SECONDS: Final = 5.0
KINDS: Final = ("plain wallet (EOA)", "proxy wallet", "Safe", "deposit wallet")
# What the relayer calls each kind of wallet, by signature type; a plain one is never deployed.
_RELAYER_KINDS: Final = ("", "PROXY", "SAFE", "WALLET")


def check_network(environment: VenueEnvironment, wallet: Wallet, clock: Clock) -> Check:
    """How long one read of each host takes, and whether the market socket answers."""
    hosts: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("markets", f"{environment.gamma_url}/markets/keyset", {"limit": "1"}),
        ("orders", f"{environment.clob_url}/time", {}),
        ("account", f"{environment.data_url}/v2/approvals", {"user": wallet}),
    )
    told, silent = [], []
    with HttpReader(clock, limits=_LIMITS, sandbox=environment.is_sandbox) as reader:
        for name, url, params in hosts:
            begun = clock.boot_seconds()
            try:
                reader.get(url, params)
            except PolybotError as error:
                silent.append(f"{name}: {error.why or error.what}")
                continue
            told.append(f"{name} {(clock.boot_seconds() - begun) * 1000:.0f} ms")
    trouble = _socket_trouble(environment.market_ws_url)
    if trouble:
        silent.append(f"stream: {trouble}")
    else:
        told.append("stream ok")
    if silent:
        do = "Look at this machine's connection, proxy and firewall; then at the exchange's status page."
        return Check("network", CheckState.FAILED, "; ".join(silent), do)
    return Check("network", CheckState.OK, ", ".join(told))


def _socket_trouble(url: str) -> str:
    """Why the socket does not answer a ping; empty if it does."""
    try:
        with connect(url, open_timeout=_SOCKET_SECONDS, close_timeout=1, proxy=None) as socket:
            socket.send("PING")
            heard = socket.recv(timeout=_SOCKET_SECONDS)
    except (OSError, TimeoutError, WebSocketException) as error:
        return f"{type(error).__name__} {error}".strip()
    return "" if heard == "PONG" or str(heard).startswith(("{", "[")) else f"it said {heard!r:.40}"


@dataclass(frozen=True, slots=True)
class WalletFacts:
    """`owner` signs for the wallet; None where no credentials are stored yet that tell who it is."""

    wallet: Wallet
    signature_type: int
    owner: Wallet | None


def check_wallet(environment: VenueEnvironment, facts: WalletFacts, clock: Clock) -> Check:
    """The wallet's kind: a plain one is its owner, any other one is deployed on the chain.

    That a deployed wallet belongs to the key is proved by nothing but an order: the test order does.
    """
    kind = KINDS[facts.signature_type]
    if facts.signature_type == 0:
        return _plain(facts, kind)
    if facts.owner is not None and facts.owner == facts.wallet:
        do = (
            "Set POLYBOT_WALLET_ADDRESS to the wallet's address on the exchange, or POLYBOT_SIGNATURE_TYPE=0."
        )
        return Check("wallet", CheckState.FAILED, f"This is the key's own address, no {kind}.", do)
    deployed = _deployed(environment, facts, clock)
    if deployed is None:
        detail = f"Whether the {kind} is deployed could not be read."
        return Check("wallet", CheckState.NOT_RUN, detail, "Run it again in a minute.")
    if not deployed:
        do = "Deposit once on the exchange's website, which deploys it; check POLYBOT_SIGNATURE_TYPE, too."
        return Check("wallet", CheckState.WARNING, f"The relayer knows no deployed {kind} here.", do)
    owner = "whose key is not known yet" if facts.owner is None else f"signed for by {facts.owner}"
    return Check("wallet", CheckState.OK, f"{kind}, deployed, {owner}")


def _plain(facts: WalletFacts, kind: str) -> Check:
    if facts.owner is None:
        detail = f"{kind}; whether your key is its key is not known before the first start with it"
        return Check("wallet", CheckState.NOT_RUN, detail, "Start the engine once with money.")
    if facts.owner == facts.wallet:
        return Check("wallet", CheckState.OK, f"{kind}, belongs to your key")
    do = "Set POLYBOT_SIGNATURE_TYPE to the kind of your wallet (3: deposit wallet), or name the key's own."
    detail = f"A {kind} signs for itself, and your key's address is {facts.owner}."
    return Check("wallet", CheckState.FAILED, detail, do)


def _deployed(environment: VenueEnvironment, facts: WalletFacts, clock: Clock) -> bool | None:
    """By the relayer, which needs no key for it; None: it could not be read."""
    params = {"address": facts.wallet, "type": _RELAYER_KINDS[facts.signature_type]}
    with HttpReader(clock, limits=_LIMITS, sandbox=environment.is_sandbox) as reader, suppress(PolybotError):
        answer = reader.get(f"{environment.relayer_url}/deployed", params)
        return flag(as_object(reader.parsed(answer), "the answer"), "deployed")
    return None
