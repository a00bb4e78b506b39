"""The main job: bought, charged every month, bounced, revoked, paid, granted again."""

from linkpay.domain.charge import ChargeState
from linkpay.domain.subscription import SubscriptionState
from tests.flows.stage import Stage

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
