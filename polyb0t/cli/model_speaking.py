"""Which model speaks with these settings, which components it hears, and with which weight."""

from datetime import datetime
from typing import Final

from polyb0t.cli import words
from polyb0t.cli.table import Column, table
from polyb0t.config.settings import Settings
from polyb0t.core.clock import SystemClock, iso
from polyb0t.core.errors import ConfigurationError, PolybotError
from polyb0t.data.outside_views import parse_views
from polyb0t.models.independent import PREFIX, source_of
from polyb0t.models.pooling import PooledModel, Weights
from polyb0t.models.signals import Expiring, ProbabilityModel, model_id
from polyb0t.models.wording import one_line
from polyb0t.runtime.choices import probability_model
from polyb0t.runtime.outside_source import most_age, places_of

_COLUMNS: Final = (
    Column("SPEAKS NOW"),
    Column("WEIGHT"),
    Column("LICENCE"),
    Column("EXPIRES"),
    Column("LAST INPUT"),
)


def speaking(settings: Settings, venue: str, columns: int) -> list[str]:
    """A table of the model and its components, and what of the last input was not used."""
    try:
        model = probability_model(settings.model_copy(update={"venue": venue}))
    except ConfigurationError as error:
        nothing = ["nothing", "-", "NO ENGINE WOULD START", "-", "-"]
        why = f"No engine would start with these settings: {error.what} {error.why}"
        return [*table(_COLUMNS, [nothing], columns), *words.wrap(why, columns)]
    assert isinstance(model, PooledModel)
    newest, notes = _outside(settings)
    base = model.base
    rows = [[model_id(base.name, base.version), "speaks", _licence(base), _expiry(base), "each cycle"]]
    rows += [_component(each, model.weights, newest) for each in model.components]
    return [*table(_COLUMNS, rows, columns), *notes]


def _licence(base: ProbabilityModel) -> str:
    if base.name == "identity":
        return "none needed: it takes every price as right"
    expires_at = _expires_at(base)
    if expires_at is not None and expires_at <= SystemClock().now():
        return "EXPIRED: it is silent"
    return "has beaten the price on own data" if base.validated else "UNVALIDATED: published figures"


def _expiry(base: ProbabilityModel) -> str:
    expires_at = _expires_at(base)
    return f"{expires_at:%Y-%m-%d}" if expires_at is not None else "-"


def _expires_at(base: ProbabilityModel) -> datetime | None:
    """When it falls silent; None for one that has no such instant."""
    return base.expires_at if isinstance(base, Expiring) else None


def _component(component: ProbabilityModel, weights: Weights, newest: datetime | None) -> list[str]:
    earned = {
        category: weight.value
        for (name, category), weight in weights.earned.items()
        if name == component.name and weight.value
    }
    weight = ", ".join(f"{category} {value:.2f}" for category, value in sorted(earned.items())) or "0"
    licence = "has beaten the price on own data" if earned else "none: heard and shown"
    expires = f"{weights.expires_at:%Y-%m-%d}" if earned and weights.expires_at is not None else "-"
    outside = component.name == PREFIX or source_of(component.name) is not None
    seen = (
        (iso(newest)[:16].replace("T", " ") if newest is not None else "nothing") if outside else "each cycle"
    )
    return [one_line(component.name), weight, licence, expires, seen]


def _outside(settings: Settings) -> tuple[datetime | None, list[str]]:
    """When the newest view from outside was made, and what was wrong; read now."""
    newest: datetime | None = None
    notes: list[str] = []
    clock = SystemClock()
    for place in places_of(settings, clock):
        try:
            read = parse_views(place.text(), clock.now())
        except PolybotError as error:
            notes.append(" ".join(filter(None, (error.what, error.why))))
            continue
        made = [line.observed_at for line in read.lines]
        newest = max([*made, *([newest] if newest is not None else [])], default=None)
        old = sum(clock.now() - each > most_age(settings) for each in made)
        notes += [f"{place.name}: {each}" for each in read.unused.sentences()]
        if old:
            notes.append(
                f"{place.name}: {old:,} views are older than {settings.independent_max_age_hours} h."
            )
    return newest, notes
