"""What is asked of the catalogue, so that it sends hundreds of rows and not two hundred thousand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from polyb0t.core.clock import iso
from polyb0t.core.units import plain


@dataclass(frozen=True, slots=True)
class CatalogueQuery:
    """Coarse filters for the server; the universe decides again, exactly, on what comes back."""

    least_liquidity_pusd: Decimal | None = None
    least_hours_to_end: int | None = 0
    most_days_to_end: int | None = None
    order: str = "volume24hr"  # `volume` and `liquidity` sort as text on the server, this one as a number
    most_markets: int = 500

    def parameters(self, now: datetime) -> Mapping[str, str]:
        """Query parameters in the endpoint's names. `now` bounds the scheduled ends."""
        params = {"closed": "false", "order": self.order, "ascending": "false"}
        if self.least_liquidity_pusd is not None:
            params["liquidity_num_min"] = plain(self.least_liquidity_pusd)
        if self.least_hours_to_end is not None:
            params["end_date_min"] = _second(now + timedelta(hours=self.least_hours_to_end))
        if self.most_days_to_end is not None:
            params["end_date_max"] = _second(now + timedelta(days=self.most_days_to_end))
        return params


def _second(instant: datetime) -> str:
    return iso(instant)[:19] + "Z"
