"""What holds for every test: properties have no deadline, since a busy machine is not a fault, and what a
command does to the log ends with its test."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("polyb0t", deadline=None)
settings.load_profile("polyb0t")


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)
