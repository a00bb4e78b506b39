"""Stories of access that owners give, move and share; see `tests.flows.stories`."""

from datetime import timedelta

from linkpay.services import blocks, gifts, moves
from linkpay.services.gifts import Present
from linkpay.store import people, sites
from linkpay.store.tables import Member, Outbox
from tests.flows.connected import ANNA, EVA, at_kajabi, connect, make_drift
from tests.flows.shelf import Shelf
from tests.flows.stage import Stage
from tests.flows.story import Story

NEW = "anna@new.example.com"


def _member(stage: Stage, email: str = ANNA) -> Member:
    with stage.database.read() as tx:
        found = people.by_email(tx, stage.shop.site_id, email)
        assert found is not None
        return found


def buy(stage: Stage) -> None:
    stage.buy(ANNA)


def move(stage: Stage, old: str = ANNA, new: str = NEW) -> None:
    def act() -> None:
        with stage.database.write() as tx:
            moves.move_access(tx, _member(stage, old).id, new, "owner", stage.clock.now())

    stage.insist(act)
    stage.work()


def moved(stage: Stage) -> None:
    assert stage.has_access(NEW)
    assert not stage.has_access(ANNA)
    assert stage.kajabi_calls(ANNA)[0] == "activate 200"
    assert "access_ended" not in stage.mail_kinds()


def move_there_and_back(stage: Stage) -> None:
    move(stage)
    move(stage, NEW, ANNA)


def moved_back(stage: Stage) -> None:
    assert stage.has_access(ANNA)
    assert not stage.has_access(NEW)


def have_two_that_share(stage: Stage) -> None:
    shelf = Shelf(stage)
    shelf.put("one", "Yoga", "Breath")
    shelf.put("two", "Yoga", "Tai chi")
    shelf.give("one", "two")


def lose_one(stage: Stage) -> None:
    stage.insist(lambda: Shelf(stage).take("one"))
    stage.work()


def the_other_is_whole(stage: Stage) -> None:
    assert Shelf(stage).open() == {"Yoga", "Tai chi"}


def be_given_for_a_day(stage: Stage) -> None:
    def act() -> None:
        now = stage.clock.now()
        with stage.database.write() as tx:
            site = sites.get(tx, stage.shop.site_id)
            gifts.give(tx, site, Present(ANNA, "members", now.date().replace(month=2, day=1)), "owner", now)

    stage.insist(act)
    stage.work()
    assert stage.has_access(ANNA)
    stage.advance(hours=14)


def was_in_and_is_out(stage: Stage) -> None:
    assert not stage.has_access(ANNA)
    assert stage.kajabi_calls(ANNA)[0] == "activate 200"


def be_blocked(stage: Stage) -> None:
    def act() -> None:
        with stage.database.write() as tx:
            blocks.block(tx, _member(stage).id, "rude", "owner", stage.clock.now())

    stage.insist(act)
    stage.work()


def lose_at_kajabi(stage: Stage) -> None:
    """Kajabi says done and does not keep it."""
    connect(stage)
    stage.work()
    stage.buy(ANNA)
    at_kajabi(stage, ANNA, "revoke")


def read_it_back(stage: Stage) -> None:
    """Long enough for a process that died to be missed, and for what it repeats to be read back as well."""
    stage.advance(minutes=5)


def in_again(stage: Stage) -> None:
    assert stage.has_access(ANNA)
    grant = stage.grant(ANNA)
    assert grant is not None
    assert grant.verified_at is not None
    assert "access_back" not in stage.mail_kinds()


def drift_until_the_night(stage: Stage) -> None:
    connect(stage, repair=True)
    make_drift(stage)
    with stage.database.read() as tx:
        (watch,) = tx.query(Outbox).filter_by(kind="watch_kajabi")
    stage.advance_to(watch.run_at - timedelta(minutes=1))


def compare(stage: Stage) -> None:
    stage.advance(minutes=5)


def put_right(stage: Stage) -> None:
    assert stage.has_access(ANNA)
    assert not stage.has_access(EVA)


STORIES = {
    "access that moves": Story(buy, move, moved),
    "access that moves there and back": Story(buy, move_there_and_back, moved_back),
    "a revoke that closes what another offer shares": Story(
        have_two_that_share, lose_one, the_other_is_whole
    ),
    "a gift for a day": Story(lambda stage: None, be_given_for_a_day, was_in_and_is_out),
    "a block": Story(buy, be_blocked, was_in_and_is_out),
    "a grant that Kajabi does not keep": Story(lose_at_kajabi, read_it_back, in_again),
    "a night that puts right what Kajabi has": Story(drift_until_the_night, compare, put_right),
}
