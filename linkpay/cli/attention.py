"""``attention``: what waits for a person, and the answers that solve it."""

import getpass

import click
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import ROW, chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.services.attention import items, solving
from linkpay.services.attention.items import Item

_site = click.option("--site", help="The site, by the name in its addresses.")
_locale = click.option(
    "--locale", type=click.Choice(["nl", "en"]), default="en", show_default=True, help="Language."
)


class _ListsByItself(click.Group):
    """Where no command is named it is `list`, with all its options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in ctx.help_option_names or not args[0].startswith("-"))
        return super().parse_args(ctx, args if named else ["list", *args])


@click.group(cls=_ListsByItself)
def attention() -> None:
    """Show and solve what waits for a person; without a command it is `list`."""


@attention.command("list")
@_site
@_locale
@speaking
def list_(output: Output, site: str | None, locale: str) -> None:
    """All that waits, oldest first."""
    with opened() as (_, parts):
        found = chosen_site(parts, site)
        with parts.database.read() as tx:
            waiting, number = items.open_items(tx, found.id, locale)
    output.document(waiting)
    for item in waiting:
        _tell(output, item, found.zone, site)
    output.people.print(
        words.count(number, "thing waits", "things wait") if waiting else "Nothing waits for you.",
        style="dim",
    )


@attention.command()
@click.argument("number", type=ROW, metavar="ID")
@_site
@_locale
@speaking
def show(output: Output, number: int, site: str | None, locale: str) -> None:
    """One trouble, open or solved."""
    with opened() as (_, parts):
        found = chosen_site(parts, site)
        with parts.database.read() as tx:
            item = items.one(tx, found.id, number, locale)
    output.document(item)
    _tell(output, item, found.zone, site)


@attention.command()
@click.argument("number", type=ROW, metavar="ID")
@click.argument("action")
@click.option("--external-id", default="", help="For use_external_id: the id that Kajabi has.")
@click.option("--reason", default="", help="For dismiss and paid_outside: what happened.")
@click.option(
    "--despite-reversal", type=click.Choice(["yes"]), help="For refund: also while a bank may reverse it."
)
@_site
@speaking
def solve(output: Output, /, number: int, action: str, site: str | None, **answers: str | None) -> None:
    """Do ACTION, one of those that `attention` shows for ID."""
    with opened() as (_, parts):
        found = chosen_site(parts, site)
        with parts.database.write() as tx:
            who, now = f"owner:{getpass.getuser()}"[:60], parts.clock.now()
            solved = solving.solve(
                tx, found.id, number, action, who, now, **{name: said or "" for name, said in answers.items()}
            )
    output.document(solved)
    what = "is solved" if solved.closed else "goes away by itself when it works"
    how = f" ({words.spaced(solved.action)})" if solved.action else ": it went away by itself"
    output.people.print(f"Trouble {number} {what}{how}.")


def _tell(output: Output, item: Item, zone: str, site: str | None) -> None:
    said = Text(f"{item.id}  ", style="bold cyan").append(item.happened, style="default")
    said.append(f"\n    {words.day_of(item.since, zone)}. {item.done}", style="dim")
    for row in item.rows:
        said.append(f"\n    waits: {row}", style="dim")
    output.people.print(said)
    named = f" --site {site}" if site else ""
    for button in item.buttons:
        asks = "".join(f" --{asked.replace('_', '-')} ..." for asked in button.asks)
        command = f"python -m linkpay attention solve {item.id} {button.action}{asks}{named}"
        output.people.print(Text(f"    → {button.label}: ").append(command, style="cyan"), soft_wrap=True)
