"""Lines of `status` that tell how the engine sees the world: exchange, data, agreement, markets, exits."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from polyb0t.execution.onlookers import people
from polyb0t.models import wording
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.exit_column import WAITS
from polyb0t.runtime.holdings import short_ids
from polyb0t.runtime.outside_source import latest_views
from polyb0t.runtime.overview import Overview
from polyb0t.runtime.views import latest_universe

Line = tuple[str, str, bool]
_BAR: Final = 20  # characters
_AGREES: Final = "agrees, "


def world_lines(state: Overview) -> Iterator[Line]:
    """What an engine that runs last told; nothing is known of now when none does."""
    if not state.running:
        return
    if state.window.takes_orders:
        yield "Exchange", "trading normally", False
    yield from _data(state)
    yield from _agreement(state)
    yield from _markets(state)
    yield from _outside(state)


def _data(state: Overview) -> Iterator[Line]:
    prices = state.facts.switches.get(KillSwitchType.STALE_DATA)
    calls = state.facts.switches.get(KillSwitchType.API_ERROR_RATE)
    if prices is None or calls is None:
        return
    failed = calls.now.replace(" calls in ", " calls failed in ")
    yield "Data", f"{prices.now}, limit {prices.trips_at}; {failed}", bool(prices.cause or calls.cause)


def _agreement(state: Overview) -> Iterator[Line]:
    found = state.facts.switches.get(KillSwitchType.RECONCILIATION)
    if found is None:
        return
    if found.now.startswith(_AGREES):
        ago = found.now.removeprefix(_AGREES)
        yield "Agreement", f"our records and the exchange's agree, compared {ago}", False
    else:
        yield "Agreement", found.cause or found.now, bool(found.cause)


def _markets(state: Overview) -> Iterator[Line]:
    universe = latest_universe(state.opened.stores.engine)
    if universe is None:
        return
    steps = [f"{universe.get(name, 0)} {name}" for name in ("watched", "tradable", "proposed")]
    yield "Markets", f"{' > '.join(steps)}; see why: polyb0t universe --why", False


def _outside(state: Overview) -> Iterator[Line]:
    told = latest_views(state.opened.stores.engine)
    if told is None:
        return
    sources = ", ".join(wording.one_line(str(each)) for each in told["sources"]) or "nobody"
    wrong = [*told["problems"], *told["unused"]]
    more = f" {wording.one_line(str(wrong[0]))}" if wrong else ""
    yield "Outside", f"heard from {sources}; see polyb0t model list.{more}", bool(told["problems"])


def watchers(state: Overview) -> str:
    """`; 1 person watching`; empty where nobody is."""
    number = len(people(state.opened.stores.onlookers.onlookers()))
    return f"; {'1 person' if number == 1 else f'{number} people'} watching" if number else ""


def cycle_words(state: Overview) -> str:
    """`cycle 31 took 1.1 s (books 0.7 s)`."""
    number = state.engine.cycle if state.engine is not None else 0
    took = state.facts.cycle
    if took is None:
        return f"cycle {number}"
    slowest = f"{took.slowest} {wording.round_to(took.slowest_seconds, 1)} s"
    return f"cycle {number} took {wording.round_to(took.seconds, 1)} s ({slowest})"


def at_risk_words(state: Overview) -> str:
    """`194.97 of 5,000.00 pUSD in positions and orders  [#-------------------]`."""
    spent = f"{wording.money(state.at_risk)}"
    uses = state.facts.risk.uses if state.facts.risk is not None and state.running else ()
    limit = next((use.limit for use in uses if use.name == "exposure_total"), None)
    if not limit:
        return f"{spent} pUSD in positions and orders"
    return f"{spent} of {wording.limit(limit)} pUSD in positions and orders  {_bar(state.at_risk / limit)}"


def _bar(part: Decimal) -> str:
    """What has begun counts: a bar that is empty means nothing at all."""
    full = min(_BAR, max(0, math.ceil(part * _BAR)))
    return f"[{'#' * full}{'-' * (_BAR - full)}]"


def exit_lines(state: Overview) -> Iterator[Line]:
    """How many positions nobody has approved an exit of."""
    held = state.holdings.ours
    waiting = [each for each in held if each.exit == WAITS]
    if waiting:
        some = f"{len(waiting)} of {len(held)} {'position has' if len(held) == 1 else 'positions have'}"
        first = short_ids(held)[waiting[0].position.asset_id]
        do = f"Approve it: polyb0t positions protect {first}"
        yield "Exits", f"{some} no approved exit: what an exit rule asks for waits for you. {do}", False
    elif held:
        yield "Exits", f"{len(held)} of {len(held)} positions have an exit under way or approved", False
