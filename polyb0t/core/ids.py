"""Identifiers as types, and the one way to make a new intent id."""

import secrets
from typing import Final, NewType

IntentId = NewType("IntentId", str)  # 16 characters of ALPHABET, random from the first
OrderId = NewType("OrderId", str)  # the venue's order id: 0x + 64 hex, the order's EIP-712 hash
AssetId = NewType("AssetId", str)  # outcome token or position id, an opaque decimal string
ConditionId = NewType("ConditionId", str)  # 0x + hex
EventId = NewType("EventId", str)
TradeId = NewType("TradeId", str)
Wallet = NewType("Wallet", str)  # 0x + 40 hex, checksummed

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # no i l o u: they are misread
INTENT_ID_LENGTH: Final = 16
SHORTEST_PREFIX: Final = 4


def new_intent_id() -> IntentId:
    """Almost 80 random bits; random from the first character so that a short prefix tells intents apart.

    Never `0x`: so begin the ids of orders, and a person may name either by its beginning.
    """
    while True:
        made = "".join(secrets.choice(ALPHABET) for _ in range(INTENT_ID_LENGTH))
        if not made.startswith("0x"):
            return IntentId(made)
