"""Take addresses out of package-lock.json: where to send money to a package's authors is not ours to keep."""

import json
from pathlib import Path

LOCK = Path("package-lock.json")
ADDRESSES = {"funding", "resolved"}


def without_addresses(node: object) -> object:
    if isinstance(node, dict):
        return {
            key: without_addresses(value) for key, value in node.items() if key not in {"funding", "resolved"}
        }
    if isinstance(node, list):
        return [without_addresses(value) for value in node]
    return node


if __name__ == "__main__":
    LOCK.write_text(json.dumps(without_addresses(json.loads(LOCK.read_text())), indent=2) + "\n")
