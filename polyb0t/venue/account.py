"""The account as the exchange and its public index tell it; a part that can not be read is missing.

Positions need no key: anybody can read them by address. They come from an index that is minutes late
and hides dust, so they discover and never correct. Cash, allowances and open orders need credentials
and are read in the live regime only.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError, VenueUnreachableError
from polyb0t.core.ids import AssetId, Wallet
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.account_state import AccountOrder, AccountPosition, AccountState
from polyb0t.venue.account_api import AccountApi
from polyb0t.venue.account_parsing import (
    BalanceAllowance,
    account_order,
    maker_address,
    parse_balance,
    parse_order,
    parse_positions_v2,
)
from polyb0t.venue.environment import VenueEnvironment
from polyb0t.venue.http import HttpReader
from polyb0t.venue.parsing import Refused, is_position_id

T = TypeVar("T")

_PAGE: Final = "500"
_MOST_PAGES: Final = 100
NOT_LIVE: Final = "Not read outside the live regime."


class PolymarketAccount:
    """`data.account_state.AccountStateProvider` of one wallet.

    Without an `api` (paper, dry run) only what is public is read, and the state says so.
    """

    def __init__(
        self,
        environment: VenueEnvironment,
        wallet: Wallet,
        reader: HttpReader,
        clock: Clock,
        *,
        api: AccountApi | None = None,
    ) -> None:
        self._environment = environment
        self._wallet = wallet
        self._reader = reader
        self._clock = clock
        self._api = api

    def read(self) -> AccountState:
        missing: dict[str, str] = {}
        positions = _part("positions", self._positions, missing)
        balance = _part("cash_pusd", self._collateral, missing)
        orders = _part("open_orders", self._open_orders, missing)
        if balance is None:
            missing["allowances_pusd"] = missing["cash_pusd"]
        return AccountState(
            wallet=self._wallet,
            observed_at=self._clock.now(),
            positions=positions,
            cash_pusd=None if balance is None else Pusd(balance.balance),
            allowances_pusd=None if balance is None else balance.allowances,
            open_orders=orders,
            missing=missing,
        )

    def held_shares(self, asset_id: AssetId) -> Shares | None:
        """By the exchange's ledger, after telling it to look again: its cache outlives a purchase."""
        told = self._shares(asset_id)
        return None if told is None else Shares(told.balance)

    def share_allowances(self, asset_id: AssetId) -> Mapping[str, Shares] | None:
        """How many of one asset's shares each contract may take, by spender; None when not readable. An
        approval is for all shares of a ledger or for none."""
        told = self._shares(asset_id)
        return None if told is None else {name: Shares(most) for name, most in told.allowances.items()}

    def _shares(self, asset_id: AssetId) -> BalanceAllowance | None:
        kind = "CONDITIONAL-V2" if is_position_id(asset_id) else "CONDITIONAL"
        try:
            return self._balance({"asset_type": kind, "token_id": asset_id}, refresh=True)
        except (VenueUnreachableError, ConfigurationError, _NotRead):
            return None

    def cash_pusd(self) -> Pusd | None:
        """pUSD by the exchange's ledger; None when not readable."""
        try:
            return Pusd(self._collateral().balance)
        except (VenueUnreachableError, ConfigurationError, _NotRead):
            return None

    def _positions(self) -> tuple[AccountPosition, ...]:
        found: list[AccountPosition] = []
        params = {"user": self._wallet, "limit": _PAGE}
        url, cursor = f"{self._environment.data_url}/v2/positions", ""
        seen: set[str] = set()
        while True:
            answer = self._reader.get(url, {**params, **({"cursor": cursor} if cursor else {})})
            try:
                page, cursor = parse_positions_v2(self._reader.parsed(answer))
                if cursor in seen or len(seen) >= _MOST_PAGES:
                    raise Refused("malformed", "the listing does not end")
            except Refused as refused:
                raise self._reader.unusable(answer.host, refused) from refused
            found.extend(page)
            if not cursor:
                return tuple(found)
            seen.add(cursor)

    def _collateral(self) -> BalanceAllowance:
        return self._balance({"asset_type": "COLLATERAL"}, refresh=False)

    def _balance(self, params: Mapping[str, str], *, refresh: bool) -> BalanceAllowance:
        api = self._live()
        wanted = {**params, "signature_type": str(api.wallet.signature_type)}
        if refresh:
            api.get("/balance-allowance/update", wanted)
        try:
            return parse_balance(api.read("/balance-allowance", wanted))
        except Refused as refused:
            raise api.unusable(refused) from refused

    def _open_orders(self) -> tuple[AccountOrder, ...]:
        api = self._live()
        ours = self._wallet.lower()
        rows = api.rows("/data/orders")
        try:
            return tuple(account_order(parse_order(row)) for row in rows if maker_address(row) == ours)
        except Refused as refused:
            raise api.unusable(refused) from refused

    def _live(self) -> AccountApi:
        if self._api is None:
            raise _NotRead(NOT_LIVE)
        return self._api


class _NotRead(Exception):
    """A part that this regime does not read."""


def _part(name: str, read: Callable[[], T], missing: dict[str, str]) -> T | None:
    """What `read` gives, or None with the reason under `name`."""
    try:
        return read()
    except _NotRead as error:
        missing[name] = str(error)
    except (VenueUnreachableError, ConfigurationError) as error:
        missing[name] = " ".join(part for part in (error.what, error.why) if part)
    return None
