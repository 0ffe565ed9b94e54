"""JSON-RPC to one node of the chain: reads that may be repeated, and one call that sends.

A node may be down, behind, or of another chain. Nothing is concluded from an answer that cannot be
read, and nothing is signed for a node that was not asked which chain it is on. A node's address may hold
a key, so no message repeats it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from polyb0t.core.errors import ConfigurationError, PolybotError, VenueUnreachableError
from polyb0t.core.ids import Wallet
from polyb0t.venue.claims_abi import raw_bytes, revert_reason
from polyb0t.venue.http import HttpReader
from polyb0t.venue.one_shot import NoAnswer, OneShot
from polyb0t.venue.parsing import Refused, Wire, as_object, decode_json, describe

LATEST: Final = "latest"
METHOD_NOT_FOUND: Final = -32601
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")
_REVERTED: Final = 3  # the code of geth and its relatives for a call that the contract refused


class RpcError(PolybotError):
    """The node answered with an error of its own. `data` is what a revert returned."""

    code = "rpc_refused"

    def __init__(self, number: int, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.number = number
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether the contract refused, and not the node."""
        return self.number == _REVERTED or "revert" in self.what.lower() or bool(self.data)

    @property
    def reason(self) -> str:
        """Why, in the contract's words, else the node's."""
        return revert_reason(self.data) or self.what


class ChainRpc:
    """One node. Safe to share between threads as its reader is."""

    def __init__(self, url: str, chain_id: int, reader: HttpReader, one_shot: OneShot) -> None:
        """
        Raises:
            ConfigurationError: `url` is no address; it is not repeated.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(
                "The chain is not read: POLYBOT_RPC_URL is not an http or https address.",
                do="Set it to the address of a node for Polygon, or leave it unset.",
                code="bad_rpc_url",
            )
        self.host = parts.hostname
        self.chain_id = chain_id
        self._url = url
        self._reader = reader
        self._one_shot = one_shot

    def call(self, method: str, *params: object) -> object:
        """The result of a method that changes nothing.

        Raises:
            RpcError: the node refused it.
            VenueUnreachableError: no usable answer.
        """
        answer = self._reader.post(self._url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            return result_of(self._reader.parsed(answer))
        except Refused as refused:
            raise self._reader.unusable(answer.host, refused) from refused

    def ask(self, method: str, *params: object) -> object:
        """The same for what no sound node refuses: a refusal too is no usable answer."""
        with self.answering():
            return self.call(method, *params)

    def quantity(self, method: str, *params: object) -> int:
        """The same for a method whose result is a number."""
        with self.answering():
            return as_quantity(self.call(method, *params), method)

    def read(self, target: str, data: str, *, overrides: Mapping[Wallet, Wire] | None = None) -> bytes:
        """What a contract answers at the newest block, with `overrides` of the state for this call alone.

        Raises:
            RpcError: the contract refused, or the node did.
        """
        extra = () if overrides is None else (overrides,)
        found = self.call("eth_call", {"to": target, "data": data}, LATEST, *extra)
        with self.answering():
            return raw_bytes(found, "eth_call")

    def block(self, number: int | None = None) -> Wire:
        """A block's head; None: the newest.

        Raises:
            VenueUnreachableError: also where the node has no such block.
        """
        name = LATEST if number is None else hex(number)
        with self.answering():
            return as_object(self.call("eth_getBlockByNumber", name, False), "the block")

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Makes a VenueUnreachableError of a refusal by the node, and of what can not be read."""
        try:
            yield
        except Refused as refused:
            raise self._reader.unusable(self.host, refused) from refused
        except RpcError as error:
            raise VenueUnreachableError(
                f"{self.host} gave no usable answer.",
                why=f"The node said: {error.what}",
                do="Check the node of POLYBOT_RPC_URL.",
                code="rpc_refused",
            ) from error

    def require_chain(self) -> None:
        """Raises ConfigurationError: the node is on another chain than the venue."""
        told = self.quantity("eth_chainId")
        if told != self.chain_id:
            raise ConfigurationError(
                f"Nothing was signed or sent: the node is on chain {told}, not {self.chain_id}.",
                why="What is signed for one chain means nothing, or something else, on another.",
                do="Set POLYBOT_RPC_URL to a node for Polygon.",
                code="wrong_chain",
            )

    def send_raw(self, raw: str) -> object:
        """`eth_sendRawTransaction`, once; the result.

        Raises:
            RpcError: the node answered with an error.
            NeverLeft: no byte left this machine.
            NoAnswer: no proof either way.
        """
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]}
        headers = {"Content-Type": "application/json"}
        reply = self._one_shot.call("POST", self._url, headers=headers, body=json.dumps(body).encode())
        try:
            return result_of(decode_json(reply.body))
        except Refused as refused:
            raise NoAnswer(f"HTTP {reply.status}: {refused.what}") from refused


def result_of(raw: object) -> object:
    """The result in an answer.

    Raises:
        RpcError: it is an error.
        Refused: it is no answer of JSON-RPC.
    """
    answer = as_object(raw, "the answer")
    error = answer.get("error")
    if error is not None:
        raise _error(as_object(error, "the error"))
    if "result" not in answer:
        raise Refused("malformed", "the answer has neither a result nor an error")
    return answer["result"]


def _error(raw: Wire) -> RpcError:
    number, message, data = raw.get("code"), raw.get("message"), raw.get("data")
    flat = "".join(c if c.isprintable() else " " for c in str(message))[:300]
    try:
        returned = raw_bytes(data, "data")
    except Refused:
        returned = b""
    return RpcError(number if type(number) is int else 0, " ".join(flat.split()), returned)


def as_quantity(value: object, name: str) -> int:
    """A number as nodes write it: 0x-hex.

    Raises:
        Refused: it is not one.
    """
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise Refused("malformed", f"{name} is {describe(value)}, not a number in hexadecimal")
    return int(value, 16)
