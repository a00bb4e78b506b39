"""The builders write rows that the database accepts and that agree with each other."""

import pytest

from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import SubscriptionState
from linkpay.store import ledger, sites
from linkpay.store.db import Database
from tests import builders as make


@pytest.mark.parametrize("state", SubscriptionState)
def test_a_subscription_can_be_made_in_every_state(database: Database, state: SubscriptionState) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx, state=state)
        assert (subscription.started_at is None) == (state is SubscriptionState.PENDING)
        assert (subscription.mandate_id is None) == (state is SubscriptionState.PENDING)


@pytest.mark.parametrize("kind", PlanKind)
def test_a_plan_of_every_kind_has_terms(database: Database, kind: PlanKind) -> None:
    with database.write() as tx:
        assert make.make_plan(tx, kind=kind).terms.kind is kind


def test_a_paid_charge_agrees_with_its_ledger(database: Database) -> None:
    with database.write() as tx:
        charge = make.make_paid_charge(tx)
        assert sum(entry.amount_cents for entry in ledger.entries(tx, charge.id)) == charge.paid_cents == 5000


def test_all_other_rows_can_be_made_alone(database: Database) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx)
        payment = make.make_payment(tx, make.make_charge(tx, subscription))
        made = [
            make.make_refund(tx, payment), make.make_grant(tx), make.make_consent(tx, subscription),
            make.make_mail(tx), make.make_inbox(tx), make.make_outbox(tx), make.make_mandate(tx),
        ]  # fmt: skip
        assert all(row.id for row in made)


def test_sealed_secrets_open_with_the_builders_box(database: Database) -> None:
    with database.write() as tx:
        offer = make.make_offer(tx, hook="https://site.example.test/webhooks/offers/t/1")
        site = sites.get(tx, offer.site_id)
        assert sites.mollie_key(site, make.BOX) == make.MOLLIE_KEY
        assert sites.kajabi_url(offer, make.BOX, grant=False) == (
            "https://site.example.test/webhooks/offers/t/1/deactivate"
        )
