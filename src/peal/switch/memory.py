"""How much memory Kamailio is given: docs/operations.md says where the numbers come from."""

from dataclasses import dataclass

from peal.settings import Settings

SHARED_MB = 64
"""Of a switch without phones: tables, queues, room for the transactions of a burst."""
PRIVATE_MB = 16
"""Of each process."""
SHARED_KB_PER_PHONE, PRIVATE_KB_PER_PHONE = 4, 4
SHARED_KB_PER_CALL = 64


@dataclass(frozen=True)
class Memory:
    """Megabytes; what is not used costs address space only."""

    shared: int
    private: int


def needed(settings: Settings) -> Memory:
    """Return what the expected phones and calls need, with room to spare."""
    shared_kb = settings.phones * SHARED_KB_PER_PHONE + settings.calls * SHARED_KB_PER_CALL
    private_kb = settings.phones * PRIVATE_KB_PER_PHONE
    return Memory(SHARED_MB + _megabytes(shared_kb), PRIVATE_MB + _megabytes(private_kb))


def _megabytes(kilobytes: int) -> int:
    return -(-kilobytes // 1024)
