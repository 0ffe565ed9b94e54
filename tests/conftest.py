"""What holds for every test: properties have no deadline, since a busy machine is not a fault, what a
command does to the log ends with its test, and Ctrl-C reaches the programs that tests start."""

import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("polyb0t", deadline=None)
settings.load_profile("polyb0t")

# A shell that starts the suite in the background ignores Ctrl-C, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_LOG_AT_FIRST = structlog.get_config()


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """As it was before any test: a fixture of a whole module may have silenced it before this one."""
    yield
    structlog.configure(**_LOG_AT_FIRST)
