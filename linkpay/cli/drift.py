"""``drift``: who should have access at Kajabi, and who has."""

import click
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.services import connection
from linkpay.services import drift as service
from linkpay.services.drift import Report
from linkpay.store import sites

_WORDS = {"missing": "should have it and has not", "extra": "has it and should not"}


@click.command()
@click.option("--site", help="The site, by the name in its addresses.")
@click.option("--runs", default=1, type=click.IntRange(1, 100), show_default=True, help="How many nights.")
@click.option("--now", "at_once", is_flag=True, help="Begin a new comparison at once.")
@speaking
def drift(output: Output, site: str | None, runs: int, at_once: bool) -> None:
    """Show what the nightly comparison with Kajabi found."""
    with opened() as (_, parts):
        found = chosen_site(parts, site)
        if not sites.is_connected(found):
            raise CommandFailed(
                "not_connected",
                f"{found.slug} has no key for Kajabi's API; see config/site.example.toml.",
            )
        if at_once:
            with parts.database.write() as tx:
                connection.owe_watch(tx, found.id, parts.clock.now())
        with parts.database.read() as tx:
            reports = service.reports(tx, found.id, runs=runs)
    output.document(reports)
    if at_once:
        output.people.print("A comparison begins now; look again in a minute.", style="dim")
    for report in reports:
        output.people.print(_shown(report, found.zone))
    if not reports:
        output.people.print("Nothing was compared yet.", style="dim")


def _shown(report: Report, zone: str) -> Text:
    said = Text(f"{report.offer}", style="bold")
    began = f"{words.day_of(report.began_at, zone)} {words.moment(report.began_at, zone)[:5]}"
    said.append(f"  {began}", style="dim")
    counted = words.count(report.holders, "member has it", "members have it")
    said.append(f"\n  {counted}, {report.strangers} of them never through LinkPay")
    if report.finished_at is None:
        said.append(", under way", style="yellow")
    for one in report.found:
        said.append(f"\n  {words.shown(one.email)} {_WORDS[one.kind]}", style="red")
        said.append(", put right" if one.repaired else "", style="green")
    if report.finished_at is not None and not report.found:
        said.append("\n  all is as it should be", style="green")
    return said
