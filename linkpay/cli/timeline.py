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
from linkpay.services.timeline import Moment, Timeline

_WORDS = {
    "signed_up": "signed up",
    "payment_made": "payment prepared",
    "payment_asked": "Mollie asked for the money",
    "webhook_arrived": "webhook arrived",
    "webhook_handled": "webhook handled",
    "webhook_parked": "webhook set aside",
    "look_noted": "a look was owed",
    "payment": "paid",
    "payment_undone": "debit failed after it was paid",
    "payment_failed": "payment failed",
    "payment_canceled": "payment canceled",
    "payment_expired": "payment expired",
    "refund": "refunded",
    "refund_undone": "refund came to nothing",
    "chargeback": "charged back",
    "chargeback_undone": "chargeback reversed",
    "started": "subscription started",
    "charge_raised": "charge raised",
    "access_granted": "Kajabi granted access",
    "access_revoked": "Kajabi revoked access",
    "mail_sent": "mail sent",
    "refund_owed": "refund owed",
    "suspended": "suspended, grace is over",
    "ended": "ended",
    "period_written_off": "period written off",
    "cancel_asked": "cancelled",
    "cancel_undone": "cancellation taken back",
}
_NAMES_ITS_PAYMENT = frozenset({"payment_made", "payment"})
# Values that need no name before them.
_SPEAK_ALONE = frozenset({"plan", "mail", "reason", "outcome", "why", "sequence", "ref"})
_REASONS: dict[object, str] = {str(reason): said for reason, said in words.ACCESS_REASONS.items()}
_STYLES = {
    "payment": "green", "access_granted": "green", "started": "green", "chargeback_undone": "green",
    "payment_failed": "red", "payment_undone": "red", "chargeback": "red", "access_revoked": "red",
    "suspended": "red", "ended": "red", "refund": "yellow", "webhook_parked": "red",
}  # fmt: skip


@click.command()
@click.argument("subject", metavar="EMAIL|tr_...")
@speaking
def timeline(output: Output, subject: str) -> None:
    """Show what happened to a person or a payment."""
    with opened() as (_, parts), parts.database.read() as tx:
        found = service.of(tx, subject)
    output.document(found)
    show(output.people, found)


def show(console: Console, found: Timeline) -> None:
    """Print a timeline: a table for each day, and what the money came to."""
    console.print(Text.assemble(("Timeline of ", "bold"), (words.shown(found.subject), "bold cyan")))
    console.print(table(found.moments, found.zone))
    for sums in found.money:
        parts = [f"in {words.money(sums.paid_cents, sums.currency)}"]
        if sums.refunded_cents:
            parts.append(f"refunded {words.money(sums.refunded_cents, sums.currency)}")
        if sums.charged_back_cents:
            parts.append(f"charged back {words.money(sums.charged_back_cents, sums.currency)}")
        parts.append(f"kept {words.money(sums.kept_cents, sums.currency)}")
        console.print("Money: " + ", ".join(parts))
    if not found.money:
        console.print("Money: nothing came in yet", style="dim")


def table(moments: list[Moment], zone: str) -> Table:
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
            words.moment(moment.at, zone), after, _what(moment), words.shown(moment.who), _money(moment)
        )
        before = moment.at
    return rows


def _after(passed: timedelta) -> str:
    return f"+{words.span(passed)}"


def _what(moment: Moment) -> Text:
    said = Text(_WORDS.get(moment.what, words.spaced(moment.what)), style=_STYLES.get(moment.what, ""))
    details = _details(moment)
    return said.append(f"  {details}", style="dim") if details else said


def _details(moment: Moment) -> str:
    """What else is known, in the order in which it helps."""
    data = dict(moment.data)
    shown = []
    if (amount := data.pop("amount_cents", None)) is not None:
        shown.append(words.money(amount, moment.currency or "EUR"))
    if moment.what in _NAMES_ITS_PAYMENT:
        data.pop("ref", None)
        shown.append(moment.payment or "")
    if (inbox := data.pop("inbox", None)) is not None:
        shown.append(f"inbox:{inbox}")
    if (status := data.pop("status", None)) is not None:
        shown.append(f"answer {status}")
    if data.pop("was_so_already", False):
        shown.append("it was so already")
    took = data.pop("milliseconds", None)
    for name, value in data.items():
        shown.append(
            words.shown(str(_REASONS.get(value, value)) if name in _SPEAK_ALONE else f"{name} {value}")
        )
    if took is not None:
        shown.append(f"{took} ms after it was wanted")
    return ", ".join(words.spaced(one) if not one.startswith("tr_") else one for one in shown if one)


def _money(moment: Moment) -> Text:
    if moment.amount_cents is None:
        return Text("")
    sign = "+" if moment.amount_cents > 0 else ""
    style = "green" if moment.amount_cents > 0 else "red"
    return Text(f"{sign}{words.money(moment.amount_cents, moment.currency or 'EUR')}", style=style)
