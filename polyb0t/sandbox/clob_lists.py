"""The CLOB's own lists of markets, which clients without Gamma page through."""

from collections.abc import Callable
from typing import Final

from polyb0t.sandbox.clob_json import full_market_json
from polyb0t.sandbox.paging import PAGE, bounds
from polyb0t.sandbox.types import MarketView
from polyb0t.sandbox.wire import Reply, Request, Router, json_reply
from polyb0t.sandbox.world import World

_SIMPLE: Final = ("condition_id", "tokens", "active", "closed", "archived", "accepting_orders")


def add_routes(router: Router, world: World) -> None:
    """`/markets` and `/simplified-markets`; "sampling" ones are those that pay makers, here all open ones."""
    lists: dict[str, tuple[Callable[[MarketView], dict[str, object]], bool]] = {
        "/markets": (full_market_json, False),
        "/simplified-markets": (_simple, False),
        "/sampling-markets": (full_market_json, True),
        "/sampling-simplified-markets": (_simple, True),
    }
    for path, (row, only_open) in lists.items():
        router.add("GET", f"/clob{path}", _listing(world, row, only_open=only_open))


def _listing(
    world: World, row: Callable[[MarketView], dict[str, object]], *, only_open: bool
) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        views = [view for view in world.markets() if not only_open or not view.closed]
        start, cursor = bounds(request, len(views))
        shown = [row(view) for view in views[start : start + PAGE]]
        return json_reply({"data": shown, "next_cursor": cursor, "limit": PAGE, "count": len(shown)})

    return answer


def _simple(view: MarketView) -> dict[str, object]:
    full = full_market_json(view)
    return {key: full[key] for key in _SIMPLE} | {"rewards": {"rates": None, "min_size": 0, "max_spread": 0}}
