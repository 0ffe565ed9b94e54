"""`polyb0t sandbox`: one world from its file, served until somebody stops it."""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from polyb0t.core.clock import Clock, SystemClock, milliseconds
from polyb0t.core.errors import ConfigurationError, PolybotError, UsageError
from polyb0t.sandbox.app import SandboxApp, create_app
from polyb0t.sandbox.chain.anvil import Anvil, find_anvil
from polyb0t.sandbox.chain.mirror import Mirror
from polyb0t.sandbox.importer import import_directory
from polyb0t.sandbox.scenario import load as load_scenario
from polyb0t.sandbox.serving import DEFAULT_PORT, SandboxServer, bind
from polyb0t.sandbox.types import MarketSpec
from polyb0t.sandbox.world import World

SAVE_S: Final = 5.0
SAVE_SHARE: Final = 50  # saving takes at most one part in so many of the process's time
MOST_MARKETS: Final = 5_000
FASTEST: Final = 1_000
WORLD_FILE: Final = "world.json"
BLOCK_SECONDS: Final = (
    15  # of the practice chain; a node whose newest block is two minutes old counts as behind
)
CHAIN_FILE: Final = "chain.json"
KEYS_FILE: Final = "credentials.json"


LIVENESS_MS: Final = 120_000  # at the venue it is two hours; nobody practises that long


class WorldFileError(PolybotError):
    """What was saved beside the world cannot be read, or nothing can be saved."""

    code = "world_file"


def run(
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    seed: int = 1,
    markets: int = 60,
    speed: float = 1.0,
    state_dir: Path,
    fresh: bool = False,
    import_dir: Path | None = None,
    scenario: Path | None = None,
    kinds: Iterable[str] = (),
    past: int = 0,
    lag_ms: int = 0,
    ready: Callable[[str], None] | None = None,
    notice: Callable[[str], None] | None = None,
    clock: Clock | None = None,
    chain: Path | None = None,
) -> None:
    """Serve a sandbox until SIGTERM or Ctrl-C, then save it and return.

    `state_dir` holds the world between runs; a world found there goes on and `seed`, `markets` and
    `import_dir` matter only for a new one, which `fresh` asks for; so do `kinds` of further markets,
    `past` ones that are over, and `lag_ms`, how far the Data API is behind.
    `chain` is the project's folder, where npm put the parts of a local chain; it pays what is redeemed.
    A `scenario` begins as soon as the world is there. `ready` hears the URL, `notice` a sentence about
    each recording that could not become a market.

    Raises:
        UsageError: a number of markets or a speed that makes no sense.
        PortInUseError: before anything else happened.
        SaveFileError: the saved world cannot be read.
        WorldFileError: a world cannot be saved there.
        ScenarioError: the scenario cannot be read.
    """
    clock = clock or SystemClock()
    _check(markets, speed)
    planned = None if scenario is None else load_scenario(scenario)
    listening = bind(host, port)
    anvil: Anvil | None = None
    try:
        app = open_app(
            state_dir,
            clock=clock,
            seed=seed,
            markets=markets,
            speed=speed,
            fresh=fresh,
            import_dir=import_dir,
            kinds=kinds,
            past=past,
            lag_ms=lag_ms,
            liveness_ms=LIVENESS_MS,
            notice=notice,
        )
        if planned is not None:
            app.timetable.start(planned, app.world.now_ms)
        if chain is not None:
            anvil = _attach_chain(app.world, chain, state_dir)
        save(app, state_dir)
        server = SandboxServer(app, listening, ready)
        asyncio.run(_serve(server, app, state_dir, notice))
    finally:
        listening.close()
        if anvil is not None:
            anvil.close()


def _attach_chain(world: World, project: Path, state_dir: Path) -> Anvil:
    """Start the local chain where it was left and put the practice accounts on it.

    Raises:
        ConfigurationError: its parts are not installed.
    """
    binary = find_anvil(os.environ, project)
    if binary is None:
        raise ConfigurationError(
            "The practice chain was not started: anvil is missing.",
            why="It is neither named by ANVIL, nor on PATH, nor installed by npm in the project's folder.",
            do="Install it with `make install` where npm is present, or leave --chain out.",
            code="chain_not_started",
        )
    anvil = Anvil(binary, state=state_dir / CHAIN_FILE, block_seconds=BLOCK_SECONDS)
    try:
        world.chain = Mirror(world, anvil.node, project)
    except BaseException:
        anvil.close()
        raise
    return anvil


def _check(markets: int, speed: float) -> None:
    if not 0 <= markets <= MOST_MARKETS:
        raise UsageError(
            f"A world of {markets} markets is not possible.", do=f"Choose 0 to {MOST_MARKETS} with --markets."
        )
    if not 0 < speed <= FASTEST:
        raise UsageError(
            f"A speed of {speed} is not possible.", do=f"Choose one above 0, at most {FASTEST}, with --speed."
        )


def open_app(
    state_dir: Path,
    *,
    clock: Clock,
    seed: int,
    markets: int,
    speed: float,
    fresh: bool,
    import_dir: Path | None = None,
    kinds: Iterable[str] = (),
    past: int = 0,
    lag_ms: int = 0,
    liveness_ms: int = 0,
    notice: Callable[[str], None] | None = None,
) -> SandboxApp:
    """The application over the saved world, or over a new one.

    Raises:
        SaveFileError: there is a saved world and it cannot be read.
    """
    path = state_dir / WORLD_FILE
    if path.exists() and not fresh:
        world = World.load(path)
        world.crowd.speed = speed
        app = create_app(world, clock=clock)
        app.keys.restore(_load_keys(state_dir / KEYS_FILE))
        return app
    now_ms = milliseconds(clock.now())
    imported = _imported(import_dir, now_ms, notice)
    world = World(
        seed=seed,
        markets=markets,
        imported=imported,
        speed=speed,
        start_ms=now_ms,
        kinds=kinds,
        archive=past,
    )
    world.data_lag_ms = lag_ms
    world.liveness_ms = liveness_ms
    return create_app(world, clock=clock)


def save(app: SandboxApp, state_dir: Path) -> None:
    """Write the world and the keys that were created in it.

    Raises:
        WorldFileError: the directory cannot be written.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        app.world.save(state_dir / WORLD_FILE)
        partial = state_dir / (KEYS_FILE + ".partial")
        partial.unlink(missing_ok=True)
        with open(partial, "x", opener=_private) as file:
            file.write(json.dumps(app.keys.created()))
        partial.replace(state_dir / KEYS_FILE)
    except OSError as error:
        raise WorldFileError(
            f"The sandbox cannot save its world in {state_dir}.",
            why=str(error.strerror or error),
            do="Make the directory writable.",
        ) from error


def _private(path: str, flags: int) -> int:
    """Secrets are their owner's alone from their first byte."""
    return os.open(path, flags, 0o600)


async def _serve(
    server: SandboxServer, app: SandboxApp, state_dir: Path, notice: Callable[[str], None] | None
) -> None:
    saving = asyncio.create_task(_keep_saving(app, state_dir, notice))
    try:
        await server.serve_until_stopped()
    finally:
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saving
        save(app, state_dir)


async def _keep_saving(app: SandboxApp, state_dir: Path, notice: Callable[[str], None] | None) -> None:
    """Save every few seconds; a large world, whose saving takes long, less often."""
    wait = SAVE_S
    while True:
        await asyncio.sleep(wait)
        started = app.clock.boot_seconds()
        try:
            save(app, state_dir)
        except WorldFileError as error:  # a full disk is no reason to stop trading with practice money
            if notice is not None:
                notice(str(error))
        wait = max(SAVE_S, SAVE_SHARE * (app.clock.boot_seconds() - started))


def _imported(
    folder: Path | None, now_ms: int, notice: Callable[[str], None] | None
) -> tuple[MarketSpec, ...]:
    if folder is None:
        return ()
    found = import_directory(folder, now_ms=now_ms)
    if notice is not None:
        for what, why in found.skipped:
            notice(f"{what} was left out: {why}")
    return found.specs


def _load_keys(path: Path) -> list[tuple[str, int]]:
    if not path.exists():
        return []
    try:
        return [(str(address), int(nonce)) for address, nonce in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError) as error:
        raise WorldFileError(
            f"The saved keys {path} cannot be read.",
            why=f"{type(error).__name__}: {error}",
            do="Start a new world with `polyb0t sandbox --fresh`.",
        ) from error
