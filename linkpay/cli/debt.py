"""``debt``: who owes what after a failed payment, and what the owner decides about it."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import ROW, chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.services import debts, ladders
from linkpay.services.ladders import Rung
from linkpay.store import charges
from linkpay.store.db import Tx

T = TypeVar("T")
OWNER = "owner"

_CLASSES = {
    "soft": "may succeed later",
    "broken": "needs a new mandate",
    "refused": "refused, never debited again",
}
_STEPS = {"mail": "a mail", "debit": "a new debit", "end_grace": "grace ends"}
_charge = click.argument("charge", type=ROW)
_site = click.option("--site", help="The site, by the name in its addresses.")


@click.group()
def debt() -> None:
    """Show who owes after a failed payment, and decide about it."""


@debt.command("list")
@_site
@speaking
def show(output: Output, site: str | None) -> None:
    """Show who is where on the ladder: what comes next, what is owed, until when access lasts."""
    with opened() as (_, parts):
        site_id = chosen_site(parts, site).id if site else None
        with parts.database.read() as tx:
            found = ladders.rungs(tx, parts.clock.now(), site_id=site_id)
    output.document(found)
    if not found:
        output.people.print("Nobody owes anything after a failed payment.")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for heading in ("Charge", "Member", "Owed", "Why", "What comes next"):
        table.add_column(heading, overflow="fold")
    for rung in found:
        table.add_row(str(rung.charge_id), _member(rung), _owed(rung), _why(rung), _next(rung))
    output.people.print(table)


def _member(rung: Rung) -> str:
    return f"{words.shown(rung.email)}\n{words.shown(rung.offer)}"


def _owed(rung: Rung) -> Text:
    return Text.assemble(
        (words.money(rung.owed_cents, rung.currency), "red"), f"\nfrom {words.day(rung.starts_on)}"
    )


def _why(rung: Rung) -> str:
    begun = "taken back" if rung.taken_back else "failed"
    reason = f", {rung.reason}" if rung.reason else ""
    return f"{begun} {words.day_of(rung.failed_at, rung.zone)}{reason}\n{_CLASSES[rung.reason_class]}"


def _next(rung: Rung) -> str:
    said = []
    if rung.charge_state == "collecting":
        said.append("a debit runs")
    if rung.stopped_at is not None:
        said.append("help is stopped")
    if rung.next_step is not None and rung.next_at is not None:
        said.append(f"{words.day_of(rung.next_at, rung.zone)}: {_STEPS[rung.next_step]}")
    access = words.until(rung.access_until, rung.zone) if rung.access_until else "no access"
    return "\n".join([*said, f"access {access}" if rung.access_until else access])


@debt.command()
@_charge
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day without grace.")
@_site
@speaking
def extend(output: Output, charge: int, until: datetime, site: str | None) -> None:
    """Give more time to pay: access stays until that day."""
    _decide(site, charge, lambda tx, now: debts.extend(tx, charge, until.date(), OWNER, now))
    _done(output, charge, f"Grace now lasts until {words.day(until.date())}.")


@debt.command()
@_charge
@_site
@speaking
def stop(output: Output, charge: int, site: str | None) -> None:
    """Send no more mails and debits; grace still ends on its day."""
    _decide(site, charge, lambda tx, now: debts.stop(tx, charge, OWNER, now))
    _done(output, charge, "Nothing more is mailed or debited for it.")


@debt.command()
@_charge
@_site
@speaking
def retry(output: Output, charge: int, site: str | None) -> None:
    """Debit once more where the rules allow it: now, or once its member was told."""
    day = _decide(site, charge, lambda tx, now: debts.retry(tx, charge, OWNER, now))
    if day is None:
        _done(output, charge, "A debit is on its way.")
        return
    said = f"She is told now by mail, and the debit goes by itself on {words.day(day)}: a SEPA debit has to"
    _done(output, charge, f"{said} be announced first.", goes_on=day.isoformat())


@debt.command("write-off")
@_charge
@click.option("--end/--go-on", "ends", required=True, help="End the subscription, or let it go on.")
@_site
@speaking
def write_off(output: Output, charge: int, ends: bool, site: str | None) -> None:
    """Ask no more for this money."""
    _decide(site, charge, lambda tx, now: debts.write_off(tx, charge, OWNER, now, ends=ends))
    after = "The subscription has ended." if ends else "The subscription goes on."
    _done(output, charge, f"It is written off. {after}")


@debt.command("paid-outside")
@_charge
@click.option("--cents", type=int, help="How much; all that is owed when left out.")
@click.option("--note", default="", help="How it was paid, for the timeline.")
@click.option("--undo", metavar="REF", help="Take back an earlier note of money by its reference.")
@_site
@speaking
def paid_outside(
    output: Output, charge: int, cents: int | None, note: str, undo: str | None, site: str | None
) -> None:
    """Note that it was paid past Mollie, in cash or by bank transfer."""
    if undo is not None:
        _decide(site, charge, lambda tx, now: _undo(tx, charge, undo, now))
        _done(output, charge, "The money is owed again.")
        return
    ref = _decide(site, charge, lambda tx, now: debts.paid_outside(tx, charge, cents, note, OWNER, now))
    _done(output, charge, f"It is booked as {ref}; --undo {ref} takes it back.", ref=ref)


def _undo(tx: Tx, charge_id: int, ref: str, now: datetime) -> None:
    debts.undo_outside(tx, charges.get(tx, charge_id).site_id, ref, OWNER, now)


def _decide(site: str | None, charge_id: int, act: Callable[[Tx, datetime], T]) -> T:
    with opened() as (_, parts):
        site_id = chosen_site(parts, site).id
        with parts.database.write() as tx:
            charges.of_site(tx, site_id, charge_id)
            return act(tx, parts.clock.now())


def _done(output: Output, charge_id: int, said: str, **more: str) -> None:
    output.document({"charge_id": charge_id, "done": True, **more})
    output.people.print(said, markup=False)
