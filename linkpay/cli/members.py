"""``members``: who has what, since when, and who pays for it."""

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.domain.email import email_to_find
from linkpay.services import overview, timeline_words
from linkpay.services.overview import AccessLine, MandateLine, MemberLine, PaymentLine

_STATE_STYLES = {
    "active": "green", "trialing": "green", "completed": "green", "canceling": "yellow", "past_due": "yellow",
    "paused": "yellow", "suspended": "red", "ended": "dim", "pending": "cyan",
}  # fmt: skip
_CHARGED = ("active", "trialing", "canceling")
_WAITS = ("past_due", "suspended", "paused", "pending")  # more may be collected, on a day not known yet
_WIDE = 104  # columns
_PAYMENT_STYLES = {"paid": "green", "failed": "red", "expired": "red", "canceled": "yellow"}


@click.command()
@click.option("--email", help="Only this person, as payer or as member.")
@click.option("--site", help="Only this site, by the name in its addresses.")
@speaking
def members(output: Output, email: str | None, site: str | None) -> None:
    """Show who has what, why, until when, and who pays."""
    wanted = email_to_find(email) if email else None
    with opened() as (_, parts):
        named = chosen_site(parts, site).slug if site else None
        with parts.database.read() as tx:
            lines = overview.members(tx, email=wanted, site=named)
    output.document(lines)
    if not lines:
        output.people.print(
            f"Nobody with the e-mail address {email}." if email else "There are no members yet."
        )
        return
    output.people.print(_table(lines, output.people.width))
    output.people.print(_summary(lines), style="dim")


def _table(lines: list[MemberLine], width: int) -> Table:
    """Five columns where they fit, else the same in three."""
    wide = width >= _WIDE
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    headings = (
        ("Member", "Plan", "State and access", "Paid until", "Mandate, last payment")
        if wide
        else ("Member and plan", "State and access", "Money")
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for number, line in enumerate(lines):
        if number:
            table.add_row()
        if wide:
            table.add_row(_member(line), _plan(line), _standing(line), _days(line), _paying(line))
        else:
            table.add_row(
                _lines(_member(line), _plan(line)),
                _standing(line),
                _lines(_paying(line), _days(line, "paid until ")),
            )
    return table


def _lines(*lines: Text | str) -> Text:
    """A cell of several lines; plain ones are quieter than the first."""
    cell = Text()
    for line in lines:
        if cell and line:
            cell.append("\n")
        cell.append(line if isinstance(line, Text) else Text(line, style="dim" if cell else ""))
    return cell


def _member(line: MemberLine) -> Text:
    payer = f"paid by {words.shown(line.payer_email)}" if line.payer_email != line.email else ""
    return _lines(words.shown(line.email), words.shown(line.name), payer)


def _plan(line: MemberLine) -> Text:
    price = words.money(line.amount_cents, line.currency)
    return _lines(f"{words.shown(line.plan)} {price}", words.shown(line.offer))


def _standing(line: MemberLine) -> Text:
    state = Text(words.spaced(line.state), style=_STATE_STYLES.get(line.state, ""))
    if line.cancel_on is not None and line.state == "canceling":
        state.append(f", ends {words.day(line.cancel_on)}")
    if line.owed_cents:
        state.append(f", owes {words.money(line.owed_cents, line.currency)}", style="red")
    return _lines(state, *_access(line.access, line.zone))


def _access(access: AccessLine | None, zone: str) -> list[Text | str]:
    if access is None:
        return ["no access yet"]
    granted = access.wanted == "granted"
    said = Text("access" if granted else "no access", style="green" if granted else "red")
    said.append(f": {timeline_words.reason(access.reason, 'en')}", style="dim")
    found: list[Text | str] = [said]
    if granted:
        found.append(words.until(access.until, zone))
    if not access.is_applied:
        found.append(Text("Kajabi not told yet", style="yellow"))
    return found


def _days(line: MemberLine, before: str = "") -> Text:
    """How far the money reaches and when more is collected; nothing for who never began."""
    if line.started_at is None:
        return Text("")
    paid = f"{before}{words.day(line.paid_until)}" if line.paid_until else ""
    if line.state in _CHARGED and line.next_charge_on and line.next_charge_on != line.cancel_on:
        return _lines(paid, f"next {words.day(line.next_charge_on)}")
    return _lines(paid, "" if line.state in _WAITS else "nothing more due")


def _paying(line: MemberLine) -> Text:
    return _lines(_mandate(line.mandate), _payment(line.last_payment, line.zone))


def _mandate(mandate: MandateLine | None) -> Text:
    if mandate is None:
        return Text("no mandate", style="dim")
    hint = f" ··{mandate.account_hint}" if mandate.account_hint else ""
    said = Text(f"{words.METHODS.get(mandate.method, mandate.method)}{hint} ")
    return said.append(mandate.status, style="green" if mandate.status == "valid" else "red")


def _payment(payment: PaymentLine | None, zone: str) -> Text:
    if payment is None:
        return Text("")
    status = payment.status or "not sent yet"
    said = Text(f"{words.money(payment.amount_cents, payment.currency)} ")
    said.append(status, style=_PAYMENT_STYLES.get(status, "cyan"))
    if payment.failure_code:
        said.append(f" {payment.failure_code}", style="red")
    return said.append(f", {words.day_of(payment.paid_at or payment.created_at, zone)}", style="dim")


def _summary(lines: list[MemberLine]) -> str:
    states: dict[str, int] = {}
    for line in lines:
        states[line.state] = states.get(line.state, 0) + 1
    counted = ", ".join(f"{number} {words.spaced(state)}" for state, number in sorted(states.items()))
    return f"{words.count(len(lines), 'subscription')}: {counted}"
