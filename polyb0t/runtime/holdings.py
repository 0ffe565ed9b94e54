"""What is held, from our own fills, with the names and prices that screens put beside it."""

from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.account_state import AccountPosition, AccountState
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.store import Stores
from polyb0t.models.portfolio import Position, portfolio_of
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.foreign import read_foreign
from polyb0t.runtime.views import View, to_millionth, value_view


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset that we bought. `bid` is the engine's latest, else the account read's; None: not known."""

    position: Position
    intent: TradeIntent
    bid: Price | None
    redeemable: bool

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
            "redeemable": self.redeemable,
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


def read_holdings(stores: Stores) -> Holdings:
    """From the stored fills, the engine's marks and the last stored account state; asks no exchange."""
    marks = read_facts(stores.engine.lease_info("engine")).marks
    fills = stores.orders.fills()
    account = stores.engine.latest_account_state()
    seen = {each.asset_id: each for each in (account.positions or ())} if account else {}
    portfolio = portfolio_of(fills, starting_cash=Pusd(ZERO))
    order_of_asset = {fill.asset_id: fill.order_id for fill in fills}
    ours = []
    for position in portfolio.held():
        intent = stores.intents.get(stores.orders.order(order_of_asset[position.asset_id]).intent_id).intent
        public = seen.get(position.asset_id)
        bid = marks.get(position.asset_id, public.current_price if public else None)
        ours.append(Holding(position, intent, bid, bool(public and public.redeemable)))
    return Holdings(tuple(ours), read_foreign(stores, account, portfolio).positions, account)
