"""Whom we call answers later than a lease lasts: the work is done once, however many workers there are."""

from datetime import timedelta

import pytest

from linkpay.services import recovery
from linkpay.store.tables import Inbox, Mail, Outbox, Site
from tests.flows.crew import Crew, Slow
from tests.flows.stage import Stage

ANNA = "anna@example.com"
crews = pytest.mark.parametrize("workers", [1, 2, 3])


def owed_letter(stage: Stage) -> Outbox:
    """Her welcome, as it was before it was sent."""
    stage.buy(ANNA)
    welcome = stage.jobs("send_mail")[0]
    stage.make_due(welcome)
    with stage.database.write() as tx:
        tx.get_one(Mail, welcome.target_id).sent_at = None
    stage.mailer.letters.clear()
    return welcome


@crews
def test_a_slow_mail_server_gets_each_letter_once(stage: Stage, workers: int) -> None:
    """It takes 20 seconds for a letter, of the 60 that our own mailer gives it."""
    welcome = owed_letter(stage)
    crew = Crew(stage, ("outbox", welcome.id), workers, 20)
    stage.replace_part("mailer", Slow(stage.parts.mailer, crew, "send"))
    crew.work(300)
    crew.end()
    with stage.database.read() as tx:
        row = tx.get_one(Outbox, welcome.id)
    assert (len(stage.mailer.letters), row.parked_at, row.crashes) == (1, None, 0)


@crews
def test_a_slow_mollie_books_a_payment(stage: Stage, workers: int) -> None:
    """Nine seconds for each of its two answers, of the 15 that our own client gives each."""
    stage.go_pay(stage.begin(ANNA))
    stage.bank(stage.newest_at_mollie(), "paid")
    stage.deliver()
    with stage.database.read() as tx:
        row_id = tx.query(Inbox).one().id
    crew = Crew(stage, ("inbox", row_id), workers, 9)
    stage.replace_part("payments", Slow(stage.parts.payments, crew, "fetch_payment", "fetch_mandate"))
    crew.work(300)
    crew.end()
    with stage.database.read() as tx:
        row = tx.get_one(Inbox, row_id)
    assert row.done_at is not None, f"{row.last_error} {stage.troubles()}"


@crews
def test_a_large_site_charges_again_after_an_outage(stage: Stage, workers: int) -> None:
    """Mollie's list of payments takes 20 seconds."""
    stage.buy(ANNA)
    stage.advance(minutes=5)
    with stage.database.write() as tx:
        recovery.notice_outage(tx, stage.clock.now() - timedelta(hours=3), stage.clock.now())
    with stage.database.read() as tx:
        row_id = tx.query(Outbox).filter_by(kind="catch_up").one().id
    crew = Crew(stage, ("outbox", row_id), workers, 20)
    stage.replace_part("payments", Slow(stage.parts.payments, crew, "list_payments_since"))
    crew.work(300)
    crew.end()
    with stage.database.read() as tx:
        assert tx.get_one(Site, stage.shop.site_id).catch_up_from is None, stage.troubles()


def test_who_stands_still_does_not_keep_her_row(stage: Stage) -> None:
    welcome = owed_letter(stage)
    crew = Crew(stage, ("outbox", welcome.id), 2, 5)
    stage.replace_part("mailer", Slow(stage.parts.mailer, crew, "send"))
    crew.work(1)
    crew.frozen = {0}
    stopped_at = stage.clock.now()
    crew.work(35)
    crew.end()
    with stage.database.read() as tx:
        row = tx.get_one(Outbox, welcome.id)
    assert row.done_at is not None
    assert row.done_at - stopped_at < timedelta(seconds=30)
