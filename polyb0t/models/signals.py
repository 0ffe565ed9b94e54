"""What a probability model sees and says.

The market price is the model to beat and usually wins, so the normal answer is to abstain. An
estimate is always about the first outcome; the second has the complement.

All models answer all markets of an instant at once, because some of them learn about one market from the
others. What a model needs and is not given is never made up: it abstains.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol, runtime_checkable

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, Price
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.outside_views import OutsideView


@dataclass(frozen=True, slots=True)
class MarketState:
    """One market as it is known at `now`: nothing in here is younger than that instant."""

    market: Market
    terms: TradingTerms | None
    books: tuple[OrderBook | None, OrderBook | None]  # in the order of the market's outcomes
    now: datetime
    outside: tuple[OutsideView, ...] = ()  # what others think of it, the newest of each source

    def book(self, asset_id: AssetId) -> OrderBook | None:
        """The book of one outcome; None when it is not known."""
        first, second = self.market.outcomes
        if asset_id == first.asset_id:
            return self.books[0]
        return self.books[1] if asset_id == second.asset_id else None


@dataclass(frozen=True, slots=True)
class Belief:
    """How likely one outcome is, with the 90 % interval and the standard deviation behind it."""

    q: Decimal
    low: Decimal
    high: Decimal
    sd: Decimal


@dataclass(frozen=True, slots=True)
class Voice:
    """What one component of a pool said of a market, and how much of it counted.

    `says` is its probability of the first outcome, None where it abstained; `because` says why either way.
    """

    name: str
    says: Decimal | None
    weight: Decimal
    because: str


@dataclass(frozen=True, slots=True)
class ProbEstimate:
    """A model's view of the first outcome. Probabilities have six decimals.

    `anchor` is the market's own view (its mid). `independent` says whether the move comes from something
    that the prices of this venue do not tell; everything else gets half the size. `parts` are the
    contributions in logits, those that count for nothing among them; `because` is a sentence. `voices` are
    the components of a pool, in its order.
    """

    q: Decimal
    low: Decimal
    high: Decimal
    sd: Decimal
    anchor: Price
    spread: Decimal
    model: str
    version: str
    validated: bool
    independent: bool
    parts: tuple[tuple[str, Decimal], ...]
    because: str
    voices: tuple[Voice, ...] = ()

    def belief(self, outcome_index: int) -> Belief:
        """The view of outcome 0 or 1."""
        if outcome_index == 0:
            return Belief(self.q, self.low, self.high, self.sd)
        return Belief(ONE - self.q, ONE - self.high, ONE - self.low, self.sd)


@dataclass(frozen=True, slots=True)
class Abstain:
    """The model says nothing, and why, in one sentence; `code` groups the reasons."""

    code: str
    reason: str


def model_id(name: str, version: str) -> str:
    """How a model is named where one is compared with another; empty where none speaks."""
    return f"{name} {version}".strip()


Answer = ProbEstimate | Abstain

# What a model may ask for. Each has a test, a code and a sentence. The statistics of a market's past are not
# among them: a state holds none until one of them has earned it.
BOOK: Final = "book"
END: Final = "end_date"
TERMS: Final = "terms"
OUTSIDE: Final = "outside"
OTHERS: Final = "others"  # the other markets of the same instant: always given, perhaps none

_GIVEN: Final[Mapping[str, tuple[Callable[[MarketState], bool], str, str]]] = {
    BOOK: (lambda state: state.books[0] is not None, "no_book", "Its book is not known."),
    END: (
        lambda state: state.market.end_date is not None,
        "no_end",
        "The market has no scheduled end, so its horizon is not known.",
    ),
    TERMS: (lambda state: state.terms is not None, "no_terms", "Its trading terms are not known."),
    OUTSIDE: (
        lambda state: bool(state.outside),
        "no_view",
        "Nobody outside has said anything about it that may be used now.",
    ),
    OTHERS: (lambda _state: True, "", ""),
}


def missing_input(state: MarketState, requires: frozenset[str]) -> Abstain | None:
    """Why a model that requires these has to abstain; None when everything is there."""
    for name in sorted(requires):
        if name not in _GIVEN:
            return Abstain("no_input", f"What the model needs is not known here: {name}.")
        is_there, code, reason = _GIVEN[name]
        if not is_there(state):
            return Abstain(code, reason)
    return None


class ProbabilityModel(Protocol):
    """A signal. `version` names the code and data behind it; `validated` says whether it has beaten the
    market price on our own data. `requires` names what it abstains without."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def validated(self) -> bool: ...

    @property
    def requires(self) -> frozenset[str]: ...

    def estimate_all(self, states: Sequence[MarketState]) -> list[Answer]:
        """One answer for each state, in their order. All states are of one instant."""
        ...


@runtime_checkable
class Expiring(Protocol):
    """A model that may fall silent; None: published figures, which have no such instant."""

    @property
    def expires_at(self) -> datetime | None: ...


@runtime_checkable
class Remembering(Protocol):
    """A model that has to know where prices have come from. It is shown every instant and told what was
    before; until it knows enough of a market it abstains there."""

    def observe(self, states: Sequence[MarketState]) -> None:
        """What is known now. All states are of one instant."""
        ...

    def unread(self, now: datetime) -> Sequence[Market]:
        """Markets whose past the exchange has to be asked for."""
        ...

    def wanted_since(self, now: datetime) -> datetime:
        """From when on."""
        ...

    def told(
        self, market: Market, points: Iterable[tuple[int, int]], since: datetime, read_at: datetime
    ) -> None:
        """The exchange's answer: (microseconds since 1970 UTC from which it was known, millionths), first
        outcome, everything from `since` on as it stood at `read_at`."""
        ...


class LoneModel(ABC):
    """A model that looks at one market at a time."""

    @abstractmethod
    def predict(self, state: MarketState) -> Answer: ...

    def estimate_all(self, states: Sequence[MarketState]) -> list[Answer]:
        return [self.predict(state) for state in states]


class IdentityModel(LoneModel):
    """The market price is right: abstains on everything. The fallback of every other model."""

    name: Final = "identity"
    version: Final = "1"
    validated: Final = True
    requires: Final[frozenset[str]] = frozenset()

    def predict(self, state: MarketState) -> Answer:
        question = state.market.question
        return Abstain("price_is_right", f"No model speaks for {question!r}; its price is taken as right.")
