"""The command `polyb0t`: groups that load when they are called, and one place where failures become words.

A new command is a module here with an `app`, and a line in `COMMANDS`.
"""

import atexit
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from polyb0t.cli.door import Root
from polyb0t.cli.terminal import this_terminal
from polyb0t.core.errors import PolybotError

COMMANDS: Final = (
    "run",
    "init",
    "sandbox",
    "api",
    "intents",
    "positions",
    "claims",
    "account",
    "report",
    "model",
    "backtest",
    "orders",
    "fills",
    "events",
    "status",
    "risk",
    "doctor",
    "universe",
    "halt",
    "resume",
    "kill-switches",
    "audit",
    "auth",
    "db",
    "config",
    "version",
)
_MODULES: Final = {name: f"polyb0t.cli.{name.replace('-', '_')}_command" for name in COMMANDS}
INTERRUPTED: Final = 130
_AGAIN_SECONDS: Final = 0.02


class LazyGroup(TyperGroup):
    """Imports a command's module when somebody asks for it, so that `approve` does not pay for `api`."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the library's signature
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the library's signature
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        command = typer.main.get_command(importlib.import_module(module).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="A machine proposes trades on Polymarket, you decide, exactly that is executed.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(
    ctx: typer.Context,
    venue: Annotated[str | None, typer.Option(help="sandbox or polymarket.")] = None,
    database_url: Annotated[str | None, typer.Option(help="The database, as an SQLAlchemy URL.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where databases and the log lie.")] = None,
    paper: Annotated[bool, typer.Option("--paper", help="The paper account, not the real one.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
) -> None:
    flags = {"venue": venue, "database_url": database_url, "data_dir": data_dir}
    flags["mode"] = "paper" if paper else None
    ctx.obj = Root({name: value for name, value in flags.items() if value is not None}, no_color)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code. What a person did wrong is never a traceback."""
    as_json = "--json" in arguments
    try:
        command = typer.main.get_command(app)
        answer = command.main(list(arguments), prog_name="polyb0t", standalone_mode=False)
        sys.stdout.flush()
    except PolybotError as error:
        return _refused(error, as_json=as_json)
    except typer.TyperException as error:
        return _misused(error, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()
    except OSError as error:
        return _refused(_machine_refused(error), as_json=as_json)
    return answer if isinstance(answer, int) else 0


def _machine_refused(error: OSError) -> PolybotError:
    """What no command foresaw: a full disk, a file that may not be read, a folder that is none."""
    at = f": {error.filename}" if error.filename else ""
    return PolybotError(
        "Not done: this computer refused it.",
        why=f"{error.strerror or error}{at}.",
        do="Look at the disk's space and at who owns the data directory, then try again.",
        code="computer_refused",
    )


def _refused(error: PolybotError, *, as_json: bool) -> int:
    terminal = this_terminal(as_json=as_json, no_color="--no-color" in sys.argv)
    if as_json:
        from polyb0t.runtime.views import problem_view

        terminal.problem(problem_view(error))
        return error.exit_code
    terminal.say(
        error.what, *(f"  {line}" for part in (error.why, error.do) for line in part.splitlines() if line)
    )
    return error.exit_code


def _misused(error: typer.TyperException, *, as_json: bool) -> int:
    """The library's own complaint about the words of a command line."""
    text = error.format_message()
    if as_json:
        problem = {
            "type": "urn:polyb0t:problem:usage",
            "title": text,
            "status": 422,
            "code": "usage",
            "detail": "",
        }
        sys.stderr.write(json.dumps(problem) + "\n")
        return 2
    show = getattr(error, "show", None)
    if show is not None:
        show()
    else:
        sys.stderr.write(text + "\n")
    return error.exit_code


def _pipe_closed() -> int:
    """Whoever read our output has seen enough: no complaint, also not from the interpreter at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    return 0


def interrupt_again(swallowed: "sys.UnraisableHookArgs") -> None:
    """Where Ctrl-C meets the program while a library forgets an object, Python drops it and goes on: it is
    given again an instant later, and what a person wanted ended ends."""
    if not issubclass(swallowed.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(swallowed)
        return
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)


def main() -> None:
    """The entry point of `polyb0t` and `polybot`.

    Three things that a command does not need, with what leaving each out saved of the 0.5 s that a
    cold `intents list` took (medians on a small machine): one last search for garbage at the end of
    the process (0.12 s), such searches every 700 objects while libraries make nothing but lasting ones
    (0.03 s), and pydantic's search for plug-ins, of which we have none (0.02 s).
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    sys.unraisablehook = interrupt_again
    if "POLYB0T_LEASH" in os.environ:  # started by `make run`: end with it
        from polyb0t.runtime.leash import hold_if_given

        hold_if_given()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
