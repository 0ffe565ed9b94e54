"""Calls of contracts as bytes and back: the few shapes that claiming needs, by the ABI's rules.

Every argument here is one word, or a list of words behind all the others; a general encoder is more
than that needs. Tests hold it against eth-abi.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from eth_hash.auto import keccak

from polyb0t.venue.parsing import Refused
from polyb0t.venue.signing import address_word, word

WORD: Final = 32
_MOST_BYTES: Final = 1_000_000
_ERROR_TEXT: Final = bytes.fromhex("08c379a0")  # Error(string)
_ERROR_PANIC: Final = bytes.fromhex("4e487b71")  # Panic(uint256)


@lru_cache(maxsize=64)
def selector(signature: str) -> bytes:
    """The four bytes that name a function."""
    return keccak(signature.encode())[:4]


@lru_cache(maxsize=64)
def topic(signature: str) -> str:
    """An event's first topic: 0x and 64 digits."""
    return "0x" + keccak(signature.encode()).hex()


def call_data(signature: str, *words: bytes, tail: Sequence[int] | None = None) -> str:
    """0x-hex of a call: one word for each argument, and the last one a list of numbers if `tail` is given."""
    head = b"".join(words)
    if tail is not None:
        head += word(len(head) + WORD) + word(len(tail)) + b"".join(word(each) for each in tail)
    return "0x" + (selector(signature) + head).hex()


def number_word(value: int) -> bytes:
    """A number as an argument."""
    return word(value)


def wallet_word(address: str) -> bytes:
    """An address as an argument."""
    return address_word(address)


def right_padded(raw: bytes) -> bytes:
    """Fixed bytes (`bytes31`) as an argument.

    Raises:
        ValueError: more than a word.
    """
    if len(raw) > WORD:
        raise ValueError(f"{len(raw)} bytes are more than a word")
    return raw.ljust(WORD, b"\0")


def raw_bytes(value: object, name: str) -> bytes:
    """The bytes of 0x-hex.

    Raises:
        Refused: it is not that, or absurdly long.
    """
    if not isinstance(value, str) or value[:2] != "0x" or len(value) > 2 + 2 * _MOST_BYTES:
        raise Refused("malformed", f"{name} is not hexadecimal")
    try:
        return bytes.fromhex(value[2:])
    except ValueError as error:
        raise Refused("malformed", f"{name} is not hexadecimal") from error


def words(data: bytes, count: int, name: str) -> tuple[int, ...]:
    """The first `count` words as numbers.

    Raises:
        Refused: there are fewer.
    """
    if len(data) < WORD * count:
        raise Refused("malformed", f"{name} has {len(data)} bytes, fewer than {count} words")
    return tuple(int.from_bytes(data[at : at + WORD], "big") for at in range(0, WORD * count, WORD))


def number_list(data: bytes, place: int, name: str) -> tuple[int, ...]:
    """The list whose offset stands in word `place`.

    Raises:
        Refused: it does not lie in the data.
    """
    start = words(data, place + 1, name)[place]
    if start > len(data):
        raise Refused("malformed", f"{name} points outside itself")
    (count,) = words(data[start:], 1, name)
    if count > len(data) // WORD:
        raise Refused("malformed", f"{name} claims {count} entries")
    return words(data[start + WORD :], count, name)


def address_of_word(value: int) -> str:
    """The lower-case address in a word."""
    return f"0x{value & ((1 << 160) - 1):040x}"


def revert_reason(data: bytes) -> str:
    """What a contract said when it refused, in one printable line; "" where it said nothing readable."""
    try:
        if data[:4] == _ERROR_PANIC:
            return f"panic {words(data[4:], 1, 'the reason')[0]:#x}"
        if data[:4] != _ERROR_TEXT:
            return f"error {data[:4].hex()}" if data else ""
        start = words(data[4:], 1, "the reason")[0]
        (length,) = words(data[4 + start :], 1, "the reason")
        text = data[4 + start + WORD :][: min(length, 300)].decode(errors="replace")
    except Refused:
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
