"""Answers that are long and asked for often, spelled out without going through their description.

What a route returns as it is, is checked against its description while it is answered, field by field:
for a page of trades that costs more than reading them. The tests check these answers instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Final

import msgspec
from fastapi import Response

from polyb0t.execution.access import required_of
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.store import Stores
from polyb0t.runtime.views import intent_views

JSON: Final = "application/json"
_KEPT: Final = 2_000  # spelled out trades: a few megabytes
_STATE: Final = attrgetter(*(each.name for each in fields(IntentRecord) if each.name != "intent"))

Key = tuple[object, ...]


class IntentPages:
    """Pages of trades. How a trade is spelled follows from its content, its state and its short name, unless
    an order or the word of a second person stands behind it: so it is spelled once in each of its states."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._known: dict[Key, bytes] = {}

    def page(self, records: Sequence[IntentRecord], headers: Mapping[str, str] | None) -> Response:
        """These trades as one answer."""
        short = self._stores.intents.shortest_prefixes([record.id for record in records])
        keys = {record.id: _key(record, short[record.id]) for record in records}
        told = {record.id: self._known.get(keys[record.id]) for record in records}
        unknown = [record for record in records if told[record.id] is None]
        for record, view in zip(unknown, intent_views(self._stores, unknown), strict=True):
            told[record.id] = spelled = msgspec.json.encode(view)
            if _alone(record):
                self._keep(keys[record.id], spelled)
        pieces = b",".join(told[record.id] or b"" for record in records)
        return Response(b"[" + pieces + b"]", media_type=JSON, headers=headers)

    def _keep(self, key: Key, spelled: bytes) -> None:
        if len(self._known) >= _KEPT:
            self._known = {}
        self._known[key] = spelled


def _key(record: IntentRecord, short: str) -> Key:
    return (short, *_STATE(record))


def _alone(record: IntentRecord) -> bool:
    """Whether nothing but its own row says how it stands."""
    return record.order_id is None and not required_of(record.intent).more_than_one_word
