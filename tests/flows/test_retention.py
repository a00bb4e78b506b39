"""What a site has kept long enough goes by itself, and takes nothing along that still counts."""

from datetime import timedelta

from linkpay.services import retention
from linkpay.store import owners, visits
from linkpay.store.tables import Event, Inbox, LedgerEntry, Mail, Outbox, OwnerSession, Site, Visit
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


def test_links_and_sessions_go_once_they_open_nothing_but_where_somebody_moved_to_stays(stage: Stage) -> None:
    now, site_id = stage.clock.now(), stage.shop.site_id
    later = now + timedelta(minutes=15)
    with stage.database.write() as tx:
        for kind, moves_from in (
            ("link", None),
            ("session", None),
            ("move", ANNA),
            ("move", "old@example.com"),
        ):
            secret = visits.make(
                tx, site_id=site_id, kind=kind, email="new@example.com", expires_at=later, now=now,
                moves_from=moves_from,
            )  # fmt: skip
        visits.spend(tx, site_id, "move", secret, now)
        owner = owners.owner_for(tx, "mira@example.com", now)
        tx.add(OwnerSession(owner_id=owner.id, hash="0" * 64, expires_at=later, created_at=now))
    for days, left in ((29, 4), (2, 1)):
        stage.clock.advance(timedelta(days=days))
        retention.let_go(stage.parts, site_id)
        with stage.database.read() as tx:
            assert tx.query(Visit).count() == left
            assert tx.query(OwnerSession).count() == (left > 1)
    with stage.database.read() as tx:
        assert tx.query(Visit).one().moves_from == "old@example.com"
