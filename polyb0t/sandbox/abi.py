"""Calls of contracts as bytes: a function's selector and its arguments, by the ABI's rules."""

from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.grammar import TupleType, parse
from eth_hash.auto import keccak


def call_data(signature: str, *arguments: object) -> str:
    """`transfer(address,uint256)` and its arguments as the hex of a transaction's data."""
    return "0x" + (keccak(signature.encode())[:4] + encode(_types(signature), arguments)).hex()


def selector(text: str) -> str:
    """The four bytes that name a function, from its signature or from call data: 0x and 8 digits."""
    return text[:10].lower() if text.startswith("0x") else "0x" + keccak(text.encode())[:4].hex()


def arguments(signature: str, data: str) -> tuple[Any, ...]:
    """What was given to the function of this signature.

    Raises:
        DecodingError: the data are not its arguments.
    """
    return decode(_types(signature), bytes.fromhex(data[10:]))


def results(types: str, answer: str) -> tuple[Any, ...]:
    """What a call answered, as `types` (`uint256,bool`)."""
    return decode(types.split(","), bytes.fromhex(answer[2:]))


def _types(signature: str) -> list[str]:
    """The types of a signature's arguments, tuples as one."""
    parsed = parse(signature[signature.index("(") :])
    assert isinstance(parsed, TupleType)
    return [component.to_type_str() for component in parsed.components]
