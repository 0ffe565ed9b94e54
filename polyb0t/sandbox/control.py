"""`/sandbox`: look at the world, stop its clock, break things, decide a market."""

from collections.abc import Callable
from typing import Literal

import msgspec

from polyb0t.core.units import parse_decimal, to_e6
from polyb0t.sandbox.environment import environment
from polyb0t.sandbox.faults import Fault, Faults
from polyb0t.sandbox.types import MILLION
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply, parse_body
from polyb0t.sandbox.world import World

LONGEST_STEP_MS = 7 * 86_400_000


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/clock`: pause or resume, or step a paused clock."""

    action: Literal["pause", "resume", "step"] | None = None
    pause: bool = False
    resume: bool = False
    step_ms: int = 0


class FaultList(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /sandbox/faults`: the rules in force from now on."""

    faults: list[Fault]


class Payouts(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/markets/{condition}/resolve`: pUSD per share, in outcome order."""

    payouts: list[str | int | float]


def add_routes(router: Router, world: World, faults: Faults, cut_sockets: Callable[[], int]) -> None:
    """The routes under `/sandbox`."""
    control = Control(world, faults, cut_sockets)
    router.add("GET", "/sandbox/environment", control.environment)
    router.add("GET", "/sandbox/state", control.state)
    router.add("GET", "/sandbox/faults", control.list_faults)
    router.add("PUT", "/sandbox/faults", control.set_faults)
    router.add("DELETE", "/sandbox/faults", control.lift_faults)
    router.add("GET", "/sandbox/clock", control.clock)
    router.add("POST", "/sandbox/clock", control.move_clock)
    router.add("POST", "/sandbox/markets/{}/resolve", control.resolve)
    router.add("DELETE", "/sandbox/sockets", control.cut)


class Control:
    """The operator's side of one world."""

    def __init__(self, world: World, faults: Faults, cut_sockets: Callable[[], int]) -> None:
        self._world = world
        self._faults = faults
        self._cut_sockets = cut_sockets

    def environment(self, request: Request) -> Reply:
        """Where everything is, as seen from the address that the caller used."""
        return json_reply(environment(self._world, request.headers.get("host", "127.0.0.1")))

    def state(self, _request: Request) -> Reply:
        """The canonical state and its hash; the world's id is not part of the hash."""
        return json_reply(
            {
                "world_id": self._world.world_id,
                "hash": self._world.state_hash(),
                "state": self._world.state(),
            }
        )

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

    def clock(self, _request: Request) -> Reply:
        """Where the world's clock stands."""
        return json_reply({"paused": self._world.paused, "now_ms": self._world.now_ms})

    def move_clock(self, request: Request) -> Reply:
        """Pause, resume, or step."""
        order = parse_body(request, ClockOrder, "expected pause, resume or step_ms")
        if order.pause or order.action == "pause":
            self._world.pause()
        elif order.resume or order.action == "resume":
            self._world.resume()
        elif not 0 < order.step_ms <= LONGEST_STEP_MS:
            raise WireError(400, f"step_ms must be between 1 and {LONGEST_STEP_MS}")
        elif not self._world.paused:
            raise WireError(409, "the clock runs; pause it before stepping")
        else:
            self._world.step(order.step_ms)
        return self.clock(request)

    def resolve(self, request: Request) -> Reply:
        """Pay a market out."""
        condition = request.values[0]
        first, second = _payouts(parse_body(request, Payouts, "expected payouts").payouts)
        try:
            view = self._world.market(condition)
        except KeyError:
            raise WireError(404, "market not found") from None
        if view.closed:
            raise WireError(409, "the market is resolved already")
        self._world.resolve(condition, (first, second))
        return json_reply({"condition_id": condition, "payouts_e6": [first, second]})

    def cut(self, _request: Request) -> Reply:
        """Cut every socket without a goodbye, as a network does."""
        return json_reply({"cut": self._cut_sockets()})


def _payouts(given: list[str | int | float]) -> tuple[int, int]:
    """Two payouts that share out exactly one pUSD."""
    try:
        amounts = [to_e6(parse_decimal(str(one))) for one in given]
    except ValueError as error:
        raise WireError(400, "payouts must be decimals") from error
    if len(amounts) != 2 or min(amounts) < 0 or sum(amounts) != MILLION:
        raise WireError(400, "payouts must be two amounts that add up to 1")
    return amounts[0], amounts[1]
