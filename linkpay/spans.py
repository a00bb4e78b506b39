"""What took how long: requests and jobs tell it to a tracer, where one was given; else it costs nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Literal

Fact = str | int | float | bool
Kind = Literal["request", "job"]


@dataclass
class Span:
    """One piece of work. Its name and facts may be filled in while it runs; they never hold a person."""

    kind: Kind
    name: str
    facts: dict[str, Fact] = field(default_factory=dict)


#: Holds while a span lasts, and reads the span when it ends; what is raised goes through it.
Tracer = Callable[[Span], AbstractContextManager[None]]
_tracers: list[Tracer] = []


def listen(tracer: Tracer) -> None:
    """Tell this tracer of every span from now on, and no other."""
    _tracers[:] = [tracer]


def fall_silent() -> None:
    """Tell nobody any more."""
    _tracers.clear()


@contextmanager
def span(kind: Kind, name: str, **facts: Fact) -> Iterator[Span]:
    """Mark a piece of work; yields what may be said about it until it ends."""
    told = Span(kind, name, facts)
    if not _tracers:
        yield told
        return
    with _tracers[0](told):
        yield told
