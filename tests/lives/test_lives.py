"""A few long lives, and a judge that complains when books are doctored; `make lives N=...` lives more."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.store.db import Tx
from linkpay.store.tables import Charge, Grant, Mandate, Member, Notice, Outbox, Subscription
from linkpay.store.tables.people import Access
from tests.flows.scene import Scene, frozen
from tests.flows.stage import START, Stage
from tests.lives import life, rest
from tests.lives.living import Living, Presence
from tests.store_fixtures import Databases, SqliteDatabases

ANNA = "anna@example.com"
S = SubscriptionState
#: So many seeds, always the same: new ones are for `make lives`, where somebody looks at what they find.
LIVES = 3
#: Seeds that once found something. What they found is in the message of the commit that mended it.
FOUND: tuple[int, ...] = (53, 110, 140)


@pytest.mark.timeout(300)
def test_no_life_goes_wrong(databases: Databases) -> None:
    tally = life.Tally()
    life.live(databases, [*FOUND, *range(LIVES)], tally)
    assert not tally.failed, "\n\n".join(tally.failed)


def doctor(held: Living) -> None:
    """Something of the books is changed that no act changes."""
    with held.stage.database.write() as tx:
        tx.query(Charge).order_by(Charge.id).limit(1).one().refunded_cents += 1


def stay_home(held: Living) -> None:
    """Nothing."""


def test_what_went_wrong_is_told_by_the_few_acts_that_it_takes(tmp_path: Path) -> None:
    tally, table = life.Tally(), [(3, stay_home), (1, doctor)]
    databases = SqliteDatabases(f"sqlite:///{tmp_path}/")
    life.live(databases, [1], tally, shortened=True, table=table)
    (story,) = tally.failed
    assert story.startswith("seed 1: AssertionError ")
    told = [line.split("  ")[-1].partition(",")[0] for line in story.splitlines()]
    assert told[-2:] == ["first_buy", "doctor"]


def test_a_seed_tells_the_same_story_twice(tmp_path: Path) -> None:
    databases, tallies = SqliteDatabases(f"sqlite:///{tmp_path}/"), [life.Tally(), life.Tally()]
    for tally in tallies:
        life.live(databases, [5], tally)
    assert tallies[0].done == tallies[1].done
    assert tallies[0].reasons == tallies[1].reasons


# The judge can fail ---------------------------------------------------------------------------------


def two_months(stage: Stage) -> None:
    """Anna buys, and is debited once."""
    stage.buy(ANNA)
    stage.advance(days=45)


@pytest.fixture(scope="module")
def months(databases: Databases) -> Iterator[Scene]:
    with frozen(databases, two_months) as scene:
        yield scene


@pytest.fixture
def held(months: Scene) -> Iterator[Living]:
    """Two months of Anna, undoctored, who was in from her first day on."""
    with months.played() as stage:
        held = Living(stage, random.Random(0))
        held.presence[ANNA].see(START, True)
        yield held


def test_the_judge_is_content_with_two_months_as_they_are(held: Living) -> None:
    rest.right(held)


def change(held: Living, what: Callable[[Tx], object]) -> None:
    with held.stage.database.write() as tx:
        what(tx)


def hers(tx: Tx) -> Subscription:
    return tx.query(Subscription).one()


def second(tx: Tx) -> Charge:
    return tx.query(Charge).filter_by(period=1).one()


def sums(held: Living) -> None:
    change(held, lambda tx: setattr(second(tx), "paid_cents", 4999))


def untold(held: Living) -> None:
    change(held, lambda tx: tx.query(Notice).update({"due_on": held.today() + timedelta(days=99)}))


def out(held: Living) -> None:
    held.presence[ANNA] = Presence([(held.presence[ANNA].turns[0][0], False)])


def out_for_days(held: Living) -> None:
    begun_at = held.presence[ANNA].turns[0][0]
    turns = [(begun_at, True), (begun_at + timedelta(days=3), False), (begun_at + timedelta(days=8), True)]
    held.presence[ANNA] = Presence(turns)


def twice(held: Living) -> None:
    def act(tx: Tx) -> None:
        first, later = tx.query(Charge).order_by(Charge.id).limit(2).all()
        later.starts_on, later.ends_on = first.starts_on, first.ends_on

    change(held, act)


def left_out(held: Living) -> None:
    def act(tx: Tx) -> None:
        second(tx).ends_on, hers(tx).next_charge_on = held.today(), held.today() + timedelta(days=300)

    change(held, act)


def waits_for_nobody(held: Living) -> None:
    change(held, lambda tx: setattr(second(tx), "state", ChargeState.SCHEDULED))


def owes_nothing(held: Living) -> None:
    change(held, lambda tx: setattr(hers(tx), "state", S.SUSPENDED))


def overstays(held: Living) -> None:
    def act(tx: Tx) -> None:
        hers(tx).state, hers(tx).cancel_on = S.CANCELING, held.today() - timedelta(days=1)

    change(held, act)


def in_for_nothing(held: Living) -> None:
    change(held, lambda tx: setattr(hers(tx), "state", S.ENDED))
    change(held, lambda tx: setattr(second(tx), "ends_on", held.today() - timedelta(days=1)))


def shut_out(held: Living) -> None:
    for member in held.stage.sandbox.world.books.members:
        for grant in member.grants.values():
            grant["state"] = "revoked"


def let_in(held: Living) -> None:
    change(held, lambda tx: tx.query(Grant).update({"wanted": Access.REVOKED, "applied": Access.REVOKED}))


def shut_out_everywhere(held: Living) -> None:
    shut_out(held)
    let_in(held)


def blocked(held: Living) -> None:
    change(held, lambda tx: tx.query(Member).update({"blocked_at": START}))


def not_charged(held: Living) -> None:
    due_on = held.today() - timedelta(days=10)
    change(
        held, lambda tx: tx.query(Subscription).update({"next_charge_on": due_on, "last_raised_on": due_on})
    )


def distrusted(held: Living) -> None:
    change(held, lambda tx: tx.query(Mandate).update({"unusable_at": START}))


def overdue(held: Living) -> None:
    change(held, lambda tx: tx.query(Outbox).update({"done_at": None, "run_at": START}))


DOCTORED: list[tuple[Callable[[Living], None], str]] = [
    (sums, "charge 2 says"),
    (untold, "was not told in time"),
    (shut_out, "should be"),
    (let_in, "should be"),
    (out, "out on 27 days from"),
    (out_for_days, "out on 4 days"),
    (twice, "the same days"),
    (left_out, "not for today"),
    (waits_for_nobody, "waits for nobody"),
    (owes_nothing, "owes nothing"),
    (overstays, "should have ended"),
    (in_for_nothing, "in for nothing"),
    (shut_out_everywhere, "and she is out"),
    (blocked, "is blocked, and in"),
    (not_charged, "is not charged"),
    (distrusted, "LinkPay itself finds charged_without_mandate"),
    (overdue, "still due"),
]


@pytest.mark.parametrize(("doctor", "said"), DOCTORED, ids=[doctor.__name__ for doctor, _ in DOCTORED])
def test_the_judge_complains(held: Living, doctor: Callable[[Living], None], said: str) -> None:
    doctor(held)
    with pytest.raises(AssertionError, match=said):
        rest.right(held)
