"""Taking over what Mollie charges by itself: nobody is charged twice, and nobody is forgotten."""

from datetime import date, timedelta
from typing import Any

import pytest

from linkpay.domain.charge import ChargeState
from linkpay.domain.money import Money
from linkpay.domain.plan import PlanKind
from linkpay.domain.subscription import SubscriptionState
from linkpay.domain.takeover import Rule, Verdict
from linkpay.services.takeover_plan import Wish
from linkpay.store import people
from tests.flows import truth
from tests.flows.old_cart import (
    at_mollie,
    client,
    decide,
    let_in_before,
    member_of_before,
    months_charged,
    plan_all,
    states,
    subscribed,
    take_all,
)
from tests.flows.stage import Stage
from tests.flows.weather import in_between, mollie_cancels_nothing
from workers import jobs

ANNA = "anna@example.com"
EURO_25 = {"currency": "EUR", "value": "25.00"}


def verdicts(stage: Stage, wish: Wish | None = None) -> list[Verdict]:
    return [decision.verdict for decision in decide(stage, wish)]


def test_each_month_is_charged_once_by_one_of_the_two(stage: Stage) -> None:
    old = member_of_before(stage)
    let_in_before(stage, ANNA)
    stage.advance(days=20)
    take_all(stage)
    assert states(stage) == ["taken"]
    assert at_mollie(old)["status"] == "canceled"
    ours = stage.subscription(ANNA)
    assert (ours.state, ours.origin, ours.next_charge_on) == (
        SubscriptionState.ACTIVE,
        "import",
        date(2026, 3, 10),
    )
    assert stage.charges(ANNA)[0].paid_cents == 5000
    stage.advance(days=90)
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4, 5)}
    truth.check(stage)


def test_she_keeps_her_access_and_is_not_welcomed_again(stage: Stage) -> None:
    member_of_before(stage)
    let_in_before(stage, ANNA)
    stage.advance(days=20)
    mails = stage.kajabi_mails(ANNA)
    take_all(stage)
    assert stage.in_step(ANNA)
    assert stage.has_access(ANNA)
    assert stage.mail_kinds() == []
    assert stage.kajabi_mails(ANNA) == mails


def test_the_consent_of_before_is_kept_as_what_it_is(stage: Stage) -> None:
    member_of_before(stage)
    take_all(stage)
    with stage.database.read() as tx:
        (consent,) = people.consents(tx, stage.subscription(ANNA).id)
    assert consent.kind == "mandate"
    assert consent.data["imported"]
    assert "Overgenomen uit Mollie" in consent.text


def test_a_first_charge_that_is_still_to_come_is_ours(stage: Stage) -> None:
    old = member_of_before(stage, starts_in=20)
    let_in_before(stage, ANNA)
    take_all(stage)
    assert stage.has_access(ANNA)
    assert [(charge.amount_cents, charge.state) for charge in stage.charges(ANNA)] == [(0, ChargeState.PAID)]
    stage.advance(days=80)
    assert months_charged(stage, old, 20) == {f"2026-0{month}": 1 for month in (2, 3, 4)}
    truth.check(stage)


@pytest.mark.parametrize("days_before", [0, 1, 2])
def test_nobody_races_mollie_to_a_charge_that_is_near(stage: Stage, days_before: int) -> None:
    old = member_of_before(stage)
    stage.advance(days=10 - days_before, minutes=-60 if days_before == 0 else 0)
    take_all(stage)
    if days_before:
        assert states(stage) == ["planned"]
        assert at_mollie(old)["status"] == "active"
    stage.advance(days=days_before + 1)
    assert states(stage) == ["taken"]
    assert stage.subscription(ANNA).next_charge_on == date(2026, 3, 10)
    stage.advance(days=60)
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4)}


def test_a_debit_that_runs_counts_and_is_seen_through(stage: Stage) -> None:
    old = member_of_before(stage, starts_in=3)
    stage.advance(days=3, hours=2)
    take_all(stage)
    charge = stage.charges(ANNA)[0]
    assert charge.state is ChargeState.COLLECTING
    stage.bank(stage.mollie_ids(charge.id)[0], "failed", "AM04")
    stage.advance(days=3)
    assert stage.charges(ANNA)[0].state is ChargeState.FAILED
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert "payment_failed" in stage.mail_kinds()
    assert months_charged(stage, old, 3)["2026-02"] == 0


def test_what_the_old_cart_could_not_collect_is_not_ours_to_collect(stage: Stage) -> None:
    old = member_of_before(stage, starts_in=3)
    stage.advance(days=3, hours=2)
    stage.bank(stage.newest_at_mollie(), "failed", "AM04")
    stage.advance(days=2)
    take_all(stage)
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [0]
    assert stage.mail_kinds() == []
    stage.advance(days=40)
    assert months_charged(stage, old, 3) == {"2026-03": 1}


def test_remaining_times_become_instalments(stage: Stage) -> None:
    old = member_of_before(stage, times=3, amount={"currency": "EUR", "value": "100.00"})
    stage.advance(days=20)
    take_all(stage)
    ours = stage.subscription(ANNA)
    assert (ours.kind, ours.periods) == (PlanKind.INSTALMENTS, 3)
    stage.advance(days=120)
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4)}
    assert stage.subscription(ANNA).state is SubscriptionState.COMPLETED
    assert stage.has_access(ANNA)
    truth.check(stage)


def test_the_old_price_and_rhythm_stay_when_a_map_names_the_plan(stage: Stage) -> None:
    member_of_before(stage, description="Yoga club 2019", amount=EURO_25, interval="2 weeks")
    wish = Wish([Rule("monthly", description="yoga*")])
    take_all(stage, wish)
    ours = stage.subscription(ANNA)
    assert (ours.amount_cents, ours.interval_count, ours.interval_unit) == (2500, 2, "week")
    stage.advance(days=11)
    assert stage.charges(ANNA)[1].amount_cents == 2500


def test_the_thirty_first_comes_back_to_the_thirty_first(stage: Stage) -> None:
    old = member_of_before(stage, starts_in=0)
    stage.advance(days=20)
    take_all(stage)
    stage.advance(days=75)
    made = [p.created_at for p in stage.sandbox.world.books.payments.where("customer_id", old.customer_id)]
    days = [(at + timedelta(hours=2)).date() for at in made]
    assert days == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


def test_each_refusal_has_its_reason(stage: Stage) -> None:
    member_of_before(stage, None, description="no address")
    broken = member_of_before(stage, "broken@example.com")
    stage.sandbox.world.books.mandates.rows[broken.mandate_id].status = "invalid"
    member_of_before(stage, "dear@example.com", amount={"currency": "EUR", "value": "51.00"})
    twice = member_of_before(stage, "twice@example.com")
    subscribed(stage, twice.email, twice.customer_id, twice.mandate_id, description="And again")
    suspended = member_of_before(stage, "suspended@example.com")
    stage.sandbox.world.books.subscriptions.rows[suspended.subscription_id].status = "suspended"
    over = member_of_before(stage, "over@example.com")
    client().customers.get(over.customer_id).subscriptions.delete(over.subscription_id)
    assert verdicts(stage) == [
        Verdict.NO_EMAIL, Verdict.NO_MANDATE, Verdict.UNKNOWN_PLAN, Verdict.TAKE, Verdict.DUPLICATE,
        Verdict.SUSPENDED,
    ]  # fmt: skip


def test_a_buyer_of_ours_is_here_already(stage: Stage) -> None:
    stage.buy(ANNA)
    member_of_before(stage, ANNA)
    assert verdicts(stage) == [Verdict.OTHER_CUSTOMER]


def test_a_second_run_finds_everybody_here(stage: Stage) -> None:
    member_of_before(stage)
    take_all(stage)
    plan_all(stage)
    assert verdicts(stage) == []  # Mollie's is canceled: there is nothing to decide
    stage.work()
    assert states(stage) == ["taken"]


def test_two_runs_before_the_work_owe_it_once(stage: Stage) -> None:
    old = member_of_before(stage)
    plan_all(stage)
    assert [d.verdict for d in plan_all(stage)] == [Verdict.ALREADY_HERE]
    stage.work()
    stage.advance(days=45)
    assert months_charged(stage, old, 10) == {"2026-02": 1, "2026-03": 1}


def test_a_dry_run_changes_nothing(stage: Stage) -> None:
    old = member_of_before(stage)
    assert verdicts(stage) == [Verdict.TAKE]
    stage.advance(days=12)
    assert states(stage) == []
    assert at_mollie(old)["status"] == "active"


def test_a_member_who_leaves_at_mollie_meanwhile_is_left_alone(stage: Stage) -> None:
    old = member_of_before(stage)
    plan_all(stage)
    client().customers.get(old.customer_id).subscriptions.delete(old.subscription_id)
    stage.work()
    assert states(stage) == ["refused"]
    stage.advance(days=40)
    assert months_charged(stage, old, 10) == {}


def test_while_mollie_refuses_to_cancel_it_goes_on_charging_alone(stage: Stage) -> None:
    old = member_of_before(stage, starts_in=3)
    with mollie_cancels_nothing(stage):
        take_all(stage)
        stage.advance(days=4)
        assert states(stage) == ["canceling"]
        assert stage.troubles() == ["takeover"]
    stage.advance(hours=2)
    assert states(stage) == ["taken"]
    assert stage.troubles() == []
    stage.advance(days=50)
    assert months_charged(stage, old, 3) == {f"2026-0{month}": 1 for month in (2, 3)}


def test_an_outage_in_between_costs_no_month(stage: Stage) -> None:
    old = member_of_before(stage)
    stage.advance(days=20)
    stage.disturb("timeout_after", match="/subscriptions/")
    plan_all(stage)
    stage.work()
    stage.disturb("status:503", count=40)
    stage.advance(days=40)
    stage.calm()
    stage.advance(days=20)
    assert states(stage) == ["taken"]
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4)}
    truth.check(stage)


def test_months_that_mollie_charged_while_we_slept_are_not_charged_again(stage: Stage) -> None:
    """Planned, then nobody works for two months, and Mollie goes on."""
    old = member_of_before(stage)
    plan_all(stage)
    stage.sandbox.advance(timedelta(days=70))
    stage.advance(days=1)
    assert states(stage) == ["taken"]
    assert stage.subscription(ANNA).next_charge_on == date(2026, 5, 10)
    stage.advance(days=40)
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4, 5)}


def test_a_webhook_for_an_old_payment_does_no_harm(stage: Stage) -> None:
    hook = f"https://pay.example.com/webhooks/mollie/{stage.shop.token}"
    old = member_of_before(stage, webhookUrl=hook)
    stage.advance(days=12)
    assert [message.outcome for message in stage.messages()] == ["foreign"]
    take_all(stage)
    stage.advance(days=60)
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4)}
    truth.check(stage)


def test_whoever_buys_here_before_the_cancellation_stays_at_mollie_as_well(stage: Stage) -> None:
    """She pays twice by her own doing, which only a person can settle: it is shown."""
    old = member_of_before(stage, starts_in=2)
    plan_all(stage)
    stage.work()
    stage.buy(ANNA)
    stage.advance(days=5)
    assert states(stage) == ["refused"]
    assert at_mollie(old)["status"] == "active"
    assert stage.troubles() == ["takeover"]


def test_whoever_buys_here_after_the_cancellation_has_one_subscription(stage: Stage) -> None:
    old = member_of_before(stage)
    plan_all(stage)
    in_between(stage, "payments", "list_subscription_payments", before=lambda: buy_in_the_shop(stage))
    stage.work()
    assert states(stage) == ["taken"]
    assert at_mollie(old)["status"] == "canceled"
    assert stage.subscription(ANNA).origin == "checkout"
    assert stage.charges(ANNA)[0].state is ChargeState.PAID


def buy_in_the_shop(stage: Stage) -> None:
    """Anna checks out and pays, and only Mollie's message is worked on."""
    charge = stage.begin(ANNA)
    stage.go_pay(charge)
    stage.bank(stage.mollie_ids(charge.id)[-1], "paid")
    stage.deliver()
    for kind, row_id in stage.due():
        if kind == "inbox":
            jobs.run(stage.parts, kind, row_id)


def test_money_in_another_currency_stays(stage: Stage) -> None:
    member_of_before(stage, amount={"currency": "EUR", "value": "50.00"})
    wish = Wish([Rule("monthly", amount=Money(5000, "USD"))])
    assert verdicts(stage, wish) == [Verdict.UNKNOWN_PLAN]


@pytest.mark.parametrize("kind", ["timeout_after", "timeout_before", "status:503", "html", "reset_after"])
def test_any_answer_to_the_cancellation_ends_well(stage: Stage, kind: str) -> None:
    old = member_of_before(stage)
    stage.advance(days=20)
    plan_all(stage)
    lost: Any = {"match": f"/subscriptions/{old.subscription_id}", "count": 3}
    stage.disturb(kind, **lost)
    stage.advance(days=60)
    assert states(stage) == ["taken"]
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4)}
    truth.check(stage)


@pytest.mark.parametrize(
    "place",
    [
        "before cancel_subscription",
        "after cancel_subscription",
        "after list_subscription_payments",
        "after list_mandates",
    ],
)
def test_three_months_after_a_crash_each_month_was_asked_for_once(stage: Stage, place: str) -> None:
    old = member_of_before(stage)
    let_in_before(stage, ANNA)
    stage.advance(days=20)
    plan_all(stage)
    stage.boundaries.kill_when(place)
    stage.advance(days=90)
    assert place in stage.boundaries.crossed
    assert months_charged(stage, old, 10) == {f"2026-0{month}": 1 for month in (2, 3, 4, 5)}
    truth.check(stage)
