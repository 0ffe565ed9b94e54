"""`python -m tests.model`: the whole protocol explored; `python -m tests.model <rule>...` without some rules."""

import argparse
import sys
import time

from tests.model.explore import explore
from tests.model.rules import CASES, Rule, Scope
from tests.model.steps import Model


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("rules", nargs="*", type=str.upper, metavar="rule")
    parser.add_argument("--all", action="store_true", help="each rule alone, as the tests do")
    asked = parser.parse_args()
    if asked.all:
        cases = [Model(off=case.also | {rule}, scope=case.scope) for rule, case in CASES.items()]
        return 1 - min([_show(model) for model in cases])  # each has to break something
    unknown = [name for name in asked.rules if name not in Rule.__members__]
    if unknown:
        parser.error(
            f"there is no rule {unknown[0].lower()}; there are: {', '.join(Rule.__members__).lower()}"
        )
    off = frozenset(Rule[name] for name in asked.rules)
    off |= frozenset().union(*(CASES[rule].also for rule in off))
    scopes = {CASES[rule].scope for rule in off} or set(Scope)
    return max(_show(Model(off=off, scope=scope)) for scope in sorted(scopes))


def _show(model: Model) -> int:
    began = time.monotonic()
    found = explore(model)
    without = ", ".join(rule.name.lower() for rule in sorted(model.off)) or "no rule"
    print(
        f"without {without}; {model.scope.name.lower()}: {found.states:,} states, "
        f"{'all of them' if found.complete else 'CUT OFF'}, {time.monotonic() - began:.1f} s"
    )
    for promise, history in sorted(found.histories.items(), key=lambda one: len(one[1])):
        print(f"  {promise}:")
        for number, label in enumerate(history, 1):
            print(f"    {number:2} {label}")
    if not found.histories:
        print("  no promise can be broken")
    return 1 if found.histories else 0


if __name__ == "__main__":
    sys.exit(main())
