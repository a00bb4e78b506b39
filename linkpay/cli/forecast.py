"""``forecast``: what will happen to a member, or to the money and the members of a site."""

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.domain.email import email_to_find
from linkpay.domain.growth import Assumptions, Month, grow
from linkpay.errors import InputError, NotFound
from linkpay.services import forecast as service
from linkpay.services import forecast_words, numbers
from linkpay.services.forecast import Forecast
from linkpay.services.numbers import Outlook
from linkpay.services.parts import Parts


@click.command()
@click.argument("email", required=False)
@click.option(
    "--months", type=click.IntRange(1, 120), default=12, show_default=True, help="How far, for a site."
)
@click.option(
    "--new", "new_members", type=click.IntRange(0, 1_000_000), help="Suppose so many new members a month,"
)
@click.option("--price", type=click.FloatRange(0, 100_000), help="who pay so many euros a month,")
@click.option("--leaving", type=click.FloatRange(0, 100), help="of whom so many percent leave each month.")
@click.option("--locale", type=click.Choice(["nl", "en"]), default="en", show_default=True, help="Language.")
@click.option("--site", help="The site, by the name in its addresses.")
@speaking
def forecast(
    output: Output, /, email: str | None, months: int, locale: str, site: str | None, **supposed: float | None
) -> None:
    """Show what will happen to EMAIL; without one, the cash and the growth to expect.

    With --new, --price and --leaving, the growth that follows from these alone.
    """
    if any(value is not None for value in supposed.values()):
        _show_supposed(output, supposed, months)
        return
    with opened() as (_, parts):
        if email is None:
            _show_site(output, parts, site, months)
        else:
            _show_person(output, parts, site, email_to_find(email), locale)


def _show_supposed(output: Output, supposed: dict[str, float | None], months: int) -> None:
    new, price, leaving = supposed["new_members"], supposed["price"], supposed["leaving"]
    if new is None or price is None or leaving is None:
        raise InputError("forecast_incomplete", "Give --new, --price and --leaving together.", "new")
    assumed = Assumptions(int(new), round(price * 100), round(leaving * 100))
    found = tuple(grow(assumed, months))
    output.document(found)
    output.people.print(_growth(found))


def _show_person(output: Output, parts: Parts, site: str | None, email: str, locale: str) -> None:
    with parts.database.read() as tx:
        found = service.of_person(tx, chosen_site(parts, site), email, parts.clock.now())
    if not found:
        raise NotFound(
            "person_unknown", f"Nobody with the e-mail address {email} ever began to buy.", "email"
        )
    output.document(found)
    for one in found:
        show(output, one, locale)


def show(output: Output, one: Forecast, locale: str) -> None:
    """Print what will happen to one subscription."""
    output.people.print(
        Text.assemble(
            (words.shown(one.offer), "bold"), f", {words.shown(one.plan)}: {words.spaced(one.state)}"
        )
    )
    if said := forecast_words.remark(one, locale):
        output.people.print(said, style="red")
    for line in forecast_words.lines(one, locale):
        output.people.print(Text.assemble((f"  {words.day(line.on):>12}  ", "cyan"), line.text))
        if line.if_it_fails:
            output.people.print(f"                {line.if_it_fails}", style="dim", markup=False)
    if not one.items:
        output.people.print("  Nothing is going to happen by itself.", style="dim")


def _show_site(output: Output, parts: Parts, site: str | None, months: int) -> None:
    found = chosen_site(parts, site)
    with parts.database.read() as tx:
        outlook = numbers.outlook(tx, found.id, found.zone, parts.clock.now(), months)
    output.document(outlook)
    output.people.print(_weeks(outlook))
    if outlook.pace is None:
        output.people.print("There are no members yet to tell growth from.", style="dim")
        return
    pace = outlook.pace
    output.people.print(
        f"At the pace of the last months: {words.count(pace.new_members, 'new member')} a month at"
        f" {words.money(pace.price_cents)}, {pace.leaving_basis_points / 100:.1f}% leaving."
    )
    output.people.print(_growth(outlook.growth))


def _weeks(outlook: Outlook) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("Week from", "Collections", "Asked for", "Cash expected"):
        table.add_column(heading, justify="left" if heading == "Week from" else "right")
    for week in outlook.weeks:
        table.add_row(
            words.day(week.starts_on), str(week.number), words.money(week.cents), words.money(week.paid_cents)
        )
    return table


def _growth(months: tuple[Month, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("Month", "Joined", "Left", "Members", "Revenue"):
        table.add_column(heading, justify="right")
    for month in months:
        table.add_row(
            str(month.number),
            str(month.joined),
            str(month.left),
            str(month.members),
            words.money(month.cents),
        )
    return table
