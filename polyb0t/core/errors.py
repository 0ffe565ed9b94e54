"""Errors that a person can act on: what did not happen, why, and what to do.

`code` is stable and lower snake case; `exit_code` and `http_status` are what the edges answer.
"""

from typing import ClassVar


class PolybotError(Exception):
    """A failure with three sentences: what did not happen, why, what to do now."""

    code: str = "failed"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, what: str, *, why: str = "", do: str = "", code: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.do = do
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.do) if part)


class UsageError(PolybotError):
    """The command or request makes no sense as written."""

    code = "usage"
    exit_code = 2
    http_status = 422


class ConfigurationError(PolybotError):
    """A setting is missing, misspelt or impossible."""

    code = "configuration"
    exit_code = 2
    http_status = 500


class NotFoundError(PolybotError):
    """There is no such thing."""

    code = "not_found"
    exit_code = 3
    http_status = 404


class AmbiguousError(PolybotError):
    """A prefix fits more than one thing."""

    code = "ambiguous"
    exit_code = 3
    http_status = 409


class ConflictError(PolybotError):
    """The state has moved on: decided, expired, halted, another scope."""

    code = "conflict"
    exit_code = 4
    http_status = 409


class NotAuthorisedError(PolybotError):
    """This caller may not do this here."""

    code = "not_authorised"
    exit_code = 5
    http_status = 403


class VenueUnreachableError(PolybotError):
    """The exchange, or the sandbox in its place, does not answer."""

    code = "venue_unreachable"
    exit_code = 6
    http_status = 502


class DatabaseError(PolybotError):
    """The database is locked, read-only, full, or of another version."""

    code = "database"
    exit_code = 1
    http_status = 503


class LeaseLostError(PolybotError):
    """This process is no longer the one engine of its scope; nothing it does may be written."""

    code = "lease_lost"
    exit_code = 4
    http_status = 409
