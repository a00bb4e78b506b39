"""``timeline``: everything that happened to a person or a payment."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import opened
from linkpay.cli.output import Output, speaking
from linkpay.services import timeline as service
from linkpay.services import timeline_words
from linkpay.services.timeline import Moment, Timeline

_STYLES = {
    "payment": "green", "access_granted": "green", "started": "green", "chargeback_undone": "green",
    "payment_failed": "red", "payment_undone": "red", "chargeback": "red", "access_revoked": "red",
    "suspended": "red", "ended": "red", "refund": "yellow", "webhook_parked": "red",
}  # fmt: skip


@click.command()
@click.argument("subject", metavar="EMAIL|tr_...")
@click.option("--locale", type=click.Choice(["nl", "en"]), default="en", show_default=True, help="Language.")
@speaking
def timeline(output: Output, subject: str, locale: str) -> None:
    """Show what happened to a person or a payment."""
    with opened() as (_, parts), parts.database.read() as tx:
        found = service.of(tx, subject)
    output.document(found)
    show(output.people, found, locale)


def show(console: Console, found: Timeline, locale: str = "en") -> None:
    """Print a timeline: a table for each day, and what the money came to."""
    console.print(Text.assemble(("Timeline of ", "bold"), (words.shown(found.subject), "bold cyan")))
    console.print(table(found.moments, found.zone, locale))
    for sums in found.money:
        parts = [f"in {words.money(sums.paid_cents, sums.currency)}"]
        if sums.outside_cents:
            parts.append(f"outside of Mollie {words.money(sums.outside_cents, sums.currency)}")
        if sums.refunded_cents:
            parts.append(f"refunded {words.money(sums.refunded_cents, sums.currency)}")
        if sums.charged_back_cents:
            parts.append(f"charged back {words.money(sums.charged_back_cents, sums.currency)}")
        parts.append(f"kept {words.money(sums.kept_cents, sums.currency)}")
        console.print("Money: " + ", ".join(parts))
    if not found.money:
        console.print("Money: nothing came in yet", style="dim")


def table(moments: list[Moment], zone: str, locale: str = "en") -> Table:
    """A row per moment with the time since the row before it; a heading per day."""
    rows = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold")
    rows.add_column("Time", no_wrap=True)
    rows.add_column("After", justify="right", no_wrap=True, style="dim")
    rows.add_column("What happened", overflow="fold")
    rows.add_column("Who", no_wrap=True, style="dim")
    rows.add_column("Money", justify="right", no_wrap=True)
    before: datetime | None = None
    for moment in moments:
        local = moment.at.astimezone(ZoneInfo(zone))
        if before is None or before.astimezone(ZoneInfo(zone)).date() != local.date():
            rows.add_row(Text(f"{local:%a} {words.day(local.date())}", style="bold"))
        after = _after(moment.at - before) if before is not None else ""
        rows.add_row(
            words.moment(moment.at, zone),
            after,
            _what(moment, locale),
            timeline_words.actor(moment.who, locale),
            _money(moment),
        )
        before = moment.at
    return rows


def _after(passed: timedelta) -> str:
    return f"+{words.span(passed)}"


def _what(moment: Moment, locale: str) -> Text:
    said = Text(timeline_words.event(moment.what, locale), style=_STYLES.get(moment.what, ""))
    details = ", ".join(timeline_words.details(moment, locale))
    return said.append(f"  {details}", style="dim") if details else said


def _money(moment: Moment) -> Text:
    if moment.amount_cents is None:
        return Text("")
    sign = "+" if moment.amount_cents > 0 else ""
    style = "green" if moment.amount_cents > 0 else "red"
    return Text(f"{sign}{words.money(moment.amount_cents, moment.currency or 'EUR')}", style=style)
