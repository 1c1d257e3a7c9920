"""Date-times as the contract writes them: `YYYY-MM-DD HH:MM:SS`, UTC, no zone."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time, UTC, naive, to the microsecond."""
    return datetime.now(UTC).replace(tzinfo=None)


def text(moment: datetime) -> str:
    """Return `moment` as the API writes it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
