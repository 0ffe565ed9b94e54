"""What a market's outcomes paid, and the port that tells it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price


class ResolutionSource(Protocol):
    """Reads which outcomes are resolved."""

    def resolved(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, Price]:
        """pUSD that a share of each resolved outcome pays, 0 and 1 included; what is not resolved, or
        not known, is missing. A proposed result is not a result.

        Raises:
            VenueUnreachableError: not read; part of an answer is never taken for the whole.
        """
        ...
