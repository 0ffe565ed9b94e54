"""One market of every kind that exists at the venue, invented like all others.

`cast(seed, now, kinds)` gives the markets of each kind by name, for a default world or for a test that
needs exactly one. Events of several markets come whole. What the crowd thinks is in `Newborn`; a kind
that nobody quotes has no opinion.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from polyb0t.core.errors import UsageError
from polyb0t.sandbox.contracts import ORACLE, collateral_of
from polyb0t.sandbox.crowd import DAY_MS, SHARE, Opinion, logit, opinion_of
from polyb0t.sandbox.ctf_ids import condition_id, token_ids
from polyb0t.sandbox.identifiers import Module, condition_of_position, position_id
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.settlement import hex_of
from polyb0t.sandbox.types import MILLION, MarketSpec

HALF: Final = (MILLION // 2, MILLION // 2)
ITODE_MS: Final = 150
ANNOUNCED_MS: Final = 10 * 60_000  # so long a new market is in the catalogue and not at the exchange


@dataclass(frozen=True, slots=True)
class Newborn:
    """A market, what the crowd thinks of it, and how it ended if it did."""

    spec: MarketSpec
    opinion: Opinion | None
    payouts: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the markets of one kind; `number` keeps their ids apart from those of other kinds."""

    seed: int
    now_ms: int
    kind: str
    number: int

    def spec(self, question: str, *, place: int = 0, **changes: Any) -> MarketSpec:
        """A plain market of 40 to 90 days, unless `changes` say otherwise."""
        random = Random64(int(hex_of(self.seed, self.kind, place, "terms")[:16], 16))
        slug = f"{self.kind.replace('_', '-').replace('.', '-')}-{place}-{_slug(question)}"
        volume = random.between(50_000, 500_000) * SHARE
        end_ms = self.now_ms + random.between(40, 90) * DAY_MS
        asked = "0x" + self._hex(place, "question")
        condition = condition_id(ORACLE, asked)
        values: dict[str, Any] = {
            "gamma_id": str(900_000 + 100 * self.number + place),
            "condition_id": condition,
            "question_id": asked,
            "slug": slug,
            "question": question,
            "description": f"This practice market pays one pUSD for each first share if so: {question}",
            "category": "Culture",
            "event_id": str(90_000 + self.number),
            "event_slug": slug,
            "event_title": question,
            "outcomes": ("Yes", "No"),
            "token_ids": token_ids(collateral_of(changes.get("neg_risk", False)), condition),
            "start_ms": self.now_ms - random.between(2, 30) * DAY_MS,
            "end_ms": end_ms // 3_600_000 * 3_600_000,
            "fee_rate": "0.05",
            "volume_e6": volume,
            "volume_24h_e6": volume // 50,
            "kind": self.kind,
            **changes,
        }
        category = str(values["category"])
        fees = values["fee_rate"] != "0"
        values |= {"tags": (category,), "fees_enabled": fees}
        values.setdefault("fee_type", f"{category.lower()}_fees" if fees else "")
        return MarketSpec(**values)

    def quoted(self, spec: MarketSpec, price: float, half_e6: int = 6_000) -> Newborn:
        """A market that the crowd quotes around `price`."""
        opinion = opinion_of(spec, 0, half_e6, 400 * SHARE, self.now_ms)
        opinion.fair_e6 = opinion.belief_e6 = round(logit(price) * opinion.bias_e3 * 1_000)
        return Newborn(replace(spec, first_price_e6=round(price * MILLION)), opinion)

    def positions(self, module: Module, *, arity: int = 2, index: int = 0) -> dict[str, Any]:
        """The ids of a V2 market; the markets of one event share the base hash."""
        base = int(self._hex("base")[:32], 16)
        both = [position_id(module, base, arity=arity, index=index, outcome=side) for side in (0, 1)]
        return {
            "version": "v2",
            "condition_id": condition_of_position(both[0]),
            "token_ids": (str(both[0]), str(both[1])),
        }

    def event(self, title: str, prices: dict[str, float], **changes: Any) -> list[Newborn]:
        """A neg-risk event: one market a name, of which one comes true. A price of 0: nobody quotes it."""
        slug = f"{self.kind.replace('_', '-')}-{_slug(title)}"
        common = {"event_slug": slug, "event_title": title, "neg_risk": True}
        common |= {"neg_risk_market_id": "0x" + self._hex("neg risk market"), "category": "Politics"}
        end_ms = self.spec(title).end_ms
        born = []
        for place, (name, price) in enumerate(prices.items()):
            terms = common | {"group_item_title": name, "end_ms": end_ms, "quoted": price > 0} | changes
            if changes.get("version") == "v2":
                terms |= self.positions(Module.NEG_RISK, arity=len(prices), index=place)
            spec = self.spec(title.replace("Who will", f"Will {name}"), place=place, **terms)
            born.append(self.quoted(spec, price) if price > 0 else Newborn(spec, None))
        return born

    def _hex(self, *parts: object) -> str:
        return hex_of("polyb0t kind", self.seed, self.kind, *parts)


def _neg_risk(make: _Maker) -> list[Newborn]:
    prices = {"Marlowind": 0.44, "Teskari": 0.29, "Obrandt": 0.17, "Vantrosse": 0.1}
    return make.event("Who will win the Lumbria presidency?", prices)


def _augmented(make: _Maker) -> list[Newborn]:
    prices = {"Dellaroux": 0.52, "Ketterlin": 0.3, "Person A": 0, "Person B": 0, "Other": 0.16}
    return make.event("Who will lead the Quessex senate?", prices, augmented=True)


def _v2(make: _Maker) -> list[Newborn]:
    spec = make.spec(
        "Will the Norvale lighthouse be lit again?", category="Politics", **make.positions(Module.BINARY)
    )
    return [make.quoted(spec, 0.62)]


def _v2_neg_risk(make: _Maker) -> list[Newborn]:
    prices = {"Saltwind": 0.48, "Paper Harbour": 0.33, "Seven Lanterns": 0.17}
    title = "Who will take the Abendria festival?"
    return make.event(title, prices, version="v2", category="Culture")


def _tick(tick_e6: int, price: float) -> Callable[[_Maker], list[Newborn]]:
    def build(make: _Maker) -> list[Newborn]:
        asked = f"Will {tick_e6} lanterns burn in Drovia?"
        return [make.quoted(make.spec(asked, tick_e6=tick_e6), price, max(tick_e6 // 2, 3_000))]

    return build


def _itode(make: _Maker) -> list[Newborn]:
    asked = "Will the Velmora crown close the month above 40?"
    spec = make.spec(asked, category="Crypto", fee_rate="0.07", hold_ms=ITODE_MS)
    return [make.quoted(spec, 0.4)]


def _delayed(make: _Maker) -> list[Newborn]:
    asked = "Will the Tirassa Nightjars beat the Norvale Foxgloves?"
    start = make.now_ms + 20 * DAY_MS
    spec = make.spec(asked, category="Sports", seconds_delay=3, game_start_ms=start)
    return [make.quoted(replace(spec, outcomes=("Nightjars", "Foxgloves")), 0.55)]


def _paused(make: _Maker) -> list[Newborn]:
    return [make.quoted(make.spec("Will the Issandra ferry sail in winter?", accepting=False), 0.5)]


def _ended(payouts: tuple[int, int], question: str) -> Callable[[_Maker], list[Newborn]]:
    def build(make: _Maker) -> list[Newborn]:
        end_ms = make.now_ms - 3 * DAY_MS
        spec = make.spec(question, end_ms=end_ms, start_ms=end_ms - 50 * DAY_MS, quoted=False)
        return [Newborn(spec, None, payouts)]

    return build


def _zombie(make: _Maker) -> list[Newborn]:
    end_ms = make.now_ms - 200 * DAY_MS
    asked = "Will the Hollowmere council meet in spring?"
    spec = make.spec(asked, end_ms=end_ms, start_ms=end_ms - 30 * DAY_MS, quoted=False, volume_e6=0)
    return [Newborn(replace(spec, volume_24h_e6=0), None)]


def _announced(make: _Maker) -> list[Newborn]:
    opens = make.now_ms + ANNOUNCED_MS
    spec = make.spec("Will the Eastmarch comet be seen?", start_ms=make.now_ms, books_from_ms=opens)
    return [make.quoted(replace(spec, volume_e6=0, volume_24h_e6=0), 0.35)]


_BUILDERS: Final[dict[str, Callable[[_Maker], list[Newborn]]]] = {
    "neg_risk": _neg_risk,
    "augmented": _augmented,
    "v2": _v2,
    "v2_neg_risk": _v2_neg_risk,
    "tick_0.1": _tick(100_000, 0.55),
    "tick_0.005": _tick(5_000, 0.42),
    "tick_0.0025": _tick(2_500, 0.58),
    "tick_0.001": _tick(1_000, 0.3),
    "tick_0.0001": _tick(100, 0.45),
    "edge": _tick(10_000, 0.966),
    "itode": _itode,
    "delayed": _delayed,
    "paused": _paused,
    "resolved": _ended((MILLION, 0), "Will the Karrendal bridge open on time?"),
    "resolved_half": _ended(HALF, "Will the Zelenqa regatta be decided?"),
    "zombie": _zombie,
    "announced": _announced,
}
KINDS: Final = tuple(_BUILDERS)


def cast(seed: int, now_ms: int, kinds: Iterable[str] = KINDS) -> list[Newborn]:
    """The markets of these kinds.

    Raises:
        UsageError: there is no such kind.
    """
    born: list[Newborn] = []
    for kind in kinds:
        if kind not in _BUILDERS:
            raise UsageError(f"There is no kind of market {kind!r}.", do=f"Choose of {', '.join(KINDS)}.")
        born += _BUILDERS[kind](_Maker(seed, now_ms, kind, KINDS.index(kind)))
    return born


def _slug(question: str) -> str:
    kept = "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in question.lower())
    return "-".join(kept.split())[:80]
