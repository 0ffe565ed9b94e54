"""`make audit`: every locked dependency against the known holes, as PyPI, OSV and npm tell them.

What could not be looked up was not checked, and says so: the auditors themselves call that "no known
vulnerabilities". Exit 0: all were looked up and none has a known hole. 1: one has. 2: not all were looked up.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PIP_AUDIT: Final = "pip-audit==2.10.1"
SERVICES: Final = ("pypi", "osv")  # the second is asked where the first knows nothing
LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
SECONDS: Final = 600


@dataclass(frozen=True)
class Found:
    """Of one list: what has a hole, in words, and what nobody could tell anything of."""

    holes: tuple[str, ...]
    unknown: tuple[str, ...]
    checked: int


def of_pip_audit(report: Any) -> Found:
    """What a report of pip-audit (JSON) says. Raises KeyError, TypeError: it is none."""
    holes, unknown, checked = [], [], 0
    for one in report["dependencies"]:
        if "skip_reason" in one:
            unknown.append(one["name"])
            continue
        checked += 1
        for hole in one["vulns"]:
            better = ", ".join(hole["fix_versions"]) or "none yet"
            holes.append(f"{one['name']} {one['version']}: {hole['id']} (corrected in {better})")
    return Found(tuple(holes), tuple(unknown), checked)


def of_npm(report: Any) -> Found:
    """What `npm audit --json` says; one that could not ask has no counts."""
    if "vulnerabilities" not in report or "metadata" not in report:
        return Found((), ("package-lock.json",), 0)
    holes = [f"{name}: {one['severity']} ({one['range']})" for name, one in report["vulnerabilities"].items()]
    return Found(tuple(holes), (), int(report["metadata"]["dependencies"]["total"]))


def told(command: Sequence[str]) -> Any:
    """The JSON on a program's output, whatever its exit code; {} where there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}


def python_lock(lock: str) -> Found:
    """One lock file, by the first service that tells of every entry."""
    best = Found((), (lock,), 0)
    for service in SERVICES:
        audit = (*("tool", "run", "--from", PIP_AUDIT, "pip-audit"), *("--vulnerability-service", service))
        options = ("--disable-pip", "--require-hashes", "-r", lock, "--progress-spinner", "off", "-f", "json")
        try:
            found = of_pip_audit(told((str(Path(sys.executable).parent / "uv"), *audit, *options)))
        except (KeyError, TypeError):
            continue
        if found.checked >= best.checked:
            best = found
        if not best.unknown:
            break
    return best


def say(name: str, found: Found) -> None:
    """A list's findings, as lines."""
    sys.stdout.write(f"{name}: {found.checked} looked up, {len(found.holes)} known holes\n")
    for hole in found.holes:
        sys.stdout.write(f"  HOLE  {hole}\n")
    if found.unknown:
        some = ", ".join(found.unknown[:5]) + (" .." if len(found.unknown) > 5 else "")
        sys.stdout.write(
            f"  NOT CHECKED  {len(found.unknown)}: {some}. Nobody told anything of them from here.\n"
        )


def verdict(lists: Sequence[Found]) -> int:
    """The exit code."""
    if any(one.holes for one in lists):
        return 1
    return 2 if any(one.unknown or not one.checked for one in lists) else 0


def main() -> int:
    lists = {lock: python_lock(lock) for lock in LOCKS}
    lists["package-lock.json"] = of_npm(told(("npm", "audit", "--package-lock-only", "--json")))
    for name, found in lists.items():
        say(name, found)
    code = verdict(tuple(lists.values()))
    sys.stdout.write(
        ("No known holes.", "There are known holes.", "Not everything was checked.")[code] + "\n"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
