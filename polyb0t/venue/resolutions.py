"""What resolved outcomes pay, as the exchange's public index tells it a few minutes later.

`GET /v2/tokens?token_id=` (at most 50 ids): `resolved` and, once it is true, `final_price`, which is 1, 0,
or between them where the oracle split the pot. Vendor's data API pages of autumn 2026.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Price
from polyb0t.venue.http import HttpReader
from polyb0t.venue.parsing import Refused, as_object, asset_id, describe, exact_decimal, flag

IDS_PER_REQUEST: Final = 50


class PolymarketResolutions:
    """`data.resolutions.ResolutionSource` over the data API."""

    def __init__(self, data_url: str, reader: HttpReader) -> None:
        self._url = f"{data_url.rstrip('/')}/v2/tokens"
        self._reader = reader

    def resolved(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, Price]:
        wanted = list(dict.fromkeys(asset_ids))
        found: dict[AssetId, Price] = {}
        for start in range(0, len(wanted), IDS_PER_REQUEST):
            asked = wanted[start : start + IDS_PER_REQUEST]
            answer = self._reader.get(self._url, {"token_id": ",".join(asked)})
            try:
                told = parse_resolved(self._reader.parsed(answer))
            except Refused as refused:
                raise self._reader.unusable(answer.host, refused) from refused
            found |= {asset: pays for asset, pays in told.items() if asset in asked}
        return found


def parse_resolved(raw: object) -> dict[AssetId, Price]:
    """The resolved outcomes of one answer with what a share pays.

    Raises:
        Refused: another shape, a payout that is missing or outside 0 and 1, or two for one outcome.
    """
    rows = as_object(raw, "the answer").get("data")
    if not isinstance(rows, list) or len(rows) > IDS_PER_REQUEST * 2:
        raise Refused("malformed", f"data is {describe(rows)}, not a list of outcomes")
    found: dict[AssetId, Price] = {}
    for row in (as_object(each, "an outcome") for each in rows):
        asset = asset_id(row.get("token_id"), "token_id")
        if flag(row, "resolved") is not True:
            continue
        pays = exact_decimal(row.get("final_price"), "final_price")
        if not ZERO <= pays <= ONE or found.get(asset, pays) != pays:
            raise Refused("malformed", f"a share of {asset:.12} is said to pay {pays}")
        found[asset] = Price(pays)
    return found
