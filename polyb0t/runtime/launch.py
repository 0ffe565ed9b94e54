"""`make run` and `make practice`: sandbox, engine and API together, and what to type next.

Processes of their own, in practice one for claims too, so that one can be killed without the others.
Ctrl-C comes here only and is passed on in order: engine first (it finishes its cycle), then claims and
API, then the exchange.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Final, TypeVar
from urllib.parse import urlsplit

from polyb0t.config.refusals import RELAYER_NAMES, SECRET_NAMES, SIGNING_NAMES
from polyb0t.config.settings import Settings, load_settings
from polyb0t.core.clock import Clock, SystemClock
from polyb0t.core.errors import ConflictError, PolybotError, VenueUnreachableError
from polyb0t.runtime.leash import LEASH_NAME
from polyb0t.runtime.migrations import bring_up_to_date
from polyb0t.runtime.places import data_dir, database_url
from polyb0t.runtime.ports import refuse_taken_port
from polyb0t.runtime.surroundings import Surroundings, look_around
from polyb0t.runtime.terminal import give_the_terminal_back, own_the_terminal

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.05

T = TypeVar("T")

NEXT: Final = """
 {mode}

 Now open a second terminal in this folder and type one of

     make watch       see proposals as they come, decide with single keys
     make shell       a prompt where every command works, for example: polyb0t intents list

{practice} You get {seconds} s for each decision here (60 s on the real venue). Ctrl-C stops everything.
 Over HTTP: curl 'http://{api}/intents?status=PENDING'
 Databases and logs are in {logs}

"""
DRY_RUN: Final = "SANDBOX, dry run. A pretend exchange on this computer: no account, no internet, no money."
PRACTICE: Final = (
    "SANDBOX, practice money. Approved trades are filled by a pretend exchange on this computer."
)
TO_PRACTICE: Final = " To have approved trades filled, with practice money: Ctrl-C, then  make practice\n"


@dataclass
class Steps:
    """Numbered lines that are printed while they run: a dot a second, then what came of it."""

    clock: Clock
    started: float = 0
    dots: int = 0

    def begin(self, number: int, name: str) -> None:
        self.started, self.dots = self.clock.boot_seconds(), 0
        sys.stdout.write(f" {number}/4  {name:<20} ")
        sys.stdout.flush()
        self._line = f" {number}/4  {name:<20} "

    def tick(self) -> None:
        due = self.clock.boot_seconds() - self.started > self.dots + 1
        if due and sys.stdout.isatty():
            self.dots += 1
            sys.stdout.write(".")
            sys.stdout.flush()

    def done(self, what: str, seconds: float | None = None) -> None:
        took = self.clock.boot_seconds() - self.started if seconds is None else seconds
        again = "\r" + self._line if sys.stdout.isatty() else ""
        sys.stdout.write(f"{again}{what:<60} done {took:4.0f} s\n")
        sys.stdout.flush()


@dataclass
class Launcher:
    """Starts the three, waits, stops them."""

    settings: Settings
    practice: bool
    clock: Clock
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    interrupts: int = 0
    leash: tuple[int, int] = field(default_factory=os.pipe)  # closed by this process's end, however it ends

    def run(self, setup_seconds: float) -> int:
        own_the_terminal()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        try:
            self._start(Steps(self.clock), setup_seconds)
            return self._wait_for_the_engine()
        except _InterruptedError:
            return 0
        finally:
            self._stop("engine", signal.SIGINT)
            self._stop("claims", signal.SIGTERM)
            self._stop("api", signal.SIGTERM)
            self._stop("sandbox", signal.SIGTERM)
            give_the_terminal_back()

    def _start(self, steps: Steps, setup_seconds: float) -> None:
        steps.begin(1, "Python environment")
        steps.done(f".venv, Python {sys.version_info.major}.{sys.version_info.minor}", setup_seconds)
        steps.begin(2, "Sandbox exchange")
        around = self._start_sandbox(steps)
        steps.done(around.summary)
        steps.begin(3, "Database")
        new = bring_up_to_date(database_url(self.settings, around.scope))
        steps.done(f"sandbox, {'new' if new else 'continued'}")
        steps.begin(4, "Engine")
        self._start_engine(steps)
        steps.done(
            "practice money: approved trades are filled by the sandbox"
            if self.practice
            else "dry run: trades are proposed, nothing is sent"
        )
        sys.stdout.write(self._what_to_type())
        sys.stdout.flush()
        self._spawn("api", "--venue", "sandbox", "api")
        if self.practice:
            self._spawn("claims", "claims", "run", "--sandbox")

    def _start_sandbox(self, steps: Steps) -> Surroundings:
        address = urlsplit(self.settings.sandbox_url)
        host, port = address.hostname or "127.0.0.1", address.port or 8137
        try:
            refuse_taken_port(host, port, "POLYBOT_SANDBOX_URL=http://127.0.0.1:8138")
            refuse_taken_port(self.settings.api_host, self.settings.api_port, "POLYBOT_API_PORT=8001")
        except ConflictError:
            _failed()
            raise
        chain = ("--chain-if-there",) if self.practice else ()
        self._spawn("sandbox", "sandbox", "--host", host, "--port", str(port), *chain)

        def answer() -> Surroundings | None:
            try:
                return look_around(self.settings)
            except VenueUnreachableError:
                return None

        return self._until(steps, "sandbox", answer)

    def _start_engine(self, steps: Steps) -> None:
        ready = data_dir(self.settings) / f"engine-ready-{os.getpid()}"
        ready.unlink(missing_ok=True)
        self._spawn(
            "engine",
            *("run", "--live", "--sandbox", "--yes", "--ready-file", str(ready)),
            env={"POLYBOT_DRY_RUN": "false" if self.practice else "true"},
        )
        self._until(steps, "engine", lambda: True if ready.exists() else None)
        ready.unlink(missing_ok=True)

    def _spawn(self, name: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        """A process in a session of its own: the terminal's Ctrl-C reaches this launcher only."""
        log = None if name == "engine" else _private_log(data_dir(self.settings) / f"{name}.log")
        self.children[name] = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "polyb0t", *arguments],
            env={
                **environment_of(name, os.environ),
                **(env or {}),
                LEASH_NAME: str(self.leash[0]),
            },
            pass_fds=[self.leash[0]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        if log is not None:
            log.close()

    def _until(self, steps: Steps, name: str, answer: Callable[[], T | None]) -> T:
        """Wait for the answer while the child lives.

        Raises:
            PolybotError: the child ended, or did not answer in time; its log is named.
        """
        begun = self.clock.boot_seconds()
        while self.clock.boot_seconds() - begun < START_SECONDS:
            self._raise_if_interrupted()
            if (ready := answer()) is not None:
                return ready
            if self.children[name].poll() is not None:
                break
            steps.tick()
            self.clock.sleep(POLL_SECONDS)
        _failed()
        log = data_dir(self.settings) / ("polyb0t.log" if name == "engine" else f"{name}.log")
        raise PolybotError(
            f"Not started: the {name} did not come up.",
            do=f"Its last words are in {log}.",
            code="start_failed",
        )

    def _wait_for_the_engine(self) -> int:
        """Until the engine ends by itself or is asked to; a second Ctrl-C is passed on at once."""
        passed_on = 0
        engine = self.children["engine"]
        while engine.poll() is None:
            if self.interrupts > passed_on:
                passed_on = self.interrupts
                engine.send_signal(signal.SIGINT)
            if not passed_on and (ended := self._ended_early()):
                sys.stderr.write(
                    f"\nThe {ended} ended by itself; stopping the rest. Its log: "
                    f"{data_dir(self.settings) / f'{ended}.log'}\n"
                )
                return 1
            self.clock.sleep(POLL_SECONDS)
        if passed_on:
            return 0
        sys.stderr.write(
            f"\nThe engine ended by itself ({_how(engine.returncode)}). Stopping the sandbox and the API.\n"
            "What is stored is the truth: unproven orders are looked up at the next start. "
            f"Go on: make {'practice' if self.practice else 'run'}\n"
        )
        return 1

    def _ended_early(self) -> str | None:
        return next((name for name, child in self.children.items() if child.poll() is not None), None)

    def _stop(self, name: str, number: signal.Signals) -> None:
        child = self.children.get(name)
        if child is None or child.poll() is not None:
            return
        child.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOP_SECONDS)
            return
        child.kill()
        child.wait()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.interrupts += 1

    def _raise_if_interrupted(self) -> None:
        if self.interrupts:
            sys.stdout.write("\nStopped before everything was up. Nothing was sent.\n")
            raise _InterruptedError

    def _what_to_type(self) -> str:
        settings = self.settings
        return NEXT.format(
            mode=PRACTICE if self.practice else DRY_RUN,
            practice="" if self.practice else TO_PRACTICE,
            seconds=settings.intent_expiry_seconds,
            api=f"{settings.api_host}:{settings.api_port}",
            logs=data_dir(settings),
        )


def environment_of(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What a child is given: the signing key goes to the processes that sign and to nobody else, and the
    relayer's key to the one that carries claims out."""
    given = {"engine": SIGNING_NAMES, "claims": SIGNING_NAMES | RELAYER_NAMES}.get(name, frozenset())
    return {
        key: value
        for key, value in environment.items()
        if key.upper() in given or key.upper() not in SECRET_NAMES
    }


def _private_log(path: Path) -> IO[bytes]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)  # one that an earlier version made
    return os.fdopen(descriptor, "ab")


class _InterruptedError(Exception):
    """Ctrl-C while starting."""


def _how(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def _failed() -> None:
    """End the step's line before the reason follows on standard error."""
    sys.stdout.write("failed\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Start sandbox, engine and API together.")
    parser.add_argument("--practice", action="store_true", help="fill approved trades with practice money")
    parser.add_argument("--setup-seconds", type=float, default=0, help="how long the set-up before took")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(venue="sandbox")
        return Launcher(settings, options.practice, SystemClock()).run(options.setup_seconds)
    except PolybotError as error:
        sys.stderr.write("".join(f"{part}\n" for part in (error.what, error.why, error.do) if part))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
