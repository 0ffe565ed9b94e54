"""A local chain for the tests of settlement: one node a session, put back after each test."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from polyb0t.sandbox.chain.anvil import Anvil, find_anvil
from polyb0t.sandbox.chain.genesis import lay_out
from polyb0t.sandbox.node import Node

PROJECT = Path(__file__).resolve().parents[2]


def absent(what: str) -> NoReturn:
    """Skip for a user, fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}")


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    """The node with the venue's contracts in their places."""
    binary = find_anvil(os.environ, PROJECT)
    if binary is None:
        absent("anvil, which `make install` brings where npm is present")
    running = Anvil(binary)
    try:
        lay_out(running.node, PROJECT)
        yield running
    finally:
        running.close()


@pytest.fixture
def chain(anvil: Anvil) -> Iterator[Node]:
    """The chain as it was laid out; what a test does to it is undone."""
    before = anvil.node.call("evm_snapshot")
    yield anvil.node
    anvil.node.call("evm_revert", before)
