"""Several worker processes that may take one row, while whom they call is slow, by the product's clock."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.flows.stage import Stage
from workers import jobs
from workers.heart import EVERY
from workers.leases import Leases


@dataclass
class _Worker:
    """A process with one thread for the row, which waits for an answer until `answer_at`."""

    leases: Leases
    thread: threading.Thread | None = None
    answer_at: datetime | None = None
    answered: threading.Event = field(default_factory=threading.Event)
    stands: threading.Event = field(default_factory=threading.Event)


class Slow:
    """A port whose methods of these names answer late."""

    def __init__(self, inner: Any, crew: "Crew", *names: str) -> None:
        self._inner, self._crew, self._names = inner, crew, names

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        return self._crew.late(method) if name in self._names else method


class Crew:
    """The sweep rings every five seconds while the row is due and held by nobody; a free worker takes it.

    Each has a heart of its own, which beats as often. A call takes `seconds`.
    """

    def __init__(self, stage: Stage, row: tuple[str, int], workers: int, seconds: int) -> None:
        self._stage, self._row, self._seconds = stage, row, timedelta(seconds=seconds)
        self._workers = [_Worker(Leases(stage.parts)) for _ in range(workers)]
        self._here = threading.local()
        self.frozen: set[int] = set()

    def late(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, whose worker waits for its answer."""

        def run(*args: Any, **named: Any) -> Any:
            worker: _Worker = self._here.worker
            worker.answered.clear()
            worker.answer_at = self._stage.clock.now() + self._seconds
            worker.stands.set()
            assert worker.answered.wait(60)
            return call(*args, **named)

        return run

    def work(self, seconds: int) -> None:
        """Let so much time pass."""
        for second in range(seconds):
            for number, worker in enumerate(self._workers):
                if number not in self.frozen:
                    self._live(worker, beats=second % EVERY == 0)
            if second % EVERY == 0:
                self._ring()
            self._stage.clock.advance(timedelta(seconds=1))

    def end(self) -> None:
        """Who still waits for an answer is given it, also who stood still."""
        for worker in self._workers:
            while worker.answer_at is not None:
                self._answer(worker)

    def _live(self, worker: _Worker, *, beats: bool) -> None:
        if worker.answer_at is not None and self._stage.clock.now() >= worker.answer_at:
            self._answer(worker)
        if beats:
            worker.leases.beat()

    def _ring(self) -> None:
        free = [one for one in self._workers if one.thread is None]
        if free and self._row in self._stage.due():
            free[0].stands.clear()
            free[0].thread = threading.Thread(target=self._run, args=(free[0],))
            free[0].thread.start()
            self._until_it_stands(free[0])

    def _run(self, worker: _Worker) -> None:
        self._here.worker = worker
        try:
            jobs.run(self._stage.parts, *self._row, keep=worker.leases.keep)
        finally:
            worker.stands.set()

    def _answer(self, worker: _Worker) -> None:
        worker.answer_at = None
        worker.stands.clear()
        worker.answered.set()
        self._until_it_stands(worker)

    def _until_it_stands(self, worker: _Worker) -> None:
        assert worker.stands.wait(60)
        if worker.answer_at is None and worker.thread is not None:
            worker.thread.join(60)
            worker.thread = None
