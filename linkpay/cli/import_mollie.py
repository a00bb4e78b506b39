"""``import-mollie``: take over the subscriptions that Mollie charges by itself today."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from linkpay.cli import words
from linkpay.cli.context import chosen_site, opened
from linkpay.cli.output import CommandFailed, Output, speaking
from linkpay.domain.takeover import Verdict
from linkpay.services import checkout, contacts, plan_map, takeover_plan
from linkpay.services.parts import Parts
from linkpay.services.takeover_plan import Account, Decision, Wish
from linkpay.store import sites
from linkpay.store.tables import Site

_WORDS = {
    Verdict.TAKE: "taken over",
    Verdict.OTHER_MODE: "belongs to Mollie's other mode",
    Verdict.SUSPENDED: "suspended at Mollie",
    Verdict.NOT_ACTIVE: "not active at Mollie",
    Verdict.NOTHING_TO_COME: "nothing more is charged",
    Verdict.ALREADY_HERE: "already here",
    Verdict.CURRENCY: "no plan in this currency",
    Verdict.UNKNOWN_PLAN: "no plan fits: name one in --plan-map",
    Verdict.SEVERAL_PLANS: "several plans fit: name one in --plan-map",
    Verdict.NO_MANDATE: "no valid mandate",
    Verdict.NO_EMAIL: "no e-mail address that works",
    Verdict.OTHER_CUSTOMER: "her e-mail is another Mollie customer's here",
    Verdict.BLOCKED: "blocked by the owner",
    Verdict.DUPLICATE: "a second one for the same offer",
}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import-mollie")
@click.option("--site", help="The site, by the name in its addresses; needed when there are several.")
@click.option("--plan-map", type=_FILE, help="CSV: plan, description, amount, currency, interval.")
@click.option("--plan", help="Take over onto this plan only, those of its price and interval.")
@click.option(
    "--contacts", "contacts_file", type=_FILE, help="CSV of Kajabi's contacts; its API is asked without one."
)
@click.option("--dry-run", is_flag=True, help="Show every decision and change nothing.")
@speaking
def import_mollie(
    output: Output, site: str | None, plan_map: Path | None, plan: str | None, contacts_file: Path | None,
    dry_run: bool,
) -> None:  # fmt: skip
    """Take over subscriptions that Mollie charges by itself today.

    Each is canceled at Mollie before LinkPay charges it for the first time, never within two days of
    its next charge, and keeps its price, its day and its mandate. Run it again at any time: what is
    here already stays.
    """
    if plan_map is not None and plan is not None:
        raise CommandFailed("one_of", "Give --plan-map or --plan, not both.")
    wish = _wish(plan_map, plan, contacts_file)
    with opened() as (_, parts):
        chosen = chosen_site(parts, site)
        account = read_account(parts, chosen, output)
        if contacts_file is None:
            wish = replace(wish, contacts=ask_kajabi(parts, chosen, account, output))
        with parts.database.read() as tx:
            decided = takeover_plan.decide(tx, chosen, account, wish)
        owed = 0 if dry_run else _owe(parts, chosen, decided, output)
    output.document({"site": chosen.slug, "dry_run": dry_run, "owed": owed, "decisions": decided})
    _show(output, decided, owed, dry_run=dry_run)


def _wish(map_file: Path | None, plan: str | None, contacts_file: Path | None) -> Wish:
    rules = plan_map.read(map_file.read_bytes(), map_file.name) if map_file else []
    known = contacts.Contacts([])
    if contacts_file is not None:
        known = contacts.read(contacts_file.read_bytes(), contacts_file.name)
    return Wish(rules, plan, known)


def read_account(parts: Parts, site: Site, output: Output) -> Account:
    """Everything that decisions need, read from Mollie; one call for the mandates of each customer."""
    key = checkout.site_key(parts, site.id)
    output.notes.print("Reading subscriptions and customers at Mollie ...", style="dim")
    subscriptions = parts.payments.list_subscriptions(key)
    customers = {customer.id: customer for customer in parts.payments.list_customers(key)}
    concerned = dict.fromkeys(one.customer_id for one in takeover_plan.running(subscriptions))
    mandates = {}
    for number, customer_id in enumerate(concerned, start=1):
        if number % 50 == 0:
            output.notes.print(f"  mandates of {number} of {len(concerned)} customers", style="dim")
        mandates[customer_id] = parts.payments.list_mandates(key, customer_id)
    return Account(subscriptions, customers, mandates)


def ask_kajabi(parts: Parts, site: Site, account: Account, output: Output) -> contacts.Contacts:
    """Whom Kajabi knows of these people, where its API is connected; nobody where it is not."""
    key = sites.directory_key(site, parts.box)
    if key is None:
        return contacts.Contacts([])
    output.notes.print("Asking Kajabi who they are ...", style="dim")
    concerned = dict.fromkeys(one.customer_id for one in takeover_plan.running(account.subscriptions))
    known = []
    for number, customer_id in enumerate(concerned, start=1):
        if number % 50 == 0:
            output.notes.print(f"  {number} of {len(concerned)} people", style="dim")
        email = takeover_plan.usable_email(account, customer_id)
        found = parts.directory.find_contact(key, email) if email else None
        if found is not None:
            known.append(contacts.Contact(found.email, "", found.external_user_id))
    return contacts.Contacts(known, asked_all=True)


def _owe(parts: Parts, site: Site, decided: list[Decision], output: Output) -> int:
    owed = 0
    for decision in decided:
        if decision.verdict is not Verdict.TAKE:
            continue
        with parts.database.write() as tx:
            row = takeover_plan.plan(tx, site, decision, parts.clock.now())
        owed += row is not None
        if owed and owed % 100 == 0:
            output.notes.print(f"  {owed} planned", style="dim")
    return owed


def _show(output: Output, decided: list[Decision], owed: int, *, dry_run: bool) -> None:
    if not decided:
        output.people.print("No subscription runs at this Mollie account.")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for heading in ("Who", "At Mollie", "Next", "Plan", "Decision"):
        table.add_column(heading, overflow="fold")
    for one in decided:
        table.add_row(
            words.shown(one.email or one.name or one.customer_id), _at_mollie(one), words.day(one.next_on),
            words.shown(one.plan), _decision(one),
        )  # fmt: skip
    output.people.print(table)
    counted = Counter(one.verdict for one in decided)
    said = ", ".join(f"{number} {_WORDS[verdict].split(':')[0]}" for verdict, number in counted.items())
    output.people.print(f"{words.count(len(decided), 'subscription')}: {said}", style="dim")
    if dry_run:
        output.people.print("Nothing was changed. Run it without --dry-run to take them over.")
    elif owed:
        output.people.print(
            f"{words.count(owed, 'take-over')} planned; the workers do them from now on. "
            "`timeline EMAIL` tells how each went."
        )


def _at_mollie(one: Decision) -> Text:
    price = words.money(one.amount.cents, one.amount.currency)
    left = f", {one.remaining} to come" if one.remaining is not None else ""
    said = Text(f"{words.shown(one.description)} {price}{left}")
    return said.append(f"\n{one.subscription_id}", style="dim")


def _decision(one: Decision) -> Text:
    taken = one.verdict is Verdict.TAKE
    said = Text(_WORDS[one.verdict], style="green" if taken else "yellow")
    return said.append(f" ({words.shown(one.note)})", style="dim") if one.note else said
