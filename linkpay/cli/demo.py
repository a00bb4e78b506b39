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
from linkpay.domain.calendar import Interval, Unit
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind, Terms
from linkpay.services.parts import Parts
from linkpay.store import sites
from linkpay.store.db import Tx
from linkpay.store.tables import Offer, Plan, Site

SITE, NAME = "demo", "Studio Vecht"
OFFER, TITLE = "thuis-oefenen", "Thuis oefenen"
_MONTH, _YEAR = Interval(Unit.MONTH), Interval(Unit.YEAR)
PLANS: tuple[tuple[str, str, Terms], ...] = (
    ("monthly", "Per maand", Terms(PlanKind.MEMBERSHIP, Money(5_000), _MONTH)),
    ("yearly", "Per jaar", Terms(PlanKind.MEMBERSHIP, Money(50_000), _YEAR)),
    ("course", "In drie termijnen", Terms(PlanKind.INSTALMENTS, Money(10_000), _MONTH, 3)),
    ("once", "In één keer", Terms(PlanKind.ONE_TIME, Money(27_500), _MONTH, 1)),
)


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
    with parts.database.write() as tx:
        site = sites.by_slug(tx, SITE)
        was = "found" if site else "made"
        site = site or _make_site(tx, parts, sandbox)
        offer = sites.offer(tx, site.id, OFFER) or _make_offer(tx, parts, site)
        _make_plans(tx, parts, offer)
        has_address = sites.kajabi_url(offer, parts.box, grant=True) in known
    if not has_address:
        # The sandbox is asked outside of any transaction, like every other provider.
        fresh = _kajabi_offer(sandbox)
        with parts.database.write() as tx:
            _connect(parts, tx.get_one(Offer, offer.id), fresh, sandbox)
        was = "made" if was == "made" else "repaired"
    checkout_url = f"{parts.base_url}/{SITE}/buy/{OFFER}"
    return Demo(SITE, OFFER, [slug for slug, _, _ in PLANS], checkout_url, was)


def _make_site(tx: Tx, parts: Parts, sandbox: Sandbox) -> Site:
    site = Site(
        slug=SITE, name=NAME, token=secrets.token_urlsafe(24), locale="nl", mode="test", policy={},
        support_email="hallo@studiovecht.example.com", login_url=f"{sandbox.address}/",
        created_at=parts.clock.now(),
    )  # fmt: skip
    tx.add(site)
    tx.flush()
    letters = string.ascii_letters + string.digits
    key = "test_" + "".join(secrets.choice(letters) for _ in range(30))
    site.mollie_key_sealed = parts.box.seal(site.id, "mollie_key", key)
    return site


def _make_offer(tx: Tx, parts: Parts, site: Site) -> Offer:
    offer = Offer(site_id=site.id, slug=OFFER, title=TITLE, created_at=parts.clock.now())
    tx.add(offer)
    tx.flush()
    return offer


def _make_plans(tx: Tx, parts: Parts, offer: Offer) -> None:
    for position, (slug, title, terms) in enumerate(PLANS):
        if sites.plan(tx, offer.site_id, slug) is None:
            tx.add(
                Plan(
                    site_id=offer.site_id, offer_id=offer.id, slug=slug, title=title, kind=terms.kind,
                    amount_cents=terms.amount.cents, currency=terms.amount.currency, policy={},
                    interval_unit=terms.interval.unit, interval_count=terms.interval.count,
                    periods=terms.periods, position=position, created_at=parts.clock.now(),
                )
            )  # fmt: skip


def _kajabi_offer(sandbox: Sandbox) -> dict[str, Any]:
    """A Kajabi site with one offer, as an owner has them."""
    site = sandbox.ask("POST", "kajabi/sites", {"name": NAME})
    body = {"site_id": site["id"], "title": TITLE, "products": [TITLE]}
    made: dict[str, Any] = sandbox.ask("POST", "kajabi/offers", body)
    return made


def _connect(parts: Parts, offer: Offer, kajabi: dict[str, Any], sandbox: Sandbox) -> None:
    def seal(column: str) -> str:
        return parts.box.seal(offer.site_id, column, kajabi[column])

    offer.activation_url_sealed, offer.deactivation_url_sealed = (
        seal("activation_url"),
        seal("deactivation_url"),
    )
    offer.kajabi_offer_id = str(kajabi["id"])
    offer.course_url = kajabi.get("course_url") or f"{sandbox.address}/"


def _addresses(made: Demo, sandbox: str) -> Table:
    grid = Table.grid(padding=(0, 3))
    grid.add_column(style="dim")
    grid.add_column(style="cyan", no_wrap=True, overflow="ignore")
    grid.add_row("  checkout", made.checkout_url)
    grid.add_row("  sandbox", f"{sandbox}/_sandbox/state")
    return grid


def _plans() -> Table:
    grid = Table.grid(padding=(0, 3))
    for slug, title, terms in PLANS:
        times = "for ever" if terms.periods is None else words.count(terms.periods, "time")
        every = "" if terms.periods == 1 else f"every {terms.interval.unit.value}, "
        grid.add_row(f"  [cyan]{slug}[/]", words.money(terms.amount.cents), f"[dim]{every}{times}[/]", title)
    return grid
