"""What any client needs to connect: addresses of every service, contracts, funded accounts."""

from polyb0t.sandbox.contracts import CHAIN_ID, CONTRACTS
from polyb0t.sandbox.relayer import relayer_key
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.world import World


def environment(world: World, host: str) -> dict[str, object]:
    """The environment of a sandbox reached at `host` (`127.0.0.1:8137`)."""
    http, socket = f"http://{host}", f"ws://{host}"
    return {
        "name": "polyb0t sandbox",
        "world_id": world.world_id,
        "seed": world.seed,
        "chain_id": CHAIN_ID,
        "urls": {
            "gamma": f"{http}/gamma",
            "clob": f"{http}/clob",
            "data": f"{http}/data",
            "relayer": f"{http}/relayer",
            "rpc": f"{http}/rpc",
            "geoblock": f"{http}/api/geoblock",
            "sandbox": f"{http}/sandbox",
            "market_ws": f"{socket}/ws/market",
            "user_ws": f"{socket}/ws/user",
        },
        "contracts": dict(CONTRACTS),
        "accounts": [
            {
                "index": account.index,
                "key": account.key,
                "address": account.address,
                "wallet": account.wallet,
                "signature_type": account.signature_type,
                "funding": e6_text(account.funding_e6),
            }
            for account in world.accounts
        ],
        "relayer_keys": {  # by owner: of the accounts whose transactions the relayer sends
            account.address: relayer_key(account.address)
            for account in world.accounts
            if account.signature_type
        },
    }
