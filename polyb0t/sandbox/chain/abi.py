"""Calls of contracts as bytes: a function's selector and its arguments, by the ABI's rules."""

from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.grammar import TupleType, parse
from eth_hash.auto import keccak


def call_data(signature: str, *arguments: object) -> str:
    """`transfer(address,uint256)` and its arguments as the hex of a transaction's data."""
    return "0x" + (keccak(signature.encode())[:4] + encode(_types(signature), arguments)).hex()


def results(types: str, answer: str) -> tuple[Any, ...]:
    """What a call answered, as `types` (`uint256,bool`)."""
    return decode(types.split(","), bytes.fromhex(answer[2:]))


def _types(signature: str) -> list[str]:
    """The types of a signature's arguments, tuples as one."""
    parsed = parse(signature[signature.index("(") :])
    assert isinstance(parsed, TupleType)
    return [component.to_type_str() for component in parsed.components]
