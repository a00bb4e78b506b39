"""Small changes to a module's source, each of which says something else: ``<`` for ``<=``, ``+`` for ``-``,
one more, the other branch, nothing returned."""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip
_CHOSEN = {"max": "min", "min": "max", "any": "all", "all": "any"}

Change = Callable[[ast.AST], ast.AST]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change: the line it is in, what was there, what stands there now, and the whole changed module."""

    line: int
    old: str
    new: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.line}: {self.old}  ->  {self.new}"


def mutations(source: str) -> Iterator[Mutation]:
    """Every change of this source, one at a time, in the order of its lines.

    Annotations, decorators and docstrings say nothing that runs, and are left as they are.
    """
    tree = ast.parse(source)
    for place, node in enumerate(_running(tree)):
        for change in _changes(node):
            copy = deepcopy(tree)
            target = list(_running(copy))[place]
            old = ast.unparse(target)
            new = change(target)
            _Swap(target, new).visit(copy)
            ast.fix_missing_locations(copy)
            yield Mutation(getattr(node, "lineno", 0), _short(old), _short(ast.unparse(new)), copy)


def _running(node: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """The statements and expressions that do something, parents before children."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.expr | ast.stmt):
                yield child
            if isinstance(child, ast.AST):
                yield from _running(child)


def _changes(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for number, known in enumerate(node.ops):
            yield partial(_compared, number=number, other=_COMPARED[type(known)])
    elif isinstance(node, ast.BoolOp):
        yield _and_or
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield lambda n: n.operand  # type: ignore[attr-defined]
    elif isinstance(node, ast.BinOp) and type(node.op) in _CALCULATED:
        yield _calculated
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CHOSEN:
        yield _chosen
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield _negated
    elif isinstance(node, ast.Return) and not _is_none(node.value):
        yield lambda n: ast.Return(ast.Constant(None))
    elif isinstance(node, ast.AugAssign) and type(node.op) in _CALCULATED:
        yield _calculated


def _constants(value: object) -> Iterator[Change]:
    if isinstance(value, bool):
        yield lambda _: ast.Constant(not value)
    elif isinstance(value, int):
        yield lambda _: ast.Constant(value + 1)
        yield lambda _: ast.Constant(value - 1)


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _compared(node: ast.AST, number: int, other: type[ast.cmpop]) -> ast.AST:
    assert isinstance(node, ast.Compare)
    ops = list(node.ops)
    ops[number] = other()
    return ast.Compare(node.left, ops, node.comparators)


def _and_or(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    return ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _calculated(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp | ast.AugAssign)
    changed = deepcopy(node)
    changed.op = _CALCULATED[type(node.op)]()
    return changed


def _chosen(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return ast.Call(ast.Name(_CHOSEN[node.func.id], ast.Load()), node.args, node.keywords)


def _negated(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.If | ast.IfExp | ast.While)
    changed = deepcopy(node)
    changed.test = ast.UnaryOp(ast.Not(), node.test)
    return changed


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def _short(text: str) -> str:
    return " ".join(text.split())[:70]
