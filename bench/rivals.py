"""Programs of others, each in an environment of its own under .tools/: what is measured beside them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TOOLS: Final = ROOT / ".tools"
ASKED: Final = "BENCH_RIVALS"  # in the environment: large rivals may be installed, too


def measured_by(
    name: str, script: str, arguments: tuple[str, ...], packages: tuple[str, ...]
) -> dict[str, float]:
    """What `bench/<script>` prints in the environment `.tools/<name>`, which is made at first use."""
    done = subprocess.run(
        [str(_environment(TOOLS / name, packages)), str(ROOT / "bench" / script), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def may_be_used(name: str) -> bool:
    """Whether a large rival is there, or somebody asked for it with --rivals."""
    return (TOOLS / name / ".installed").exists() or ASKED in os.environ


def _environment(folder: Path, packages: tuple[str, ...]) -> Path:
    """The environment's Python; made at first use, and anew when the packages change."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / ".installed"
    wanted = "\n".join(packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Installing {', '.join(packages)} into {folder.relative_to(ROOT)} (first time only)")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    stamp.write_text(wanted)
    return python
