"""Ports for the servers of tests: free ones that nobody is lent by chance.

Whoever binds to port 0, or just calls somebody, is lent a port of the system's own range: one that was free
a moment ago, or whose server was killed, may be a stranger's by now. These lie below that range, and
a block of them belongs to one test process for as long as it lives.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from io import TextIOWrapper
from itertools import cycle
from pathlib import Path

from linkpay.local.launcher import is_free

_BLOCKS = range(20_000, 32_000, 400)
_locks: list[TextIOWrapper] = []


def free_ports(count: int) -> list[int]:
    """So many ports that nobody uses now; none of them comes again soon."""
    return [free_port() for _ in range(count)]


def free_port() -> int:
    """A port that nobody uses now."""
    block = _block()
    return next(port for port in block if is_free(port))


@cache
def _block() -> Iterator[int]:
    """The ports of this process, round and round."""
    folder = Path(tempfile.gettempdir()) / f"linkpay-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for first in _BLOCKS:
        lock = (folder / str(first)).open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _locks.append(lock)  # held until this process ends
        return cycle(range(first, first + _BLOCKS.step))
    raise RuntimeError(f"{len(_BLOCKS)} test processes hold all ports; their locks lie in {folder}")
