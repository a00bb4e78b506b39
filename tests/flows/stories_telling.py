"""Stories of what members are told before money is collected: a debit, and a higher price."""

from linkpay.domain.charge import ChargeState
from linkpay.services import price_changes
from linkpay.store import people, sites
from linkpay.store.tables import Notice, Subscription
from tests.flows.plans import set_policy
from tests.flows.shelf import ANNA
from tests.flows.stage import Stage
from tests.flows.story import Story


def know_nothing(stage: Stage) -> None:
    """A member whose next debit nobody told of, some days before it has to be told."""
    set_policy(stage, notice_days=2)
    stage.buy(ANNA)
    stage.advance(days=22)
    with stage.database.write() as tx:
        tx.query(Notice).delete()
        tx.get_one(Subscription, stage.subscription(ANNA).id).notice_look_at = None
        for consent in people.consents(tx, stage.subscription(ANNA).id):
            tx.delete(consent)


def be_told_and_pay(stage: Stage) -> None:
    stage.advance(days=6)
    bank_pays(stage)


def bank_pays(stage: Stage) -> None:
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "paid")
    stage.work()


def told_and_paid(stage: Stage) -> None:
    charge = stage.charges(ANNA)[1]
    assert charge.state is ChargeState.PAID
    assert charge.created_at.date().isoformat() == "2026-02-27"  # 23:00 UTC: the 28th in Amsterdam
    assert stage.mail_kinds().count("debit_notice") == 1
    assert stage.has_access(ANNA)


def buy(stage: Stage) -> None:
    """A week before her second month."""
    set_policy(stage, price_notice_days=5)
    stage.buy(ANNA)
    stage.advance(days=21)


def raise_price(stage: Stage) -> None:
    """The owner raises it, she is told, and it is collected."""

    def press() -> None:
        with stage.database.write() as tx:
            if not price_changes.list_told(tx, stage.shop.site_id):
                site = sites.get(tx, stage.shop.site_id)
                for number in price_changes.concerned(tx, site, "monthly", 6000):
                    price_changes.announce(tx, site, number, 6000, "one", "owner", stage.clock.now())

    stage.insist(press)
    stage.advance(days=7)
    bank_pays(stage)


def pays_more(stage: Stage) -> None:
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [5000, 6000]
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    assert stage.mail_kinds().count("price_change") == 1
    assert stage.mail_kinds().count("debit_notice") == 0
    with stage.database.read() as tx:
        assert [one.state for one in price_changes.list_told(tx, stage.shop.site_id)] == ["counts"]
    assert stage.has_access(ANNA)


STORIES = {
    "a debit that has to be told": Story(know_nothing, be_told_and_pay, told_and_paid),
    "a higher price": Story(buy, raise_price, pays_more),
}
