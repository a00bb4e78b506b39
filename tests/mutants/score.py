"""How many small changes to the rules of money and access their own tests notice.

``python -m tests.mutants.score [WORD ...]``: each change is made to one module in a process of its own, which
then runs the tests of that module; nothing is written anywhere. What no test notices is printed. Exit status
1 below the least score. A WORD is a part of a module's name.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from tests.mutants.mutation import Mutation, mutations

LEAST = 0.85
_ROOT = Path(__file__).parents[2]
_PATIENCE = 120  # seconds of the processor; a change may make a loop endless
_COVERAGE = ("test_coverage_stretches", "test_coverage", "test_coverage_decisions", "test_coverage_stories")
#: The modules of `linkpay.domain`, and their tests in `tests/domain`, quickest first.
MODULES: dict[str, Sequence[str]] = {
    "money": ("test_money",),
    "charge": ("test_charge", "test_charge_table"),
    "ledger": ("test_ledger",),
    "strokes": ("test_strokes",),
    "catch_up": ("test_catch_up",),
    "proration": ("test_proration",),
    "pricing": ("test_pricing",),
    "dunning": ("test_dunning",),
    "coverage": _COVERAGE,
}


class _Changed(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Gives the changed module to whoever imports it."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name, self._tree = name, tree

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, self._name, "exec"), module.__dict__)  # noqa: S102 - our own source


def main(words: list[str]) -> int:
    """One line per module and per change that went unnoticed."""
    assert not any(name.startswith("linkpay") for name in sys.modules), "children import it anew"
    # A quarter of the usual examples: what these few notice the others notice too.
    hypothesis.settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None, max_examples=25
    )
    hypothesis.settings.load_profile("mutants")
    noticed = of = 0
    for name in MODULES:
        if words and not any(word in name for word in words):
            continue
        started = time.monotonic()
        assert os.waitpid(_child(name, ast.parse(_path(name).read_text())), 0)[1] == 0, (
            f"{name} fails unchanged"
        )
        changes = list(mutations(_path(name).read_text()))
        missed = _unnoticed(name, changes)
        found = len(changes) - missed
        noticed, of = noticed + found, of + len(changes)
        _say(f"{name:<10} {found:>4} of {len(changes):>4}  {_percent(found, len(changes))}  "
            f"{time.monotonic() - started:5.0f} s")  # fmt: skip
    _say(f"all        {noticed:>4} of {of:>4}  {_percent(noticed, of)}")
    return 0 if noticed >= LEAST * of else 1


def _unnoticed(name: str, changes: Sequence[Mutation]) -> int:
    """With how many changes all tests pass, tried on every core; each is printed when it is found."""
    running: dict[int, Mutation] = {}
    missed = 0
    waiting = list(reversed(changes))
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            change = waiting.pop()
            running[_child(name, change.tree)] = change
        pid, status = os.wait()
        change = running.pop(pid)
        if status == 0:
            missed += 1
            _say(f"    missed {name}.py:{change}")
    return missed


def _child(name: str, tree: ast.Module) -> int:
    """A process that runs the module's tests with this in its place; it ends with 0 when all pass."""
    pid = os.fork()
    if pid == 0:
        _live(name, tree, MODULES[name])
    return pid


def _live(name: str, tree: ast.Module, tests: Sequence[str]) -> None:
    status = 1
    try:
        signal.setitimer(signal.ITIMER_PROF, _PATIENCE)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        sys.meta_path.insert(0, _Changed(f"linkpay.domain.{name}", tree))
        paths = [str(_ROOT / "tests" / "domain" / f"{test}.py") for test in tests]
        status = int(
            pytest.main(
                [
                    "-x",
                    "-q",
                    "--noconftest",
                    "--assert=plain",
                    "-p",
                    "no:cacheprovider",
                    "-p",
                    "no:xdist",
                    *paths,
                ]
            )
        )
    finally:
        os._exit(status)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _path(name: str) -> Path:
    return _ROOT / "linkpay" / "domain" / f"{name}.py"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / (whole or 1):5.1f} %"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
