"""The last days of who leaves: moved, owed, and those of a course that is paid whole after all."""

from datetime import date

from linkpay.domain.charge import ChargeState
from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState
from tests.flows import truth
from tests.flows.plans import cancel, reach_debit
from tests.flows.stage import Stage
from tests.flows.test_invariants import check

ANNA = "anna@example.com"
S = SubscriptionState


def test_who_leaves_later_and_owes_is_not_let_in_anew_when_the_next_period_would_begin(stage: Stage) -> None:
    debit = reach_debit(stage)
    cancel(stage, ANNA, CancelMode.DATE, date(2026, 8, 31), actor="owner")
    stage.bank(debit, "failed", "AC04")
    stage.advance(days=32, hours=5)  # grace was over on 14 March, and it is 1 April
    assert len(stage.charges(ANNA)) == 2
    assert not stage.has_access(ANNA)
    assert check(stage) == []
    stage.pay_by_link(stage.charges(ANNA)[1])
    stage.advance(days=1)
    assert stage.has_access(ANNA)
    truth.check(stage)
