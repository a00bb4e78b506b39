"""Access in order: one wanted state with a version, and one that talks to Kajabi at a time."""

from datetime import timedelta

from linkpay.store import grants
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Grant, Subscription
from linkpay.store.tables.people import Access
from tests import builders as make

NOW = make.NOW


def want(tx: Tx, subscription: Subscription, wanted: Access, reason: str = "paid") -> Grant:
    return grants.want(
        tx, site_id=subscription.site_id, member_id=subscription.member_id, offer_id=subscription.offer_id,
        wanted=wanted, reason=reason, now=NOW,
    )  # fmt: skip


def test_a_version_counts_the_changes_of_what_is_wanted(database: Database) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx)
        wishes = [Access.GRANTED, Access.GRANTED, Access.REVOKED, Access.REVOKED, Access.GRANTED]
        versions = [want(tx, subscription, wish).version for wish in wishes]
    assert versions == [1, 1, 2, 2, 3]


def test_a_new_reason_is_kept_without_a_new_version(database: Database) -> None:
    with database.write() as tx:
        subscription = make.make_subscription(tx)
        want(tx, subscription, Access.GRANTED, "paid")
        grant = want(tx, subscription, Access.GRANTED, "grace")
        assert (grant.reason, grant.version) == ("grace", 1)


def test_one_at_a_time_talks_to_kajabi_about_a_grant(database: Database) -> None:
    with database.write() as tx:
        grant_id = make.make_grant(tx).id
        first = grants.take_lease(tx, grant_id, NOW)
        assert first is not None
        assert grants.take_lease(tx, grant_id, NOW + grants.LEASE - timedelta(microseconds=1)) is None
        assert grants.drop_lease(tx, grant_id, first)
        assert grants.take_lease(tx, grant_id, NOW) is not None


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_is_told(database: Database) -> None:
    with database.write() as tx:
        grant_id = make.make_grant(tx).id
        sleeper = grants.take_lease(tx, grant_id, NOW)
        other = grants.take_lease(tx, grant_id, NOW + grants.LEASE)
        assert sleeper is not None
        assert other is not None
        assert not grants.drop_lease(tx, grant_id, sleeper)
        assert grants.get(tx, grant_id).lease == other
        assert grants.drop_lease(tx, grant_id, other)
        assert not grants.drop_lease(tx, grant_id, other)


def test_a_grant_of_one_offer_is_not_that_of_another(database: Database) -> None:
    with database.write() as tx:
        mine, other = make.make_grant(tx), make.make_grant(tx)
        assert grants.find(tx, mine.member_id, mine.offer_id) is mine
        assert grants.find(tx, mine.member_id, other.offer_id) is None
