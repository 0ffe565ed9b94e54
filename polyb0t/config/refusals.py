"""What is said of a setting that there is not, or that cannot be so: name, value, what is possible."""

import difflib
import os
import types
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from polyb0t.core.errors import ConfigurationError
from polyb0t.core.units import plain

PREFIX: Final = "POLYBOT_"
SIGNING_NAMES: Final = frozenset({"POLYBOT_PRIVATE_KEY"})
# Of the relayer, which only the process that carries claims out uses; with the address that the key is for.
RELAYER_NAMES: Final = frozenset({"POLYBOT_RELAYER_API_KEY", "POLYBOT_RELAYER_API_KEY_ADDRESS"})
TOKEN_NAMES: Final = frozenset({"POLYBOT_TOKEN"})  # of a person who decides by the API or about large trades
SECRET_NAMES: Final = SIGNING_NAMES | RELAYER_NAMES | TOKEN_NAMES


def refuse_unknown_names(fields: Iterable[str]) -> None:
    """A misspelt name would be a default in silence; `POLYB0T_` is what people type.

    Raises:
        ConfigurationError: such a name, or a key in `.env`.
    """
    known = {PREFIX + name.upper() for name in fields} | SECRET_NAMES
    in_file = _dotenv_names()
    for name in [*os.environ, *in_file]:
        if name.upper().startswith("POLYB0T_"):
            right = PREFIX + name[len(PREFIX) :].upper()
            raise ConfigurationError(
                f"Not started: the setting {name} has a zero in its name.", do=f"Write {right}."
            )
        if name.upper() in SECRET_NAMES and name in in_file:
            raise ConfigurationError(
                f"Not started: {name} stands in the file .env.",
                why="A key in a file is copied, backed up and shown; it is not read from there.",
                do="Take it out of .env and set it in the environment of the process that signs.",
                code="key_in_file",
            )
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise ConfigurationError(
                f"Not started: there is no setting {name}.",
                why="A misspelt setting would silently be a default.",
                do=f"{hint}All settings: polyb0t config show",
            )


def _dotenv_names() -> list[str]:
    path = Path(".env")
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    names = (line.partition("=")[0].strip().removeprefix("export ").strip() for line in lines)
    return [name for name in names if name and not name.startswith("#")]


def impossible(error: ValidationError, described: Mapping[str, FieldInfo]) -> ConfigurationError:
    """The first complaint in words."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "?"
    field = described.get(name)
    meaning = (field.description or "") if field else ""
    possible = allowed(field) if field else ""
    told = [f"Possible: {possible}." if possible else "", f"Meaning: {meaning}" if meaning else ""]
    return ConfigurationError(
        f"Not started: {PREFIX}{name.upper()} is {first['input']!r:.60}, which is not possible.",
        why=f"{first['msg']}.",
        do=" ".join(part for part in told if part),
    )


def shown(value: Any) -> str:
    """A value as it would be written into the environment."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            return plain(value)
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(value)
        case _:
            return str(value)


def allowed(field: FieldInfo) -> str:
    """Bounds and choices, read from the type."""
    choices = _choices(field.annotation)
    if choices:
        return ", ".join(choices)
    signs = {"gt": "more than", "ge": "from", "lt": "less than", "le": "to"}
    bounds = [
        f"{words} {shown(limit)}"
        for each in _bounds(field)
        for sign, words in signs.items()
        if (limit := getattr(each, sign, None)) is not None
    ]
    return ", ".join(bounds)


def _bounds(field: FieldInfo) -> list[Any]:
    """Of the type itself, or of the one part of `X | None` that has any."""
    parts = [part for part in get_args(field.annotation) if get_args(part)]
    inner = [
        each for part in parts for outer in get_args(part)[1:] for each in getattr(outer, "metadata", ())
    ]
    return [*field.metadata, *inner]


def _choices(annotation: Any) -> list[str]:
    if annotation is bool:
        return ["true", "false"]
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    if get_origin(annotation) in (Union, types.UnionType):
        return [choice for part in get_args(annotation) for choice in _choices(part)]
    return []
