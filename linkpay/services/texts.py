"""Turns facts into the words of a mail: one template per kind and language, one layout for all.

A template is plain text: the subject on its first line, then paragraphs with empty lines between.
A paragraph ``> Label: address`` is a button, and lines ``- label: value`` are a small table. The
text goes out as it is; the layout shows the same paragraphs as HTML and escapes every one of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from linkpay.services.formats import LOCALES, day_text, instant_text, moment_text, money_text, rhythm_text

_SUBJECT_LENGTH = 200
#: Parts of mails that are no mails.
_PIECES = frozenset({"closing", "debit_lines", "hello", "reason"})
#: Fills in words, given everything that they may speak of.
Render = Callable[[dict[str, Any]], str]


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


def one_line(value: Any) -> Any:
    """A fact never brings lines of its own: they would be read as paragraphs, or as a button."""
    return " ".join(value.split()) if isinstance(value, str) else value


#: Our own words, and the layout.
MAILS = FileSystemLoader(Path(__file__).parent / "mails")
_TEMPLATES = Environment(
    loader=MAILS,
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    finalize=one_line,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_texts(
    kind: str, locale: str, facts: Any, data: dict[str, Any], *, render: Render | None = None
) -> Written:
    """The mail of this kind in this language (Dutch where we do not speak it).

    `facts` is a dataclass whose fields the templates may speak of (see `mail_facts.Facts`), `data` what
    the step itself kept: ``debit_runs``, and ``next_debit_on`` (ISO date, None when no further debit is
    planned) where it is known. `render` fills in other words than ours for everything but the closing.
    """
    language = spoken(locale)
    context = names(language, facts, data)
    template = _TEMPLATES.get_template(f"{language}/{kind}.txt")
    rendered = render(context) if render is not None else template.render(context)
    subject, _, body = rendered.strip().partition("\n")
    closing = _TEMPLATES.get_template(f"{language}/closing.txt").render(context)
    blocks = [*_blocks(body), *_blocks(closing)]
    html = _TEMPLATES.get_template("layout.html").render(
        context, subject=subject, blocks=blocks, language=language
    )
    return Written(_in_one_line(subject), "\n\n".join(_plain(block) for block in blocks) + "\n", html)


def lay_out(subject: str, body: str, language: str, site_name: str) -> Written:
    """Finished words in both forms, for a mail that no template is kept for."""
    blocks = list(_blocks(body))
    html = _TEMPLATES.get_template("layout.html").render(
        subject=subject, blocks=blocks, language=language, site_name=site_name
    )
    return Written(_in_one_line(subject), "\n\n".join(_plain(block) for block in blocks) + "\n", html)


def spoken(locale: str) -> str:
    """The language in which a mail for this locale is written."""
    return locale if locale in LOCALES else "nl"


def names(language: str, facts: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Everything that the words of a mail may speak of, by name."""
    context = {field.name: getattr(facts, field.name) for field in fields(facts)}
    return context | _words(language, context, data)


def kinds() -> list[str]:
    """Every kind of mail."""
    found = {Path(name).stem for name in MAILS.list_templates() if name.startswith("nl/")}
    return sorted(found - _PIECES)


def our_words(kind: str, language: str) -> str:
    """The template that we bring for a kind of mail."""
    source, _, _ = MAILS.get_source(_TEMPLATES, f"{language}/{kind}.txt")
    return source


def buttons(text: str) -> Iterator[Block]:
    """The buttons of a filled-in text."""
    return (block for block in _blocks(text.strip().partition("\n")[2]) if block.label)


def _words(language: str, context: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    next_debit_on = data.get("next_debit_on")
    debit = context.get("debit")
    return {
        **{f"debit_{name}": getattr(debit, name, None) for name in _OF_A_DEBIT},
        "money": lambda amount: money_text(amount, language),
        "day": lambda day: day_text(day, language),
        "moment": lambda instant: moment_text(instant, context["zone"], language),
        "instant": lambda instant: instant_text(instant, context["zone"], language),
        "rhythm": lambda interval: rhythm_text(interval, language),
        "first_name": _first_name(context["customer_name"]),
        "debit_runs": bool(data.get("debit_runs")),
        "next_debit_on": date.fromisoformat(next_debit_on) if next_debit_on else None,
        "later_debits_on": [date.fromisoformat(day) for day in data.get("debits_on", ())[1:]],
        "no_more_debits": "next_debit_on" in data and next_debit_on is None,
        "let_go": [_days(one, language) for one in data.get("let_go", ())],
        "collected": [_days(one, language) for one in data.get("collected", ())],
    }


_OF_A_DEBIT = ("amount", "on", "every", "account_hint", "mandate_reference", "creditor_id")


def _days(period: dict[str, str], language: str) -> str:
    """A period, and the day on which it is collected at the earliest, as a row of a table."""
    first, last = date.fromisoformat(period["starts_on"]), date.fromisoformat(period["ends_on"])
    told = f"{day_text(first, language)} – {day_text(last - timedelta(days=1), language)}"
    on = period.get("on")
    return f"{told}: {day_text(date.fromisoformat(on), language)}" if on else told


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


def _in_one_line(subject: str) -> str:
    """Whatever an editor put between its words, and no longer than mail programs show."""
    subject = " ".join(subject.replace("\0", " ").split())
    return subject if len(subject) <= _SUBJECT_LENGTH else subject[: _SUBJECT_LENGTH - 1].rstrip() + "…"
