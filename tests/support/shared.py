"""Recorded material beside the checkout: absent on a user's machine, required in CI."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared_path(relative: str) -> Path:
    """The file, or a skip with a reason; in CI its absence is a failure."""
    path = SHARED / relative
    if path.exists():
        return path
    message = f"needs the recorded material {relative} beside the checkout"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
