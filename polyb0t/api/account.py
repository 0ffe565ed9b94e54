"""The routes of the account: what is held, and what it is all worth."""

from fastapi import APIRouter

from polyb0t.api.problems import responses
from polyb0t.api.schemas import Answer, DecimalText, Instant
from polyb0t.data.account_state import AccountPosition
from polyb0t.runtime.account_view import read_account
from polyb0t.runtime.holdings import read_holdings
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.views import View, value_view


class HeldPosition(Answer):
    """One position of ours. `bid` is the last good one, `stale` that it is missing or old; `cost` and
    `average_cost` have the fees in them."""

    id: str
    asset_id: str
    condition_id: str
    question: str
    outcome_label: str
    shares: DecimalText
    confirmed_shares: DecimalText
    provisional_shares: DecimalText
    average_cost: DecimalText | None
    cost: DecimalText
    fees: DecimalText
    bid: DecimalText | None
    value: DecimalText | None
    gain: DecimalText | None
    realised: DecimalText
    entry_bid: DecimalText | None
    price_age_seconds: int | None
    stale: bool
    redeemable: bool
    resolution: str
    exit: str


class ForeignPosition(Answer):
    """What the wallet holds from elsewhere: counted, never touched."""

    asset_id: str
    condition_id: str
    question: str
    outcome_label: str
    shares: DecimalText


class Positions(Answer):
    """Everything held. `value` is null while one of ours has no price."""

    positions: list[HeldPosition]
    foreign: list[ForeignPosition]
    value: DecimalText | None
    cost: DecimalText


class StaleMark(Answer):
    """A price that is not fresh; `age_seconds` is null where there never was one."""

    asset_id: str
    age_seconds: int | None


class TakenShares(Answer):
    """Shares of ours that went with a movement."""

    asset_id: str
    shares: DecimalText


class WalletMovement(Answer):
    """What moved the wallet besides our orders. `pusd` is negative where it went out."""

    kind: str
    nature: str | None
    at: Instant
    pusd: DecimalText
    shares: DecimalText
    asset_id: str | None
    transaction_hash: str
    taken: list[TakenShares]


class AccountAnswer(Answer):
    """The account by its books, in pUSD; null is not known. Flows are money that was moved: no result."""

    cash: DecimalText | None
    reserved: DecimalText
    positions: DecimalText | None
    equity: DecimalText | None
    peak: DecimalText | None
    drawdown_fraction: DecimalText | None
    day: str | None
    day_start: DecimalText | None
    day_result: DecimalText | None
    day_result_fraction: DecimalText | None
    day_flows: DecimalText
    unexplained: DecimalText
    realised: DecimalText
    fees: DecimalText
    flows: DecimalText
    marked_at: Instant | None
    opened_at: Instant | None
    stale: list[StaleMark]
    movements: list[WalletMovement]
    missing: dict[str, str]


def account_routes(opened: OpenedStore) -> APIRouter:
    """The routes over one store."""
    router = APIRouter(tags=["state"])

    @router.get("/positions", response_model=Positions, responses=responses(503))
    def positions() -> View:
        """What is held, what it cost and what it would bring."""
        holdings = read_holdings(opened.stores)
        return {
            "positions": [holding.view() for holding in holdings.ours],
            "foreign": [_foreign(each) for each in holdings.foreign],
            "value": value_view(holdings.value),
            "cost": value_view(holdings.cost),
        }

    @router.get("/account", response_model=AccountAnswer, responses=responses(503))
    def account() -> View:
        """Equity, peak, the day's result, and what moved the wallet."""
        return read_account(opened).view()

    return router


def _foreign(position: AccountPosition) -> View:
    names = ("asset_id", "condition_id", "question", "outcome_label", "shares")
    return {name: value_view(getattr(position, name)) for name in names}
