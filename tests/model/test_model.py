"""The protocol holds in every interleaving of a small scope; without any one of its rules it does not."""

import pytest

from polyb0t.data.fills import FILL_TRANSITIONS
from polyb0t.execution.intents import TRANSITIONS
from polyb0t.execution.orders import ORDER_TRANSITIONS
from tests.model import tables
from tests.model.explore import explore
from tests.model.rules import CASES, DOUBLING, Promise, Rule, Scope
from tests.model.steps import Model

IN_SUITE = 5  # steps of time; `python -m tests.model` explores one more
BRIEF = 4  # where no inferred absence is needed
BRIEFLY = (Scope.PROXY, Scope.STANDING)


@pytest.mark.parametrize("scope", Scope, ids=lambda scope: scope.name.lower())
def test_with_every_rule_no_history_breaks_a_promise(scope: Scope) -> None:
    found = explore(Model(scope=scope, horizon=BRIEF if scope in BRIEFLY else IN_SUITE))

    assert found.complete
    assert found.histories == {}
    assert found.intent_moves <= tables.arrows(tables.INTENTS)
    assert found.order_moves <= tables.arrows(tables.ORDERS) | tables.FIRST


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name.lower())
def test_without_one_rule_its_promise_breaks(rule: Rule) -> None:
    case = CASES[rule]

    found = explore(Model(off=case.also | {rule}, scope=case.scope), until=case.promise)

    assert case.promise in found.histories, f"nothing breaks without {rule.name}: {found}"


@pytest.mark.parametrize(
    "rule", [rule for rule, case in CASES.items() if case.also], ids=lambda rule: rule.name.lower()
)
def test_a_rule_that_another_covers_is_needed_only_without_it(rule: Rule) -> None:
    case = CASES[rule]

    assert case.promise not in explore(Model(off=frozenset({rule}), horizon=BRIEF)).histories
    assert case.promise not in explore(Model(off=case.also, horizon=BRIEF)).histories


def test_a_restored_backup_with_fresh_salts_trades_one_approval_twice() -> None:
    model = Model(off=DOUBLING, scope=Scope.RESTORE)

    assert Promise.ONCE in explore(model, until=Promise.ONCE).histories


def test_the_codes_tables_are_the_models() -> None:
    assert dict(TRANSITIONS) == tables.INTENTS
    assert dict(ORDER_TRANSITIONS) == tables.ORDERS
    assert dict(FILL_TRANSITIONS) == tables.FILLS
