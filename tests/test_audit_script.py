"""`make audit`: a hole is told, and what could not be looked up is never called safe."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "audit.py"


@pytest.fixture(scope="module")
def audit() -> Any:
    import sys

    spec = importlib.util.spec_from_file_location("audit_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit_script"] = module  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module


SAFE = {"name": "a", "version": "1", "vulns": []}
HOLE = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found on PyPI and could not be audited: c (3)"}


def code(audit: Any, *dependencies: dict[str, Any]) -> int:
    return int(audit.verdict([audit.of_pip_audit({"dependencies": list(dependencies)})]))


def test_what_was_looked_up_and_has_no_hole_is_fine(audit: Any) -> None:
    assert code(audit, SAFE) == 0


def test_a_hole_is_told_with_what_corrects_it(audit: Any) -> None:
    assert code(audit, SAFE, HOLE) == 1
    [said] = audit.of_pip_audit({"dependencies": [HOLE]}).holes
    assert said == "b 2: PYSEC-1 (corrected in 2.1)"


def test_what_nobody_could_tell_anything_of_is_not_called_safe(audit: Any) -> None:
    assert code(audit, SAFE, UNKNOWN) == 2
    assert code(audit) == 2  # an empty list is no audit
    assert code(audit, HOLE, UNKNOWN) == 1


def test_an_npm_that_could_not_ask_has_checked_nothing(audit: Any) -> None:
    assert audit.verdict([audit.of_npm({"error": {"code": "ENOAUDIT"}})]) == 2
    assert audit.verdict([audit.of_npm({})]) == 2
    counts = {"dependencies": {"total": 9}}
    assert audit.verdict([audit.of_npm({"vulnerabilities": {}, "metadata": counts})]) == 0
    hole = {"x": {"severity": "high", "range": "<2"}}
    assert audit.verdict([audit.of_npm({"vulnerabilities": hole, "metadata": counts})]) == 1


def test_a_program_that_is_not_there_tells_nothing(audit: Any) -> None:
    assert audit.told(["/nowhere/at/all"]) == {}
