"""What ran before LinkPay: another cart that left the charging to Mollie's own subscriptions."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from mollie.api.client import Client

from linkpay.cli.import_mollie import read_account
from linkpay.cli.output import Output
from linkpay.domain.takeover import Verdict
from linkpay.sandbox.inprocess import MOLLIE_HOST
from linkpay.sandbox.moments import local_day
from linkpay.services import contacts, takeover_plan
from linkpay.services.takeover_plan import Decision, Wish
from linkpay.store import sites
from linkpay.store.tables import Takeover
from tests.flows.books import KEY
from tests.flows.stage import Stage

#: What the other cart puts on everything it makes.
MARK = {"cart": "old"}
_IBANS = ("NL91ABNA0417164300", "NL39RABO0300065264", "NL20INGB0001234567", "BE68539007547034")
_STANDING = ("paid", "pending", "open", "authorized")


@dataclass(frozen=True)
class Old:
    """A member of before: her customer, her mandate and her subscription at Mollie."""

    email: str | None
    customer_id: str
    mandate_id: str
    subscription_id: str


def client() -> Client:
    """The official client, as the other cart used it."""
    made = Client(api_endpoint=f"http://{MOLLIE_HOST}")
    made.set_api_key(KEY)
    return made


def member_of_before(
    stage: Stage, email: str | None = "anna@example.com", *, starts_in: int = 10, **more: Any
) -> Old:
    """Somebody with a mandate and a subscription whose first charge comes in `starts_in` days."""
    mollie = client()
    person = {"name": "Anna de Vries", "metadata": MARK} | ({"email": email} if email else {})
    customer = mollie.customers.create(person)
    number = len(stage.sandbox.world.books.mandates.rows)
    bank = {"consumerName": "A. de Vries", "consumerAccount": _IBANS[number % len(_IBANS)]}
    mandate = customer.mandates.create({"method": "directdebit", **bank})
    return subscribed(stage, email, customer["id"], mandate["id"], starts_in=starts_in, **more)


def subscribed(
    stage: Stage, email: str | None, customer_id: str, mandate_id: str, *, starts_in: int = 10, **more: Any
) -> Old:
    """One more subscription of a customer at Mollie."""
    start_on = local_day(stage.clock.now() + timedelta(days=starts_in))
    body = {
        "amount": {"currency": "EUR", "value": "50.00"}, "interval": "1 month", "metadata": MARK,
        "description": "Members monthly", "startDate": start_on.isoformat(),
    }  # fmt: skip
    made = client().customers.get(customer_id).subscriptions.create(body | more)
    return Old(email, customer_id, mandate_id, made["id"])


def let_in_before(stage: Stage, email: str, external_user_id: str | None = None) -> None:
    """The other cart gave her the offer at Kajabi."""
    offers = stage.sandbox.call("GET", "/_sandbox/kajabi/offers")
    url = next(offer["activation_url"] for offer in offers if offer["id"] == stage.shop.kajabi_offer)
    stage.parts.access.apply(stage.order_at(url, email, external_user_id or email))


def decide(stage: Stage, wish: Wish | None = None) -> list[Decision]:
    """Every decision about the account as it is now, as a dry run shows them."""
    with stage.database.read() as tx:
        site = sites.get(tx, stage.shop.site_id)
    account = read_account(stage.parts, site, Output(as_json=True))
    with stage.database.read() as tx:
        return takeover_plan.decide(tx, site, account, wish or Wish())


def plan_all(stage: Stage, wish: Wish | None = None) -> list[Decision]:
    """Decide, and owe what was decided."""
    decided = decide(stage, wish)
    for decision in decided:
        if decision.verdict is Verdict.TAKE:
            with stage.database.write() as tx:
                site = sites.get(tx, stage.shop.site_id)
                assert takeover_plan.plan(tx, site, decision, stage.clock.now())
    return decided


def take_all(stage: Stage, wish: Wish | None = None) -> None:
    """Take over everything that can be, and wait until it is done."""
    stage.insist(lambda: plan_all(stage, wish))
    stage.work()


def kajabi_knows(*known: contacts.Contact) -> Wish:
    """A wish that only says whom Kajabi knows."""
    return Wish(contacts=contacts.Contacts(list(known)))


def takeovers(stage: Stage) -> list[Takeover]:
    """Every take-over of the site, oldest first."""
    with stage.database.read() as tx:
        return tx.query(Takeover).order_by(Takeover.id).all()


def states(stage: Stage) -> list[str]:
    """Where each take-over stands."""
    return [row.state for row in takeovers(stage)]


def at_mollie(old: Old) -> Any:
    """Her old subscription, as Mollie shows it."""
    return client().customers.get(old.customer_id).subscriptions.get(old.subscription_id)


def months_charged(stage: Stage, old: Old, day: int) -> Counter[str]:
    """How often she was asked for money in each month, by anybody, in the bank's books.

    A month begins a day before `day` of the calendar's, since a charge may not come earlier.
    """
    counted: Counter[str] = Counter()
    for payment in stage.sandbox.world.books.payments.where("customer_id", old.customer_id):
        if payment.status in _STANDING and payment.sequence_type == "recurring":
            made_on = local_day(payment.created_at - timedelta(days=day - 1))
            counted[f"{made_on:%Y-%m}"] += 1
    return counted


def rename(wish: Wish, plan: str) -> Wish:
    """The same wish, for one plan only."""
    return replace(wish, only=plan)
