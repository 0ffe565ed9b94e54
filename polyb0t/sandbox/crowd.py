"""The crowd: makers who quote, people who trade for no reason, and a few who know more.

Each market has a hidden probability, a martingale that moves slowly and sometimes jumps. The crowd
believes in it too little: prices are compressed towards one half, so that the logit of the truth is
about 1.3 times the logit of the price in politics and 1.08 times elsewhere. A model that knows the
favourite-longshot bias can find that. Probabilities are logits in whole millionths (`_e6`), times are
milliseconds of the crowd, which `--speed` makes run faster than the clock.

Only the crowd uses floating point, for its opinions; every amount it sends is a whole number.
"""

import math
from dataclasses import dataclass
from typing import Final

from polyb0t.sandbox.engine import Engine
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.settlement import hex_of
from polyb0t.sandbox.types import MILLION, NO, YES, MarketSpec, OrderStatus, OrderType, Side

BIAS_E3: Final = {"politics": 1_300}  # logit of the truth = this / 1000 x logit of the price
OTHER_BIAS_E3: Final = 1_080
VISIT_MS: Final = 10_000  # mean time between two looks at a market
WALK_PER_ROOT_SECOND: Final = 0.0009  # logit; with the grid about 0.4 cents in a minute at one half
JUMP_MEAN_MS: Final = 8 * 3_600_000
FURTHEST_E6: Final = 5_000_000  # logit
DAY_MS: Final = 86_400_000
LEVELS: Final = (0, 1, 2, 3, 5, 8)  # ticks behind the best
SHARE: Final = MILLION


def wallet_of(name: str) -> str:
    """The address of one of the crowd."""
    return "0x" + hex_of("polyb0t crowd", name)[:40]


MAKERS: Final = (wallet_of("maker one"), wallet_of("maker two"))
NOISE: Final = wallet_of("noise")
INFORMED: Final = wallet_of("informed")
IMPORTED: Final = wallet_of("recorded book")
WALLETS: Final = (*MAKERS, NOISE, INFORMED, IMPORTED)


def sigmoid(logit: float) -> float:
    """The probability of a logit."""
    return 1 / (1 + math.exp(-logit))


def logit(probability: float) -> float:
    """The logit of a probability inside (0, 1)."""
    return math.log(probability / (1 - probability))


@dataclass(slots=True)
class Opinion:
    """What the crowd thinks of one market, and how it quotes there."""

    condition_id: str
    fair_e6: int  # logit of the hidden probability of the first outcome
    belief_e6: int  # where the makers think it is; they lag
    bias_e3: int
    half_e6: int  # half the spread in price millionths
    depth_e6: int  # typical shares at a level
    recorded: bool  # the book came from a recording: it is kept, not moved
    last_ms: int
    random: int  # state of this market's generator

    def price(self, logit_e6: int) -> float:
        """The crowd's price of a logit of the truth."""
        return sigmoid(logit_e6 / MILLION * 1_000 / self.bias_e3)

    def truth(self) -> float:
        """The hidden probability."""
        return sigmoid(self.fair_e6 / MILLION)


def opinion_of(spec: MarketSpec, fair_e6: int, half_e6: int, depth_e6: int, now_ms: int) -> Opinion:
    """A new market's opinion; `spec` gives the bias and the seed of its randomness."""
    return Opinion(
        condition_id=spec.condition_id,
        fair_e6=fair_e6,
        belief_e6=fair_e6,
        bias_e3=BIAS_E3.get(spec.category.lower(), OTHER_BIAS_E3),
        half_e6=half_e6,
        depth_e6=depth_e6,
        recorded=bool(spec.first_bids or spec.first_asks),
        last_ms=now_ms,
        random=_seed_of(spec),
    )


def _seed_of(spec: MarketSpec) -> int:
    """Ids of V2 are mostly zeros where those of V1 are random."""
    source = int(hex_of(spec.condition_id), 16) if spec.version == "v2" else int(spec.condition_id, 16)
    return source & (2**64 - 1)


class Crowd:
    """Everybody on the sandbox who is not a client."""

    def __init__(self, engine: Engine, speed: float) -> None:
        self._engine = engine
        self.speed = speed
        self.opinions: dict[str, Opinion] = {}

    def visit(self, condition_id: str, now_ms: int) -> int:
        """Look at one market: think, trade, quote. Returns milliseconds until the next look."""
        opinion = self.opinions[condition_id]
        market = self._engine.markets[condition_id]
        random = Random64(opinion.random)
        if not opinion.recorded:
            self._think(opinion, random, now_ms)
            self._inform(market, opinion, random, now_ms)
        if random.unit() < 0.2:
            self._wander(market, opinion, random, now_ms)
        self.quote(market, opinion, now_ms)
        market.sample(now_ms)
        wait = VISIT_MS * (0.5 + random.unit()) / self.speed
        opinion.random = random.state
        opinion.last_ms = now_ms
        return max(int(wait), 50)

    def open(self, market: Market, opinion: Opinion, now_ms: int) -> None:
        """The first book of a market."""
        self.opinions[opinion.condition_id] = opinion
        if opinion.recorded:
            self._stock(IMPORTED, market, sum(size for _, size in market.spec.first_asks))
        else:
            for wallet in (*MAKERS, NOISE):
                self._stock(wallet, market, 5_000 * SHARE)
        self.quote(market, opinion, now_ms)

    def _stock(self, wallet: str, market: Market, shares: int) -> None:
        self._engine.ledger.deposit(wallet, shares)
        self._engine.ledger.split(wallet, market.spec.condition_id, market.spec.token_ids, shares)

    # --- opinions -------------------------------------------------------------------------------

    def _think(self, opinion: Opinion, random: Random64, now_ms: int) -> None:
        """Move the hidden probability as a martingale, and the makers' belief after it."""
        elapsed = (now_ms - opinion.last_ms) * self.speed
        step = WALK_PER_ROOT_SECOND * math.sqrt(elapsed / 1_000)
        shift = random.gauss() * step
        if random.unit() < elapsed / JUMP_MEAN_MS:
            jump = 0.5 * random.gauss()
            shift, step = shift + jump, math.hypot(step, 0.5)
        drift = (2 * opinion.truth() - 1) * min(step, 0.5) ** 2 / 2
        moved = opinion.fair_e6 + round((shift + drift) * MILLION)
        opinion.fair_e6 = max(-FURTHEST_E6, min(FURTHEST_E6, moved))
        opinion.belief_e6 += (opinion.fair_e6 - opinion.belief_e6) // 2

    def _inform(self, market: Market, opinion: Opinion, random: Random64, now_ms: int) -> None:
        """Somebody who knows takes quotes that are plainly wrong."""
        middle = market.midpoint()
        if middle is None:
            return
        edge = round(opinion.price(opinion.fair_e6) * MILLION) - middle
        if abs(edge) > opinion.half_e6 + 2 * market.tick and random.unit() < 0.5:
            outcome = YES if edge > 0 else NO
            self._take(INFORMED, market, outcome, random.between(80, 250) * SHARE, now_ms)

    def _wander(self, market: Market, opinion: Opinion, random: Random64, now_ms: int) -> None:
        """Somebody trades for no reason that we know."""
        del opinion
        size = round(math.exp(3 + 0.8 * random.gauss()) * 100) * SHARE // 100
        outcome = random.below(2)
        wants_out = random.unit() < 0.4
        token = market.spec.token_ids[outcome]
        if wants_out and self._engine.ledger.available(NOISE, token) >= size:
            self._take(NOISE, market, outcome, size, now_ms, side=Side.SELL)
        else:
            self._take(NOISE, market, outcome, size, now_ms)

    def _take(
        self, wallet: str, market: Market, outcome: int, size: int, now_ms: int, *, side: Side = Side.BUY
    ) -> None:
        """Trade against the best level only, so that nobody runs through a book by accident."""
        bid = (side is Side.BUY) == (outcome == YES)
        best = market.book.side(bid=not bid).best
        if best is None or size < SHARE:
            return
        price = best if outcome == YES else MILLION - best
        order = self._order(wallet, market, outcome, side, price=price, size=size, now_ms=now_ms)
        order.order_type = OrderType.FAK
        order.budget = size * price // MILLION if side is Side.BUY else 0
        fills, _ = market.book.plan(order)
        if fills:
            self._afford(order)
            self._engine.execute(order, market, fills, now_ms)

    # --- quotes ---------------------------------------------------------------------------------

    def quote(self, market: Market, opinion: Opinion, now_ms: int) -> None:
        """Take out what is stale and put in what is missing; levels that are still right stay."""
        wanted = self._recorded(market) if opinion.recorded else self._wanted(market, opinion)
        standing: dict[tuple[bool, int], int] = {}
        for ladder in (market.book.bids, market.book.asks):
            for order in [order for order in ladder.orders() if order.crowd]:
                key = (order.bid, order.yes)
                if key not in wanted:
                    self._engine.withdraw(order, OrderStatus.CANCELED, now_ms)
                else:
                    standing[key] = standing.get(key, 0) + order.left
        for place, (key, size) in enumerate(wanted.items()):
            missing = size - standing.get(key, 0)
            if missing > size // 2:
                self._put(market, key, missing, place=place, recorded=opinion.recorded, now_ms=now_ms)

    def _recorded(self, market: Market) -> dict[tuple[bool, int], int]:
        spec = market.spec
        wanted = {(True, price): size for price, size in spec.first_bids}
        return wanted | {(False, price): size for price, size in spec.first_asks}

    def _wanted(self, market: Market, opinion: Opinion) -> dict[tuple[bool, int], int]:
        """The levels the makers want, from the best outwards."""
        tick = market.tick
        middle = round(opinion.price(opinion.belief_e6) * MILLION)
        half = min(opinion.half_e6, min(middle, MILLION - middle) // 2)
        best_bid = max((middle - half) // tick * tick, tick)
        best_ask = min(-((-middle - half) // tick) * tick, MILLION - tick)
        if best_ask <= best_bid:
            best_bid, best_ask = (
                (best_bid, best_bid + tick) if middle < MILLION // 2 else (best_ask - tick, best_ask)
            )
        wanted: dict[tuple[bool, int], int] = {}
        for level in LEVELS:
            for bid, price in ((True, best_bid - level * tick), (False, best_ask + level * tick)):
                if tick <= price <= MILLION - tick:
                    wanted[(bid, price)] = _level_size(market.spec, opinion.depth_e6, price)
        return wanted

    def _put(
        self,
        market: Market,
        key: tuple[bool, int],
        size: int,
        *,
        place: int,
        recorded: bool,
        now_ms: int,
    ) -> None:
        """Rest a level; half of them as a SELL of what the maker holds, the others as a BUY."""
        bid, yes = key
        wallet = IMPORTED if recorded else MAKERS[place // 2 % 2]
        size -= size % 10_000
        outcome, side = (YES, Side.BUY) if bid else (NO, Side.BUY)
        other = NO if bid else YES
        if (
            place // 2 % 2 == 0
            and self._engine.ledger.available(wallet, market.spec.token_ids[other]) >= size
        ):
            outcome, side = other, Side.SELL
        price = yes if outcome == YES else MILLION - yes
        order = self._order(wallet, market, outcome, side, price=price, size=size, now_ms=now_ms)
        fills, _ = market.book.plan(order)
        if size:
            self._afford(order)
            self._engine.execute(order, market, fills, now_ms)

    def _afford(self, order: Order) -> None:
        """More money appears when the crowd needs it: it is there to trade with, not to win."""
        if order.side is Side.BUY and self._engine.ledger.available(order.maker) < 2 * order.size:
            self._engine.ledger.deposit(order.maker, 1_000_000 * SHARE + 2 * order.size)

    def _order(
        self, wallet: str, market: Market, outcome: int, side: Side, *, price: int, size: int, now_ms: int
    ) -> Order:
        engine = self._engine
        engine.order_sequence += 1
        return Order(
            order_id=f"0xc{engine.order_sequence:063x}",
            owner="",
            maker=wallet,
            signer=wallet,
            condition_id=market.spec.condition_id,
            outcome=outcome,
            side=side,
            price=price,
            size=size,
            left=size,
            budget=0,
            order_type=OrderType.GTC,
            post_only=False,
            expiration_s=0,
            created_ms=now_ms,
            sequence=engine.order_sequence,
            crowd=True,
        )

    def leave(self, market: Market) -> None:
        """Redeem what the crowd holds of a resolved market."""
        spec, payouts = market.spec, market.payouts
        self.opinions.pop(spec.condition_id, None)
        if payouts is None:
            return
        for wallet in WALLETS:
            for token, payout in zip(spec.token_ids, payouts, strict=True):
                self._engine.ledger.redeem(wallet, spec.condition_id, token, payout)


def _level_size(spec: MarketSpec, depth_e6: int, price: int) -> int:
    """Shares at a level: the same whenever the level comes back, so that quotes do not flicker."""
    draw = Random64(int(spec.condition_id[2:14], 16) * 1_000_003 + price).unit()
    size = round(depth_e6 * (0.5 + draw))
    return size - size % 10_000
