"""Signing again, anywhere, after anything, gives the same order."""

from dataclasses import MISSING, fields, replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.ids import new_intent_id
from polyb0t.core.units import Pusd
from polyb0t.execution.orders import SALT_BITS, salt_of
from tests.support.builders import an_intent


@given(st.binary(min_size=32, max_size=32))
def test_a_salt_is_a_json_number_that_every_reader_keeps_exactly(digest: bytes) -> None:
    salt = salt_of(digest.hex())

    assert 0 <= salt < 2**SALT_BITS
    assert int(float(salt)) == salt


def test_the_salt_is_fixed_forever() -> None:
    """A stored order must be found again by a later version, so this value may never change."""
    assert salt_of(sha256_hex("polyb0t")) == 8494732555628391


def test_any_change_of_content_is_another_digest_and_another_salt() -> None:
    intent = an_intent(id=new_intent_id())
    changed = [
        replace(intent, amount=Pusd(Decimal("10.01"))),
        replace(intent, deadline=intent.deadline + timedelta(microseconds=1)),
        replace(intent, rules_text=intent.rules_text + " "),
        replace(intent, scope=intent.scope + "x"),
        replace(intent, id=new_intent_id()),
    ]

    digests = {each.digest for each in (intent, *changed)}

    assert len(digests) == len(changed) + 1
    assert len({salt_of(digest) for digest in digests}) == len(digests)


def test_every_field_of_an_intent_is_in_its_digest() -> None:
    text = an_intent().canonical

    for field in fields(an_intent()):
        if field.default is MISSING:  # the others say nothing here, and are tested where they do
            assert f'"{field.name}":' in text


def test_the_spelling_of_a_number_is_not_content() -> None:
    intent = an_intent()

    assert replace(intent, amount=Pusd(Decimal("10.000000"))).digest == intent.digest
