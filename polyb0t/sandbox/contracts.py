"""Addresses on Polygon (chain 137) that clients sign against or approve. Public facts of the venue.

The sandbox uses the real ones, so that an order is hashed here exactly as it would be there.
"""

from typing import Final

CHAIN_ID: Final = 137
EXCHANGE_V2: Final = "0xE111180000d2663C0091e4f400237545B87B996B"
NEG_RISK_EXCHANGE_V2: Final = "0xe2222d279d744050d28e00520010520000310F59"
EXCHANGE_V3: Final = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"

BRIDGED_USDC: Final = "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174"  # under the tokens of plain markets
WRAPPED_COLLATERAL: Final = "0x3A3BD7bb9528E159577F7C2e685CC81A765002E2"  # under those of neg-risk events
ORACLE: Final = "0x00000000000000000000000000000000000A11Ce"  # the sandbox's own: it reports every result

CONTRACTS: Final[dict[str, str]] = {
    "collateral": "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB",  # pUSD
    "conditional_tokens": "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045",
    "exchange_v2": EXCHANGE_V2,
    "neg_risk_exchange_v2": NEG_RISK_EXCHANGE_V2,
    "exchange_v3": EXCHANGE_V3,
    "position_manager": "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF",
    "router": "0x12121212006e4CD160D18e3f00711DA5c3372600",
    "binary_module": "0x1000008dD9001B968442c1000017eaE6E0dA00Ba",
    "neg_risk_module": "0x200000900045e3B6259600682756002200028933",
    "combinatorial_module": "0x30000034706C7d8e12009DAB006Be20000c031A8",
    "collateral_adapter": "0xAdA100Db00Ca00073811820692005400218FcE1f",
    "neg_risk_collateral_adapter": "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
    "neg_risk_adapter": "0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296",
    "collateral_onramp": "0x93070a847efEf7F70739046A929D47a521F5B8ee",
    "collateral_offramp": "0x2957922Eb93258b93368531d39fAcCA3B4dC5854",
    "auto_redeemer": "0xa1200000d0002264C9a1698e001292D00E1b00af",
    "deposit_wallet_factory": "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07",
    "deposit_wallet_implementation": "0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB",
    "deposit_wallet_beacon": "0x7A18EDfe055488A3128f01F563e5B479D92ffc3a",
    "proxy_wallet_factory": "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052",
    "proxy_wallet_implementation": "0x44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f",
    "safe_factory": "0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b",
    "safe_multisend": "0xA238CBeb142c10Ef7Ad8442C6D1f9E89e07e7761",
    "perps_deposit": "0xDCa4af75705dbB50f62437045afF9921947917d2",
    "relay_hub": "0xD216153c06E857cD7f72665E0aF1d7D82172F494",
}

# Which contracts an account lets move what, before it trades: by standard, token and spender.
APPROVALS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    (
        "ERC20",
        "collateral",
        (
            "exchange_v2",
            "neg_risk_exchange_v2",
            "collateral_adapter",
            "neg_risk_collateral_adapter",
            "router",
            "exchange_v3",
            "perps_deposit",
        ),
    ),
    (
        "ERC1155",
        "conditional_tokens",
        (
            "exchange_v2",
            "neg_risk_exchange_v2",
            "collateral_adapter",
            "neg_risk_collateral_adapter",
            "auto_redeemer",
            "binary_module",
            "neg_risk_module",
        ),
    ),
    ("ERC1155", "position_manager", ("router", "exchange_v3", "auto_redeemer")),
)


def exchange_of(version: str, neg_risk: bool) -> str:
    """The contract under which an order on such a market is signed."""
    if version == "v2":
        return EXCHANGE_V3
    return NEG_RISK_EXCHANGE_V2 if neg_risk else EXCHANGE_V2


def collateral_of(neg_risk: bool) -> str:
    """What lies under the outcome tokens of a v1 market, and so is a part of their ids."""
    return WRAPPED_COLLATERAL if neg_risk else BRIDGED_USDC
