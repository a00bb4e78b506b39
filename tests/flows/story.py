"""What a story is: a beginning that is not disturbed, a part that is, and how it must end."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.flows.stage import Stage


@dataclass(frozen=True)
class Story:
    """`begin` sets the scene, `go_on` is disturbed, `check` says how it must end."""

    begin: Callable[[Stage], None]
    go_on: Callable[[Stage], None]
    check: Callable[[Stage], None]
