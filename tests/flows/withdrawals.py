"""People who withdraw: what they declare, and what they do with the mail that answers."""

from linkpay.services import contracts, withdrawing
from linkpay.services.contracts import Coming
from linkpay.store import sites, withdrawals
from linkpay.store.tables import Consent, Refund, Subscription, Withdrawal
from tests.flows.stage import Stage

ANNA = "anna@example.com"


def declare(stage: Stage, email: str = ANNA, reference: str = "Members") -> int:
    """Press the button of the second step; the id of the declaration."""
    said = withdrawing.Statement("Anna de Vries", email, reference, "nl", f"Ik herroep {reference}.")
    with stage.database.write() as tx:
        site = sites.get(tx, stage.shop.site_id)
        return withdrawing.declare(tx, site, said, "192.0.2.7", stage.clock.now()).id


def prove(stage: Stage, withdrawal_id: int) -> Coming:
    """Press the button behind the mailed link, for the order that is meant."""
    with stage.database.write() as tx:
        made = withdrawals.get(tx, withdrawal_id)
        found = contracts.of_customer(tx, sites.get(tx, made.site_id), made.email, made.received_at)
        chosen = contracts.meant([one for one in found if one.in_time], made.reference)
        if chosen is None:  # pressed again
            assert made.subscription_id is not None
            return withdrawing.carry_out(tx, made.id, made.subscription_id, "buyer", stage.clock.now())
        return withdrawing.carry_out(tx, made.id, chosen.subscription_id, "buyer", stage.clock.now())


def withdraw(stage: Stage, email: str = ANNA, reference: str = "Members") -> Coming:
    """Declare and prove it at once, and let everything happen."""
    coming = prove(stage, declare(stage, email, reference))
    stage.work()
    return coming


def asked_to_start(stage: Stage, email: str = ANNA, **told: object) -> None:
    """She had ticked that it may begin at once."""
    with stage.database.write() as tx:
        held = tx.get_one(Subscription, stage.subscription(email).id)
        tx.add(
            Consent(
                site_id=held.site_id, customer_id=held.customer_id, subscription_id=held.id, locale="nl",
                kind="start_at_once", text="Begin meteen", data=told, created_at=held.created_at,
            )
        )  # fmt: skip


def refunds(stage: Stage) -> list[tuple[str, int]]:
    """(reason, cents) of everything that was owed back, oldest first."""
    with stage.database.read() as tx:
        return [(refund.reason, refund.amount_cents) for refund in tx.query(Refund).order_by(Refund.id)]


def declarations(stage: Stage) -> list[Withdrawal]:
    """Everything that was declared, oldest first."""
    with stage.database.read() as tx:
        return tx.query(Withdrawal).order_by(Withdrawal.id).all()
