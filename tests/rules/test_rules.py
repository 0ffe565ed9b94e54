"""Each rule of an order has tests that exist, and opposites that can still be planted."""

import ast
from collections import Counter

import pytest

from tests.rules.book import PAGE, RULES, node_of, page
from tests.rules.rule import SOURCE, Edit, Plant, Rule

EACH = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def test_no_two_rules_have_one_name() -> None:
    assert [name for name, count in Counter(rule.name for rule in RULES).items() if count > 1] == []


@EACH
def test_a_rule_has_tests_that_exist_and_a_plant(rule: Rule) -> None:
    assert rule.plants
    assert [name for name in rule.tests if node_of(name) is None] == []


@EACH
def test_the_line_that_is_planted_on_still_stands_once(rule: Rule) -> None:
    """It was changed? Then so has what guards the rule: plant its opposite anew with `python -m tests.rules`."""
    edits = [edit for plant in rule.plants for edit in plant.edits]
    assert [(edit.file, edit.old) for edit in edits if edit.found != 1] == []


@EACH
def test_planted_it_is_a_program_and_another_one(rule: Rule) -> None:
    for plant in rule.plants:
        for file, text in _planted(plant).items():
            ast.parse(text, file)
            assert text != (SOURCE / file).read_text(encoding="utf-8")


def _planted(plant: Plant) -> dict[str, str]:
    texts: dict[str, str] = {}
    for edit in plant.edits:
        text = texts.get(edit.file) or (SOURCE / edit.file).read_text(encoding="utf-8")
        texts[edit.file] = text.replace(edit.old, edit.new)
    return texts


def test_a_line_that_is_gone_is_noticed() -> None:
    assert Edit("db/unit.py", "no such line", "").found == 0


def test_the_page_tells_what_the_rules_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
