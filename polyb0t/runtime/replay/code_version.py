"""Which program made a result: by the bytes of its own modules, and by the commit where there is one."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from polyb0t import __version__

PACKAGE = Path(__file__).parents[2]


@cache
def code_hash() -> str:
    """SHA-256 over every module and data file of the package, 64 hex characters. Two programs with the same
    hash decide the same."""
    digest = sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".json") and path.is_file():
            digest.update(path.relative_to(PACKAGE).as_posix().encode())
            digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def commit() -> str | None:
    """The commit that is checked out, as git's own files tell it; None in an installed program. What was
    changed since is in `code_hash` and not in this."""
    git = PACKAGE.parent / ".git"
    try:
        head = (git / "HEAD").read_text("utf-8").strip()
        name = head.removeprefix("ref: ")
        return head if name == head else _of_branch(git, name)
    except OSError:
        return None


def _of_branch(git: Path, name: str) -> str | None:
    if (git / name).is_file():
        return (git / name).read_text("utf-8").strip()
    packed = (git / "packed-refs").read_text("utf-8").splitlines()
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)


def as_dict() -> dict[str, str | None]:
    """For `run.json`."""
    return {"version": __version__, "commit": commit(), "hash": code_hash()}
