"""Size budgets: what is small can be read whole. An exception stands in one list with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

from config.environment import ROOT

FILE_LINES, TEST_FILE_LINES = 300, 400
FUNCTION_LINES = 40
PARAMETERS = 6  # besides self, cls, and the transaction that a function of the store works in

# "path" or "path::function" -> why it reads better over its budget.
EXCEPTIONS: dict[str, str] = {}

FOLDERS = ("linkpay", "workers", "config", "tests")
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def sources(root: Path) -> Iterator[Path]:
    yield from root.glob("*.py")
    for folder in FOLDERS:
        yield from (
            path for path in (root / folder).rglob("*.py") if "migrations/versions" not in path.as_posix()
        )


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    return sum(1 for arg in named if arg.arg not in ("self", "cls", "tx"))


def excesses(name: str, text: str) -> Iterator[tuple[str, str]]:
    """(what, sentence) for everything in a source text that is over its budget."""
    lines, limit = text.count("\n"), TEST_FILE_LINES if name.startswith("tests/") else FILE_LINES
    if lines > limit:
        yield name, f"{name} has {lines} lines, the budget is {limit}: split it by noun"
    for node in ast.walk(ast.parse(text, name)):
        if not isinstance(node, FUNCTION):
            continue
        what, where = f"{name}::{node.name}", f"{name}:{node.lineno} {node.name}"
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > FUNCTION_LINES:
            yield what, f"{where} has {length} lines, the budget is {FUNCTION_LINES}: name its steps"
        if (count := parameters(node)) > PARAMETERS:
            yield what, f"{where} takes {count} parameters, the budget is {PARAMETERS}: give them one name"


def found() -> dict[str, str]:
    return {
        what: sentence
        for path in sources(ROOT)
        for what, sentence in excesses(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    }


def test_every_file_and_function_is_within_its_budget() -> None:
    over = [sentence for what, sentence in found().items() if what not in EXCEPTIONS]
    assert not over, "\n" + "\n".join(sorted(over))


def test_every_exception_is_still_needed_and_has_a_reason() -> None:
    assert EXCEPTIONS.keys() <= found().keys()
    assert all(reason.strip() for reason in EXCEPTIONS.values())


def test_each_kind_of_excess_is_noticed() -> None:
    wide = "def f(self, a, b, /, c, *d, e, g, **h): ...\n"
    long = "async def g():\n" + "    pass\n" * 40
    text = wide + long + "# more\n" * 300
    assert [what for what, _ in excesses("linkpay/x.py", text)] == [
        "linkpay/x.py",
        "linkpay/x.py::f",
        "linkpay/x.py::g",
    ]
    assert [what for what, _ in excesses("tests/x.py", text)] == ["tests/x.py::f", "tests/x.py::g"]
    assert not list(excesses("linkpay/x.py", "def f(self, tx, a, b, c, d, e, g):\n" + "    pass\n" * 39))
    assert {ROOT / "config" / "settings.py", Path(__file__)} <= set(sources(ROOT))
