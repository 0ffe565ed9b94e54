"""What is marked `xdist_group` belongs to one worker: what such tests share is made once, and not by each.

The scheduler of pytest-xdist knows a group by the end of a test's name, `@group`. Version 3.8 writes it to where
pytest 9.2 no longer reads names from, so that groups were scattered without a word.
"""

import pytest
from _pytest.nodeid import NodeId


def keep_groups(items: list[pytest.Item]) -> None:
    """Groups first, since they take longest, each by its name; the order is otherwise as it was."""
    for item in items:
        group = group_of(item)
        if group and not item.nodeid.endswith(f"@{group}"):
            item._id = NodeId.parse(f"{item.nodeid}@{group}")
    items.sort(key=lambda item: not group_of(item))


def group_of(item: pytest.Item) -> str:
    """Empty where a test is in none."""
    return "_".join(sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")}))
