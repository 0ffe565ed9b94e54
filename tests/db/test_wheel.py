"""Who installs the wheel can migrate: the scripts travel with the package."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from polyb0t.db import migrate

ROOT = Path(__file__).resolve().parents[2]


def unable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what a wheel of this checkout holds."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    shutil.copytree(ROOT / "polyb0t", source / "polyb0t", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", source)
    (source / "README.md").write_text("polyb0t\n")  # named by pyproject.toml; its words do not matter here
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(source), str(source)]
    made = subprocess.run(build, capture_output=True, text=True, check=False)
    if made.returncode:
        unable(f"the wheel could not be built here: {(made.stderr or made.stdout)[-300:]}")
    zipfile.ZipFile(next(source.glob("*.whl"))).extractall(target)
    return target


def run(code: str, folder: Path) -> str:
    """In a fresh process that sees the installed package and not the checkout."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_migrations_run_from_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "import polyb0t.db as db; "
        f"url = 'sqlite:///{tmp_path}/new/polyb0t.db'; "
        "print(db.__file__, db.upgrade(url), db.current(url))"
    )
    where, upgraded, present = run(code, installed).split()
    assert where.startswith(str(installed))
    assert upgraded == present == migrate.latest()


def test_opening_a_database_does_not_load_alembic(installed: Path) -> None:
    code = "import sys, polyb0t.db; print('alembic' in sys.modules, 'psycopg' in sys.modules)"
    assert run(code, installed) == "False False"
