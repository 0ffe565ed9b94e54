"""A card as the files that are kept of it: what the engine reads, and what programs read."""

import json
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from polyb0t.core.errors import ConfigurationError
from polyb0t.models.calibration import FITTED_FORMAT
from polyb0t.models.model_files import unknown_format
from polyb0t.research.cards.card import Card, CellLine
from polyb0t.research.evaluation.observations import HORIZONS

CARD_FORMAT: Final = "polyb0t-model-card-1"


def coefficients_text(card: Card) -> str:
    """What `models.calibration` reads: the coefficients of the categories that are live, and no others."""
    categories = {
        name: {
            "aliases": [],
            "cells": {each.horizon: _cell(each) for each in card.lines if each.category == name},
        }
        for name in card.live
    }
    content = {
        "format": FITTED_FORMAT,
        "version": card.id,
        "venue": card.venue,
        "expires_at": card.expires_at.isoformat(),
        "data_from": card.first_row.isoformat() if card.first_row else None,
        "data_until": card.data_until.isoformat() if card.data_until else None,
        "data_hash": card.data_hash,
        "source": f"{card.source}: {card.markets:,} markets that are over",
        "status": f"beat the price out of sample in: {', '.join(card.live) or 'no category'}",
        "categories": categories,
    }
    return json.dumps(content, indent=1) + "\n"


def _cell(line: CellLine) -> dict[str, str]:
    fitted = line.cell
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
