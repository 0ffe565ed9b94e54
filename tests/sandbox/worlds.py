"""Small worlds for tests: no crowd, one cheap market, and orders without signatures."""

from dataclasses import replace
from itertools import count

from polyb0t.sandbox.kinds import cast
from polyb0t.sandbox.rules import AMOUNT_DECIMALS
from polyb0t.sandbox.types import MILLION, MarketSpec, OrderRequest, OrderType, Placement, Side
from polyb0t.sandbox.world import World

NOON_MS = 1_795_348_800_000  # 2026-11-22 12:00 UTC
CONDITION = "0x" + "5a" * 32
YES_TOKEN, NO_TOKEN = "1001", "1002"
ALICE, BOB, CAROL = "0x" + "A1" * 20, "0x" + "B0" * 20, "0x" + "CA" * 20

SPEC = MarketSpec(
    gamma_id="1",
    condition_id=CONDITION,
    question_id="0x" + "77" * 32,
    slug="will-it",
    question="Will it?",
    description="It pays if it does.",
    category="Tech",
    tags=("Tech",),
    event_id="1",
    event_slug="will-it",
    event_title="Will it?",
    outcomes=("Yes", "No"),
    token_ids=(YES_TOKEN, NO_TOKEN),
    start_ms=NOON_MS,
    end_ms=NOON_MS + 30 * 86_400_000,
    fee_rate="0.04",
)
_salt = count(1)


def specs_of(*kinds: str) -> list[MarketSpec]:
    """The markets of these kinds, open and empty whatever the crowd would think of them."""
    return [born.spec for born in cast(1, NOON_MS, kinds)]


def market_of(*kinds: str) -> World:
    """A world of just these kinds, no crowd; everybody has 1,000 pUSD and 1,000 shares of everything."""
    specs = specs_of(*kinds)
    world = World(start_ms=NOON_MS, seed=1, markets=specs, crowd=False, accounts=0)
    for wallet in (ALICE, BOB, CAROL):
        world.fund(wallet, (1_000 + 1_000 * len(specs)) * MILLION)
        for spec in specs:
            world.split(wallet, spec.condition_id, 1_000 * MILLION)
    return world


def quiet_world(**changes: object) -> World:
    """One market, no crowd; Alice, Bob and Carol have 1,000 pUSD and 1,000 shares of each outcome."""
    spec = replace(SPEC, **changes)  # type: ignore[arg-type]
    world = World(start_ms=NOON_MS, seed=1, markets=[spec], crowd=False, accounts=0)
    for wallet in (ALICE, BOB, CAROL):
        world.fund(wallet, 2_000 * MILLION)
        world.split(wallet, spec.condition_id, 1_000 * MILLION)
    return world


def request(
    who: str,
    side: str,
    token: str,
    *,
    shares: float = 0,
    price: float = 0,
    pusd: float = 0,
    kind: str = "GTC",
    post_only: bool = False,
    expiration_s: int = 0,
    order_id: str = "",
    tick_e6: int = 10_000,
) -> OrderRequest:
    """An order in human units; a market BUY gives `pusd`, everything else `shares`."""
    price_e6 = round(price * MILLION)
    if kind in ("FAK", "FOK") and side == "BUY":
        pusd_e6 = round(pusd * MILLION)
        step = 10 ** (6 - AMOUNT_DECIMALS[tick_e6])
        shares_e6 = pusd_e6 * MILLION // price_e6 // step * step
    else:
        shares_e6 = round(shares * MILLION)
        pusd_e6 = shares_e6 * price_e6 // MILLION
    maker, taker = (pusd_e6, shares_e6) if side == "BUY" else (shares_e6, pusd_e6)
    salt = next(_salt)
    return OrderRequest(
        order_id=order_id or f"0x{salt:064x}",
        owner=f"key of {who}",
        maker=who,
        signer=who,
        token_id=token,
        side=Side(side),
        maker_amount_e6=maker,
        taker_amount_e6=taker,
        order_type=OrderType(kind),
        post_only=post_only,
        expiration_s=expiration_s,
        salt=salt,
    )


def place(world: World, who: str, side: str, token: str, **terms: object) -> Placement:
    return world.place(request(who, side, token, **terms))  # type: ignore[arg-type]


def levels(world: World, token: str) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Bids and asks in human units, best first."""
    book = world.book(token)
    return (
        [(price / MILLION, size / MILLION) for price, size in reversed(book.bids)],
        [(price / MILLION, size / MILLION) for price, size in reversed(book.asks)],
    )


def check_books(world: World) -> None:
    """Both conservation laws, and no book left crossed."""
    markets = world.engine.markets.values()
    world.ledger.check((m.spec.condition_id, m.spec.token_ids) for m in markets if m.payouts is None)
    for market in markets:
        bid, ask = market.book.bids.best, market.book.asks.best
        assert bid is None or ask is None or bid < ask, f"crossed: {bid} {ask}"
