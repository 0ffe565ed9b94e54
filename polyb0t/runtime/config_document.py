"""Writes CONFIG_LIVE_MODE.md and .env.example from the settings themselves, so that neither can be wrong."""

import argparse
import sys
import types
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from polyb0t.config.settings import PREFIX, SANDBOX_DEFAULTS, Settings
from polyb0t.core.units import plain

HEAD: Final = """# Every setting

Generated from `polyb0t/config/settings.py` by `make docs`; `make check` fails when it is out of date.

A setting is read from a flag, then from the environment, then from `.env` in the folder where the command
is started, then from the defaults below. A name that begins with `POLYBOT_` and is not in this list is an
error, so that a misspelt one is never a default in silence. `polyb0t config show` prints what is in force
and where each value comes from.

On the sandbox some defaults are wider, because no money is at stake.

| setting | default | on the sandbox | allowed | meaning |
|---|---|---|---|---|
"""

TAIL: Final = """
## The signing key

`POLYBOT_PRIVATE_KEY` is not a setting: only the process that signs reads it, in the live regime, from its
environment. It is never stored, logged, shown or put on a command line, and it may not stand in `.env`.
On the sandbox, without one, the first practice account is used; a practice key is refused on the real
venue and any other key is refused on the sandbox.
"""

ENV_HEAD: Final = """\
# Copy to .env and change what you need. Lines that begin with # are the defaults.
# Meaning and bounds of each: CONFIG_LIVE_MODE.md. Never put a private key into this file.
"""


def markdown() -> str:
    """The whole of CONFIG_LIVE_MODE.md."""
    return HEAD + "".join(_row(name, field) for name, field in Settings.model_fields.items()) + TAIL


def example() -> str:
    """The whole of .env.example."""
    lines = []
    for name, field in Settings.model_fields.items():
        lines += ["", f"# {field.description}", f"# {PREFIX}{name.upper()}={_shown(field.default)}"]
    return ENV_HEAD + "\n".join(lines) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    sandbox = _shown(SANDBOX_DEFAULTS[name]) if name in SANDBOX_DEFAULTS else ""
    default = _shown(field.default) or "unset"
    return f"| `{PREFIX}{name.upper()}` | {default} | {sandbox} | {_allowed(field)} | {field.description} |\n"


def _shown(value: Any) -> str:
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


def _allowed(field: FieldInfo) -> str:
    """Bounds and choices, read from the type."""
    choices = _choices(field.annotation)
    if choices:
        return ", ".join(choices)
    signs = {"gt": "more than", "ge": "from", "lt": "less than", "le": "to"}
    bounds = [
        f"{words} {_shown(limit)}"
        for each in field.metadata
        for sign, words in signs.items()
        if (limit := getattr(each, sign, None)) is not None
    ]
    return ", ".join(bounds)


def _choices(annotation: Any) -> list[str]:
    if annotation is bool:
        return ["true", "false"]
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    if get_origin(annotation) in (Union, types.UnionType):
        return [choice for part in get_args(annotation) for choice in _choices(part)]
    return []


def main(arguments: Iterable[str] | None = None) -> int:
    """Write both files, or with `--check` say whether they are as they would be written."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("config", type=Path)
    parser.add_argument("env", type=Path)
    options = parser.parse_args(None if arguments is None else list(arguments))
    stale = []
    for path, content in ((options.config, markdown()), (options.env, example())):
        if options.check:
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                stale.append(path.name)
        else:
            path.write_text(content, encoding="utf-8")
    if stale:
        sys.stderr.write(f"{', '.join(stale)}: not as the settings say. Write anew: make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
