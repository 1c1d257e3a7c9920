"""Date-times as the contract writes them: `YYYY-MM-DD HH:MM:SS`, UTC, no zone."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time, UTC, naive, to the microsecond."""
    return datetime.now(UTC).replace(tzinfo=None)


def text(moment: datetime) -> str:
    """Return `moment` as the API writes it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def hundredths(moment: datetime) -> str:
    """Return `moment` as legs and records show their beginning: `YYYY-MM-DD HH:MM:SS.hh`."""
    return f"{text(moment)}.{moment.microsecond // 10_000:02}"


def parse(value: str) -> datetime:
    """Return the moment that a request names; `2021-1-1`, without a time, is its midnight.

    Raises:
        ValueError: it is none.
    """
    day, _, time = value.strip().replace("T", " ").partition(" ")
    return datetime.strptime(f"{day} {time or '0:0:0'}", "%Y-%m-%d %H:%M:%S")
