"""``members``: who has what, since when, and who pays for it."""

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import opened
from linkpay.cli.output import Output, speaking
from linkpay.domain.email import normalise_email
from linkpay.services import overview
from linkpay.services.overview import AccessLine, MandateLine, MemberLine, PaymentLine

_STATE_STYLES = {
    "active": "green", "trialing": "green", "completed": "green", "canceling": "yellow", "past_due": "yellow",
    "paused": "yellow", "suspended": "red", "ended": "dim", "pending": "cyan",
}  # fmt: skip
_PAYMENT_STYLES = {"paid": "green", "failed": "red", "expired": "red", "canceled": "yellow"}


@click.command()
@click.option("--email", help="Only this person, as payer or as member.")
@click.option("--site", help="Only this site, by the name in its addresses.")
@speaking
def members(output: Output, email: str | None, site: str | None) -> None:
    """Show who has what, why, until when, and who pays."""
    wanted = normalise_email(email) if email else None
    with opened() as (_, parts), parts.database.read() as tx:
        lines = overview.members(tx, email=wanted, site=site)
    output.document(lines)
    if not lines:
        output.people.print(
            f"Nobody with the e-mail address {email}." if email else "There are no members yet."
        )
        return
    output.people.print(_table(lines))
    output.people.print(_summary(lines), style="dim")


def _table(lines: list[MemberLine]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold")
    for heading in ("Member", "Offer and plan", "State", "Access", "Paid until", "Mandate", "Last payment"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(
            _two(words.shown(line.email), _payer(line)),
            _two(words.shown(line.offer), _plan(line)),
            _state(line),
            _access(line.access, line.zone),
            _days(line),
            _mandate(line.mandate),
            _payment(line.last_payment),
        )  # fmt: skip
    return table


def _two(first: str | Text, second: str | Text = "") -> Text:
    """A cell of two lines, the second one quieter."""
    cell = Text().append(first)
    if second:
        cell.append("\n").append(Text(second, style="dim") if isinstance(second, str) else second)
    return cell


def _plan(line: MemberLine) -> str:
    return f"{words.shown(line.plan)} {words.money(line.amount_cents, line.currency)}"


def _payer(line: MemberLine) -> str:
    return (
        f"paid by {words.shown(line.payer_email)}"
        if line.payer_email != line.email
        else words.shown(line.name)
    )


def _state(line: MemberLine) -> Text:
    state = Text(words.spaced(line.state), style=_STATE_STYLES.get(line.state, ""))
    if line.owed_cents:
        return _two(state, Text(f"owes {words.money(line.owed_cents, line.currency)}", style="red"))
    return _two(state, f"ends {words.day(line.cancel_on)}" if line.cancel_on else "")


def _access(access: AccessLine | None, zone: str) -> Text:
    if access is None:
        return Text("none", style="dim")
    granted = access.wanted == "granted"
    said = Text(access.wanted, style="green" if granted else "red")
    if not access.is_applied:
        said.append(" (not yet at Kajabi)", style="yellow")
    why = words.ACCESS_REASONS.get(access.reason, words.spaced(access.reason))
    return _two(said, f"{why}\n{words.until(access.until, zone)}" if granted else why)


def _days(line: MemberLine) -> Text:
    charge = f"next {words.day(line.next_charge_on)}" if line.next_charge_on else "nothing more due"
    return _two(words.day(line.paid_until), charge if line.started_at else "")


def _mandate(mandate: MandateLine | None) -> Text:
    if mandate is None:
        return Text("–", style="dim")
    hint = f" ··{mandate.account_hint}" if mandate.account_hint else ""
    status = Text(mandate.status, style="green" if mandate.status == "valid" else "red")
    return _two(f"{mandate.method}{hint}", status)


def _payment(payment: PaymentLine | None) -> Text:
    if payment is None:
        return Text("–", style="dim")
    status = payment.status or "not sent yet"
    said = Text(status, style=_PAYMENT_STYLES.get(status, "cyan"))
    if payment.failure_code:
        said.append(f" {payment.failure_code}", style="red")
    return _two(said, words.money(payment.amount_cents, payment.currency))


def _summary(lines: list[MemberLine]) -> str:
    states: dict[str, int] = {}
    for line in lines:
        states[line.state] = states.get(line.state, 0) + 1
    counted = ", ".join(f"{number} {words.spaced(state)}" for state, number in sorted(states.items()))
    return f"{words.count(len(lines), 'subscription')}: {counted}"
