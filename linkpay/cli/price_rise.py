"""``price-rise``: another price for who runs already, seen first, told by mail, taken back."""

import uuid
from collections.abc import Sequence

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.domain.email import normalise_email
from linkpay.errors import Conflict
from linkpay.services import price_changes
from linkpay.services.parts import Parts
from linkpay.services.price_changes import Affected, Left, Told
from linkpay.store import sites

OWNER = "owner"
_WHY = {
    Left.LEAVING: "is leaving",
    Left.STOPPED: "is stopped",
    Left.SWITCHING: "goes over to another plan",
    Left.SAME_PRICE: "pays this already",
    Left.NEWS_ON_ITS_WAY: "another new price is on its way",
    Left.NOTHING_TO_COME: "nothing more is charged",
}
_STATES = {
    "on_its_way": "mail on its way", "told": "told", "counts": "told, counts", "withdrawn": "withdrawn",
}  # fmt: skip
_site = click.option("--site", help="The site, by the name in its addresses.")


@click.group("price-rise")
def price_rise() -> None:
    """Raise or lower the price of running memberships; everybody is told first."""


@price_rise.command("set")
@click.argument("plan")
@click.option("--cents", type=int, required=True, help="The new price of a period, VAT included.")
@click.option("--email", help="Only this payer; everybody on the plan when left out.")
@click.option("--dry-run", is_flag=True, help="Show what would happen to whom, and tell nobody.")
@_site
@speaking
def change(output: Output, plan: str, cents: int, email: str | None, dry_run: bool, site: str | None) -> None:
    """Tell everybody on PLAN of a new price.

    Each pays it from the first charge that lies the days of notice (`price_notice_days`) behind her mail,
    which holds the way out. Who is leaving keeps the old price.
    """
    wanted = normalise_email(email) if email else None
    batch = None if dry_run else str(uuid.uuid4())
    with opened() as (_, parts):
        site_id, now = chosen_site(parts, site).id, parts.clock.now()
        with parts.database.read() as tx:
            chosen = sites.get(tx, site_id)
            numbers = price_changes.concerned(tx, chosen, plan, cents, email=wanted)
            found = price_changes.preview(tx, chosen, numbers, cents, now)
        if batch is not None:
            if all(one.left_out for one in found):
                raise Conflict("nobody_concerned", "This changes nobody's price.")
            found = [_announce(parts, site_id, number, cents, batch) for number in numbers]
    output.document({"batch": batch, "dry_run": dry_run, "members": found})
    output.people.print(_table_of(found))
    told = sum(one.left_out is None for one in found)
    if batch is None:
        output.people.print(f"To be told: {told}. Leave --dry-run out to do it.", style="dim")
    else:
        output.people.print(f"Told by mail now: {told}. To take it back: price-rise withdraw {batch}")


@price_rise.command("list")
@click.option("--batch", help="Only this decision.")
@_site
@speaking
def show(output: Output, batch: str | None, site: str | None) -> None:
    """Show who was told of which new price, and when, decision by decision."""
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        with parts.database.read() as tx:
            found = price_changes.list_told(tx, chosen.id, batch=batch)
    output.document(found)
    if not found:
        output.people.print("No new price was announced.")
        return
    for decision in dict.fromkeys(one.batch for one in found):
        # A line of its own, so that it can be copied whole from the narrowest terminal.
        output.people.print(f"Decision {decision}", style="bold", soft_wrap=True)
        output.people.print(_list_of([one for one in found if one.batch == decision], chosen.zone))


@price_rise.command()
@click.argument("batch")
@_site
@speaking
def withdraw(output: Output, batch: str, site: str | None) -> None:
    """Take a decision back for everybody who was not charged the new price yet."""
    with opened() as (_, parts):
        site_id = chosen_site(parts, site).id
        with parts.database.read() as tx:
            numbers = price_changes.undecided(tx, site_id, batch)
        number = sum(_withdraw(parts, one, batch) for one in numbers)
    output.document({"batch": batch, "withdrawn": number})
    output.people.print(f"Keeps her price: {number}. Who was told hears so by mail.")


def _announce(parts: Parts, site_id: int, number: int, cents: int, batch: str) -> Affected:
    with parts.database.write() as tx:
        site = sites.get(tx, site_id)
        return price_changes.announce(tx, site, number, cents, batch, OWNER, parts.clock.now())


def _withdraw(parts: Parts, number: int, batch: str) -> bool:
    with parts.database.write() as tx:
        return price_changes.withdraw(tx, number, batch, OWNER, parts.clock.now())


def _table_of(found: Sequence[Affected]) -> Table:
    table = _table("Member", "Now", "New", "From")
    for one in found:
        now, new = words.money(one.old_cents, one.currency), words.money(one.new_cents, one.currency)
        asks = one.asks_cents if one.asks_cents != one.new_cents else None
        more = f"\nasks {words.money(asks, one.currency)}" if asks is not None else ""
        begins = f"{words.day(one.first_on)}{more}" if one.first_on else f"stays: {_why(one)}"
        table.add_row(words.shown(one.email), now, new, begins)
    return table


def _why(one: Affected) -> str:
    return _WHY[one.left_out] if one.left_out else ""


def _list_of(found: Sequence[Told], zone: str) -> Table:
    table = _table("Member", "New price", "From", "Told", "State")
    for one in found:
        told = words.day_of(one.told_at, zone) if one.told_at else "not yet"
        price = words.money(one.new_cents, one.currency)
        table.add_row(words.shown(one.email), price, words.day(one.effective_on), told, _STATES[one.state])
    return table


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
