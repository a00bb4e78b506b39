"""Doing at once what several wait for: whoever comes first does it for everybody who came by then.

A commit that reaches the disk costs as much for one row as for many, SQLite has one writer, and a statement
costs more than the row that it reads.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def _shut() -> threading.Lock:
    """A door that somebody else opens. (An Event does it with twice the locks.)"""
    door = threading.Lock()
    door.acquire()
    return door


@dataclass(slots=True)
class Waiting(Generic[Item, Answer]):
    """Something asked for by a thread that waits. Its `turn` comes when it is decided, or when it leads."""

    item: Item
    turn: threading.Lock = field(default_factory=_shut)
    is_decided: bool = False
    answer: Answer | None = None
    problem: BaseException | None = None

    def answered(self, answer: Answer) -> None:
        """It is done."""
        self.answer, self.is_decided = answer, True

    def failed(self, problem: BaseException) -> None:
        """It is not done; raised again in the thread that waits."""
        self.problem, self.is_decided = problem, True


Batch = list[Waiting[Item, Answer]]


class Gathering(Generic[Item, Answer]):
    """Hands what all threads of a process ask for to `decide`, at most `limit` at once.

    `decide` is called by one thread at a time, and settles each item of its batch; what it raises is raised
    in every thread whose item is not settled then. Once it need not wait for anybody any more, it may `join`.
    """

    def __init__(self, decide: Callable[[Batch[Item, Answer]], None], limit: int) -> None:
        self._decide = decide
        self._limit = limit
        self._guard = threading.Lock()
        self._waiting: Batch[Item, Answer] = []
        self._open: Batch[Item, Answer] | None = None  # the batch that may still grow
        self._is_led = False
        self._leader = 0  # the thread that decides right now

    def ask(self, item: Item) -> Answer:
        """What came of it; raises what it raised. Who asks while it decides for others need not wait."""
        mine: Waiting[Item, Answer] = Waiting(item)
        if self._leader == threading.get_ident():
            self._decide([mine])
        else:
            self._wait_for(mine)
        if mine.problem is not None:
            raise mine.problem
        return cast("Answer", mine.answer)

    def join(self, batch: Batch[Item, Answer]) -> None:
        """Add who came since `batch` was put together, while whoever decides waited for its turn."""
        if batch is not self._open:
            return  # of one who asks while it decides for others
        with self._guard:
            room = self._limit - len(batch)
            batch.extend(self._waiting[:room])
            del self._waiting[:room]

    def _wait_for(self, mine: Waiting[Item, Answer]) -> None:
        with self._guard:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.turn.acquire()
        if not mine.is_decided:
            self._lead(mine)

    def _lead(self, mine: Waiting[Item, Answer]) -> None:
        """Decide for everybody who waits, the caller first; then hand over to the next who came meanwhile."""
        batch: Batch[Item, Answer] = []
        self._open = batch
        self.join(batch)
        self._leader = threading.get_ident()
        try:
            self._decide(batch)
        except BaseException as problem:  # noqa: BLE001 - raised again in each thread that waits
            for one in batch:
                if not one.is_decided:
                    one.failed(problem)
        self._leader, self._open = 0, None
        with self._guard:
            self._is_led = bool(self._waiting)
            successor = self._waiting[0] if self._waiting else None
        for one in batch:
            if one is not mine:
                one.turn.release()
        if successor is not None:
            successor.turn.release()
