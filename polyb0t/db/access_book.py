"""Tokens, one-time codes and the approvals of large trades inside a write unit, with the gate locked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from polyb0t.core.errors import ConflictError, NotAuthorisedError, NotFoundError, PolybotError
from polyb0t.db.tables import access_tokens, approvals
from polyb0t.db.unit import Unit
from polyb0t.execution.access import (
    CODE_REST,
    TOKEN,
    WRONG_CODES,
    Approval,
    Required,
    Role,
    TokenRecord,
    why_incomplete,
)
from polyb0t.execution.intents import Denied

_T = access_tokens.c
_SCOPE: Final = _T.scope == bindparam("of_scope")
TOKENS: Final = select(access_tokens).where(_SCOPE).order_by(_T.created_at.desc(), _T.digest)
BY_DIGEST: Final = select(access_tokens).where(_SCOPE, _T.digest == bindparam("of_digest"))
_BY_NAME: Final = select(access_tokens).where(
    _SCOPE, _T.name == bindparam("of_name"), _T.revoked_at.is_(None)
)
_STANDING_BEHIND: Final = (  # a word of a token that was revoked since counts no more
    select(approvals)
    .join(access_tokens, _T.digest == approvals.c.token)
    .where(
        approvals.c.scope == bindparam("of_scope"),
        approvals.c.subject == bindparam("of_subject"),
        _T.revoked_at.is_(None),
    )
    .order_by(approvals.c.at, approvals.c.key)
)


def create(
    unit: Unit, *, digest: str, name: str, role: Role, days: float, actor: str
) -> TokenRecord | PolybotError:
    """Store a token by its digest; one that has expired under the same name goes."""
    require_user(actor)
    held = _named(unit, name)
    if held is not None and held["expires_at"] > unit.now:
        return ConflictError(
            f"No token was made: {name} has one until {held['expires_at']:%Y-%m-%d %H:%M} UTC.",
            why="A name stands for one person, and decisions are signed with it.",
            do=f"Take it back first: polyb0t auth token revoke {name}",
            code="token_name_taken",
        )
    if held is not None:
        _revoke(unit, held, actor=actor, reason="expired and replaced")
    row = {
        "digest": digest,
        "scope": str(unit.scope),
        "name": name,
        "role": role,
        "created_at": unit.now,
        "created_by": actor,
        "expires_at": unit.now + timedelta(days=days),
    }
    unit.connection.execute(insert(access_tokens).values(**row))
    note = {"role": role, "until": row["expires_at"], "digest": digest[:16]}
    unit.note("token.created", name, note, actor=actor)
    found = _by_digest(unit, digest)
    assert found is not None
    return record_of(found)


def revoke(unit: Unit, name: str, *, actor: str, reason: str) -> TokenRecord:
    """Raises NotFoundError: nobody has a token of this name."""
    held = _named(unit, name)
    if held is None:
        raise NotFoundError(
            f"Nothing was taken back: there is no token {name}.",
            do="See them: polyb0t auth token list",
            code="token_not_found",
        )
    _revoke(unit, held, actor=actor, reason=reason)
    found = _by_digest(unit, held["digest"])
    assert found is not None
    return record_of(found)


def revoke_tokens(unit: Unit, *, actor: str, reason: str) -> None:
    """A restored database may hold tokens that were taken back since."""
    which = {"of_scope": str(unit.scope)}
    for row in unit.connection.execute(TOKENS.with_for_update(), which).mappings().all():
        if row["revoked_at"] is None:
            _revoke(unit, row, actor=actor, reason=reason)


def enrol_code(unit: Unit, digest: str, step: int, *, actor: str) -> None:
    """From now on this token has codes; the one of `step` was shown and is used up."""
    row = _by_digest(unit, digest)
    if row is None or record_of(row).state(unit.now) != "active":
        raise _inactive("No one-time code was set up.", "")
    _set(unit, digest, code_step=step, code_tries=0, code_rests_until=None)
    unit.note("code.enrolled", row["name"], {}, actor=actor)


def try_code(unit: Unit, digest: str) -> PolybotError | None:
    """Count a try; a refusal of one too many is kept."""
    row = _by_digest(unit, digest)
    if row is None or row["code_step"] is None:
        return NotAuthorisedError(
            "Not approved: this token has no one-time code. Nothing was sent.",
            why="This trade is above POLYBOT_TOTP_PUSD.",
            do="Set it up where the token was made: polyb0t auth code",
            code="code_not_set_up",
        )
    rests, tries = row["code_rests_until"], int(row["code_tries"])
    if rests is not None and unit.now < rests:
        return _locked(rests)
    if rests is not None:
        tries = 0
    if tries >= WRONG_CODES:
        until = unit.now + CODE_REST
        _set(unit, digest, code_rests_until=until)
        unit.note("code.locked", row["name"], {"tries": tries, "until": until}, actor="engine")
        return _locked(until)
    _set(unit, digest, code_tries=tries + 1, code_rests_until=None)
    return None


def forgive_tries(unit: Unit, digest: str, step: int) -> None:
    """A right code that nobody has used: who knows an old one must not buy tries with it."""
    unused = (_T.scope == str(unit.scope), _T.digest == digest, _T.code_step < step)
    unit.connection.execute(update(access_tokens).where(*unused).values(code_tries=0, code_rests_until=None))


def require_active(unit: Unit, what: str, actor: str) -> RowMapping | None:
    """The token behind `actor`, which has to be one that decides; None for who is no token.

    Raises:
        NotAuthorisedError: `token_refused`, `role_too_low`. `what` was not done.
    """
    if not actor.startswith(TOKEN):
        return None
    name = actor.removeprefix(TOKEN)
    row = _named(unit, name)
    if row is None or record_of(row).state(unit.now) != "active":
        raise _inactive(what, name)
    if not Role(row["role"]).covers(Role.APPROVER):
        raise NotAuthorisedError(
            what,
            why=f"The token {name} may only read.",
            do="Ask for one: polyb0t auth token create NAME --role approver",
            code="role_too_low",
        )
    return row


def add_approval(
    unit: Unit,
    subject: str,
    digest: str,
    needed: Required,
    *,
    what: str,
    actor: str,
    code: int | None,
    code_spent: bool = False,
) -> PolybotError | None:
    """Write down `actor`'s word for what needs more than one; a refusal, or None. `code_spent`: this unit
    has used the code up already, for the trade that this belongs to.

    Raises:
        NotAuthorisedError: `token_needed`, `code_needed`, `code_used`, `token_refused`.
    """
    token = require_active(unit, what, actor)
    if token is None:
        raise NotAuthorisedError(
            what,
            why="A trade of this worth is approved with a token of one's own: "
            f"it needs {needed.approvals} of them{', with a code' if needed.code else ''}.",
            do="Set POLYBOT_TOKEN to yours. To make one: polyb0t auth token create NAME --role approver",
            code="token_needed",
        )
    key = f"{subject} {actor}"
    if unit.connection.scalar(select(approvals.c.key).where(approvals.c.key == key)) is not None:
        return ConflictError(
            what,
            why="You have approved it already; it needs somebody else as well.",
            do="Ask another approver.",
            code="already_approved_by_you",
        )
    if needed.code and not (code_spent and code is not None):
        _spend_code(unit, token, code, what)
    unit.connection.execute(
        insert(approvals).values(
            key=key,
            scope=str(unit.scope),
            subject=subject,
            digest=digest,
            actor=actor,
            token=token["digest"],
            code_step=code if needed.code else None,
            at=unit.now,
        )
    )
    return None


def given(connection: Connection, scope: str, subject: str) -> Sequence[Approval]:
    """Whose word stands behind it now, oldest first."""
    rows = connection.execute(_STANDING_BEHIND, {"of_scope": scope, "of_subject": subject}).mappings()
    return tuple(Approval(row["actor"], row["at"], row["code_step"] is not None) for row in rows)


def incomplete(unit: Unit, subject: str, needed: Required) -> Denied | None:
    """What is still missing; None when enough people stand behind it."""
    if not needed.more_than_one_word:
        return None
    return why_incomplete(needed, given(unit.connection, str(unit.scope), subject))


def withdrawn(unit: Unit, actor: str | None, decided_at: Any) -> Denied | None:
    """At claim and at permit: whether the token behind this decision was revoked since."""
    if actor is None or not actor.startswith(TOKEN):
        return None
    row = _named(unit, actor.removeprefix(TOKEN))
    if row is not None and decided_at is not None and row["created_at"] <= decided_at:
        return None
    return Denied("token_revoked", f"The token {actor.removeprefix(TOKEN)} that approved it was taken back.")


def record_of(row: RowMapping) -> TokenRecord:
    names = (
        "digest",
        "name",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "revoked_by",
        "used_at",
    )
    return TokenRecord(
        **{name: row[name] for name in names},
        role=Role(row["role"]),
        code_enrolled=row["code_step"] is not None,
    )


def require_user(actor: str) -> None:
    """Tokens are made by who sits at the machine: a token makes no other.

    Raises:
        NotAuthorisedError: `person_required`.
    """
    kind, _, name = actor.partition(":")
    if kind != "user" or not name:
        raise NotAuthorisedError(
            "No token was changed.",
            why=f"{actor or 'Nobody'} may not make or revoke tokens.",
            do="Do it in a terminal on the machine of the database.",
            code="person_required",
        )


def _spend_code(unit: Unit, token: RowMapping, code: int | None, what: str) -> None:
    """A code counts once: its step has to be newer than the last one that was used."""
    if code is None:
        raise NotAuthorisedError(
            what,
            why="A trade of this worth needs a one-time code.",
            do="Give the six digits of your authenticator: --code 123456",
            code="code_needed",
        )
    spent = (
        update(access_tokens)
        .where(_T.digest == token["digest"], _T.code_step < code)
        .values(code_step=code, code_tries=0, code_rests_until=None)
    )
    if unit.connection.execute(spent).rowcount != 1:
        raise NotAuthorisedError(
            what,
            why="This code was used before; each one counts once.",
            do="Wait for the next one, at most 30 s.",
            code="code_used",
        )


def _named(unit: Unit, name: str) -> RowMapping | None:
    which = {"of_scope": str(unit.scope), "of_name": name}
    return unit.connection.execute(_BY_NAME.with_for_update(), which).mappings().one_or_none()


def _by_digest(unit: Unit, digest: str) -> RowMapping | None:
    which = {"of_scope": str(unit.scope), "of_digest": digest}
    return unit.connection.execute(BY_DIGEST.with_for_update(), which).mappings().one_or_none()


def _revoke(unit: Unit, row: RowMapping, *, actor: str, reason: str) -> None:
    _set(unit, row["digest"], revoked_at=unit.now, revoked_by=actor, revoke_reason=reason)
    note = {"digest": row["digest"][:16], "reason": reason}
    unit.note("token.revoked", row["name"], note, actor=actor)


def _set(unit: Unit, digest: str, **columns: Any) -> None:
    where = (_T.scope == str(unit.scope), _T.digest == digest)
    unit.connection.execute(update(access_tokens).where(*where).values(**columns))


def _locked(until: Any) -> NotAuthorisedError:
    return NotAuthorisedError(
        "Not approved: too many wrong codes. Nothing was sent.",
        why=f"Codes of this token rest until {until:%H:%M:%S} UTC.",
        do="If it was not you who tried, take the token back: polyb0t auth token revoke NAME",
        code="code_locked",
    )


def _inactive(what: str, name: str) -> NotAuthorisedError:
    return NotAuthorisedError(
        what,
        why=f"The token {name} is not in force." if name else "This token is not in force.",
        do="See which are: polyb0t auth token list",
        code="token_refused",
    )
