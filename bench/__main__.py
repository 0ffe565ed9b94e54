"""`make bench`, or `python -m bench cycle cold ...`: measure, compare with a rival, print what misses.

The exit code is 1 when a figure misses its target. What each figure is: docs/measurements.md.
"""

import argparse
import importlib
import os
import platform
import sys
import time

from bench.figures import Section
from bench.rivals import ASKED

SECTIONS = (
    "cycle",
    "execution",
    "claims",
    "fills",
    "reconcile",
    "unknown",
    "controls",
    "risk",
    "signing",
    "cold",
    "watch",
    "api",
    "idle",
    "sandbox",
    "model",
    "replay",
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of {', '.join(SECTIONS)}")
    parser.add_argument("--rivals", action="store_true", help="install large rivals into .tools/, too")
    asked = parser.parse_args(arguments)
    if asked.rivals:
        os.environ[ASKED] = "yes"
    wanted = asked.sections or SECTIONS
    unknown = [name for name in wanted if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, Python {platform.python_version()}")
    missed = []
    for name in wanted:
        started = time.perf_counter()
        section: Section = importlib.import_module(f"bench.bench_{name}").measure()
        section.show()
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        print(f"  ({time.perf_counter() - started:.0f} s; load average {load:.1f})", flush=True)
        missed += [f"{name}: {figure}" for figure in section.missed]
    print(f"\nMissed: {'; '.join(missed)}" if missed else "\nEvery target is met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
