"""anvil, an Ethereum node for development: where it is found, started, and ended with its owner."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConfigurationError
from polyb0t.sandbox.contracts import CHAIN_ID
from polyb0t.sandbox.node import Node, NodeError

START_SECONDS: Final = 10.0
_PACKAGED: Final = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")


def find_anvil(environment: Mapping[str, str], project: Path) -> Path | None:
    """$ANVIL, else PATH, else what npm installed in the project's folder; None: there is none."""
    named = environment.get("ANVIL")
    if named:
        return Path(named)
    on_path = shutil.which("anvil", path=environment.get("PATH"))
    if on_path:
        return Path(on_path)
    packaged = project / _PACKAGED
    return packaged if packaged.is_file() else None


class Anvil:
    """A running node. `state` is a file that keeps the chain over restarts; None forgets it."""

    def __init__(
        self, binary: Path, *, port: int = 0, state: Path | None = None, block_seconds: int | None = None
    ) -> None:
        """With `block_seconds` a block comes so often by itself, as on a chain that others use; each
        transaction has one at once in either case.

        Raises:
            ConfigurationError: it did not start.
        """
        self.port = port or _free_port()
        arguments = ["--host", "127.0.0.1", "--port", str(self.port), "--chain-id", str(CHAIN_ID), "--quiet"]
        if block_seconds is not None:
            arguments += ["--block-time", str(block_seconds), "--mixed-mining"]
        if state is not None:
            arguments += ["--state", str(state)]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the program that the user named or installed
                [str(binary), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ},
            )
        except OSError as error:
            raise _not_started(binary, str(error)) from error
        self.node = Node(self.port)
        self._await(binary)

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End it; its state is written first where a file was given."""
        self.node.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _await(self, binary: Path) -> None:
        clock = SystemClock()
        end = clock.boot_seconds() + START_SECONDS
        while clock.boot_seconds() < end and self._process.poll() is None:
            try:
                self.node.call("eth_chainId")
            except NodeError:
                clock.sleep(0.02)
            else:
                return
        self._process.kill()
        said = self._process.stderr.read().decode(errors="replace").strip() if self._process.stderr else ""
        raise _not_started(binary, said or f"It did not answer within {START_SECONDS:.0f} s.")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _not_started(binary: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"The practice chain was not started: {binary}.",
        why=why,
        do="Install it with `make install` where npm is present, or name one: ANVIL=/path/to/anvil",
        code="chain_not_started",
    )
