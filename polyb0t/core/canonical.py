"""One byte-exact form of a value, so that a digest means the same everywhere and always.

Sorted keys, compact, UTF-8; decimals as plain strings without trailing zeros; instants as whole
microseconds since 1970 in UTC. Floats are refused: they have no exact form.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum

from polyb0t.core.clock import microseconds
from polyb0t.core.units import plain


def canonical_value(value: object) -> object:
    """`value` as JSON types that have only one spelling.

    Raises:
        TypeError: a float, or a type that is not listed here.
    """
    match value:
        case None | bool() | int() | str() if not isinstance(value, Enum):
            return value
        case Enum():
            return canonical_value(value.value)
        case Decimal():
            return plain(value)
        case datetime():
            return microseconds(value)
        case Mapping():
            return {str(key): canonical_value(item) for key, item in value.items()}
        case Sequence() if not isinstance(value, bytes):
            return [canonical_value(item) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical_text(value: object) -> str:
    """The canonical JSON text of `value`."""
    return json.dumps(canonical_value(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_hex(text: str) -> str:
    """SHA-256 of the UTF-8 bytes of `text`, 64 hex characters."""
    return hashlib.sha256(text.encode()).hexdigest()
