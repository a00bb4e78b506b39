"""A second offer, sold by one click to who bought the first."""

from collections.abc import Sequence

from linkpay.domain.calendar import Unit
from linkpay.domain.plan import PlanKind
from linkpay.services import upselling
from linkpay.services.ordering import Agreement
from linkpay.store import charges as store
from linkpay.store import people, sites, upsells
from linkpay.store.tables import Charge, Offer, Plan, Subscription
from tests.flows.shelf import Shelf
from tests.flows.stage import Stage

ANNA = "anna@example.com"
_PLANS = (
    ("extra-once", PlanKind.ONE_TIME, 9700, 1),
    ("extra-terms", PlanKind.INSTALMENTS, 4000, 3),
    ("extra-monthly", PlanKind.MEMBERSHIP, 2500, None),
    ("extra-dear", PlanKind.ONE_TIME, 29900, 1),
)


def put_extra(stage: Stage) -> None:
    """An offer that opens a workshop, with a plan of every kind."""
    Shelf(stage).put("workshop", "Workshop")
    with stage.database.write() as tx:
        offer = tx.query(Offer).filter_by(slug="workshop").one()
        offer.title = "Workshop"
        for slug, kind, cents, periods in _PLANS:
            plan = Plan(site_id=offer.site_id, offer_id=offer.id, slug=slug, title=slug)
            plan.kind, plan.amount_cents, plan.periods = kind, cents, periods
            plan.interval_unit, plan.created_at = Unit.MONTH, stage.clock.now()
            tx.add(plan)


def link(stage: Stage, plan: str = "extra-once", email: str = ANNA) -> str:
    """The secret of a link that sells a plan to her."""
    with stage.database.write() as tx:
        found = sites.plan(tx, stage.shop.site_id, plan)
        customer = people.customer_by_email(tx, stage.shop.site_id, email)
        assert found is not None
        assert customer is not None
        return upsells.make(
            tx, site_id=found.site_id, customer_id=customer.id, plan_id=found.id, now=stage.clock.now()
        )


def click(stage: Stage, secret: str) -> int:
    """Press the button; the id of what was bought."""
    with stage.database.write() as tx:
        site = sites.get(tx, stage.shop.site_id)
        agreed = Agreement("I agree to the extra", "")
        return upselling.buy(tx, site, secret, agreed, "nl", stage.clock.now()).id


def bought(stage: Stage) -> Subscription:
    """What was bought by a click; it is the only thing."""
    with stage.database.read() as tx:
        return tx.query(Subscription).filter_by(origin="upsell").one()


def charges(stage: Stage) -> Sequence[Charge]:
    """The charges of what was bought by a click, oldest first."""
    number = bought(stage).id
    with stage.database.read() as tx:
        return store.of_subscription(tx, number)


def debits(stage: Stage) -> list[str]:
    """Ids at Mollie of what was asked for by the click."""
    return [one for charge in charges(stage) for one in stage.mollie_ids(charge.id)]
