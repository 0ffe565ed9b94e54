"""What the venue refuses before it looks at the book, in its own words.

Sources: the venue's error page and practitioners' logs, collected autumn 2026. A refusal is HTTP 400
with one of these texts; clients match them by substring.
"""

from typing import Final

from polyb0t.core.units import from_e6, plain
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.types import MILLION, MarketSpec, OrderRequest, OrderType, Refusal, Side

# decimals of the amount that is computed from the other one, by tick
AMOUNT_DECIMALS: Final = {100_000: 3, 10_000: 4, 5_000: 5, 2_500: 6, 1_000: 5, 100: 6}
INPUT_STEP: Final = 10_000  # sizes, and the amount that is given to a market order: two decimals
MARKETABLE_BUY_MINIMUM_E6: Final = MILLION
GTD_LEAD_S: Final = 180  # a GTD must live at least this long by its own account
GTD_EARLY_S: Final = 60  # and is taken out this long before it says
POST_ONLY_TYPE: Final = "invalid post-only order: only GTC and GTD order types are allowed"
POST_ONLY_CROSSES: Final = "invalid post-only order: order crosses book"
NOT_READY: Final = "the market is not yet ready to process new orders"
FOK_KILLED: Final = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK_KILLED: Final = (
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."
)
RESTING: Final = (OrderType.GTC, OrderType.GTD)


def number(amount_e6: int) -> str:
    """Millionths as the venue prints amounts."""
    return plain(from_e6(amount_e6))


def refuse(text: str, order_id: str | None = None) -> Refusal:
    """HTTP 400 with this text."""
    return Refusal(400, text, order_id)


def check_terms(request: OrderRequest, now_ms: int) -> None:
    """Type, post-only and expiration agree."""
    resting = request.order_type in RESTING
    if request.post_only and not resting:
        raise refuse(POST_ONLY_TYPE)
    if request.order_type is OrderType.GTD:
        if request.expiration_s * 1_000 < now_ms + GTD_LEAD_S * 1_000:
            raise refuse("invalid expiration")
    elif request.expiration_s != 0:
        raise refuse("invalid expiration")
    if request.maker_amount_e6 <= 0 or request.taker_amount_e6 <= 0:
        raise refuse("Invalid order payload")


def amounts(request: OrderRequest) -> tuple[int, int]:
    """(shares, pUSD) of the request."""
    if request.side is Side.BUY:
        return request.taker_amount_e6, request.maker_amount_e6
    return request.maker_amount_e6, request.taker_amount_e6


def _check_decimals(request: OrderRequest, tick: int) -> None:
    side = request.side.value.lower()
    computed = 10 ** (6 - AMOUNT_DECIMALS[tick])
    resting = request.order_type in RESTING
    shares, pusd = amounts(request)
    given, other = (shares, pusd) if resting else (request.maker_amount_e6, request.taker_amount_e6)
    if given % INPUT_STEP == 0 and other % computed == 0:
        return
    kind = "limit" if resting else "market"
    two, many = ("taker", "maker") if resting and request.side is Side.BUY else ("maker", "taker")
    raise refuse(
        f"invalid amounts, the {kind} {side} orders {two} amount supports a max accuracy of 2 decimals, "
        f"{many} amount a max of {AMOUNT_DECIMALS[tick]} decimals"
    )


def _snapped_price(request: OrderRequest, tick: int) -> int | None:
    """The price on the grid that these amounts mean, or `None`.

    A limit order must hit it exactly. The computed side of a market order was rounded, by some
    clients up and by some down: anything less than one step away is the same price.
    """
    shares, pusd = amounts(request)
    price = (2 * pusd * MILLION + shares * tick) // (2 * shares * tick) * tick
    if not tick <= price <= MILLION - tick:
        return None
    step = 10 ** (6 - AMOUNT_DECIMALS[tick])
    if request.order_type in RESTING:
        exact = pusd * MILLION == price * shares
    elif request.side is Side.BUY:
        exact = abs(pusd * MILLION - price * shares) < step * price
    else:
        exact = abs(shares * price - pusd * MILLION) < step * MILLION
    return price if exact else None


def limit_price(request: OrderRequest, tick: int) -> int:
    """The worst price of the request in millionths.

    Raises:
        Refusal: it is off the grid, outside it, or the amounts have too many decimals.
    """
    price = _snapped_price(request, tick)
    if price is None:
        shares, pusd = amounts(request)
        shown = number(pusd * MILLION // shares)
        raise refuse(
            f"order {request.order_id} is invalid. Price ({shown}) breaks minimum tick size rule: "
            f"{number(tick)}",
            request.order_id,
        )
    _check_decimals(request, tick)
    return price


def check_size(request: OrderRequest, spec: MarketSpec) -> None:
    """At least the market's minimum of shares; a market BUY has its own minimum, in pUSD."""
    if request.side is Side.BUY and request.order_type not in RESTING:
        return
    shares, _ = amounts(request)
    if shares < spec.min_size_e6:
        raise refuse(
            f"order {request.order_id} is invalid. Size ({number(shares)}) lower than the minimum: "
            f"{number(spec.min_size_e6)}",
            request.order_id,
        )


def check_marketable(request: OrderRequest) -> None:
    """A BUY that trades at once is worth at least one pUSD."""
    if request.side is Side.BUY and request.maker_amount_e6 < MARKETABLE_BUY_MINIMUM_E6:
        raise refuse(
            f"invalid amount for a marketable BUY order (${number(request.maker_amount_e6)}), min size: $1"
        )


def to_order(request: OrderRequest, spec: MarketSpec, tick: int, now_ms: int, sequence: int) -> Order:
    """The request as an order of the engine, everything checked that needs no book and no balance.

    Raises:
        Refusal: with the venue's text.
    """
    check_terms(request, now_ms)
    price = limit_price(request, tick)
    check_size(request, spec)
    shares, pusd = amounts(request)
    market_buy = request.side is Side.BUY and request.order_type not in RESTING
    return Order(
        order_id=request.order_id,
        owner=request.owner,
        maker=request.maker,
        signer=request.signer,
        condition_id=spec.condition_id,
        outcome=spec.token_ids.index(request.token_id),
        side=request.side,
        price=price,
        size=shares,
        left=shares,
        budget=pusd if market_buy else 0,
        order_type=request.order_type,
        post_only=request.post_only,
        expiration_s=request.expiration_s,
        created_ms=now_ms,
        sequence=sequence,
        signature_type=request.signature_type,
    )
