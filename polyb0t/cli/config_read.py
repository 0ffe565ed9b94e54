"""What each setting is and who set it: a flag, the environment, `.env`, or a default."""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from polyb0t.cli import words
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import Terminal
from polyb0t.config.settings import PREFIX, SANDBOX_DEFAULTS, Settings
from polyb0t.core.units import plain
from polyb0t.runtime.current import read_current
from polyb0t.runtime.places import data_dir
from polyb0t.runtime.views import without_password


def rows(settings: Settings, flags: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, value, source and meaning of every setting, in the order of their definition."""
    in_file = _names_in_dotenv()
    found = []
    for name, field in Settings.model_fields.items():
        full = PREFIX + name.upper()
        found.append(
            {
                "name": full,
                "value": _shown(_host_of(settings.rpc_url) if name == "rpc_url" else getattr(settings, name)),
                "source": _source(name, full, settings, flags, in_file),
                "meaning": field.description or "",
            }
        )
    return found


def show(terminal: Terminal, settings: Settings, flags: Mapping[str, Any]) -> None:
    """Print them."""
    found = rows(settings, flags)
    if terminal.json:
        terminal.data(found)
        return
    columns = (Column("SETTING"), Column("VALUE", widest=30), Column("FROM"), Column("MEANING"))
    cells = [
        [row["name"], "-" if row["value"] is None else str(row["value"]), row["source"], row["meaning"]]
        for row in found
    ]
    terminal.show(
        [
            *table(columns, cells, terminal.columns),
            "",
            "The signing key, POLYBOT_PRIVATE_KEY, is no setting and is shown nowhere.",
            *words.fold(_elsewhere(settings), terminal.columns),
        ]
    )


def _elsewhere(settings: Settings) -> str:
    """One line when an engine runs on another venue than the one that these settings name; else empty."""
    runs = read_current(data_dir(settings)).values()
    here = any(run.alive and run.venue == settings.venue for run in runs)
    there = next((run.venue for run in runs if run.alive and run.venue != settings.venue), None)
    if here or there is None:
        return ""
    return f"The engine that runs is on {there}, with its own defaults: polyb0t --venue {there} config show"


def _source(
    name: str, full: str, settings: Settings, flags: Mapping[str, Any], in_file: frozenset[str]
) -> str:
    if name in flags:
        return "flag"
    if full in {key.upper() for key in os.environ}:
        return "environment"
    if full in in_file:
        return ".env"
    return "sandbox default" if settings.is_sandbox and name in SANDBOX_DEFAULTS else "default"


def _host_of(url: str | None) -> str | None:
    """A node's address without what comes behind the host, where providers put their keys."""
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}/***"


def _shown(value: Any) -> Any:
    """As somebody would write it into `.env`; a password inside a URL is hidden."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case tuple():
            return ",".join(str(part) for part in value)
        case int() | float():
            return plain(Decimal(str(value)))
        case _:
            return without_password(str(value))


def _names_in_dotenv() -> frozenset[str]:
    path = Path(".env")
    if not path.is_file():
        return frozenset()
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return frozenset(line.partition("=")[0].strip().removeprefix("export ").strip().upper() for line in lines)
