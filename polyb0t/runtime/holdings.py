"""What is held, from our own fills, with the names and prices that screens put beside it."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.errors import AmbiguousError, NotFoundError
from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.account_state import AccountPosition, AccountState
from polyb0t.data.resolution import ResolutionState
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.store import Stores
from polyb0t.models.marks import FRESH_SECONDS, Mark
from polyb0t.models.portfolio import Position, entry_bid, portfolio_of
from polyb0t.runtime.exit_column import exit_column
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.foreign import read_foreign
from polyb0t.runtime.resolution_notes import state_of
from polyb0t.runtime.views import View, to_millionth, value_view

SHORTEST_ID: Final = 4


# Of a position as data; of one that is not ours most of them are not known.
FIELDS: Final = (
    *("id", "asset_id", "condition_id", "question", "outcome_label", "shares", "confirmed_shares"),
    *("provisional_shares", "average_cost", "cost", "fees", "bid", "value", "gain", "realised", "entry_bid"),
    *("price_age_seconds", "stale", "redeemable", "resolution", "exit"),
)


def position_id(asset_id: AssetId) -> str:
    """The name of a position in commands: a `p` and letters that depend on the asset alone."""
    digest = hashlib.sha256(asset_id.encode()).digest()
    return "p" + base64.b32encode(digest).decode().lower()[:15]


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset that we bought. `bid` is the engine's last good one, else the account read's; None: not
    known. `age_seconds` is how old it is where that is told, `entry_bid` what it was when we bought."""

    position: Position
    intent: TradeIntent
    bid: Price | None
    redeemable: bool
    age_seconds: float | None = None
    entry_bid: Price | None = None
    exit: str = ""  # what is planned with it, as a screen says it
    resolution: ResolutionState = ResolutionState.OPEN  # of its market, as it was read last

    @property
    def id(self) -> str:
        return position_id(self.position.asset_id)

    @property
    def stale(self) -> bool:
        """There is no price, or an old one. What a resolved market pays does not age."""
        if self.redeemable:
            return False
        return self.bid is None or (self.age_seconds is not None and self.age_seconds > FRESH_SECONDS)

    @property
    def value(self) -> Pusd | None:
        """At the bid; a won share brings one pUSD."""
        return None if self.bid is None else Pusd(self.position.shares * self.bid)

    @property
    def gain(self) -> Decimal | None:
        """pUSD against what was paid, with fees."""
        return None if self.value is None else self.value - self.position.cost

    def view(self) -> View:
        """The same as data."""
        position = self.position
        return {
            "id": self.id,
            "asset_id": position.asset_id,
            "condition_id": position.condition_id,
            "question": self.intent.question,
            "outcome_label": self.intent.outcome_label,
            "shares": value_view(position.shares),
            "confirmed_shares": value_view(position.confirmed),
            "provisional_shares": value_view(position.provisional),
            "average_cost": value_view(to_millionth(position.average_cost)),
            "cost": value_view(position.cost),
            "fees": value_view(position.fees),
            "bid": value_view(self.bid),
            "value": value_view(self.value),
            "gain": value_view(self.gain),
            "realised": value_view(position.realised),
            "entry_bid": value_view(to_millionth(self.entry_bid)),
            "price_age_seconds": None if self.age_seconds is None else int(self.age_seconds),
            "stale": self.stale,
            "redeemable": self.redeemable,
            "resolution": self.resolution.value,
            "exit": self.exit,
        }


@dataclass(frozen=True, slots=True)
class Holdings:
    """What polyb0t bought, and beside it what the wallet holds from elsewhere."""

    ours: tuple[Holding, ...]
    foreign: tuple[AccountPosition, ...]
    account: AccountState | None

    @property
    def value(self) -> Pusd | None:
        """Of ours; None while one has no price."""
        values = [holding.value for holding in self.ours]
        known = [value for value in values if value is not None]
        return Pusd(sum(known, ZERO)) if len(known) == len(values) else None

    @property
    def cost(self) -> Pusd:
        return Pusd(sum((holding.position.cost for holding in self.ours), ZERO))

    @property
    def provisional(self) -> Shares:
        return Shares(sum((abs(holding.position.provisional) for holding in self.ours), ZERO))


def short_ids(holdings: Sequence[Holding]) -> dict[AssetId, str]:
    """The shortest prefix of each id that names it alone among these."""
    ids = [holding.id for holding in holdings]
    found = {}
    for holding in holdings:
        length = SHORTEST_ID
        while sum(each.startswith(holding.id[:length]) for each in ids) > 1 and length < len(holding.id):
            length += 1
        found[holding.position.asset_id] = holding.id[:length]
    return found


def find_holding(holdings: Sequence[Holding], prefix: str) -> Holding:
    """The one position whose id begins so.

    Raises:
        NotFoundError: none does. AmbiguousError: several do, with their ids.
    """
    wanted = prefix.strip().lower()
    found = [holding for holding in holdings if wanted and holding.id.startswith(wanted)]
    found = found or [holding for holding in holdings if holding.position.asset_id == prefix.strip()]
    if not found:
        raise NotFoundError(
            f"No position has an id that begins with {prefix!r:.40}.",
            do="See them with `polyb0t positions`.",
            code="position_not_found",
        )
    if len(found) > 1:
        names = ", ".join(holding.id for holding in found[:5])
        raise AmbiguousError(f"{prefix} is the beginning of several ids.", why=f"They are {names}.")
    return found[0]


def read_holdings(stores: Stores) -> Holdings:
    """From the stored fills, the engine's marks and the last stored account state; asks no exchange."""
    facts, now = read_facts(stores.engine.lease_info("engine")), stores.intents.now()
    marks = facts.last_marks()
    fills = stores.orders.fills()
    account = stores.engine.latest_account_state()
    seen = {each.asset_id: each for each in (account.positions or ())} if account else {}
    portfolio = portfolio_of(fills, starting_cash=Pusd(ZERO), booked=stores.books.movements())
    order_of_asset = {fill.asset_id: fill.order_id for fill in fills}
    assets = [position.asset_id for position in portfolio.held()]
    planned = exit_column(stores, assets, now, decides_itself=facts.decides_itself)
    ours = []
    for position in portfolio.held():
        intent = stores.intents.get(stores.orders.order(order_of_asset[position.asset_id]).intent_id).intent
        public = seen.get(position.asset_id)
        mark = marks.get(position.asset_id)
        if mark is None and public is not None and public.current_price is not None and account is not None:
            mark = Mark(public.current_price, account.observed_at)
        ours.append(
            Holding(
                position,
                intent,
                None if mark is None else mark.price,
                redeemable=bool(public and public.redeemable),
                age_seconds=None if mark is None else mark.age_seconds(now),
                entry_bid=entry_bid(fills, position.asset_id, lambda order: _bid_of(stores, order)),
                exit=planned[position.asset_id],
                resolution=state_of(stores.engine, position.condition_id),
            )
        )
    return Holdings(tuple(ours), read_foreign(stores, account, portfolio).positions, account)


def _bid_of(stores: Stores, order_id: OrderId) -> Price | None:
    """The bid that its intent saw."""
    return stores.intents.get(stores.orders.order(order_id).intent_id).intent.best_bid
