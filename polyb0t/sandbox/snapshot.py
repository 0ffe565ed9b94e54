"""The file of a world: its id, its state and the state's digest.

It is written beside its place and moved there, so a crash leaves the old file or the new one.
"""

import os
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from polyb0t.core.errors import PolybotError
from polyb0t.sandbox.memory import Memory, memory_of
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.wire import UNREADABLE

FORMAT: Final = 1


class SaveFileError(PolybotError):
    """A world could not be read back."""

    code = "sandbox_file"


class _File(msgspec.Struct):
    format: int
    world_id: str
    sha256: str
    state: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Saved:
    """A save file's content."""

    world_id: str
    state: Memory


def state_of(world: WorldState) -> dict[str, object]:
    """The state as plain values; equal worlds give equal values."""
    plain: dict[str, object] = msgspec.to_builtins(memory_of(world))
    return plain


def digest(world: WorldState) -> str:
    """SHA-256 of the canonical text."""
    return sha256(_text(world)).hexdigest()


def save(world: WorldState, path: Path) -> None:
    """Write beside `path`, flush to the disk, then move into place."""
    body = _text(world)
    head = f'{{"format":{FORMAT},"world_id":"{world.world_id}","sha256":"{sha256(body).hexdigest()}","state":'
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines((head.encode(), body, b"}"))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def read(path: Path) -> Saved:
    """The file's content, checked against its digest.

    Raises:
        SaveFileError: it is missing, damaged, or of another version.
    """
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_File)
        if content.format != FORMAT:
            raise _unreadable(path, f"It has format {content.format}, this version reads {FORMAT}.")
        if content.sha256 != sha256(content.state).hexdigest():
            raise _unreadable(path, "Its content does not match its digest.")
        return Saved(content.world_id, msgspec.json.decode(content.state, type=Memory))
    except (OSError, *UNREADABLE) as error:
        raise _unreadable(path, f"It cannot be read: {error}.") from error


def _text(world: WorldState) -> bytes:
    """The canonical text: the state is plain values already, so the fast encoder gives the same bytes."""
    return msgspec.json.encode(memory_of(world), order="sorted")


def _unreadable(path: Path, why: str) -> SaveFileError:
    return SaveFileError(
        f"The sandbox's world {path} was not loaded.", why=why, do="Start a new one with --fresh."
    )
