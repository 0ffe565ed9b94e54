"""Years of markets that are over, invented from the seed and made only when somebody asks.

Nothing of this is part of a saved world but how many there are and when they end. Each id ends in the
market's number, so a market is found without making the others.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from polyb0t.sandbox.crowd import BIAS_E3, DAY_MS, OTHER_BIAS_E3
from polyb0t.sandbox.identifiers import Module, condition_of_position, position_id
from polyb0t.sandbox.markets import birth
from polyb0t.sandbox.paths import Path
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.settlement import hex_of
from polyb0t.sandbox.types import MILLION, NO, YES, MarketSpec, MarketView

YEARS_MS: Final = 3 * 365 * DAY_MS
FIRST_ID: Final = 100_000
FIRST_NUMBER: Final = 1_000_000  # so that no living market has the same name
NUMBER_DIGITS: Final = 6
_NUMBERS: Final = 1 << 4 * NUMBER_DIGITS
SPREAD: Final = 0.9  # of X at the beginning: how different from one half first prices are
HALVES: Final = 200  # one market in so many pays half to each outcome
CANARIES: Final = 25  # among the newest tenth one in so many is of Protocol V2


class Archive:
    """`count` resolved markets, the last of which ended just before `epoch_ms`."""

    def __init__(self, seed: int, count: int, epoch_ms: int) -> None:
        self.seed = seed
        self.count = count
        self.epoch_ms = epoch_ms
        self._made: dict[int, MarketView] = {}

    def views(self) -> list[MarketView]:
        """All of them, oldest first."""
        return [self.view(number) for number in range(self.count)]

    def view(self, number: int) -> MarketView:
        """Market `number` as it is now: over."""
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = self._make(number)
        return made

    def find(self, condition_id: str) -> MarketView | None:
        """The market of a condition, or `None`."""
        for view in self._candidates(condition_id.removeprefix("0x"), 16):
            if view.spec.condition_id == condition_id:
                return view
        return None

    def find_token(self, token_id: str) -> tuple[MarketView, int] | None:
        """The market and the outcome of a token, or `None`."""
        for view in self._candidates(token_id, 10):
            if token_id in view.spec.token_ids:
                return view, view.spec.token_ids.index(token_id)
        return None

    def path(self, view: MarketView) -> Path:
        """What the price of the first outcome did."""
        spec = view.spec
        number = int(spec.gamma_id) - FIRST_ID
        random = self._random(number, "path")
        start = SPREAD * random.gauss()
        bias = BIAS_E3.get(spec.category.lower(), OTHER_BIAS_E3)
        end_ms = spec.end_ms if view.closed_ms is None else view.closed_ms
        return Path(random.bits(), spec.start_ms, end_ms, start, bias)

    def _candidates(self, text: str, base: int) -> Iterator[MarketView]:
        """Markets whose number stands at the end of an id, or in V2 at the end of its base hash."""
        if not self.count or not text.isalnum() or len(text) > 78:
            return
        try:
            value = int(text, base)
        except ValueError:
            return
        for number in (value % _NUMBERS, (value >> 120) % _NUMBERS):
            if number < self.count:
                yield self.view(number)

    def _is_v2(self, number: int) -> bool:
        return number >= self.count * 9 // 10 and number % CANARIES == 0

    def _random(self, number: int, about: str) -> Random64:
        return Random64(int(hex_of("polyb0t archive", self.seed, number, about)[:16], 16))

    def _make(self, number: int) -> MarketView:
        random = self._random(number, "terms")
        between = YEARS_MS // self.count
        closed_ms = self.epoch_ms - DAY_MS - (self.count - 1 - number) * between - random.below(between + 1)
        end_ms = closed_ms - random.between(1, 30) * 3_600_000
        start_ms = end_ms - int((3 + 117 * random.unit() ** 1.5) * DAY_MS)
        spec = self._spec(number, start_ms, end_ms)
        view = MarketView(
            spec=spec,
            tick_e6=spec.tick_e6,
            accepting=False,
            closed=True,
            payouts_e6=None,
            closed_ms=closed_ms,
            best_bid_e6=None,
            best_ask_e6=None,
            last_price_e6=None,
            volume_e6=spec.volume_e6,
            volume_24h_e6=0,
            liquidity_e6=0,
            updated_ms=closed_ms,
        )
        won = YES if self.path(view).end() > 0 else NO
        payouts = (MILLION, 0) if won == YES else (0, MILLION)
        if random.below(HALVES) == 0:
            payouts = (MILLION // 2, MILLION // 2)
        return replace(view, payouts_e6=payouts, last_price_e6=min(max(payouts[0], 1_000), 999_000))

    def _spec(self, number: int, start_ms: int, end_ms: int) -> MarketSpec:
        born = birth(self.seed ^ 0xA5C1, FIRST_NUMBER + number, start_ms).spec
        return replace(
            born,
            gamma_id=str(FIRST_ID + number),
            event_id=str(FIRST_ID + number),
            start_ms=start_ms,
            end_ms=end_ms,
            seconds_delay=0,
            volume_24h_e6=0,
            **self._ids(number),  # type: ignore[arg-type]
        )

    def _ids(self, number: int) -> dict[str, object]:
        digits, end = 64 - NUMBER_DIGITS, f"{number:0{NUMBER_DIGITS}x}"
        ids = [hex_of("archive", self.seed, number, what)[:digits] + end for what in ("condition", 0, 1)]
        if not self._is_v2(number):
            condition, first, second = ids
            return {
                "condition_id": "0x" + condition,
                "token_ids": (str(int(first, 16)), str(int(second, 16))),
            }
        base = int(ids[0][: 32 - NUMBER_DIGITS] + end, 16)
        both = [position_id(Module.BINARY, base, arity=2, index=0, outcome=side) for side in (YES, NO)]
        return {
            "version": "v2",
            "condition_id": condition_of_position(both[0]),
            "token_ids": (str(both[0]), str(both[1])),
        }
