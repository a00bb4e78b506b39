"""Turns facts into the words of a mail: one template per kind and language, one layout for all.

A template is plain text: the subject on its first line, then paragraphs with empty lines between.
A paragraph ``> Label: address`` is a button, and lines ``- label: value`` are a small table. The
text goes out as it is; the layout shows the same paragraphs as HTML and escapes every one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from linkpay.domain.money import Money
from linkpay.services.formats import LOCALES, day_text, moment_text, money_text

_SUBJECT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Written:
    """A finished text in both forms."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph: words, a button (`label` and `url`), or `rows` of a table."""

    words: str = ""
    label: str = ""
    url: str = ""
    rows: tuple[tuple[str, str], ...] = ()


def _one_line(value: Any) -> Any:
    """A fact never brings lines of its own: they would be read as paragraphs, or as a button."""
    return " ".join(value.split()) if isinstance(value, str) else value


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "mails"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    finalize=_one_line,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_texts(kind: str, locale: str, facts: Any, data: dict[str, Any]) -> Written:
    """The mail of this kind in this language (Dutch where we do not speak it).

    `facts` is a dataclass whose fields the templates may speak of (see `letters.Facts`), `data` what
    the step itself kept: ``debit_runs``, and ``next_debit_on`` (ISO date, None when no further debit is
    planned) where it is known.
    """
    language = locale if locale in LOCALES else "nl"
    context = {field.name: getattr(facts, field.name) for field in fields(facts)}
    context |= _words(language, context, data)
    rendered = _TEMPLATES.get_template(f"{language}/{kind}.txt").render(context)
    subject, _, body = rendered.strip().partition("\n")
    closing = _TEMPLATES.get_template(f"{language}/closing.txt").render(context)
    blocks = [*_blocks(body), *_blocks(closing)]
    html = _TEMPLATES.get_template("layout.html").render(
        context, subject=subject, blocks=blocks, language=language
    )
    return Written(_shorten(subject), "\n\n".join(_plain(block) for block in blocks) + "\n", html)


def _words(language: str, context: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    next_debit_on = data.get("next_debit_on")
    return {
        "money": lambda amount: money_text(amount, language),
        "day": lambda day: day_text(day, language),
        "moment": lambda instant: moment_text(instant, context["zone"], language),
        "first_name": _first_name(context["customer_name"]),
        "debit_runs": bool(data.get("debit_runs")),
        "next_debit_on": date.fromisoformat(next_debit_on) if next_debit_on else None,
        "later_debits_on": [date.fromisoformat(day) for day in data.get("debits_on", ())[1:]],
        "no_more_debits": "next_debit_on" in data and next_debit_on is None,
        "refund": Money(data["refund_cents"], context["amount"].currency) if "refund_cents" in data else None,
    }


def _first_name(name: str) -> str:
    """How to greet: "Anna" for Anna de Vries, all of "A. de Vries", nothing for an address."""
    if "@" in name:
        return ""
    first = name.split(" ", 1)[0]
    return first if len(first) > 1 and "." not in first else name


def _blocks(body: str) -> Iterator[Block]:
    for paragraph in body.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        if not lines:
            continue
        if lines[0].startswith("> "):
            label, _, url = lines[0].removeprefix("> ").partition(": ")
            yield Block(label=label, url=url)
        elif all(line.startswith("- ") for line in lines):
            rows = [line.removeprefix("- ").partition(": ") for line in lines]
            yield Block(rows=tuple((label, value) for label, _, value in rows))
        else:
            yield Block(words=" ".join(lines))


def _plain(block: Block) -> str:
    if block.url:
        return f"{block.label}:\n{block.url}"
    if block.rows:
        return "\n".join(f"- {label}: {value}" for label, value in block.rows)
    return block.words


def _shorten(subject: str) -> str:
    return subject if len(subject) <= _SUBJECT_LENGTH else subject[: _SUBJECT_LENGTH - 1].rstrip() + "…"
