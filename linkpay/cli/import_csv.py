"""``import-csv``: members and running subscriptions from what ``export`` wrote."""

from collections import Counter
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.domain.snapshots import MandateSnapshot
from linkpay.errors import Missing
from linkpay.services import checkout, import_sheets
from linkpay.services import import_csv as desk
from linkpay.services.import_csv import Fate, Finding
from linkpay.services.import_sheets import Folder
from linkpay.services.parts import Parts
from linkpay.store.tables import Site

_WORDS = {
    Fate.TAKE: "taken in",
    Fate.OVER: "over",
    Fate.OWES: "does not run, or owes something: settle it first",
    Fate.UNKNOWN_PLAN: "the site has no such plan",
    Fate.NO_EMAIL: "no e-mail address that works",
    Fate.NO_MANDATE: "no valid mandate at this Mollie account",
    Fate.OTHER_CUSTOMER: "her e-mail is another Mollie customer's here",
    Fate.ALREADY_HERE: "already here",
    Fate.CHARGED_ELSEWHERE: "another site here charges this mandate",
    Fate.TERMS: "terms that cannot be",
}
_FILES = ("members", "mandates", "coupons", "subscriptions", "prices", "consents")


@click.command("import-csv")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--site", help="The site, by the name in its addresses; needed when there are several.")
@click.option("--dry-run", is_flag=True, help="Show every decision and change nothing.")
@speaking
def import_csv(output: Output, folder: Path, site: str | None, dry_run: bool) -> None:
    """Take in members and running subscriptions from a folder that `export` wrote.

    The site needs the same plans and the same Mollie account. Stop the LinkPay that the files come from
    first: two that charge the same mandates charge twice.
    """
    read = import_sheets.read(_files(folder))
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        mandates = _mandates(parts, chosen, read, output)
        if not dry_run:
            _people(parts, chosen, read, output)
        found = _subscriptions(parts, chosen, read, mandates, output, dry_run=dry_run)
    output.document({"site": chosen.slug, "dry_run": dry_run, "subscriptions": found})
    _show(output, read, found, dry_run=dry_run)


def _files(folder: Path) -> dict[str, bytes]:
    found = {name: folder / f"{name}.csv" for name in _FILES}
    try:
        return {name: path.read_bytes() for name, path in found.items() if path.exists()}
    except OSError as wrong:
        raise CommandFailed("not_read", f"{wrong.filename}: {wrong.strerror}.") from None


def _mandates(parts: Parts, site: Site, read: Folder, output: Output) -> dict[str, MandateSnapshot]:
    """The mandates as Mollie shows them now: what a file says of them proves nothing."""
    key = checkout.site_key(parts, site.id)
    wanted = desk.wanted_mandates(read)
    found = {}
    for number, (customer_id, mandate_id) in enumerate(dict.fromkeys(wanted), start=1):
        if number % 50 == 0:
            output.notes.print(f"  {number} of {len(wanted)} mandates looked at", style="dim")
        try:
            found[mandate_id] = parts.payments.fetch_mandate(key, customer_id, mandate_id)
        except Missing:
            continue
    return found


def _people(parts: Parts, site: Site, read: Folder, output: Output) -> None:
    """Members and coupons; who is here already stays as she is."""
    new = 0
    for row in read.members:
        with parts.database.write() as tx:
            new += desk.put_member(tx, site, row, parts.clock.now())
    for row in read.coupons:
        with parts.database.write() as tx:
            desk.put_coupon(tx, site, row, parts.clock.now())
    output.notes.print(f"  {words.count(new, 'new member')}", style="dim")


def _subscriptions(
    parts: Parts, site: Site, read: Folder, mandates: dict[str, MandateSnapshot], output: Output, *,
    dry_run: bool,
) -> list[Finding]:  # fmt: skip
    """Decide and take each in a transaction of its own; run again, it goes on where it stopped."""
    found = []
    for number, row in enumerate(read.subscriptions, start=1):
        if number % 500 == 0:
            output.notes.print(f"  {number} of {len(read.subscriptions)} subscriptions", style="dim")
        if dry_run:
            with parts.database.read() as tx:
                found.append(desk.decide(tx, site, row, mandates))
            continue
        with parts.database.write() as tx:
            finding = desk.decide(tx, site, row, mandates)
            if finding.fate is Fate.TAKE:
                desk.take(tx, site, read, row, mandates.get(row["mandate"]), parts.clock.now())
        found.append(finding)
    return found


def _show(output: Output, read: Folder, found: list[Finding], *, dry_run: bool) -> None:
    out = [one for one in found if one.fate not in (Fate.TAKE, Fate.OVER)]
    if out:
        table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
        for heading in ("Who", "Plan", "Stays out because"):
            table.add_column(heading, overflow="fold")
        for one in out:
            why = Text(_WORDS[one.fate])
            why.append(f" ({words.shown(one.note)})" if one.note else "", style="dim")
            table.add_row(words.shown(one.payer_email), words.shown(one.plan), why)
        output.people.print(table)
    counted = Counter(one.fate for one in found)
    said = ", ".join(f"{number} {_WORDS[fate].split(':')[0]}" for fate, number in counted.items())
    people = words.count(len(read.members), "member")
    output.people.print(f"{people}, {words.count(len(found), 'subscription')}: {said or 'none'}")
    if dry_run:
        output.people.print("Nothing was changed. Run it without --dry-run to take them in.")
