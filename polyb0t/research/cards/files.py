"""A card as the files that are kept of it: what the engine reads, and what programs read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from polyb0t.core.errors import ConfigurationError
from polyb0t.models.calibration import FITTED_FORMAT
from polyb0t.models.model_files import unknown_format
from polyb0t.research.cards.card import Card
from polyb0t.research.evaluation.observations import HORIZONS
from polyb0t.research.evaluation.recalibration import CellFit

CARD_FORMAT: Final = "polyb0t-model-card-1"


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the engine is to read of a fit: the cells of the categories that are live, and no others."""

    version: str
    venue: str
    expires_at: datetime
    data_from: datetime | None
    data_until: datetime | None
    data_hash: str
    source: str
    cells: Mapping[str, Mapping[str, CellFit]]  # category -> horizon -> fit

    def text(self) -> str:
        """The file that `models.calibration` reads."""
        content = {
            "format": FITTED_FORMAT,
            "version": self.version,
            "venue": self.venue,
            "expires_at": self.expires_at.isoformat(),
            "data_from": self.data_from.isoformat() if self.data_from else None,
            "data_until": self.data_until.isoformat() if self.data_until else None,
            "data_hash": self.data_hash,
            "source": self.source,
            "status": f"beat the price out of sample in: {', '.join(self.cells) or 'no category'}",
            "categories": {
                name: {"aliases": [], "cells": {horizon: _cell(fit) for horizon, fit in by_horizon.items()}}
                for name, by_horizon in self.cells.items()
            },
        }
        return json.dumps(content, indent=1) + "\n"


def coefficients_text(card: Card) -> str:
    """What `models.calibration` reads of a card."""
    return Fitted(
        version=card.id,
        venue=card.venue,
        expires_at=card.expires_at,
        data_from=card.first_row,
        data_until=card.data_until,
        data_hash=card.data_hash,
        source=f"{card.source}: {card.markets:,} markets that are over",
        cells={
            name: {each.horizon: each.cell for each in card.lines if each.category == name}
            for name in card.live
        },
    ).text()


def _cell(fitted: CellFit) -> dict[str, str]:
    return {
        "intercept": f"{fitted.intercept:.6f}",
        "slope": f"{1 + fitted.slope:.6f}",
        "sd_intercept": f"{fitted.var_intercept**0.5:.6f}",
        "sd_slope": f"{fitted.var_slope**0.5:.6f}",
        "covariance": f"{fitted.covariance:.8f}",
    }


@dataclass(frozen=True, slots=True)
class _Stored:
    format: str
    card: Card


def card_text(card: Card) -> str:
    """The whole card as a file keeps it."""
    return msgspec.json.format(msgspec.json.encode(_Stored(CARD_FORMAT, card)), indent=1).decode() + "\n"


def card_of(text: str) -> Card:
    """The card that `card_text` wrote.

    Raises:
        ConfigurationError: another format, or a part is missing.
    """
    try:
        told = msgspec.json.decode(text)
        form = told.get("format") if isinstance(told, dict) else None
        if form != CARD_FORMAT:  # before its parts, which another version names otherwise
            raise unknown_format(form, (CARD_FORMAT,))
        stored = msgspec.convert(told, type=_Stored)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConfigurationError(
            "The model's card cannot be read.",
            why=f"The file is not as expected: {error}.",
            do="Fit it anew: polyb0t model fit",
            code="model_file",
        ) from error
    return stored.card


def card_data(card: Card) -> dict[str, Any]:
    """The card for programs. Scores are JSON numbers; nothing in it is money."""
    content: dict[str, Any] = msgspec.to_builtins(card)
    standings = {name: {**msgspec.to_builtins(each), "why": each.why} for name, each in card.standings}
    return {
        **content,
        "expires_at": card.expires_at.isoformat(),
        "live": list(card.live),
        "standings": standings,
        "horizons": list(HORIZONS),
    }
