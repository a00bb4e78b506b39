"""``mail``: the words of mails, ours or the owner's own."""

from typing import TextIO

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.services import mail_texts
from linkpay.services.formats import LOCALES

_kind = click.argument("kind")
_locale = click.option(
    "--locale", type=click.Choice(list(LOCALES)), default="nl", show_default=True, help="The language."
)
_site = click.option("--site", help="The site, by the name in its addresses.")
_file = click.argument("file", type=click.File(encoding="utf-8"), metavar="FILE|-")


@click.group()
def mail() -> None:
    """Read and change the words of mails."""


@mail.command("list")
@_site
@speaking
def show_all(output: Output, site: str | None) -> None:
    """List every mail, and whose words it is written in."""
    with opened() as (_, parts), parts.database.read() as tx:
        found = mail_texts.overview(tx, chosen_site(parts, site))
    output.document(
        [
            {"kind": t.kind, "locale": t.locale, "own": t.changed_by is not None, "changed_by": t.changed_by,
             "changed_at": t.changed_at}
            for t in found
        ]
    )  # fmt: skip
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("Mail", "Language", "Words"):
        table.add_column(heading)
    for text in found:
        by = (
            f"your own, {text.changed_at:%Y-%m-%d} by {words.shown(text.changed_by)}"
            if text.changed_at
            else ""
        )
        table.add_row(text.kind, text.locale, by or "ours")
    output.people.print(table)


@mail.command()
@_kind
@_locale
@_site
@speaking
def show(output: Output, kind: str, locale: str, site: str | None) -> None:
    """Show the words that a mail is written in, as `set` takes them, and what they may speak of."""
    with opened() as (_, parts), parts.database.read() as tx:
        text = mail_texts.get(tx, chosen_site(parts, site), kind, locale)
    known = mail_texts.known_names(kind, locale)
    output.document({"text": text, "names": known})
    output.people.print(text.text, markup=False, emoji=False, end="", soft_wrap=True)
    output.notes.print(f"\nMay speak of: {', '.join(known)}", style="dim", markup=False)


@mail.command()
@_kind
@_file
@_locale
@_site
@speaking
def preview(output: Output, kind: str, file: TextIO, locale: str, site: str | None) -> None:
    """Show a mail as it would look in these words, changing nothing."""
    with opened() as (_, parts):
        written = mail_texts.preview(chosen_site(parts, site), kind, locale, _read(file))
    output.document(written)
    output.people.print(f"{written.subject}\n", style="bold", markup=False, soft_wrap=True)
    output.people.print(written.text, markup=False, emoji=False, end="", soft_wrap=True)


@mail.command("set")
@_kind
@_file
@_locale
@_site
@speaking
def keep(output: Output, kind: str, file: TextIO, locale: str, site: str | None) -> None:
    """Write a mail in these words from now on; they are tried first."""
    with opened() as (_, parts):
        chosen, text = chosen_site(parts, site), _read(file)
        with parts.database.write() as tx:
            written = mail_texts.save(tx, chosen, kind, locale, text, "owner", parts.clock.now())
    output.document({"kind": kind, "locale": locale, "subject": written.subject})
    output.people.print(f"Kept. Its subject reads: {written.subject}", markup=False)


def _read(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError:
        raise CommandFailed("unreadable", f"{file.name} is not written in UTF-8; save it so.") from None


@mail.command()
@_kind
@_locale
@_site
@speaking
def reset(output: Output, kind: str, locale: str, site: str | None) -> None:
    """Write a mail in LinkPay's words again."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.write() as tx:
            mail_texts.reset(tx, chosen, kind, locale, parts.clock.now())
    output.document({"kind": kind, "locale": locale, "own": False})
    output.people.print("It is written in LinkPay's words again.")
