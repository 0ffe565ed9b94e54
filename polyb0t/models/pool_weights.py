"""The file of what components of a pool have earned on one venue."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.units import parse_decimal
from polyb0t.models.model_files import data_window, unknown_format
from polyb0t.models.pooling import Weight, Weights

FORMAT: Final = "polyb0t-pool-weights-1"
MOST: Final = Decimal(1)  # a pool goes no farther than to what was said


def parse_weights(text: str, venue: str) -> Weights:
    """The weights in a file's text, for use on `venue`.

    Raises:
        ConfigurationError: another format or venue, no expiry with a zone, or a weight beyond -1 to 1.
    """
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise unknown_format(told["format"], (FORMAT,))
        if told["venue"] != venue:
            raise ValueError(f"they were fitted on {told['venue'] or 'no venue'}, not on {venue}")
        expires_at = datetime.fromisoformat(told["expires_at"])
        if expires_at.tzinfo is None:
            raise ValueError("their expiry has no time zone")
        earned = [_earned(each) for each in told["earned"]]
        if len(dict(earned)) != len(earned):
            raise ValueError("a component has two weights in one category")
        return Weights(str(told["version"]), expires_at, dict(earned), data_window(told))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            "The weights of the pool cannot be used.",
            why=f"The file is not as expected: {error}.",
            do="Weigh anew: polyb0t model weigh, or go without: polyb0t model deactivate",
            code="model_file",
        ) from error


def _earned(told: Mapping[str, Any]) -> tuple[tuple[str, str], Weight]:
    value, sd = parse_decimal(told["value"]), parse_decimal(told["sd"])
    if abs(value) > MOST or sd < 0:
        raise ValueError("a weight is beyond -1 to 1, or its deviation is below 0")
    return (str(told["component"]), str(told["category"])), Weight(value, sd)
