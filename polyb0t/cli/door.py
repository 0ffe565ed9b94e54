"""How a command comes in: flags, terminal, settings, store. Imports nothing heavy at the top."""

import getpass
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from polyb0t.cli.terminal import Terminal, this_terminal

if TYPE_CHECKING:
    from polyb0t.config.settings import Settings
    from polyb0t.execution.intents import IntentManager
    from polyb0t.runtime.opened import OpenedStore

AsJson = Annotated[bool, typer.Option("--json", help="Only data on standard output.")]
Code = Annotated[str | None, typer.Option(help="One-time code, of a trade that needs one.")]


class Command(TyperCommand):
    """A command whose usage line names its arguments bare: `show ID`, not `show {ID}`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


@dataclass(slots=True)
class Root:
    """The flags that stand before the command."""

    flags: dict[str, Any] = field(default_factory=dict)
    no_color: bool = False


def root(ctx: typer.Context) -> Root:
    """The flags of this call."""
    found = ctx.find_root().obj
    return found if isinstance(found, Root) else Root()


def terminal(ctx: typer.Context, *, as_json: bool = False) -> Terminal:
    """The terminal of this call."""
    return this_terminal(as_json=as_json, no_color=root(ctx).no_color)


def settings(ctx: typer.Context, **more: Any) -> "Settings":
    """The settings with the flags of this call over them.

    Raises:
        ConfigurationError: an unknown or impossible setting.
    """
    from polyb0t.config.settings import load_settings

    given = {name: value for name, value in more.items() if value is not None}
    return load_settings(**{**root(ctx).flags, **given})


def opened(ctx: typer.Context) -> "OpenedStore":
    """The storage that this call means.

    Raises:
        NotFoundError, DatabaseError, ConfigurationError: said in `open_store` and `load_settings`.
    """
    from polyb0t.runtime.opened import open_store

    return open_store(settings(ctx))


def manager(store: "OpenedStore") -> "IntentManager":
    """Passes decisions on, with refusals in sentences."""
    from polyb0t.execution.intents import IntentManager, ProposingRules

    known = store.settings
    rules = ProposingRules(edge_min=known.min_edge, grace_seconds=known.execution_grace_seconds)
    return IntentManager(store.stores.intents, rules)


def actor() -> str:
    """Who decides at this keyboard, as the journal stores it."""
    return f"user:{getpass.getuser()}"
