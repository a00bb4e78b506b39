"""What a site has kept long enough goes by itself, and takes nothing along that still counts."""

from datetime import timedelta

from linkpay.services import retention
from linkpay.store.tables import Event, Inbox, LedgerEntry, Mail, Outbox, Site
from tests.flows import truth
from tests.flows.stage import Stage

ANNA = "anna@example.com"


def counts(stage: Stage) -> dict[str, int]:
    with stage.database.read() as tx:
        return {
            "messages": tx.query(Inbox).count(),
            "finished": tx.query(Outbox).filter(Outbox.done_at.is_not(None)).count(),
            "waiting": tx.query(Outbox).filter(Outbox.done_at.is_(None)).count(),
            "worded mails": tx.query(Mail).filter(Mail.text != "").count(),
            "mails": tx.query(Mail).count(),
            "facts": tx.query(LedgerEntry).count() + tx.query(Event).count(),
        }


def test_what_is_old_goes_and_what_counts_stays(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=40)
    before = counts(stage)
    retention.let_go(stage.parts, stage.shop.site_id)
    with stage.database.read() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        longest = max(site.keep_messages_days, site.keep_mails_days, 500)
    assert counts(stage) == before

    stage.clock.advance(timedelta(days=longest + 1))
    retention.let_go(stage.parts, stage.shop.site_id)
    after = counts(stage)
    assert (after["messages"], after["finished"], after["worded mails"]) == (0, 0, 0)
    assert before["messages"] > 0
    assert before["finished"] > 0
    for kept in ("waiting", "mails", "facts"):
        assert after[kept] == before[kept] > 0


def test_members_go_on_as_if_nothing_had_been_taken_away(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=40)
    with stage.database.write() as tx:
        tx.query(Inbox).delete()
        tx.query(Outbox).filter(Outbox.done_at.is_not(None)).delete()
    stage.advance(days=30)
    assert len(stage.charges(ANNA)) == 3
    assert stage.kept_cents() == 15_000
    truth.check(stage)
