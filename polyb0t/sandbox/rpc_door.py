"""`POST /rpc`: the local chain as a client meets the real one; what only its owner may do is refused."""

import json
from typing import Any, Final

from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.node import Node, NodeError
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply

PERMITTED: Final = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getCode",
        "eth_getLogs",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_sendRawTransaction",
        "net_version",
        "web3_clientVersion",
    }
)
_NOT_PERMITTED: Final = -32601
_REFUSED: Final = -32000


def add_routes(router: Router, world: WorldState) -> None:
    """The one route; without a chain it says so."""
    door = RpcDoor(world)
    router.add("POST", "/rpc", door.answer)


class RpcDoor:
    """JSON-RPC to the chain of one world."""

    def __init__(self, world: WorldState) -> None:
        self._world = world

    def answer(self, request: Request) -> Reply:
        """One call, or a list of calls."""
        chain = self._world.chain
        if chain is None:
            raise WireError(404, "this sandbox runs without a chain; start it with --chain")
        try:
            asked = json.loads(request.body)
        except ValueError:
            raise WireError(400, "parse error") from None
        if isinstance(asked, list):
            return json_reply([self._one(chain.node, each) for each in asked])
        return json_reply(self._one(chain.node, asked))

    def _one(self, node: Node, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict) or not isinstance(asked.get("params", []), list):
            return _failed(None, -32600, "invalid request")
        number, method = asked.get("id"), asked.get("method")
        if method not in PERMITTED:
            return _failed(number, _NOT_PERMITTED, f"the method {method} does not exist/is not available")
        try:
            result = node.call(method, *asked.get("params", []))
        except NodeError as error:
            return _failed(number, _REFUSED, error.why, error.data)
        if method == "eth_sendRawTransaction":
            self._book()
        return {"jsonrpc": "2.0", "id": number, "result": result}

    def _book(self) -> None:
        """A redemption is in the books with its block, not with the next tick."""
        try:
            if self._world.chain is not None:
                self._world.chain.tick()
        except PolybotError:
            return  # the transaction was taken; the next tick books it


def _failed(number: object, code: int, message: str, data: str = "") -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if data:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": number, "error": error}
