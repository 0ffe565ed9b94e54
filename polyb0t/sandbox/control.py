"""`/sandbox`: look at the world, stop its clock, decide a market."""

from collections.abc import Callable
from typing import Literal

import msgspec

from polyb0t.core.errors import ConflictError, NotFoundError
from polyb0t.core.units import parse_decimal, to_e6
from polyb0t.sandbox.environment import environment
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


class Payouts(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/markets/{condition}/resolve`: pUSD per share, in outcome order."""

    payouts: list[str | int | float]


class Proposal(msgspec.Struct, forbid_unknown_fields=True):
    """`POST /sandbox/markets/{condition}/propose`: as for `resolve`, and how long it waits for a dispute."""

    payouts: list[str | int | float]
    for_ms: int | None = None


class OracleOrder(msgspec.Struct, forbid_unknown_fields=True):
    """`PUT /sandbox/oracle`."""

    liveness_ms: int


def add_routes(router: Router, world: World, step: Callable[[int], None]) -> None:
    """The routes under `/sandbox` that look, move the clock and decide; `step` lets time pass."""
    control = Control(world, step)
    router.add("GET", "/sandbox/environment", control.environment)
    router.add("GET", "/sandbox/state", control.state)
    router.add("GET", "/sandbox/clock", control.clock)
    router.add("POST", "/sandbox/clock", control.move_clock)
    router.add("POST", "/sandbox/markets/{}/resolve", control.resolve)
    router.add("POST", "/sandbox/markets/{}/propose", control.propose)
    router.add("POST", "/sandbox/markets/{}/dispute", control.dispute)
    router.add("PUT", "/sandbox/oracle", control.oracle)


class Control:
    """The operator's side of one world."""

    def __init__(self, world: World, step: Callable[[int], None]) -> None:
        self._world = world
        self._step = step

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
            self._step(order.step_ms)
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

    def propose(self, request: Request) -> Reply:
        """Say how a market ends; it stands when nobody disputes it."""
        condition, body = request.values[0], parse_body(request, Proposal, "expected payouts")
        if body.for_ms is not None and not 0 <= body.for_ms <= LONGEST_STEP_MS:
            raise WireError(400, f"for_ms must be between 0 and {LONGEST_STEP_MS}")
        payouts = _payouts(body.payouts)
        return self._told(lambda: self._world.propose(condition, payouts, for_ms=body.for_ms), condition)

    def dispute(self, request: Request) -> Reply:
        """Contest what is proposed."""
        condition = request.values[0]
        return self._told(lambda: self._world.dispute(condition), condition)

    def oracle(self, request: Request) -> Reply:
        """How long a proposal waits for a dispute, from now on."""
        liveness_ms = parse_body(request, OracleOrder, "expected liveness_ms").liveness_ms
        if not 0 <= liveness_ms <= LONGEST_STEP_MS:
            raise WireError(400, f"liveness_ms must be between 0 and {LONGEST_STEP_MS}")
        self._world.liveness_ms = liveness_ms
        return json_reply({"liveness_ms": liveness_ms})

    def _told(self, change: Callable[[], None], condition: str) -> Reply:
        try:
            change()
            view = self._world.market(condition)
        except (NotFoundError, KeyError):
            raise WireError(404, "market not found") from None
        except ConflictError as error:
            raise WireError(409, error.what) from None
        return json_reply(
            {"condition_id": condition, "status": view.oracle_status, "stands_ms": view.stands_ms}
        )


def _payouts(given: list[str | int | float]) -> tuple[int, int]:
    """Two payouts that share out exactly one pUSD."""
    try:
        amounts = [to_e6(parse_decimal(str(one))) for one in given]
    except ValueError as error:
        raise WireError(400, "payouts must be decimals") from error
    if len(amounts) != 2 or min(amounts) < 0 or sum(amounts) != MILLION:
        raise WireError(400, "payouts must be two amounts that add up to 1")
    return amounts[0], amounts[1]
