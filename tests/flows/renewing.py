"""A member gives a new account or card, as she does it in the portal."""

from typing import Any

from linkpay.domain.snapshots import MandateStatus
from linkpay.services import checkout, mandate_renewal
from linkpay.store import charges
from linkpay.store.tables import Charge, Customer, Mandate, Renewal
from tests.flows.books import KEY
from tests.flows.shelf import ANNA
from tests.flows.stage import Stage


def ask(stage: Stage, method: str = "ideal", *, for_all: bool = True, email: str = ANNA) -> Charge:
    """Press the button that begins it."""

    def press() -> Charge:
        with stage.database.write() as tx:
            return mandate_renewal.begin(
                tx, stage.subscription(email).id, method, for_all=for_all, now=stage.clock.now()
            )

    return stage.insist(press)


def go_to_bank(stage: Stage, check: Charge) -> str:
    """Come to the page of the bank; the id of the payment there."""
    assert isinstance(stage.insist(lambda: stage.go_pay(check)), checkout.Redirect)
    return stage.mollie_ids(check.id)[-1]


def renew(
    stage: Stage, method: str = "ideal", *, for_all: bool = True, email: str = ANNA, **fate: Any
) -> str:
    """Renew, paid and worked off; the id of the payment. `fate` goes to the bank."""
    payment_id = go_to_bank(stage, ask(stage, method, for_all=for_all, email=email))
    stage.bank(payment_id, "paid", **fate)
    stage.work()
    return payment_id


def mandate_of(stage: Stage, email: str = ANNA) -> Mandate:
    """What is charged for her newest purchase."""
    with stage.database.read() as tx:
        return tx.get_one(Mandate, stage.subscription(email).mandate_id)


def at_mollie(stage: Stage, mandate: Mandate) -> MandateStatus:
    """How a mandate stands at Mollie."""
    with stage.database.read() as tx:
        customer = tx.get_one(Customer, mandate.customer_id)
    return stage.bank_view.fetch_mandate(KEY, customer.mollie_id or "", mandate.mollie_id).status


def renewals(stage: Stage) -> list[str | None]:
    """What came of every renewal, oldest first."""
    with stage.database.read() as tx:
        return [renewal.outcome for renewal in tx.query(Renewal).order_by(Renewal.id)]


def mandates_debited(stage: Stage, charge: Charge) -> list[int | None]:
    """The mandates that were named in the attempts to collect a charge, oldest first."""
    with stage.database.read() as tx:
        return [payment.mandate_id for payment in charges.payments(tx, charge.id)]
