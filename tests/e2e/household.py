"""Real processes as a user starts them: sandbox, engine, API and commands, each on ports of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from polyb0t.core.clock import SystemClock
from tests.e2e.warm import Ended, Started, warm

T = TypeVar("T")
Process = subprocess.Popen[str] | Started
POLL_SECONDS = 0.05
LONGEST_PAUSE = 0.5
PROGRAM = ("-m", "polyb0t")
_TICK = threading.Event()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], T | None], *, within: float = 30, what: str = "it") -> T:
    """What `look` finds as soon as it finds something true. What takes long is asked for less often."""
    clock = SystemClock()
    end = clock.boot_seconds() + within
    while True:
        began = clock.boot_seconds()
        found = look()
        if found:
            return found
        now = clock.boot_seconds()
        if now > end:
            raise AssertionError(f"{what} did not come within {within} s")
        _TICK.wait(min(max(POLL_SECONDS, 2 * (now - began)), LONGEST_PAUSE))


@dataclass
class Household:
    """One data directory, one sandbox, and whatever runs on them."""

    folder: Path
    sandbox_port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)
    processes: dict[str, Process] = field(default_factory=dict)
    cold: bool = False  # nothing is forked: what runs has its own command line and environment

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("POLYB")}
        return inherited | {
            "POLYBOT_DATA_DIR": str(self.folder / "data"),
            "POLYBOT_SANDBOX_URL": self.sandbox_url,
            "POLYBOT_API_PORT": str(self.api_port),
            "POLYBOT_LOOP_INTERVAL_SECONDS": "1",
            "COLUMNS": "100",
        }

    def spawn(self, name: str, *arguments: str, fds: Any = (), **settings: str) -> Process:
        """A process of its own whose output goes to `<name>.out`; it gets the descriptors `fds`."""
        (self.folder / f"{name}.out").touch()  # it can be read before the program has begun
        if arguments[:2] == PROGRAM and not fds and not self.cold:
            self.processes[name] = warm().start(
                arguments[2:],
                cwd=self.folder,
                environment=self.environment | settings,
                out=self.folder / f"{name}.out",
            )
            return self.processes[name]
        with (self.folder / f"{name}.out").open("a") as out:
            process: subprocess.Popen[str] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder,
                env=self.environment | settings,
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def output(self, name: str) -> str:
        return (self.folder / f"{name}.out").read_text()

    def start_sandbox(self, *more: str) -> None:
        self.spawn("sandbox", "-m", "polyb0t", "sandbox", "--port", str(self.sandbox_port), *more)
        eventually(lambda: self.try_get("/sandbox/environment"), what="the sandbox")

    def start_engine(self, *, practice: bool, fds: Any = (), **settings: str) -> Process:
        """The engine, once its first cycle is over."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        engine = self.spawn(
            "engine",
            *("-m", "polyb0t", "run", "--live", "--sandbox", "--yes", "--ready-file", str(ready)),
            fds=fds,
            POLYBOT_DRY_RUN="false" if practice else "true",
            **settings,
        )

        def up() -> bool:
            assert engine.poll() is None, self.output("engine")
            return ready.exists()

        eventually(up, what="the engine's first cycle")
        return engine

    def command(self, *arguments: str, code: int = 0, fds: Any = (), **settings: str) -> str:
        """The standard output of `polyb0t ...`, which has to end with `code`."""
        environment = self.environment | settings
        if not fds:
            ended = warm().run(arguments, cwd=self.folder, environment=environment)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "polyb0t", *arguments],
                cwd=self.folder,
                env=environment,
                pass_fds=fds,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            ended = Ended(done.returncode, done.stdout, done.stderr)
        assert ended.code == code, (arguments, ended)
        return ended.out if code == 0 else ended.err

    def json(self, *arguments: str) -> Any:
        return json.loads(self.command(*arguments, "--json"))

    def waiting(self) -> dict[str, Any]:
        """A proposal that waits for a decision."""
        listed: list[dict[str, Any]] = eventually(lambda: self.json("intents", "list"), what="a proposal")
        return listed[0]

    def http(self, method: str, path: str, body: object = None) -> Any:
        """The sandbox's answer to a request of an operator."""
        request = urllib.request.Request(
            self.sandbox_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def try_get(self, path: str) -> Any:
        try:
            return self.http("GET", path)
        except OSError:
            return None

    def start_api(self) -> None:
        """The HTTP API: a look through it costs a hundredth of what a command costs."""
        self.spawn("api", "-m", "polyb0t", "api")
        eventually(lambda: self._try_ask("/health"), what="the API")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer, or the problem, of our API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={} if body is None else {"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return json.load(refused)

    def _try_ask(self, path: str) -> Any:
        try:
            return self.ask("GET", path)
        except OSError:
            return None

    def ledger_orders(self, wallet: str) -> list[dict[str, Any]]:
        """Every order of `wallet` that the exchange ever took."""
        orders = self.http("GET", "/sandbox/state")["state"]["orders"]
        rows = orders.values() if isinstance(orders, dict) else orders
        return [row for row in rows if row["maker"].lower() == wallet.lower()]

    def stop(self) -> None:
        """The exchange last: whoever ends while it is there ends at once."""
        for process in reversed(list(self.processes.values())):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def household(folder: Path) -> Iterator[Household]:
    home = Household(folder)
    try:
        yield home
    finally:
        home.stop()
