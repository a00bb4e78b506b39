"""``demo``: a site to try everything with, in the sandbox."""

import secrets
import string
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import click
from rich.table import Table

from linkpay.cli import demo_owner, words
from linkpay.cli.context import opened, require_sandbox
from linkpay.cli.output import Output, speaking
from linkpay.cli.sandbox import Sandbox
from linkpay.domain.calendar import Unit
from linkpay.domain.plan import PlanKind
from linkpay.services import setup
from linkpay.services.parts import Parts
from linkpay.services.specs import BumpSpec, CouponSpec, OfferSpec, PlanSpec, SiteSpec
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Site

SITE, NAME = "demo", "Studio Vecht"
OFFER, TITLE = "thuis-oefenen", "Thuis oefenen"
EXTRA, EXTRA_TITLE = "werkboek", "Werkboek rug en schouders"
PLANS = [
    PlanSpec(slug="monthly", title="Per maand", amount_cents=5_000),
    PlanSpec(slug="yearly", title="Per jaar", amount_cents=50_000, interval_unit=Unit.YEAR),
    PlanSpec(slug="course", title="In drie keer", total_cents=30_000, kind=PlanKind.INSTALMENTS, periods=3),
    PlanSpec(slug="once", title="In één keer", amount_cents=27_500, kind=PlanKind.ONE_TIME),
    PlanSpec(slug="trial", title="Eerst proberen", amount_cents=5_000, trial_days=14),
    PlanSpec(
        slug="year-term", title="Voordelig met een jaar", amount_cents=3_900, minimum_periods=12,
        setup_fee_cents=2_500,
    ),
]  # fmt: skip
EXTRA_PLANS = [PlanSpec(slug="workbook", title="Werkboek", amount_cents=2_700, kind=PlanKind.ONE_TIME)]
BUMP = BumpSpec(
    plan="workbook", title="Met het werkboek erbij",
    text="Veertig oefeningen om te printen, met bij elk een korte uitleg.",
)  # fmt: skip
COUPON = CouponSpec(code="WELKOM10", percent=Decimal(10))


@dataclass(frozen=True, slots=True)
class Demo:
    """What there is now, and whether this run made it or gave it new Kajabi addresses."""

    site: str
    offer: str
    plans: list[str]
    checkout_url: str
    desk_url: str
    sign_in: str
    was: str


@click.command()
@speaking
def demo(output: Output) -> None:
    """Make a site with an offer, its plans, a coupon and a bump to try (sandbox only)."""
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
        found = site is not None and sites.offer(tx, site.id, OFFER) is not None
        whole = site is not None and all(
            _is_whole(tx, parts, site, slug, plans, known)
            for slug, plans in ((OFFER, PLANS), (EXTRA, EXTRA_PLANS))
        )
    if not whole:
        # The sandbox is asked outside of any transaction, like every other provider.
        spec = _spec(key or _made_up_key(), sandbox)
        setup.check(spec, parts.access)
        with parts.database.write() as tx:
            setup.apply(tx, spec, parts.box, parts.clock.now())
    demo_owner.put(parts, SITE)
    return Demo(
        SITE,
        OFFER,
        [plan.slug for plan in PLANS],
        f"{parts.base_url}/{SITE}/buy/{OFFER}",
        f"{parts.base_url}/owner/",
        f"{demo_owner.EMAIL}, password: {demo_owner.PASSWORD}",
        "found" if whole else "repaired" if found else "made",
    )


def _is_whole(
    tx: Tx, parts: Parts, site: Site, slug: str, plans: list[PlanSpec], known: set[str]
) -> bool:  # fmt: skip
    """Whether this offer is there with all its plans and an address that the sandbox knows."""
    offer = sites.offer(tx, site.id, slug)
    if offer is None or sites.kajabi_url(offer, parts.box, grant=True) not in known:
        return False
    return all(sites.plan(tx, site.id, plan.slug) is not None for plan in plans)


def _spec(key: str, sandbox: Sandbox) -> SiteSpec:
    kajabi_site = sandbox.ask("POST", "kajabi/sites", {"name": NAME})["id"]
    return SiteSpec(
        slug=SITE,
        name=NAME,
        mollie_key=key,
        support_email="hallo@studiovecht.example.com",
        login_url=f"{sandbox.address}/",
        offers=[
            OfferSpec(
                slug=OFFER, title=TITLE, plans=PLANS, bumps=[BUMP], **_kajabi(sandbox, kajabi_site, TITLE)
            ),
            OfferSpec(
                slug=EXTRA, title=EXTRA_TITLE, plans=EXTRA_PLANS, **_kajabi(sandbox, kajabi_site, EXTRA_TITLE)
            ),
        ],
        coupons=[COUPON],
    )


def _made_up_key() -> str:
    letters = string.ascii_letters + string.digits
    return "test_" + "".join(secrets.choice(letters) for _ in range(30))


def _kajabi(sandbox: Sandbox, site_id: str, title: str) -> dict[str, Any]:
    """An offer at the sandbox's Kajabi, as its owner would copy it."""
    made = sandbox.ask("POST", "kajabi/offers", {"site_id": site_id, "title": title, "products": [title]})
    return {
        "kajabi_offer_id": str(made["id"]),
        "activation_url": made["activation_url"],
        "deactivation_url": made["deactivation_url"],
        "course_url": made.get("course_url") or f"{sandbox.address}/",
    }


def _addresses(made: Demo, sandbox: str) -> Table:
    grid = Table.grid(padding=(0, 3))
    grid.add_column(style="dim")
    grid.add_column(style="cyan", no_wrap=True, overflow="ignore")
    grid.add_row("  checkout", made.checkout_url)
    grid.add_row("  coupon", f"{COUPON.code}, or {made.checkout_url}?coupon={COUPON.code}")
    grid.add_row("  owner's desk", made.desk_url)
    grid.add_row("  sign in as", made.sign_in)
    grid.add_row("  sandbox", f"{sandbox}/_sandbox/state")
    return grid


def _plans() -> Table:
    grid = Table.grid(padding=(0, 3))
    for plan in PLANS:
        terms, notes = plan.terms, []
        if terms.periods != 1:
            notes.append(f"every {terms.interval.unit.value}")
        notes.append("for ever" if terms.periods is None else words.count(terms.periods, "time"))
        if terms.trial:
            notes.append(f"{words.count(terms.trial.days, 'day')} free first")
        if terms.minimum_periods:
            notes.append(f"at least {words.count(terms.minimum_periods, 'time')}")
        if terms.setup_fee_cents:
            notes.append(f"{words.money(terms.setup_fee_cents)} to start")
        price = words.money(terms.amount.cents)
        grid.add_row(f"  [cyan]{plan.slug}[/]", price, f"[dim]{', '.join(notes)}[/]", plan.title)
    return grid
