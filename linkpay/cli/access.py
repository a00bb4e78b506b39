"""``access``: give, take back, block, move, and see why somebody is in or out."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import ROW, chosen_site, opened
from linkpay.cli.output import Output, speaking
from linkpay.domain.calendar import typed_day
from linkpay.services import access_story, blocks, gifts, moves, timeline_words
from linkpay.services.access_story import Story
from linkpay.services.gifts import Present
from linkpay.store.db import Tx
from linkpay.store.tables import Site

_site = click.option("--site", help="The site, by the name in its addresses.")


@click.group()
def access() -> None:
    """Give and take access by hand, and see why somebody has it."""


@contextmanager
def _deciding(slug: str | None) -> Iterator[tuple[Tx, Site, datetime]]:
    """A transaction on one site, and the moment of it."""
    with opened() as (_, parts):
        site = chosen_site(parts, slug)
        with parts.database.write() as tx:
            yield tx, tx.get_one(Site, site.id), parts.clock.now()


def _who() -> str:
    return f"owner:{getpass.getuser()}"[:60]


@access.command()
@click.argument("email")
@click.argument("offer")
@click.option("--until", help="The first day without it, as 2026-12-31; for ever when left out.")
@click.option("--name", default="", help="The name of somebody who is new.")
@click.option("--reason", default="", help="Why; shown to colleagues only.")
@_site
@speaking
def gift(
    output: Output, /, *, email: str, offer: str, until: str | None, site: str | None, **said: str
) -> None:
    """Let EMAIL into OFFER without paying."""
    last = _day(until) if until else None
    with _deciding(site) as (tx, found, now):
        given = gifts.give(
            tx, found, Present(email, offer, last, said["name"], said["reason"]), _who(), now
        )  # fmt: skip
        day = given.until
    output.document({"email": email, "offer": offer, "until": day})
    output.people.print(f"{email} has {offer} {'for ever' if day is None else f'until {words.day(day)}'}.")


def _day(text: str) -> date:
    try:
        return typed_day(text)
    except ValueError:
        raise click.BadParameter("write a day as 2026-12-31", param_hint="--until") from None


@access.command("take-back")
@click.argument("email")
@click.argument("offer")
@_site
@speaking
def take_back(output: Output, email: str, offer: str, site: str | None) -> None:
    """End the gift of OFFER to EMAIL; what was bought stays."""
    with _deciding(site) as (tx, found, now):
        gifts.take_back(tx, found, email, offer, _who(), now)
    output.document({"email": email, "offer": offer})
    output.people.print(f"The gift of {offer} to {email} is taken back.")


@access.command()
@click.argument("email")
@click.option("--reason", required=True, help="Why; shown to colleagues only.")
@click.option("--keep-billing", is_flag=True, help="Collect on; without this all of hers is stopped now.")
@_site
@speaking
def block(output: Output, email: str, reason: str, keep_billing: bool, site: str | None) -> None:
    """Shut EMAIL out, whatever was paid or given, and stop collecting."""
    with _deciding(site) as (tx, found, now):
        member = gifts.find_member(tx, found, email)
        blocks.block(tx, member.id, reason, _who(), now, stop_billing=not keep_billing)
    output.document({"email": email, "billing": "goes on" if keep_billing else "stopped"})
    output.people.print(f"{email} is blocked; billing {'goes on' if keep_billing else 'is stopped'}.")


@access.command()
@click.argument("email")
@_site
@speaking
def unblock(output: Output, email: str, site: str | None) -> None:
    """Let what EMAIL paid and was given count again."""
    with _deciding(site) as (tx, found, now):
        blocks.unblock(tx, gifts.find_member(tx, found, email).id, _who(), now)
    output.document({"email": email})
    output.people.print(f"{email} is not blocked any more.")


@access.command()
@click.argument("email")
@click.argument("new_email")
@click.option("--payer-too", is_flag=True, help="Mails about money go to the new address, too.")
@_site
@speaking
def move(output: Output, email: str, new_email: str, payer_too: bool, site: str | None) -> None:
    """Move all that EMAIL has to NEW_EMAIL: the new address is let in before the old one goes."""
    with _deciding(site) as (tx, found, now):
        member = gifts.find_member(tx, found, email)
        new = moves.move_access(tx, member.id, new_email, _who(), now, payer_too=payer_too)
        address = new.email
    output.document({"from": email, "to": address})
    output.people.print(f"What {email} has moves to {address}.")


@access.command()
@click.argument("subscription", type=ROW)
@click.argument("email")
@click.option("--name", default="", help="The name of somebody who is new.")
@_site
@speaking
def assign(output: Output, subscription: int, email: str, name: str, site: str | None) -> None:
    """Let the purchase SUBSCRIPTION (a number of `members --json`) count for EMAIL; its payer stays."""
    with _deciding(site) as (tx, found, now):
        moves.require_own(tx, found, subscription)
        address = moves.set_member(tx, subscription, email, name, _who(), now).email
    output.document({"subscription_id": subscription, "email": address})
    output.people.print(f"Purchase {subscription} counts for {address}.")


@access.command()
@click.argument("email")
@click.argument("offer", required=False)
@click.option("--locale", type=click.Choice(["nl", "en"]), default="en", show_default=True, help="Language.")
@_site
@speaking
def why(output: Output, email: str, offer: str | None, locale: str, site: str | None) -> None:
    """Show why EMAIL is in or out of OFFER, or of every offer she has to do with."""
    with opened() as (_, parts), parts.database.read() as tx:
        found, now = chosen_site(parts, site), parts.clock.now()
        member = gifts.find_member(tx, found, email)
        offers = [gifts.find_offer(tx, found, offer)] if offer else access_story.offers_of(tx, member)
        stories = [access_story.tell(tx, found, member, one, now) for one in offers]
        zone = found.zone
    output.document(stories)
    for story in stories:
        output.people.print(_shown(story, zone, locale))
    if not stories:
        output.people.print(f"{email} never had to do with any offer.")


def _shown(story: Story, zone: str, locale: str) -> Text:
    said = Text(f"{story.offer}: ", style="bold")
    said.append("in" if story.granted else "out", style="green" if story.granted else "red")
    said.append(f", {timeline_words.reason(story.reason, locale)}")
    if story.granted:
        said.append(f", {words.until(story.until, zone)}")
    if not story.in_step:
        said.append(f"; Kajabi not told yet ({story.applied})", style="yellow")
    if story.verified_at:
        said.append(f"; seen at Kajabi on {words.day_of(story.verified_at, zone)}", style="dim")
    lines = [f"known at Kajabi as {words.shown(story.external_user_id)}"]
    lines += [f"blocked: {words.shown(story.blocked)}"] if story.blocked else []
    lines += [f"moved to {words.shown(story.moved_to)}"] if story.moved_to else []
    for given in story.gifts:
        until = "for ever" if given.until is None else f"until {words.day(given.until)}"
        lines.append(f"gift {until}, by {words.shown(given.by)} {_bracketed(given.why)}".rstrip())
    for bought in story.bought:
        lines.append(f"purchase {bought.subscription_id}, {words.spaced(bought.state)}")
        for cover in bought.covers:
            since, reason = words.day_of(cover.starts_at, zone), timeline_words.reason(cover.source, locale)
            lines.append(f"  {reason} from {since} {words.until(cover.until, zone)}")
    return said.append("".join(f"\n  {line}" for line in lines), style="dim")


def _bracketed(text: str) -> str:
    """A reason in brackets, or nothing."""
    return f"({words.shown(text)})" if text else ""
