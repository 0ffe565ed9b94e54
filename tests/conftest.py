"""What holds for every test: properties have no deadline, since a busy machine is not a fault, what a
command does to the log ends with its test, and Ctrl-C reaches the programs that tests start."""

import gc
import importlib
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.support.groups import keep_groups
from tests.support.statements import keep_compiled_statements
from tests.support.temporary import use_memory

_IN_MEMORY = use_memory()
keep_compiled_statements()
settings.register_profile("polyb0t", deadline=None)
settings.load_profile("polyb0t")

# A shell that starts the suite in the background ignores Ctrl-C, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_LOG_AT_FIRST = structlog.get_config()
_TESTS = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect without garbage collection, and keep the bytecode of the tests.

    What is collected stays until the end, so that every later look through it would be for nothing.
    pytest rewrites each `assert`, which takes longer than to load all modules. The workers of one run begin
    at different files and find the rest done by each other.
    """
    gc.disable()
    asked, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        _load_from_my_place(session.config)
        return (yield)
    finally:
        sys.dont_write_bytecode = asked
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("loadgroup", False):  # of a worker
        keep_groups(items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _IN_MEMORY is not None and not session.testsfailed:
        shutil.rmtree(_IN_MEMORY, ignore_errors=True)


def pytest_unconfigure() -> None:
    """What counts its objects at the end (DuckDB does) finds them all."""
    gc.unfreeze()


def _load_from_my_place(config: pytest.Config) -> None:
    """Load the test modules of a whole run, each worker from another one on."""
    worker = getattr(config, "workerinput", None)
    if worker is None or config.args != config.getini("testpaths"):
        return
    files = sorted(_TESTS.rglob("test_*.py"))
    first = len(files) * int(worker["workerid"].removeprefix("gw")) // int(worker["workercount"])
    for file in files[first:] + files[:first]:
        with suppress(Exception, pytest.skip.Exception):  # pytest loads it again, and says what is wrong
            importlib.import_module(".".join(file.relative_to(_TESTS.parent).with_suffix("").parts))


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """As it was before any test: a fixture of a whole module may have silenced it before this one."""
    yield
    structlog.configure(**_LOG_AT_FIRST)
