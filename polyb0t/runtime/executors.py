"""Which executor a regime has. Only the live one is given the gateway; the others know of none."""

from collections.abc import Callable
from dataclasses import dataclass

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConfigurationError
from polyb0t.core.ids import OrderId
from polyb0t.execution.executor import Executor, Preparing
from polyb0t.execution.gateway import OrderGateway
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.live_executor import ExecutorSettings, LiveExecutor
from polyb0t.execution.rehearsing import Rehearser
from polyb0t.execution.scope import Regime
from polyb0t.execution.spool import AnswerSpool
from polyb0t.runtime.paper import PaperSide


@dataclass(frozen=True, slots=True)
class Sending:
    """What only an executor that sends needs."""

    gateway: OrderGateway | None
    settings: ExecutorSettings
    spool: AnswerSpool
    anchor: Callable[[], None]
    follow: Callable[[OrderId], object]


def build_executor(
    preparing: Preparing, in_flight: InFlight, clock: Clock, sending: Sending, paper: PaperSide | None = None
) -> Executor:
    """The executor of `preparing.regime`.

    Raises:
        ConfigurationError: the live regime without a gateway.
    """
    if paper is not None:
        return paper.executor(preparing, in_flight, clock)
    if preparing.regime is not Regime.LIVE:
        return Rehearser(preparing, in_flight)
    if sending.gateway is None:
        raise ConfigurationError("The live regime was not started.", why="It has no way to send orders.")
    return LiveExecutor(
        preparing.stores,
        preparing.lease,
        gateway=sending.gateway,
        books=preparing.books,
        situation=preparing.situation,
        clock=clock,
        settings=sending.settings,
        halt_file=preparing.halt_file,
        in_flight=in_flight,
        spool=sending.spool,
        anchor=sending.anchor,
        follow=sending.follow,
        submit_mutex=preparing.submit_mutex,
    )
