"""The clock is a port: nothing else in LinkPay asks the operating system for the time.

Production reads the system clock. The sandbox can move time, so product and sandbox then share an
offset kept in a small memory-mapped file: reading it costs no system call, and every process sees
a move at once.
"""

import mmap
import os
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_OFFSET = struct.Struct("<q")


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant: timezone-aware, UTC, microseconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SharedClock:
    """The machine's clock plus an offset that all processes holding the same file share.

    `path` is created when missing. The offset is a signed 64-bit number of microseconds; one
    aligned 8-byte store is atomic on the platforms we run on, and only the sandbox writes it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < _OFFSET.size:
                os.ftruncate(descriptor, _OFFSET.size)
            self._memory = mmap.mmap(descriptor, _OFFSET.size)
        finally:
            os.close(descriptor)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    @property
    def offset(self) -> timedelta:
        """How far this clock runs ahead of the machine's."""
        (micros,) = _OFFSET.unpack_from(self._memory)
        return timedelta(microseconds=micros)

    def advance(self, by: timedelta) -> datetime:
        """Move time forward by `by` (never backward) and return the new now."""
        if by < timedelta(0):
            raise ValueError("time only moves forward")
        _OFFSET.pack_into(self._memory, 0, (self.offset + by) // timedelta(microseconds=1))
        return self.now()

    def set_offset(self, offset: timedelta) -> None:
        """Put the clock at a stored offset, after a restart or a reset."""
        _OFFSET.pack_into(self._memory, 0, offset // timedelta(microseconds=1))


class ManualClock:
    """Stands still until told to move. For tests and rehearsals in one process."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs a timezone-aware start")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move time forward by `by` and return the new now."""
        if by < timedelta(0):
            raise ValueError("time only moves forward")
        self._now += by
        return self._now
