"""The experiments of `make evidence`, in short; and the document is theirs."""

from pathlib import Path

import pytest

from evidence.__main__ import DOCUMENT, EXPERIMENTS, HEAD
from evidence.findings import hazard_test, null_test, planted_test
from polyb0t.research.evaluation import gate

ROOT = Path(__file__).parents[2]


def test_where_prices_are_right_nothing_is_proposed():
    finding = null_test(seeds=3)
    assert finding.holds, finding


def test_what_is_expected_comes_true_where_a_bias_is():
    finding = planted_test(seeds=6)
    assert finding.holds, finding


def test_the_calendar_shows_no_bias_that_is_not_there():
    finding = hazard_test()
    assert finding.holds, finding


def test_without_its_gate_the_null_test_fails(monkeypatch: pytest.MonkeyPatch):
    """The experiment can fail: with every category live, calibrated worlds bring trades."""
    monkeypatch.setattr(gate, "LEAST_ROWS", 0)
    monkeypatch.setattr(gate, "needed_t", lambda _judged, _trials: -100.0)
    monkeypatch.setattr(gate, "T_TO_STAY", -100.0)
    assert not null_test(seeds=3).holds


def test_the_document_has_a_section_for_each_and_all_of_them_hold():
    text = (ROOT / DOCUMENT).read_text("utf-8")
    assert text.startswith(HEAD)
    assert text.count("\n## ") == len(EXPERIMENTS)
    assert "This is not as it has to be." not in text
