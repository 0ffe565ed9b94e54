"""Answers that are long and asked for often, spelled out without going through their description.

What a route returns as it is, is checked against its description while it is answered, field by field:
for a page of trades that costs more than reading them. The tests check these answers instead.
"""

from collections.abc import Mapping

import msgspec
from fastapi import Response

JSON = "application/json"


def spelled_out(value: object, headers: Mapping[str, str] | None = None) -> Response:
    """`value`, made of plain data, as JSON."""
    return Response(msgspec.json.encode(value), media_type=JSON, headers=headers)
