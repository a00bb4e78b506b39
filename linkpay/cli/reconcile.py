"""``reconcile``: the ledger beside Mollie's list, to the cent."""

from datetime import timedelta

import click
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.domain.books import Difference, Kept, Why
from linkpay.domain.money import Money
from linkpay.services import reconciling
from linkpay.services.formats import money_text
from linkpay.services.reconciling import Report

_WHY = {
    Why.AMOUNT: "the amounts differ",
    Why.STATUS: "the status differs",
    Why.UNKNOWN: "made by LinkPay and in no book; see `attention`",
}


@click.command()
@click.option("--site", help="The site, by the name in its addresses.")
@click.option(
    "--days", default=31, type=click.IntRange(1, 800), show_default=True, help="How far back to compare."
)
@speaking
def reconcile(output: Output, site: str | None, days: int) -> None:
    """Compare the ledger with Mollie's payments, and book what was missed."""
    with opened() as (_, parts):
        found = chosen_site(parts, site)
        since = parts.clock.now() - timedelta(days=days)
        report = reconciling.run(parts, found.id, since, at_once=1000)
    output.document({"site": found.slug, "report": report, "left": report.left})
    output.people.print(_shown(report))
    if report.left:
        click.get_current_context().exit(1)


def _shown(report: Report) -> Text:
    compared = report.comparison
    said = Text(f"{words.count(compared.payments, 'payment')} since {report.since:%Y-%m-%d}\n", style="bold")
    for name, kept in (("LinkPay", compared.ours), ("Mollie", compared.theirs)):
        said.append(f"  {name:<8} {_sums(kept)}\n")
    if compared.foreign:
        others = words.count(compared.foreign, "payment was", "payments were")
        said.append(f"  {others} not made by LinkPay ({_euro(compared.foreign_cents)})\n", style="dim")
    if report.found:
        booked = report.found - report.waiting - len(report.left)
        said.append(f"  {words.count(max(booked, 0), 'difference')} looked at and booked\n", style="green")
    for difference in report.left:
        said.append(f"  {_line(difference)}\n", style="red")
    return said.append("  equal to the cent" if not report.left else "", style="green")


def _sums(kept: Kept) -> str:
    return f"{_euro(kept.paid)} in, {_euro(kept.refunded)} refunded, {_euro(kept.charged_back)} charged back"


def _line(one: Difference) -> str:
    return f"{one.mollie_id}: {_WHY[one.why]} (LinkPay {_sums(one.ours)}; Mollie {_sums(one.theirs)})"


def _euro(cents: int) -> str:
    return money_text(Money(cents, "EUR"), "en")
