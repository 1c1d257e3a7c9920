"""What can go wrong, as the contract words it: HTTP status, `status` word and text.

One class per cause; `peal.http.errors` is the one place that renders them.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FieldError:
    """One field of a request and why it was refused."""

    field: str
    message: str


@dataclass
class PealError(Exception):
    """Base of every error that a client is told about."""

    message: str = ""
    code = 500
    status: str | int | None = None
    errors: list[FieldError] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


@dataclass
class BadRequest(PealError):
    """400: a body or a value that can't be taken."""

    code = 400
    status: str | int | None = "bad_request"


def bad_field(name: str, reason: str) -> BadRequest:
    """Return the 400 that names the field `name` and the reason."""
    return BadRequest(f"{name}: {reason}", errors=[FieldError(name, reason)])


def bad_fields(errors: list[FieldError]) -> BadRequest:
    """Return one 400 for all refused fields of a body."""
    return BadRequest("; ".join(f"{e.field}: {e.message}" for e in errors), errors=errors)


@dataclass
class Unauthorized(PealError):
    """401: no token, a wrong or an expired one."""

    message: str = "Unauthorized"
    code = 401
    status: str | int | None = 401


@dataclass
class AccessDenied(PealError):
    """403: the token's role does not reach this."""

    message: str = "Access denied"
    code = 403
    status: str | int | None = "access_denied"


def user_blocked() -> AccessDenied:
    """Return the 403 for a user, or a user of a client, that is blocked."""
    return AccessDenied("User is blocked", status="user_blocked")


def read_only_user() -> AccessDenied:
    """Return the 403 for a write by a user whose access is `read_only`."""
    return AccessDenied("User may only read", status="user_access_type_deny")


def call_api_only() -> AccessDenied:
    """Return the 403 for configuration by an application of access `Call API`."""
    return AccessDenied("Application may not change configuration", status="app_access_type_deny")


@dataclass
class NotFound(PealError):
    """404: it does not exist, or it belongs to somebody else."""

    message: str = "Record not found"
    code = 404


def client_not_found() -> NotFound:
    """Return the 404 for a client."""
    return NotFound(status="client_not_found")


def extension_not_found(message: str = "Record not found") -> NotFound:
    """Return the 404 for one or several extensions."""
    return NotFound(message, status="extension_not_found")


@dataclass
class NotTransferable(PealError):
    """409: the other side's phone does not call whom it is asked to call; the call goes on."""

    message: str = "The other side's phone does not follow, the call goes on"
    code = 409
    status: str | int | None = "not_transferable"


@dataclass
class PreconditionFailed(PealError):
    """412: `If-Match` names another version than the one that is."""

    message: str = "The bundle has changed since you read it"
    code = 412
    status: str | int | None = "precondition_failed"


@dataclass
class UnsupportedMediaType(PealError):
    """415: a body in a form that is not taken."""

    code = 415
    status: str | int | None = "unsupported_media_type"

    @classmethod
    def of(cls, header: str, reason: str) -> "UnsupportedMediaType":
        """Return the 415 that names the header at fault and the reason."""
        return cls(f"{header}: {reason}", errors=[FieldError(header, reason)])


@dataclass
class TooManyRequests(PealError):
    """429: the hourly limit, or the guard against guessing."""

    message: str = "Rate limit exceeded"
    code = 429
    status: str | int | None = "rate_limit_exceeded"


@dataclass
class DatabaseUnavailable(PealError):
    """503: the database does not answer, or has no room for this request now."""

    message: str = "The database does not answer"
    code = 503
    status: str | int | None = "database_unavailable"


@dataclass
class SwitchUnavailable(PealError):
    """503: a live question that the SIP service can't answer now."""

    message: str = "The SIP service can't answer now"
    code = 503
    status: str | int | None = "switch_unavailable"
