"""What the relayer's answer to a submission proves. Texts: the venue's relayer, autumn 2026.

A batch carries the wallet's own counter, so the same bytes are carried out once at most, however often
they arrive: what was refused because of the moment may go again as it is. An answer that says that the
counter is used proves nothing, since it may be this very batch that used it.
"""

import re
from typing import Final

from polyb0t.execution.settlement.ports import RelayerState, RelayerTransaction, SendClass, SendOutcome
from polyb0t.venue.claims_abi import raw_bytes
from polyb0t.venue.parsing import Refused, as_object, decode_json, line

_LONGEST: Final = 300
_SIGNATURE_BYTES: Final = 65
_BUSY: Final = re.compile(r"wallet busy|active action|in-flight action", re.IGNORECASE)
_NONCE: Final = re.compile(r"batch nonce (\d{1,30}) does not match on-chain nonce (\d{1,30})", re.IGNORECASE)
_BLOCKED: Final = re.compile(r"call blocked", re.IGNORECASE)
_REFUSED: Final = re.compile(
    r"invalid signature|wallet does not belong|unsupported transaction type|invalid request"
    r"|metadata|deadline|invalid authorization|unauthorized|simulation failed",
    re.IGNORECASE,
)
_STATES: Final = {str(state): state for state in RelayerState if state is not RelayerState.UNKNOWN}


def of_submission(status: int, body: bytes) -> SendOutcome:
    """What this answer to `POST /submit` proves. Never raises."""
    if status in (200, 201):
        return _of_success(status, body)
    words = _error_text(body)
    if words is None:
        return SendOutcome(SendClass.UNKNOWN, f"HTTP {status} that is not the relayer's JSON")
    if status == 429:
        return SendOutcome(SendClass.REFUSED, words, retryable=True)
    if status in (401, 403):
        return SendOutcome(
            SendClass.REFUSED, f"The relayer does not accept the key POLYBOT_RELAYER_API_KEY: {words}"
        )
    if status != 400:
        return SendOutcome(SendClass.UNKNOWN, f"HTTP {status}: {words}")
    return _of_refusal(words)


def _of_success(status: int, body: bytes) -> SendOutcome:
    try:
        told = as_object(decode_json(body), "the answer")
        name = line(told, "transactionID", longest=_LONGEST)
    except Refused as refused:
        return SendOutcome(SendClass.UNKNOWN, f"HTTP {status} that can not be read: {refused.what}")
    if not name:
        return SendOutcome(SendClass.UNKNOWN, f"HTTP {status} that names no transaction")
    return SendOutcome(SendClass.ACCEPTED, transaction_id=name)


def _of_refusal(words: str) -> SendOutcome:
    """A 400 with a text."""
    counters = _NONCE.search(words)
    if counters is not None:
        if int(counters[1]) < int(counters[2]):
            return SendOutcome(SendClass.UNKNOWN, words)
        return SendOutcome(SendClass.REFUSED, words, retryable=True)
    if _BUSY.search(words):
        return SendOutcome(SendClass.REFUSED, words, retryable=True)
    if _BLOCKED.search(words):
        return SendOutcome(
            SendClass.REFUSED,
            "The relayer does not permit this contract: the address that this version knows is out of date. "
            f"Update polyb0t, or claim on the venue's website. It said: {words}",
        )
    if _REFUSED.search(words):
        return SendOutcome(SendClass.REFUSED, words)
    return SendOutcome(SendClass.UNKNOWN, f"HTTP 400 with a text that is not known: {words}")


def of_state(status: int, body: bytes) -> RelayerTransaction:
    """Where a submission is, as far as the answer says. Never raises."""
    try:
        told = as_object(decode_json(body), "the answer")
        if status != 200:
            return RelayerTransaction(RelayerState.UNKNOWN, error=f"HTTP {status}: {_error_text(body) or ''}")
        state = _STATES.get(line(told, "state", longest=_LONGEST), RelayerState.UNKNOWN)
        found = line(told, "transaction_hash", longest=_LONGEST).lower()
        return RelayerTransaction(state, found, line(told, "error_msg"))
    except Refused as refused:
        return RelayerTransaction(RelayerState.UNKNOWN, error=f"HTTP {status}: {refused.what}")


def batch_signature(raw: str) -> bytes:
    """The owner's signature in a submission's JSON, which no other batch has.

    Raises:
        Refused: there is none of 65 bytes.
    """
    told = as_object(decode_json(raw), "the submission")
    signature = raw_bytes(told.get("signature"), "the signature")
    if len(signature) != _SIGNATURE_BYTES:
        raise Refused("malformed", f"a signature of {len(signature)} bytes")
    return signature


def _error_text(body: bytes) -> str | None:
    """The one error text of a JSON object; None where there is none."""
    try:
        words = line(as_object(decode_json(body), "the answer"), "error", longest=10_000)
    except Refused:
        return None
    return words[:_LONGEST] or None
