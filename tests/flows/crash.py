"""Killing the process at any boundary: before a transaction, before its commit, after it, and before
and after every call to Mollie, Kajabi and the mail server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from linkpay.store.db import Database, Tx
from tests.engines import made_quick

T = TypeVar("T")


class Killed(BaseException):
    """The process is gone. No `except Exception` of anybody may survive it."""


class Boundaries:
    """Counts boundaries as they are crossed, and kills at the chosen one (from 1)."""

    def __init__(self, kill_at: int = 0) -> None:
        self.kill_at = kill_at
        self.crossed: list[str] = []
        self._place = ""
        self._waits = 0
        self._act: Callable[[], None] = lambda: None

    def arm(self, kill_at: int) -> None:
        """Count from now on, and kill at boundary number `kill_at` (0: at none)."""
        self.kill_at = kill_at
        self.crossed = []

    def kill_when(self, name: str) -> None:
        """Count from now on, and kill at the first boundary of this name."""
        self.arm(0)
        self._place = name

    def after_commits(self, count: int, act: Callable[[], None]) -> None:
        """Let something happen once, right after the commit with this number from now."""
        self._waits, self._act = count, act

    def cross(self, name: str) -> None:
        """Pass a boundary, or die there."""
        self.crossed.append(name)
        if name == "after the commit":
            self._waits -= 1
            if self._waits == 0:
                self._act()
        if len(self.crossed) == self.kill_at or name == self._place:
            self._place = ""
            raise Killed(name)


class FragileDatabase(Database):
    """A database whose user may die around every writing transaction."""

    def __init__(self, url: str, boundaries: Boundaries) -> None:
        super().__init__(url)
        self._boundaries = boundaries
        made_quick(self)

    @contextmanager
    def write(self, *, brief: bool = False) -> Iterator[Tx]:
        self._boundaries.cross("before the transaction")
        with super().write(brief=brief) as tx:
            yield tx
            self._boundaries.cross("before the commit")
        self._boundaries.cross("after the commit")


class _Fragile:
    def __init__(self, inner: Any, boundaries: Boundaries) -> None:
        self._inner, self._boundaries = inner, boundaries

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._boundaries.cross(f"before {name}")
            answer = method(*args, **kwargs)
            self._boundaries.cross(f"after {name}")
            return answer

        return call


def fragile(inner: T, boundaries: Boundaries) -> T:
    """The same port, whose caller may die before and after every call."""
    return cast("T", _Fragile(inner, boundaries))
