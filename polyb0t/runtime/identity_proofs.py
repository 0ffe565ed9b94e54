"""Which contracts a test order has proved our order ids for, as the control `identity_unproven` asks."""

from collections.abc import Callable

from polyb0t.core.errors import ConfigurationError
from polyb0t.data.markets import Market
from polyb0t.execution.identity_proof import IdentityRule, is_proven
from polyb0t.execution.store import Stores


class IdentityProofs:
    """Reads the stored proofs; one that was seen is remembered, one that is missing is looked for again."""

    def __init__(self, stores: Stores, signature_type: int, contract_of: Callable[[Market], str]) -> None:
        self._stores = stores
        self._signature_type = signature_type
        self._contract_of = contract_of
        self._proven: set[str] = set()

    def proven(self, market: Market) -> bool:
        """Whether orders of this wallet on such a market are proven to get the id that we compute.

        A market whose contract is not known is not proven. Raises DatabaseError: it could not be read.
        """
        try:
            contract = self._contract_of(market)
        except ConfigurationError:
            return False
        if contract not in self._proven and is_proven(
            self._stores, IdentityRule(self._signature_type, contract)
        ):
            self._proven.add(contract)
        return contract in self._proven
