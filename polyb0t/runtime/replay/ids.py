"""Intent ids that are the same in each run of the same replay."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import count

from polyb0t.core.ids import ALPHABET, INTENT_ID_LENGTH, IntentId


def seeded_ids(seed: int) -> Iterator[IntentId]:
    """Ids of the same form as any other, one after the other, told apart by their beginnings."""
    for number in count():
        digest = sha256(f"{seed}|{number}".encode()).digest()
        made = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:INTENT_ID_LENGTH])
        if not made.startswith("0x"):
            yield IntentId(made)
