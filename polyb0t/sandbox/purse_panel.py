"""Money that comes without a trade, under `/sandbox`: what the activity of a wallet tells besides.

`POST /sandbox/credits` pays a reward, a rebate, yield or a tip; `POST /sandbox/conversions` exchanges NO
shares of some markets of a neg-risk event for YES shares of its others; `POST /sandbox/sets` makes
complete sets or merges them, and `POST /sandbox/redemptions` has a resolved market paid.
"""

import msgspec

from polyb0t.core.errors import ConflictError, NotFoundError
from polyb0t.core.units import parse_decimal, to_e6
from polyb0t.sandbox.signatures import checksum, is_address
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.treasury import CREDITS
from polyb0t.sandbox.types import ActivityType
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World


class CreditOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/credits`: a reward, a rebate, yield, a tip; NOVELTY is a word that nobody knows."""

    wallet: str
    type: str
    amount: str | int | float


class ConversionOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/conversions`: NO shares of some markets of a neg-risk event, exchanged."""

    wallet: str
    conditions: list[str]
    shares: str | int | float


class SetOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/sets`: complete sets out of pUSD; a negative number merges them."""

    wallet: str
    condition: str
    shares: str | int | float


class RedemptionOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/redemptions`."""

    wallet: str
    condition: str


def add_routes(router: Router, world: World) -> None:
    """The routes under `/sandbox`."""
    panel = PursePanel(world)
    router.add("POST", "/sandbox/credits", panel.credit)
    router.add("POST", "/sandbox/conversions", panel.convert)
    router.add("POST", "/sandbox/sets", panel.make_sets)
    router.add("POST", "/sandbox/redemptions", panel.redeem)


class PursePanel:
    """What happens to a wallet besides its orders."""

    def __init__(self, world: World) -> None:
        self._world = world

    def credit(self, request: Request) -> Reply:
        """Pay in, and tell of it under the word that is given."""
        order = parse_body(request, CreditOrder, "expected wallet, type and amount")
        wallet, amount = _wallet(order.wallet), _amount(order.amount)
        if order.type not in CREDITS or amount <= 0:
            raise WireError(400, f"the type is one of {', '.join(CREDITS)} and the amount is positive")
        self._world.credit(wallet, ActivityType(order.type), amount)
        return json_reply({"wallet": wallet, "balance": e6_text(self._world.balance(wallet))})

    def convert(self, request: Request) -> Reply:
        """Exchange NO shares of some markets of an event for YES shares of its others and pUSD."""
        order = parse_body(request, ConversionOrder, "expected wallet, conditions and shares")
        try:
            received = self._world.convert(_wallet(order.wallet), order.conditions, _amount(order.shares))
        except KeyError as error:
            raise WireError(404, "there is no such market") from error
        except (ConflictError, NotFoundError) as error:
            raise WireError(409, str(error)) from error
        return json_reply({"pusd": e6_text(received)})

    def make_sets(self, request: Request) -> Reply:
        """Complete sets out of pUSD, or back."""
        order = parse_body(request, SetOrder, "expected wallet, condition and shares")
        wallet, shares = _wallet(order.wallet), _amount(order.shares)
        try:
            self._world.split(wallet, order.condition, shares)
        except KeyError as error:
            raise WireError(404, "there is no such market") from error
        except (ConflictError, NotFoundError) as error:
            raise WireError(409, str(error)) from error
        return json_reply({"wallet": wallet, "balance": e6_text(self._world.balance(wallet))})

    def redeem(self, request: Request) -> Reply:
        """Have a resolved market paid."""
        order = parse_body(request, RedemptionOrder, "expected wallet and condition")
        try:
            received = self._world.redeem(_wallet(order.wallet), order.condition)
        except KeyError as error:
            raise WireError(404, "there is no such market") from error
        except (ConflictError, NotFoundError) as error:
            raise WireError(409, str(error)) from error
        return json_reply({"pusd": e6_text(received)})


def _wallet(text: str) -> str:
    if not is_address(text):
        raise WireError(400, "expected an address")
    return checksum(text)


def _amount(given: str | int | float) -> int:
    try:
        amount = to_e6(parse_decimal(str(given)))
    except ValueError as error:
        raise WireError(400, "an amount is a decimal of at most six places") from error
    if abs(amount) > 10**18:
        raise WireError(400, "there is not so much money")
    return amount
