"""An owner's own words for a mail: the same kind of template as ours, in a language that can do no harm.

It knows what the mail knows and nothing else: no attributes, no methods, no loops within loops. What it may
hold is listed here and checked before it is kept; where a kept text fails all the same, the mail goes out
in our words.
"""

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from linkpay.errors import LinkPayError
from linkpay.services.texts import MAILS, buttons, one_line

LONGEST = 10_000  # characters
#: Our own pieces that an owner's text may take in.
PARTIALS = ("debit_lines", "hello", "reason")
_ADDRESSES = ("https://", "http://", "mailto:")
_FUNCTIONS = frozenset({"money", "day", "moment", "instant", "rhythm"})
_FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim"})
_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr, nodes.Name, nodes.Const,
    nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Concat,
)  # fmt: skip


class Broken(LinkPayError):
    """A text that cannot be used. `line` is where, from 1; None where the whole is meant.

    `code` and `what` are for pages that say it in another language than `message`.
    """

    def __init__(self, message: str, line: int | None = None, *, code: str = "odd", what: str = "") -> None:
        super().__init__(f"Line {line}: {message}" if line else message)
        self.line, self.code, self.what = line, code, what


class _Unknown(ValueError):
    """A fact that is not known in this mail."""


def _known(value: Any) -> Any:
    if value is None:
        raise _Unknown("this may be unknown in some mails; put it inside {% if ... %} and {% endif %}.")
    return one_line(value)


def _of_known(function: Callable[[Any], str]) -> Callable[[Any], str]:
    """A day that is not known would be shown as today."""
    return lambda value: function(_known(value))


_SANDBOX = ImmutableSandboxedEnvironment(
    loader=MAILS, undefined=StrictUndefined, finalize=_known, trim_blocks=True, lstrip_blocks=True
)
_SANDBOX.globals.clear()


def check(text: str, names: Mapping[str, Any], language: str) -> None:
    """Raise Broken unless the text speaks of `names` only, in the words that are allowed."""
    if len(text) > LONGEST:
        raise Broken(f"A text has at most {LONGEST:,} characters.", code="long")
    try:
        tree = _SANDBOX.parse(text)
    except TemplateSyntaxError as problem:
        raise Broken(problem.message or "it cannot be read", problem.lineno) from None
    except RecursionError:
        raise Broken("it is nested too deeply") from None
    _walk(tree, frozenset(names), language, in_loop=False)


def _walk(node: nodes.Node, names: frozenset[str], language: str, *, in_loop: bool) -> None:
    match node:
        case nodes.Name() if node.name not in names:
            raise Broken(
                f"{node.name!r} is not known in this mail.", node.lineno, code="name", what=node.name
            )
        case nodes.For():
            _check_loop(node, in_loop=in_loop)
            _walk(node.iter, names, language, in_loop=True)
            inner = names | {node.target.name} if isinstance(node.target, nodes.Name) else names
            for child in (*node.body, *node.else_):
                _walk(child, inner, language, in_loop=True)
            return
        case nodes.Include():
            pieces = [f"{language}/{name}.txt" for name in PARTIALS]
            if not isinstance(node.template, nodes.Const) or node.template.value not in pieces:
                raise Broken(f"Only {' and '.join(pieces)} can be included.", node.lineno, code="include")
            return
        case nodes.Call() | nodes.Filter() | nodes.Getattr():
            _check_use(node)
        case _ if not isinstance(node, _PLAIN):
            raise Broken(f"'{type(node).__name__.lower()}' is not allowed here.", node.lineno, code="use")
    for child in node.iter_child_nodes():
        _walk(child, names, language, in_loop=in_loop)


def _check_use(node: nodes.Call | nodes.Filter | nodes.Getattr) -> None:
    """Functions, filters and attributes: a few, and those only in their plainest form."""
    if isinstance(node, nodes.Getattr):
        if not isinstance(node.node, nodes.Name) or node.attr != "cents":
            raise Broken(f"'.{node.attr}' is not allowed.", node.lineno, code="use")
        return
    plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
    if isinstance(node, nodes.Filter):
        if node.name not in _FILTERS or node.args or not plain:
            filters = ", ".join(sorted(_FILTERS))
            raise Broken(f"Only these filters are known: {filters}.", node.lineno, code="use")
        return
    known = isinstance(node.node, nodes.Name) and node.node.name in _FUNCTIONS
    if not known or not plain or len(node.args) != 1:
        functions = ", ".join(sorted(_FUNCTIONS))
        raise Broken(f"Only {functions} of one thing are known.", node.lineno, code="use")


def _check_loop(node: nodes.For, *, in_loop: bool) -> None:
    over_a_name = isinstance(node.iter, nodes.Name) and isinstance(node.target, nodes.Name)
    if in_loop or not over_a_name or node.recursive or node.test is not None:
        raise Broken(
            "A loop goes over one of the lists of this mail, and not within another.",
            node.lineno,
            code="loop",
        )


def fill_in(text: str, known: Mapping[str, Any]) -> str:
    """An owner's words with what is known, fit to be sent. Raises Broken."""
    filled = _render(text, known)
    subject, _, body = filled.strip().partition("\n")
    if not subject.strip() or not body.strip():
        raise Broken("The first line is the subject, and words must follow it.", code="subject")
    for button in buttons(filled):
        if not button.url.startswith(_ADDRESSES):
            raise Broken(
                f"The button {button.label!r} leads nowhere: write '> Label: https://...'.", code="button",
                what=button.label,
            )  # fmt: skip
    return filled


def _render(text: str, names: Mapping[str, Any]) -> str:
    known = dict(names) | {name: _of_known(names[name]) for name in _FUNCTIONS}
    try:
        return _SANDBOX.from_string(text).render(known)
    except TemplateSyntaxError as problem:
        raise Broken(problem.message or "it cannot be read", problem.lineno) from None
    except (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
            ValueError) as problem:  # fmt: skip
        code = "unknown" if isinstance(problem, _Unknown) else "odd"
        raise Broken(_said(problem), _line_of(problem), code=code) from None


def _said(problem: Exception) -> str:
    return str(problem) if isinstance(problem, TemplateError | _Unknown) else "it cannot be filled in."


def _line_of(problem: Exception) -> int | None:
    """The line of the text in which it went wrong: Jinja puts it into the traceback."""
    frames = traceback.extract_tb(problem.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == "<template>"), None)
