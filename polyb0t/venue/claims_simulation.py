"""What calls would pay a wallet, asked of the node without sending anything.

A redemption returns nothing, so that a call which pays nothing looks like one that pays. Therefore a small
program is put in the wallet's place, for one `eth_call` only (a state override, which geth and its
relatives and anvil know): it reads the wallet's pUSD, makes the calls in turn, reads again, and returns
both with the gas in between. The contracts see the wallet itself as the caller.
"""

from collections.abc import Sequence
from typing import Final

from polyb0t.core.units import Pusd, from_e6
from polyb0t.execution.settlement.ports import ClaimCall, Simulation
from polyb0t.venue.claims_abi import selector, words
from polyb0t.venue.parsing import Refused

_BASE_GAS: Final = 21_000  # of every transaction; its data cost 16 a byte, zeros 4
_BEFORE, _GAS, _AFTER, _DATA = 0x40, 0x60, 0x80, 0xA0  # places in memory; 0 to 0x24 is scratch
_FAIL_BYTES: Final = 11

ADDRESS, CODECOPY = b"\x30", b"\x39"
RETURNDATASIZE, RETURNDATACOPY = b"\x3d", b"\x3e"
ISZERO, SUB, MLOAD, MSTORE, JUMPI, GAS, JUMPDEST = (
    b"\x15",
    b"\x03",
    b"\x51",
    b"\x52",
    b"\x57",
    b"\x5a",
    b"\x5b",
)
SWAP1, CALL, STATICCALL, RETURN, REVERT = b"\x90", b"\xf1", b"\xfa", b"\xf3", b"\xfd"


def program(calls: Sequence[ClaimCall], collateral: str) -> str:
    """The program as 0x-hex of code. What it returns is read by `outcome_of`."""
    data = [bytes.fromhex(call.data[2:]) for call in calls]
    length = len(_written(calls, data, collateral, data_at=0, fail_at=0))
    code = _written(calls, data, collateral, data_at=length, fail_at=length - _FAIL_BYTES)
    return "0x" + (code + b"".join(data)).hex()


def outcome_of(answer: bytes, calls: Sequence[ClaimCall]) -> Simulation:
    """What the program found.

    Raises:
        Refused: it is not what the program returns.
    """
    before, used, after = words(answer, 3, "the simulation")
    if len(answer) != 96 or not 0 < used < 1 << 40:
        raise Refused("malformed", "the node did not run the simulation")
    if after < before:
        return Simulation(None, why="the wallet would have less pUSD than before")
    return Simulation(Pusd(from_e6(after - before)), gas=used + _intrinsic(calls))


def _intrinsic(calls: Sequence[ClaimCall]) -> int:
    """What a transaction with these data costs before any of its code runs."""
    data = b"".join(bytes.fromhex(call.data[2:]) for call in calls)
    zeros = data.count(0)
    return _BASE_GAS + 4 * zeros + 16 * (len(data) - zeros)


def _written(
    calls: Sequence[ClaimCall], data: Sequence[bytes], collateral: str, *, data_at: int, fail_at: int
) -> bytes:
    """The program with its addresses filled in; its length does not depend on them."""
    fails = ISZERO + _wide(fail_at) + JUMPI
    code = _balance(collateral, _BEFORE) + fails + GAS + _push(_GAS) + MSTORE
    for call, each in zip(calls, data, strict=True):
        code += _wide(len(each)) + _wide(data_at) + _push(_DATA) + CODECOPY
        code += _push(0) * 2 + _wide(len(each)) + _push(_DATA) + _push(0) + _address(call.target) + GAS + CALL
        code += fails
        data_at += len(each)
    code += _push(_GAS) + MLOAD + GAS + SWAP1 + SUB + _push(_GAS) + MSTORE
    code += _balance(collateral, _AFTER) + fails
    code += _push(_DATA - _BEFORE) + _push(_BEFORE) + RETURN
    return code + _fail()


def _balance(collateral: str, place: int) -> bytes:
    """Read the wallet's own pUSD to `place`; leaves whether that went well."""
    asked = selector("balanceOf(address)").ljust(32, b"\0")
    code = b"\x7f" + asked + _push(0) + MSTORE + ADDRESS + _push(4) + MSTORE
    return (
        code + _push(0x20) + _push(place) + _push(0x24) + _push(0) + _address(collateral) + GAS + STATICCALL
    )


def _fail() -> bytes:
    """Refuse with what the refused call returned."""
    copy = RETURNDATASIZE + _push(0) * 2 + RETURNDATACOPY
    return JUMPDEST + copy + RETURNDATASIZE + _push(0) + REVERT


def _push(value: int) -> bytes:
    return b"\x60" + value.to_bytes(1, "big")


def _wide(value: int) -> bytes:
    return b"\x62" + value.to_bytes(3, "big")


def _address(text: str) -> bytes:
    return b"\x73" + bytes.fromhex(text[2:])
