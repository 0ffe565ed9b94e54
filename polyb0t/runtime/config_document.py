"""Writes CONFIG_LIVE_MODE.md and .env.example from the settings themselves, so that neither can be wrong."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic.fields import FieldInfo

from polyb0t.config.refusals import PREFIX, allowed, shown
from polyb0t.config.settings import SANDBOX_DEFAULTS, Settings

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
Instead of it a key can lie in the encrypted keystore (`polyb0t auth import`), which asks for its password.
On the sandbox, without one, the first practice account is used; a practice key is refused on the real
venue and any other key is refused on the sandbox.

`POLYBOT_RELAYER_API_KEY` and `POLYBOT_RELAYER_API_KEY_ADDRESS` are kept the same way. Only the process that
carries claims out reads them, and only for a deposit wallet; a plain wallet pays its own gas.
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
        lines += ["", f"# {field.description}", f"# {PREFIX}{name.upper()}={shown(field.default)}"]
    return ENV_HEAD + "\n".join(lines) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    sandbox = shown(SANDBOX_DEFAULTS[name]) if name in SANDBOX_DEFAULTS else ""
    default = shown(field.default) or "unset"
    return f"| `{PREFIX}{name.upper()}` | {default} | {sandbox} | {allowed(field)} | {field.description} |\n"


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
