"""Market calibration: the price, corrected for how prices of its kind have been wrong before.

    logit(q) = intercept + slope x logit(mid)        by category and time to the scheduled end

The coefficients come from a versioned file that names its source. They describe other, resolved
markets, so an estimate adds no information about this one: it is never `independent`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import Any, Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.units import ONE, ZERO, Price, parse_decimal
from polyb0t.data.markets import Market
from polyb0t.data.order_book import OrderBook
from polyb0t.models.logit import PRECISION, expit, logit, rounded
from polyb0t.models.model_files import DataWindow, data_window, unknown_format
from polyb0t.models.signals import (
    BOOK,
    END,
    Abstain,
    Answer,
    LoneModel,
    MarketState,
    ProbabilityModel,
    ProbEstimate,
)
from polyb0t.models.wording import cents, sentence

FORMAT: Final = "polyb0t-market-calibration-1"
FITTED_FORMAT: Final = "polyb0t-market-calibration-2"  # fitted and judged here; expires
PACKAGED: Final = "market_calibration_v1.json"
Z90: Final = Decimal("1.645")  # half the 90 % interval in standard deviations

SPREAD_MAX: Final = Decimal("0.03")
PRICE_LOW: Final = Decimal("0.03")
PRICE_HIGH: Final = Decimal("0.97")
LEAST_TIME: Final = timedelta(hours=24)

# Upper end of a bucket, its key in the file, its words in a sentence; the last one has no end.
_BUCKETS: Final = (
    (timedelta(days=7), "1-7d", "days before the end"),
    (timedelta(days=30), "7-30d", "one to four weeks out"),
    (timedelta(days=90), "30-90d", "one to three months out"),
    (timedelta.max, "90d+", "more than three months out"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Coefficients of one category and horizon, with how sure they are (standard deviations)."""

    intercept: Decimal
    slope: Decimal
    sd_intercept: Decimal
    sd_slope: Decimal
    covariance: Decimal = ZERO  # of intercept and slope


@dataclass(frozen=True, slots=True)
class Expiry:
    """Until when a fitted model may speak; prices change their ways."""

    model: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Coefficients:
    """One version of the file. `categories` has every name and alias, lower case."""

    version: str
    validated: bool
    status: str
    source: str
    categories: Mapping[str, Mapping[str, Cell]]
    expiry: Expiry | None = None
    venue: str = ""  # whose markets they were fitted on; "" for published figures
    data: DataWindow | None = None  # what they were fitted on; None where the file does not tell


def parse_coefficients(text: str) -> Coefficients:
    """The coefficients in a file's text.

    Raises:
        ConfigurationError: the file is of another format, or a part is missing or no number.
    """
    try:
        content = json.loads(text)
        if content["format"] == FITTED_FORMAT:
            return _fitted(content)
        if content["format"] != FORMAT:
            raise unknown_format(content["format"], (FORMAT, FITTED_FORMAT))
        if not content["source"]:
            raise ValueError("it does not name its source")
        return Coefficients(
            version=str(content["version"]),
            validated=content["validated"] is True,
            status=str(content["status"]),
            source=str(content["source"]),
            categories=_categories(content["categories"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            "The calibration coefficients cannot be used.",
            why=f"The file is not as expected: {error}.",
            do="Restore the file that came with this version.",
            code="coefficients",
        ) from error


def _fitted(content: Mapping[str, Any]) -> Coefficients:
    """Coefficients of our own fit: the categories in which it has beaten the price, until it expires."""
    version, expires_at = str(content["version"]), datetime.fromisoformat(content["expires_at"])
    if expires_at.tzinfo is None:
        raise ValueError("its expiry has no time zone")
    return Coefficients(
        version=version,
        validated=True,
        status=str(content["status"]),
        source=str(content["source"]),
        categories=_categories(content["categories"]),
        expiry=Expiry(version, expires_at),
        venue=str(content["venue"]),
        data=data_window(content),
    )


def _categories(content: Mapping[str, Mapping[str, object]]) -> dict[str, Mapping[str, Cell]]:
    found: dict[str, Mapping[str, Cell]] = {}
    for name, category in content.items():
        listed, aliases = category["cells"], category["aliases"]
        if not isinstance(listed, dict) or not isinstance(aliases, list):
            raise TypeError(f"category {name} has no cells or aliases")
        cells = {key: _cell(listed[key]) for _, key, _ in _BUCKETS}
        for alias in (name, *aliases):
            if alias in found:
                raise ValueError(f"category {alias} is listed twice")
            found[alias] = cells
    return found


def _cell(content: Mapping[str, object]) -> Cell:
    names = ("intercept", "slope", "sd_intercept", "sd_slope", "covariance")
    cell = Cell(*(parse_decimal(content[key]) for key in names if key != "covariance" or key in content))
    if cell.slope <= 0 or cell.sd_slope < 0 or cell.sd_intercept < 0:
        raise ValueError("a slope is not above zero or a standard deviation is below it")
    if abs(cell.covariance) > cell.sd_intercept * cell.sd_slope:
        raise ValueError("a covariance is greater than its standard deviations allow")
    return cell


def packaged_coefficients() -> Coefficients:
    """The file that comes with this version."""
    folder = resources.files("polyb0t.models").joinpath("coefficients")
    return parse_coefficients(folder.joinpath(PACKAGED).read_text("utf-8"))


class MarketCalibrationModel(LoneModel):
    """Recalibrated prices. Abstains where the price itself is unsure or nothing was published."""

    name: Final = "market calibration"
    requires: Final = frozenset({BOOK, END})

    def __init__(self, coefficients: Coefficients) -> None:
        self._coefficients = coefficients

    @property
    def version(self) -> str:
        return self._coefficients.version

    @property
    def validated(self) -> bool:
        return self._coefficients.validated

    @property
    def expires_at(self) -> datetime | None:
        """From when on it is silent; None: published figures, which have no such instant."""
        return self._coefficients.expiry.at if self._coefficients.expiry is not None else None

    @property
    def status(self) -> str:
        """What stands behind the figures, in words."""
        return self._coefficients.status

    def predict(self, state: MarketState) -> Answer:
        """The estimate for the first outcome from its own book's mid."""
        expiry = self._coefficients.expiry
        if expiry is not None and expiry.at <= state.now:
            return Abstain("model_expired", f"The model {expiry.model} expired on {expiry.at:%Y-%m-%d}.")
        placed = self._place(state)
        if isinstance(placed, Abstain):
            return placed
        category, cell, horizon = placed
        anchor = anchor_of(state.books[0])
        if isinstance(anchor, Abstain):
            return anchor
        if self._coefficients.expiry is not None and not means_yes(state.market):
            cell = replace(cell, intercept=ZERO, sd_intercept=ZERO, covariance=ZERO)
        return self._estimate(anchor, cell, f"{sentence(category)} {horizon}")

    def _place(self, state: MarketState) -> tuple[str, Cell, str] | Abstain:
        """The category, its cell at this horizon, and the horizon in words."""
        market, left = state.market, time_left(state)
        if isinstance(left, Abstain):
            return left
        category = self._category(market)
        if category is None:
            named = market.category or "a market without a category"
            return Abstain("no_figure", self._silent_on(named))
        _, key, words = next(bucket for bucket in _BUCKETS if left <= bucket[0])
        return category, self._coefficients.categories[category][key], words

    def _silent_on(self, category: str) -> str:
        """Published figures are of some categories; a model that was fitted here is of those that it won."""
        if self._coefficients.expiry is None:
            return f"Nothing is published about how {category} is priced."
        return f"The model has not beaten the price in {category}."

    def _category(self, market: Market) -> str | None:
        """The catalogue's category, else the first of its tags that has figures."""
        known = self._coefficients.categories
        if market.category:
            return market.category if market.category in known else None
        return next((tag.lower() for tag in market.tags if tag.lower() in known), None)

    def _estimate(self, anchor: "Anchor", cell: Cell, where: str) -> ProbEstimate:
        log_odds = logit(anchor.mid)
        moved = PRECISION.fma(cell.slope, log_odds, cell.intercept)
        q = expit(moved)
        sd = PRECISION.multiply(q * (ONE - q), _sd_logit(cell, log_odds))
        reach = Z90 * sd
        return ProbEstimate(
            q=rounded(q),
            low=rounded(q - reach),
            high=rounded(q + reach),
            sd=rounded(sd),
            anchor=anchor.mid,
            spread=anchor.spread,
            model=self.name,
            version=self.version,
            validated=self.validated,
            independent=False,
            parts=(
                ("intercept", cell.intercept),
                ("slope", rounded_logit(moved - cell.intercept - log_odds)),
            ),
            because=f"{where} is priced {_bias(cell.slope)}.",
        )


def time_left(state: MarketState) -> timedelta | Abstain:
    """The time to the scheduled end, where there is enough of it."""
    end = state.market.end_date
    if end is None:
        return Abstain("no_end", "The market has no scheduled end, so its horizon is not known.")
    if end - state.now <= LEAST_TIME:
        return Abstain("ends_too_soon", "It ends within 24 h, where prices are too quick for a person.")
    return end - state.now


def means_yes(market: Market) -> bool:
    """Whether the first outcome means that something happens, and is no name of one of two sides."""
    return market.outcomes[0].label.strip().lower() == "yes"


def rounded_logit(value: Decimal) -> Decimal:
    """A contribution in logits to four decimals."""
    return value.quantize(Decimal("0.0001"))


def _sd_logit(cell: Cell, log_odds: Decimal) -> Decimal:
    slope = cell.sd_slope * log_odds
    both = cell.sd_intercept * cell.sd_intercept + 2 * log_odds * cell.covariance
    return PRECISION.sqrt(max(ZERO, PRECISION.add(both, slope * slope)))


def _bias(slope: Decimal) -> str:
    if slope > 1:
        return "too close to the middle"
    return "too far from the middle" if slope < 1 else "right on average"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The market's own view: the middle of a book that is narrow enough to have one."""

    mid: Price
    spread: Decimal

    def moved(
        self, q: Decimal, sd: Decimal, *, by: ProbabilityModel, independent: bool, because: str
    ) -> ProbEstimate:
        """What a model says that has one reason to differ from it."""
        return ProbEstimate(
            q=q,
            low=rounded(q - Z90 * sd),
            high=rounded(q + Z90 * sd),
            sd=rounded(sd),
            anchor=self.mid,
            spread=self.spread,
            model=by.name,
            version=by.version,
            validated=by.validated,
            independent=independent,
            parts=((by.name, rounded_logit(logit(q) - logit(self.mid))),),
            because=because,
        )


def anchor_of(book: OrderBook | None) -> Anchor | Abstain:
    """The middle of a two-sided book with a spread of 3 cents or less and a price of 3 to 97 cents."""
    if book is None:
        return Abstain("no_book", "Its book is not known.")
    mid, spread = book.mid, book.spread
    if mid is None or spread is None:
        return Abstain("one_sided", "Only one side of its book is there, so the market has no view.")
    if not 0 <= spread <= SPREAD_MAX:
        return Abstain(
            "spread_wide", f"Its spread is {cents(spread)}; above {cents(SPREAD_MAX)} the price is a guess."
        )
    if not PRICE_LOW <= mid <= PRICE_HIGH:
        return Abstain(
            "price_extreme", f"Its price is {cents(mid)}; beyond 3¢ and 97¢ costs exceed any bias."
        )
    return Anchor(Price(mid), spread)
