"""`/sandbox`: what an operator breaks. The venue's disposition, sockets, purses, keys, settlements."""

from collections.abc import Callable
from typing import Final

import msgspec

from polyb0t.core.errors import ConflictError
from polyb0t.core.units import parse_decimal, to_e6
from polyb0t.sandbox.contracts import EXCHANGE_V2, EXCHANGE_V3, NEG_RISK_EXCHANGE_V2
from polyb0t.sandbox.faults import Fault, Faults
from polyb0t.sandbox.funds import UNLIMITED
from polyb0t.sandbox.house import House, Mode
from polyb0t.sandbox.makers import sessions_of
from polyb0t.sandbox.rates import TIERS, Enforcement, Rates
from polyb0t.sandbox.scenario import Scenario, Timetable
from polyb0t.sandbox.signatures import checksum, is_address
from polyb0t.sandbox.socket_faults import SocketFault, SocketFaults
from polyb0t.sandbox.text import e6_text
from polyb0t.sandbox.wallets import DEPOSIT
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World

SESSION_S: Final = 4_315 * 3_600  # how long the venue's session keys live
LONGEST_MS: Final = 7 * 86_400_000
_SPENDERS: Final = {address.lower() for address in (EXCHANGE_V2, NEG_RISK_EXCHANGE_V2, EXCHANGE_V3)}


class FaultList(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /sandbox/faults`: the rules in force from now on."""

    faults: list[Fault]


class VenueOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /sandbox/venue`: what is not named stays as it is."""

    mode: Mode | None = None
    for_ms: int | None = None  # of the mode; a restart is followed by two minutes of post-only
    orders: str = "keep"  # of clients: keep, cancel, or forget (cancelled and not found any more)
    geoblocked: bool | None = None
    country: str | None = None
    closed_only: list[str] | None = None  # addresses of keys
    banned: list[str] | None = None
    rate_limits: Enforcement | None = None
    tier: str | None = None
    order_lag_ms: int | None = None
    clock_offset_ms: int | None = None


class SocketOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /sandbox/socket-faults`."""

    faults: list[SocketFault]


class BalanceOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/balances`: money or shares that come or go behind everybody's back."""

    wallet: str
    change: str | int | float  # negative takes away
    token_id: str = ""  # empty: pUSD


class AllowanceOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /sandbox/allowances`: what an exchange may take."""

    wallet: str
    spender: str
    amount: str | int | float | None  # None: unlimited
    shares: bool = False  # the approval of shares, which is all or nothing


class SessionOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT` and `DELETE /sandbox/session-keys`."""

    address: str
    wallet: str = ""
    seconds: int = SESSION_S


class Count(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /sandbox/ghost-fills`: so many of the next trades are never settled."""

    count: int


class Panel:
    """The operator's requests that break things or make them whole."""

    def __init__(
        self,
        house: House,
        rates: Rates,
        faults: tuple[Faults, SocketFaults],
        timetable: Timetable,
        cut_sockets: Callable[[], int],
    ) -> None:
        self._house = house
        self._world: World = house.world
        self._rates = rates
        self._faults, self._socket_faults = faults
        self._timetable = timetable
        self._cut_sockets = cut_sockets

    def add_routes(self, router: Router) -> None:
        """The panel's routes."""
        routes: list[tuple[str, str, Callable[[Request], Reply]]] = [
            ("GET", "faults", self.list_faults),
            ("PUT", "faults", self.set_faults),
            ("DELETE", "faults", self.lift_faults),
            ("GET", "socket-faults", self.list_socket_faults),
            ("PUT", "socket-faults", self.set_socket_faults),
            ("DELETE", "socket-faults", self.lift_socket_faults),
            ("DELETE", "sockets", self.cut),
            ("GET", "venue", self.venue),
            ("PUT", "venue", self.set_venue),
            ("POST", "balances", self.change_balance),
            ("PUT", "allowances", self.set_allowance),
            ("PUT", "session-keys", self.authorise),
            ("DELETE", "session-keys", self.revoke),
            ("PUT", "ghost-fills", self.ghosts),
            ("GET", "scenario", self.scenario),
            ("PUT", "scenario", self.start_scenario),
            ("DELETE", "scenario", self.stop_scenario),
        ]
        for method, name, handler in routes:
            router.add(method, f"/sandbox/{name}", handler)

    # --- faults ---------------------------------------------------------------------------------

    def list_faults(self, _request: Request) -> Reply:
        """The rules in force."""
        return json_reply({"faults": self._faults.listing()})

    def set_faults(self, request: Request) -> Reply:
        """Replace the rules."""
        refusal = "faults must be a list of rules"
        if request.body.lstrip().startswith(b"["):
            rules = parse_body(request, list[Fault], refusal)
        else:
            rules = parse_body(request, FaultList, refusal).faults
        self._faults.replace(rules)
        return self.list_faults(request)

    def lift_faults(self, request: Request) -> Reply:
        """Lift every rule."""
        self._faults.clear()
        return self.list_faults(request)

    def list_socket_faults(self, _request: Request) -> Reply:
        """The rules in force for what sockets are sent."""
        return json_reply({"faults": self._socket_faults.listing()})

    def set_socket_faults(self, request: Request) -> Reply:
        """Replace those rules."""
        order = parse_body(request, SocketOrder, "faults must be a list of rules for sockets")
        self._socket_faults.replace(order.faults)
        return self.list_socket_faults(request)

    def lift_socket_faults(self, request: Request) -> Reply:
        """Lift those rules."""
        self._socket_faults.replace([])
        return self.list_socket_faults(request)

    def cut(self, _request: Request) -> Reply:
        """Cut every socket without a goodbye, as a network does."""
        return json_reply({"cut": self._cut_sockets()})

    # --- the venue ------------------------------------------------------------------------------

    def venue(self, _request: Request) -> Reply:
        """How the venue is disposed."""
        house = self._house
        return json_reply(
            {
                "mode": house.present_mode(),
                "until_ms": house.until_ms,
                "geoblocked": house.geoblocked,
                "country": house.country,
                "closed_only": sorted(house.closed_only),
                "banned": sorted(house.banned),
                "rate_limits": self._rates.enforcement,
                "tier": self._rates.tier,
                "order_lag_ms": house.order_lag_ms,
                "clock_offset_ms": house.clock.offset_ms,
            }
        )

    def set_venue(self, request: Request) -> Reply:
        """Change the disposition; a restart cuts every socket and may cost every order."""
        order = parse_body(request, VenueOrder, "expected mode, for_ms, orders, geoblocked or other settings")
        _check_venue(order)
        house = self._house
        if order.mode is not None:
            if order.mode is Mode.RESTART:
                self._cut_sockets()
            house.enter(order.mode, order.for_ms)
        if order.orders != "keep":
            house.wipe(forget=order.orders == "forget")
        if order.rate_limits is not None or order.tier is not None:
            self._rates.dispose(order.rate_limits or self._rates.enforcement, order.tier or self._rates.tier)
        if order.clock_offset_ms is not None:
            house.clock.offset_ms = order.clock_offset_ms
        if order.closed_only is not None:
            house.closed_only = {address.lower() for address in order.closed_only}
        if order.banned is not None:
            house.banned = {address.lower() for address in order.banned}
        for name in ("geoblocked", "country", "order_lag_ms"):
            if (value := getattr(order, name)) is not None:
                setattr(house, name, value)
        return self.venue(request)

    # --- purses and keys ------------------------------------------------------------------------

    def change_balance(self, request: Request) -> Reply:
        """Pay in, or take away; orders that are no longer covered are cancelled."""
        order = parse_body(request, BalanceOrder, "expected wallet, change and perhaps token_id")
        wallet, change = _wallet(order.wallet), _amount(order.change)
        token = order.token_id or None
        if token is not None and self._world.condition_of(token) is None:
            raise WireError(404, "there is no such token")
        try:
            self._world.alter_balance(wallet, change, token)
        except ConflictError as error:
            raise WireError(409, str(error)) from error
        return json_reply({"wallet": wallet, "balance": e6_text(self._world.balance(wallet, token))})

    def set_allowance(self, request: Request) -> Reply:
        """Approve so much, or take an approval back."""
        order = parse_body(request, AllowanceOrder, "expected wallet, spender and amount")
        amount = UNLIMITED if order.amount is None else _amount(order.amount)
        if order.spender.lower() not in _SPENDERS or amount < 0:
            raise WireError(400, "the spender is an exchange and the amount is not negative")
        wallet = _wallet(order.wallet)
        self._world.set_allowance(wallet, order.spender, amount, "shares" if order.shares else None)
        return json_reply({"wallet": wallet, "spender": order.spender, "amount": str(amount)})

    def authorise(self, request: Request) -> Reply:
        """Let one more key sign for a deposit wallet, as its owner would over the relayer."""
        order = parse_body(request, SessionOrder, "expected wallet, address and seconds")
        wallet, address = _wallet(order.wallet), _wallet(order.address)
        mine = any(one.wallet == wallet for one in self._world.accounts if one.signature_type == DEPOSIT)
        if not mine:
            raise WireError(404, "there is no such deposit wallet")
        if not 0 < order.seconds <= SESSION_S:
            raise WireError(400, f"seconds must be between 1 and {SESSION_S}")
        self._world.sessions[address.lower()] = (wallet, self._world.now_ms // 1_000 + order.seconds)
        return json_reply({"session_keys": sessions_of(wallet, self._world)})

    def revoke(self, request: Request) -> Reply:
        """Let a session key sign no more."""
        address = _wallet(parse_body(request, SessionOrder, "expected address").address)
        wallet, _ = self._world.sessions.pop(address.lower(), ("", 0))
        return json_reply({"session_keys": sessions_of(wallet, self._world)})

    def ghosts(self, request: Request) -> Reply:
        """Let the next trades be matched and never settled."""
        count = parse_body(request, Count, "expected count").count
        if not 0 <= count <= 1_000:
            raise WireError(400, "count must be between 0 and 1000")
        self._world.fail_next = count
        return json_reply({"count": count})

    # --- scenarios ------------------------------------------------------------------------------

    def scenario(self, _request: Request) -> Reply:
        """The scenario under way, and what became of its steps."""
        return json_reply(self._timetable.listing())

    def start_scenario(self, request: Request) -> Reply:
        """Begin a scenario, in JSON."""
        scenario = parse_body(request, Scenario, "expected name and steps")
        self._timetable.start(scenario, self._world.now_ms)
        return self.scenario(request)

    def stop_scenario(self, request: Request) -> Reply:
        """Leave it; what it broke stays broken."""
        self._timetable.stop()
        return self.scenario(request)


def _check_venue(order: VenueOrder) -> None:
    if order.orders not in ("keep", "cancel", "forget"):
        raise WireError(400, "orders are kept, cancelled or forgotten: keep, cancel, forget")
    if order.tier is not None and order.tier not in TIERS:
        raise WireError(400, f"tier must be one of {', '.join(TIERS)}")
    for given in (order.for_ms, order.order_lag_ms):
        if given is not None and not 0 <= given <= LONGEST_MS:
            raise WireError(400, f"a duration is between 0 and {LONGEST_MS} ms")
    if order.clock_offset_ms is not None and abs(order.clock_offset_ms) > LONGEST_MS:
        raise WireError(400, f"an offset is at most {LONGEST_MS} ms")
    for address in (*(order.closed_only or ()), *(order.banned or ())):
        _wallet(address)


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
