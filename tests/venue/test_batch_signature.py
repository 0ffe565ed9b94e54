"""Whose batch a transaction carried is read off its signature, so that has to be a whole one."""

import json

import pytest

from polyb0t.venue.parsing import Refused
from polyb0t.venue.relayer_answers import batch_signature

WHOLE = "0x" + "a1" * 65


def test_a_whole_signature_is_its_bytes() -> None:
    assert batch_signature(json.dumps({"signature": WHOLE})) == bytes.fromhex("a1" * 65)


@pytest.mark.parametrize(
    "raw",
    [
        *('{"signature":"0x"}', '{"signature":""}', '{"signature":null}', "{}", "[]", "", "0x02"),
        json.dumps({"signature": WHOLE[:-2]}),
        json.dumps({"signature": WHOLE + "00"}),
    ],
)
def test_an_empty_or_a_short_one_would_be_found_in_every_transaction(raw: str) -> None:
    with pytest.raises(Refused):
        batch_signature(raw)
