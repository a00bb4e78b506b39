"""A stage whose product lives in processes of its own, which SIGKILL ends at a chosen boundary.

Each piece of work and each page runs in a fresh child: real services, jobs and adapters on connections of
its own. What outlives it is where it would be: the sandbox, the mail server and whoever waits for a page
are in the parent and are reached through a pipe. A killed child unwinds nothing: no ``finally``, no
rollback; its connections are closed by the operating system.
"""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection, Pipe
from typing import Any, TypeVar

import requests

from linkpay.sandbox import inprocess
from tests.flows.crash import Boundaries, Killed
from tests.flows.stage import Stage

Result = TypeVar("Result")


class MortalBoundaries(Boundaries):
    """Boundaries of which each is told to the parent; at the chosen one the process is no more."""

    parent: Connection | None = None
    #: Whether all is done in one process, to count the boundaries and to know every statement before forking.
    rehearsing = False

    def cross(self, name: str) -> None:
        if self.rehearsing:
            super().cross(name)
            return
        assert self.parent is not None, f"{name!r} is crossed where no process can be killed"
        self.crossed.append(name)
        self.parent.send(("crossed", name))
        if len(self.crossed) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalStage(Stage):
    """The same stage; whatever may die does so for real."""

    boundaries: MortalBoundaries
    #: How many children were killed.
    deaths = 0

    def insist(self, act: Callable[[], Result]) -> Result:
        for _ in range(20):
            try:
                return self._apart(act)
            except Killed:
                # She presses again when what the dead one held is free.
                self.clock.advance(timedelta(seconds=61))
        raise AssertionError("the page never works")

    def _work_once(self) -> bool:
        if self.boundaries.rehearsing:
            return super()._work_once()
        self.sandbox.pump()
        return self._apart(super()._work_once)

    def deliver(self) -> int:
        """In the child: what had come when it was born. Each message that got its 200 is told of."""
        if self.boundaries.rehearsing:
            return super().deliver()
        told = list(self.posted) if self.answer == 200 else []
        coming = list(self.deliveries(told))
        self._tell("posted", list(coming))
        while coming:
            self._post(coming.pop(0))
            self._tell("posted", list(coming))
        return len(told)

    # Both sides of the pipe ------------------------------------------------------------------------

    def _apart(self, act: Callable[[], Result]) -> Result:
        """Do it in a child. Raises Killed when it dies on the way, and whatever it raises itself."""
        if self.boundaries.rehearsing or self.boundaries.parent is not None:
            return act()
        self.database.dispose()  # no connection is shared
        here, there = Pipe()
        child = os.fork()
        if child == 0:
            here.close()
            self._live(there, act)
        there.close()
        answer: tuple[str, Any] | None = None
        with here:
            while answer is None or answer[0] not in ("done", "raised"):
                try:
                    answer = here.recv()
                except EOFError:
                    break
                self._hear(here, *answer)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            self.deaths += 1
            raise Killed(self.boundaries.crossed[-1])
        assert answer is not None
        if answer[0] == "raised":
            raise answer[1]
        result: Result
        result, self._rung = answer[1]
        return result

    def _hear(self, child: Connection, kind: str, said: Any) -> None:
        match kind:
            case "crossed":
                self.boundaries.crossed.append(said)
            case "posted":
                self.posted = said
            case "mail":
                self.mailer.letters.append(said)
                child.send(None)
            case "call" | "control":
                child.send(self._answer(kind, said))

    def _answer(self, kind: str, said: Any) -> Any:
        try:
            return inprocess.call(self.sandbox, said) if kind == "call" else self.sandbox.call(*said)
        except requests.RequestException as lost:
            return lost

    def _live(self, parent: Connection, act: Callable[[], Any]) -> None:
        """The life of a child; it never returns."""
        self.boundaries.parent = parent

        def ask(kind: str, said: Any) -> Any:
            parent.send((kind, said))
            answer = parent.recv()
            if isinstance(answer, Exception):
                raise answer
            return answer

        inprocess.call = lambda _sandbox, request: ask("call", request)  # type: ignore[assignment]
        self.sandbox.call = lambda *asked: ask("control", asked)  # type: ignore[method-assign]
        self.sandbox.pump = lambda *_: 0  # type: ignore[method-assign]
        self.mailer.send = lambda letter: ask("mail", letter)  # type: ignore[method-assign]
        try:
            result = act()
            parent.send(("done", (result, self._rung)))
        except BaseException as raised:  # noqa: BLE001 - told to the parent, which raises it
            parent.send(("raised", raised))
        os._exit(0)

    def _tell(self, kind: str, said: Any) -> None:
        assert self.boundaries.parent is not None
        self.boundaries.parent.send((kind, said))
