"""The results that the chain itself has: `venue.resolutions_state.ChainPayouts`.

Plain and neg-risk markets: `payoutDenominator` and `payoutNumerators` of the conditional tokens
(conditional-tokens-contracts 1.0.3). Protocol V2: `getPayout(position, amount)` of the position manager,
which refuses before there is a result.
"""

from collections.abc import Mapping
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId, Wallet
from polyb0t.core.units import MILLION, Price, from_e6
from polyb0t.venue.chain_rpc import ChainRpc, RpcError
from polyb0t.venue.claims_abi import call_data, number_word, words
from polyb0t.venue.parsing import Refused, is_position_id
from polyb0t.venue.resolutions_state import Payouts

_DENOMINATOR: Final = "payoutDenominator(bytes32)"
_NUMERATOR: Final = "payoutNumerators(bytes32,uint256)"
_PAYS: Final = "getPayout(uint256,uint256)"


class ChainResults:
    """One node."""

    def __init__(self, rpc: ChainRpc, contracts: Mapping[str, Wallet]) -> None:
        self._rpc = rpc
        self._contracts = contracts

    def payouts(self, condition: ConditionId) -> Payouts | None:
        """See the port. Ids of Protocol V2 are known by their layout, as the vendor's SDK does it."""
        number = int(condition, 16)
        with self._rpc.answering():
            if is_position_id(AssetId(str(number))):
                return self._of_second(number)
            return self._of_first(number)

    def _of_first(self, condition: int) -> Payouts | None:
        ledger = self._contracts["conditional_tokens"]
        whole = self._number(ledger, call_data(_DENOMINATOR, number_word(condition)))
        if whole == 0:
            return None
        parts = [
            self._number(ledger, call_data(_NUMERATOR, number_word(condition), number_word(outcome)))
            for outcome in (0, 1)
        ]
        if sum(parts) != whole or any(part * MILLION % whole for part in parts):
            raise Refused("malformed", f"payouts of {parts} in {whole} are not two that make one pUSD")
        first, second = (Price(from_e6(part * MILLION // whole)) for part in parts)
        return first, second

    def _of_second(self, position: int) -> Payouts | None:
        manager, one = self._contracts["position_manager"], number_word(MILLION)
        try:
            pays = [
                self._number(manager, call_data(_PAYS, number_word(position + outcome), one))
                for outcome in (0, 1)
            ]
        except RpcError as error:
            if not error.reverted:
                raise
            return None
        if sum(pays) != MILLION:
            raise Refused("malformed", f"payouts of {pays} millionths do not make one pUSD")
        first, second = (Price(from_e6(each)) for each in pays)
        return first, second

    def _number(self, target: Wallet, data: str) -> int:
        return words(self._rpc.read(target, data), 1, "the contract's answer")[0]
