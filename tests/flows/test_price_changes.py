"""A new price for who runs already: told in time, with a way out, and charged to nobody who was not told."""

import uuid
from collections.abc import Sequence
from datetime import date

import pytest

from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from linkpay.errors import Conflict, InputError, NotFound
from linkpay.services import membership, price_changes
from linkpay.services.price_changes import Affected, Left, Told
from linkpay.store import sites
from linkpay.store.tables import Mail
from tests.flows import truth
from tests.flows.plans import add_plan, cancel, set_policy, switch
from tests.flows.shelf import ANNA
from tests.flows.stage import Letterbox, Stage
from tests.flows.stories_selling import open_counter
from tests.flows.test_notices import BEA, NoServer, debit_days, told_days

FIRST, SECOND = date(2026, 2, 28), date(2026, 3, 31)


def announce(stage: Stage, cents: int, plan: str = "monthly", email: str | None = None) -> str:
    """Decide it as the owner; the decision's name."""
    batch = str(uuid.uuid4())
    with stage.database.read() as tx:
        site = sites.get(tx, stage.shop.site_id)
        numbers = price_changes.concerned(tx, site, plan, cents, email=email)
    for number in numbers:
        with stage.database.write() as tx:
            price_changes.announce(tx, site, number, cents, batch, "owner", stage.clock.now())
    return batch


def preview(stage: Stage, cents: int, plan: str = "monthly", email: str | None = None) -> Sequence[Affected]:
    with stage.database.read() as tx:
        site = sites.get(tx, stage.shop.site_id)
        numbers = price_changes.concerned(tx, site, plan, cents, email=email)
        return price_changes.preview(tx, site, numbers, cents, stage.clock.now())


def withdraw(stage: Stage, batch: str) -> int:
    with stage.database.write() as tx:
        numbers = price_changes.undecided(tx, stage.shop.site_id, batch)
        return sum(price_changes.withdraw(tx, one, batch, "owner", stage.clock.now()) for one in numbers)


def listed(stage: Stage) -> Sequence[Told]:
    with stage.database.read() as tx:
        return price_changes.list_told(tx, stage.shop.site_id)


def asked(stage: Stage, email: str = ANNA) -> list[int]:
    return [charge.amount_cents for charge in stage.charges(email)]


def text_of(stage: Stage, kind: str) -> str:
    with stage.database.read() as tx:
        return tx.query(Mail).filter_by(kind=kind).order_by(Mail.id.desc()).first().text or ""  # type: ignore[union-attr]


def test_a_rise_is_told_and_counts_from_the_first_charge_behind_the_days_of_notice(stage: Stage) -> None:
    stage.buy(ANNA)
    (seen,) = preview(stage, 6000)
    assert (seen.old_cents, seen.new_cents, seen.first_on, seen.left_out) == (5000, 6000, SECOND, None)
    announce(stage, 6000)
    stage.work()
    text = text_of(stage, "price_change").replace("\xa0", " ")
    for part in ("€ 50,00", "€ 60,00", "31 maart 2026", "elke maand", "/portal/subscriptions/"):
        assert part in text
    (told,) = listed(stage)
    assert (told.email, told.state, told.effective_on, told.told_at) == (
        ANNA,
        "told",
        SECOND,
        stage.clock.now(),
    )
    stage.advance(days=95)
    assert asked(stage) == [5000, 5000, 6000, 6000]
    assert debit_days(stage)[1:] == [SECOND, date(2026, 4, 30)]
    assert told_days(stage)[1:] == [(6000, SECOND, True)]
    assert stage.mail_kinds().count("debit_notice") == 0
    assert listed(stage)[0].state == "counts"
    truth.check(stage)


def test_who_was_not_told_in_time_is_not_charged_more(stage: Stage) -> None:
    set_policy(stage, price_notice_days=3)
    stage.buy(ANNA)
    stage.advance(days=24)
    stage.replace_part("mailer", NoServer())
    announce(stage, 6000)
    stage.advance(days=2)
    assert listed(stage)[0].state == "on_its_way"
    stage.replace_part("mailer", Letterbox())
    stage.advance(days=4)
    assert asked(stage) == [5000, 5000]
    assert (listed(stage)[0].state, listed(stage)[0].effective_on) == ("told", SECOND)
    assert "31 maart 2026" in text_of(stage, "price_change")
    stage.advance(days=30)
    assert asked(stage) == [5000, 5000, 6000]
    truth.check(stage)


def test_who_leaves_pays_the_old_price_to_the_end(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(BEA)
    cancel(stage, BEA)
    assert {one.email: one.left_out for one in preview(stage, 6000)} == {ANNA: None, BEA: Left.LEAVING}
    set_policy(stage, cancel_notice_days=31)
    announce(stage, 6000)
    stage.advance(days=40)
    cancel(stage, ANNA)
    stage.advance(days=60)
    assert (asked(stage), asked(stage, BEA)) == ([5000, 5000], [5000])
    assert stage.subscription(ANNA).state is SubscriptionState.ENDED
    truth.check(stage)


def test_a_decision_is_taken_back_until_it_is_charged(stage: Stage) -> None:
    stage.buy(ANNA)
    batch = announce(stage, 6000)
    stage.advance(days=5)
    assert [withdraw(stage, batch), withdraw(stage, batch)] == [1, 0]
    stage.advance(days=60)
    assert asked(stage) == [5000, 5000, 5000]
    assert stage.mail_kinds().count("price_stays") == 1
    assert listed(stage)[0].state == "withdrawn"
    again = announce(stage, 7000)
    stage.advance(days=62)
    assert asked(stage)[-1] == 7000
    with pytest.raises(Conflict, match="already"):
        withdraw(stage, again)
    truth.check(stage)


def test_taken_back_before_the_mail_left_nobody_hears_of_it(stage: Stage) -> None:
    stage.buy(ANNA)
    withdraw(stage, announce(stage, 6000))
    stage.advance(days=1)
    assert not {"price_change", "price_stays"} & set(stage.mail_kinds())


def test_one_member_alone_and_never_twice_at_a_time(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy(BEA)
    announce(stage, 6000, email=BEA)
    assert {one.email: one.left_out for one in preview(stage, 7000)} == {
        ANNA: None,
        BEA: Left.NEWS_ON_ITS_WAY,
    }
    stage.advance(days=62)
    assert (asked(stage)[-1], asked(stage, BEA)[-1]) == (5000, 6000)
    announce(stage, 6000, email=BEA)
    assert len(listed(stage)) == 1


def test_a_lower_price_counts_from_the_next_charge_and_is_told_as_well(stage: Stage) -> None:
    stage.buy(ANNA)
    stage.advance(days=20)
    announce(stage, 4000)
    stage.advance(days=10)
    assert asked(stage) == [5000, 4000]
    assert debit_days(stage) == [FIRST]
    assert "Opzeggen" not in text_of(stage, "price_change")
    truth.check(stage)


@pytest.mark.parametrize(("how", "first"), [("after", date(2026, 7, 31)), ("within", SECOND)])
def test_an_agreed_term_keeps_its_price_or_may_be_left(stage: Stage, how: str, first: date) -> None:
    set_policy(stage, price_in_term=how)
    add_plan(stage, "bound", 5000, minimum_periods=6)
    stage.buy(ANNA, "bound")
    assert cancel_day(stage) == date(2026, 7, 31)
    announce(stage, 6000, "bound")
    stage.work()
    assert listed(stage)[0].effective_on == first
    assert cancel_day(stage) == first
    if how == "within":
        cancel(stage, ANNA, CancelMode.PERIOD_END)
        stage.advance(days=62)
        assert asked(stage) == [5000, 5000]
        assert stage.subscription(ANNA).state is SubscriptionState.ENDED


def cancel_day(stage: Stage) -> date:
    """When it would end if she cancelled now."""
    with stage.database.read() as tx:
        return membership.preview_cancel(
            tx, stage.subscription(ANNA).id, CancelMode.PERIOD_END, None, stage.clock.now()
        ).ends_on


def test_with_a_coupon_the_preview_the_mail_and_the_charge_say_the_same(stage: Stage) -> None:
    open_counter(stage)
    stage.buy(ANNA, coupon="TEN")
    (seen,) = preview(stage, 6000)
    announce(stage, 6000)
    stage.advance(days=62)
    assert asked(stage)[-1] == seen.asks_cents
    assert (seen.asks_cents, SECOND) in [(cents, day) for cents, day, _ in told_days(stage)]
    truth.check(stage)


def test_another_plan_at_once_ends_a_price_that_was_announced(stage: Stage) -> None:
    add_plan(stage, "large", 8000)
    stage.buy(ANNA)
    announce(stage, 6000)
    stage.advance(days=10)
    switch(stage, ANNA, "large", at_once=True)
    stage.advance(days=60)
    assert asked(stage)[-1] == 8000
    assert listed(stage)[0].state == "withdrawn"


def test_what_cannot_be_is_refused_by_name(stage: Stage) -> None:
    stage.buy(ANNA)
    for cents in (0, -5, 10_000_001):
        with pytest.raises(InputError):
            announce(stage, cents)
    with pytest.raises(NotFound):
        announce(stage, 6000, "nothing")
    with pytest.raises(NotFound):
        announce(stage, 6000, email=BEA)
    with pytest.raises(Conflict):
        announce(stage, 6000, "terms")
    batch = announce(stage, 6000)
    with stage.on(stage.open_shop("elsewhere", "test_anotherkeyhere")), pytest.raises(NotFound):
        withdraw(stage, batch)
