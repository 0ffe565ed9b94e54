"""What pydantic makes of a type of the API, kept from one test's application to the next.

FastAPI asks for it anew for each parameter and answer of each route, twice an application: half of what it takes
to start one. The key is all that it is made of.
"""

from typing import Any

from fastapi._compat import v2
from pydantic import TypeAdapter


def keep_adapters() -> None:
    """For all applications of this process."""
    kept: dict[tuple[Any, str, str], TypeAdapter[Any]] = {}

    def adapter(type_: Any, *, config: Any = None) -> TypeAdapter[Any]:
        key = (type_.__origin__, repr(type_.__metadata__), repr(config))
        if key not in kept:
            kept[key] = TypeAdapter(type_, config=config)
        return kept[key]

    vars(v2)["TypeAdapter"] = adapter
