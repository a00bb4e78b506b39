"""``demo``: a site to try everything with, in the sandbox."""

import secrets
import string
from dataclasses import dataclass
from typing import Any

import click
from rich.table import Table

from linkpay.cli import words
from linkpay.cli.context import opened, require_sandbox
from linkpay.cli.output import Output, speaking
from linkpay.cli.sandbox import Sandbox
from linkpay.domain.calendar import Unit
from linkpay.domain.plan import PlanKind
from linkpay.services import setup
from linkpay.services.parts import Parts
from linkpay.store import sites

SITE, NAME = "demo", "Studio Vecht"
OFFER, TITLE = "thuis-oefenen", "Thuis oefenen"
PLANS = [
    setup.PlanSpec(slug="monthly", title="Per maand", amount_cents=5_000),
    setup.PlanSpec(slug="yearly", title="Per jaar", amount_cents=50_000, interval_unit=Unit.YEAR),
    setup.PlanSpec(
        slug="course", title="In drie termijnen", amount_cents=10_000, kind=PlanKind.INSTALMENTS, periods=3
    ),
    setup.PlanSpec(slug="once", title="In één keer", amount_cents=27_500, kind=PlanKind.ONE_TIME),
]


@dataclass(frozen=True, slots=True)
class Demo:
    """What there is now, and whether this run made it or gave it new Kajabi addresses."""

    site: str
    offer: str
    plans: list[str]
    checkout_url: str
    was: str


@click.command()
@speaking
def demo(output: Output) -> None:
    """Make a site with an offer and four plans to try (sandbox only)."""
    with opened() as (settings, parts):
        require_sandbox(settings)
        made = prepare(parts, Sandbox(settings.mollie_api_url))
    output.document(made)
    said = {
        "made": "The demo site is made.",
        "repaired": "The demo site was there; the sandbox was emptied, so its offer has new addresses.",
        "found": "The demo site is there already.",
    }
    output.people.print(said[made.was])
    output.people.print(_addresses(made, settings.mollie_api_url))
    output.people.print(_plans())


def prepare(parts: Parts, sandbox: Sandbox) -> Demo:
    """Make what is missing of the demo site; what is there stays, so any number of runs end alike."""
    known = {offer["activation_url"] for offer in sandbox.ask("GET", "kajabi/offers")}
    with parts.database.read() as tx:
        site = sites.by_slug(tx, SITE)
        key = sites.mollie_key(site, parts.box) if site else None
        offer = sites.offer(tx, site.id, OFFER) if site else None
        has_address = offer is not None and sites.kajabi_url(offer, parts.box, grant=True) in known
    if not has_address:
        # The sandbox is asked outside of any transaction, like every other provider.
        spec = _spec(key or _made_up_key(), _kajabi_offer(sandbox), sandbox)
        setup.check(spec, parts.access)
        with parts.database.write() as tx:
            setup.apply(tx, spec, parts.box, parts.clock.now())
    return Demo(
        SITE,
        OFFER,
        [plan.slug for plan in PLANS],
        f"{parts.base_url}/{SITE}/buy/{OFFER}",
        "found" if has_address else "repaired" if offer else "made",
    )


def _spec(key: str, kajabi: dict[str, Any], sandbox: Sandbox) -> setup.SiteSpec:
    offer = setup.OfferSpec(
        slug=OFFER,
        title=TITLE,
        kajabi_offer_id=str(kajabi["id"]),
        activation_url=kajabi["activation_url"],
        deactivation_url=kajabi["deactivation_url"],
        course_url=kajabi.get("course_url") or f"{sandbox.address}/",
        plans=PLANS,
    )
    return setup.SiteSpec(
        slug=SITE,
        name=NAME,
        mollie_key=key,
        support_email="hallo@studiovecht.example.com",
        login_url=f"{sandbox.address}/",
        offers=[offer],
    )


def _made_up_key() -> str:
    letters = string.ascii_letters + string.digits
    return "test_" + "".join(secrets.choice(letters) for _ in range(30))


def _kajabi_offer(sandbox: Sandbox) -> dict[str, Any]:
    """A Kajabi site with one offer, as an owner has them."""
    site = sandbox.ask("POST", "kajabi/sites", {"name": NAME})
    body = {"site_id": site["id"], "title": TITLE, "products": [TITLE]}
    made: dict[str, Any] = sandbox.ask("POST", "kajabi/offers", body)
    return made


def _addresses(made: Demo, sandbox: str) -> Table:
    grid = Table.grid(padding=(0, 3))
    grid.add_column(style="dim")
    grid.add_column(style="cyan", no_wrap=True, overflow="ignore")
    grid.add_row("  checkout", made.checkout_url)
    grid.add_row("  sandbox", f"{sandbox}/_sandbox/state")
    return grid


def _plans() -> Table:
    grid = Table.grid(padding=(0, 3))
    for plan in PLANS:
        terms = plan.terms
        times = "for ever" if terms.periods is None else words.count(terms.periods, "time")
        every = "" if terms.periods == 1 else f"every {terms.interval.unit.value}, "
        price = words.money(terms.amount.cents)
        grid.add_row(f"  [cyan]{plan.slug}[/]", price, f"[dim]{every}{times}[/]", plan.title)
    return grid
