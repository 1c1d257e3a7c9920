"""Structured logs: one JSON object a line, on stderr."""

import sys
from datetime import UTC, datetime

import msgspec
import structlog


class Access(msgspec.Struct, kw_only=True):
    """One answered request; never its query string, which may hold secrets."""

    event: str = "request"
    level: str = "info"
    timestamp: str
    request_id: str
    method: str
    path: str
    status: int
    ms: float
    address: str
    user: str | None


_encoder = msgspec.json.Encoder()


def configure_logs() -> None:
    """Let structlog write JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=lambda value, **_: msgspec.json.encode(value)),
        ],
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )


def now() -> str:
    """Return the moment of a line, UTC."""
    return datetime.now(UTC).isoformat()


def log_access(line: Access) -> None:
    """Write the line of a request: structlog's chain would cost a third of a quick request's time."""
    sys.stderr.buffer.write(_encoder.encode(line) + b"\n")
    sys.stderr.buffer.flush()
