"""The scripts live in the package, so that a wheel carries them; this only points there."""

import runpy
from pathlib import Path

import polyb0t.db

runpy.run_path(str(Path(polyb0t.db.__file__).parent / "migrations" / "env.py"))
