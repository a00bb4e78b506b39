"""The main job: bought, charged every month, bounced, revoked, paid, granted again."""

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import checkout, letters
from linkpay.store.tables import Mail
from tests.flows.plans import add_plan, stay_in
from tests.flows.stage import Stage
from tests.flows.test_money_back import charge_back

ANNA = "anna@example.com"


def test_a_paid_first_month_gives_access_at_once(stage: Stage) -> None:
    subscription = stage.buy(ANNA)
    assert subscription.state is SubscriptionState.ACTIVE
    assert stage.has_access(ANNA)
    assert stage.in_step(ANNA)


def test_every_month_is_charged_once_and_access_never_blinks(stage: Stage) -> None:
    stage.buy(ANNA)
    for _ in range(95):
        stage.advance(days=1)
        assert stage.has_access(ANNA)
    made = stage.charges(ANNA)
    assert [str(charge.starts_on) for charge in made] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]
    assert all(charge.state is ChargeState.PAID for charge in made)


def run_to_debit(stage: Stage, email: str) -> str:
    """Until the second month's debit runs; its id at Mollie."""
    stage.buy(email)
    stage.advance(days=26)
    while len(stage.charges(email)) < 2:
        stage.advance(days=1)
    return stage.mollie_ids(stage.charges(email)[1].id)[0]


def test_access_stays_while_the_debit_runs(stage: Stage) -> None:
    run_to_debit(stage, ANNA)
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING
    assert stage.has_access(ANNA)


def test_a_bounced_debit_is_tried_twice_mailed_thrice_and_ends_access_after_grace(stage: Stage) -> None:
    stage.bank(run_to_debit(stage, ANNA), "failed", "AM04")
    stage.work()
    assert stage.subscription(ANNA).state is SubscriptionState.PAST_DUE
    assert stage.has_access(ANNA)
    for _ in range(13):
        stage.advance(days=1)
        for payment_id in stage.mollie_ids(stage.charges(ANNA)[1].id):
            if stage.status(payment_id) == "pending":
                stage.bank(payment_id, "failed", "AM04")
        stage.work()
        assert stage.has_access(ANNA)
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 3
    stage.advance(days=1)
    assert stage.subscription(ANNA).state is SubscriptionState.SUSPENDED
    assert not stage.has_access(ANNA)
    assert stage.in_step(ANNA)
    assert stage.mail_kinds() == [
        "welcome", "access_open", "payment_failed", "payment_failed", "payment_failed", "access_ended",
    ]  # fmt: skip


def test_a_debit_that_runs_again_promises_no_day_beyond_grace(stage: Stage) -> None:
    stage.bank(run_to_debit(stage, ANNA), "failed", "AM04")
    stage.advance(days=5, hours=1)
    again = stage.mollie_ids(stage.charges(ANNA)[1].id)[-1]
    assert stage.status(again) == "pending"
    promised = stage.promised_until("payment_failed")
    assert len(promised) == 2
    stage.bank(again, "failed", "AC04")
    stage.work()
    grant = stage.grant(ANNA)
    assert grant is not None
    assert promised == [grant.until] * 2


def test_a_receipt_sent_after_the_access_mail_says_that_access_is_open(stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        receipt = tx.query(Mail).filter_by(kind="welcome").one()
        receipt.text, receipt.sent_at = None, None
        letter = letters.compose(tx, receipt.id, "https://pay.example.com", stage.clock.now())
    assert letter is not None
    assert "Je toegang is open" in letter.text


def test_paying_the_open_charge_gives_access_back_with_a_whole_period(stage: Stage) -> None:
    stage.bank(run_to_debit(stage, ANNA), "failed", "MD01")
    stage.advance(days=40)
    assert not stage.has_access(ANNA)
    charge = stage.charges(ANNA)[1]
    assert isinstance(stage.go_pay(charge), checkout.Redirect)
    stage.bank(stage.mollie_ids(charge.id)[-1], "paid")
    stage.work()
    assert stage.has_access(ANNA)
    subscription = stage.subscription(ANNA)
    assert subscription.state is SubscriptionState.ACTIVE
    paid = stage.charges(ANNA)[1]
    assert str(paid.starts_on) == "2026-04-09"
    assert str(subscription.next_charge_on) == "2026-05-09"
    stage.advance(days=40)
    assert [c.state for c in stage.charges(ANNA)] == [ChargeState.PAID] * 3
    assert stage.has_access(ANNA)


def test_money_taken_back_ends_access_after_three_days_and_is_never_debited_again(stage: Stage) -> None:
    payment_id = run_to_debit(stage, ANNA)
    stage.advance(days=10)
    assert stage.charges(ANNA)[1].state is ChargeState.PAID
    stage.sandbox.call("POST", f"/_sandbox/payments/{payment_id}/chargebacks", {"reason": "MD06"})
    stage.work()
    assert stage.has_access(ANNA)
    stage.advance(days=3, hours=1)
    assert not stage.has_access(ANNA)
    stage.advance(days=30)
    assert len(stage.mollie_ids(stage.charges(ANNA)[1].id)) == 1
    assert len(stage.charges(ANNA)) == 2
    assert stage.in_step(ANNA)


def test_a_trial_that_is_taken_back_and_paid_late_is_as_long_as_agreed(stage: Stage) -> None:
    add_plan(stage, "tried", 5000, trial_days=14, trial_cents=100)
    stage.buy(ANNA, "tried")
    stage.advance(days=3)
    charge_back(stage, stage.mollie_ids(stage.charges(ANNA)[0].id)[0])
    stage.advance(days=20)
    assert not stage.has_access(ANNA)
    stage.pay_by_link(stage.charges(ANNA)[0])
    (trial,) = stage.charges(ANNA)
    assert (str(trial.starts_on), str(trial.ends_on)) == ("2026-02-23", "2026-03-09")
    stay_in(stage, 60)
    assert [str(charge.starts_on) for charge in stage.charges(ANNA)[1:]] == ["2026-03-09", "2026-04-09"]
    assert [charge.amount_cents for charge in stage.charges(ANNA)] == [100, 5000, 5000]


def test_instalments_stop_after_the_last_and_access_stays_for_ever(stage: Stage) -> None:
    stage.buy(ANNA, "terms")
    stage.advance(days=130)
    assert stage.subscription(ANNA).state is SubscriptionState.COMPLETED
    assert [c.paid_cents for c in stage.charges(ANNA)] == [10000] * 3
    assert stage.has_access(ANNA)


def test_one_payment_buys_for_ever(stage: Stage) -> None:
    assert stage.buy(ANNA, "once").state is SubscriptionState.COMPLETED
    stage.advance(days=40)
    assert stage.has_access(ANNA)
    assert len(stage.charges(ANNA)) == 1
