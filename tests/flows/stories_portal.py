"""Stories of the member portal: a new account or card in the place of the old one."""

from linkpay.domain.charge import ChargeState
from linkpay.domain.snapshots import MandateStatus
from linkpay.store.tables import Mandate
from tests.flows import renewing
from tests.flows.shelf import ANNA
from tests.flows.stage import Stage
from tests.flows.story import Story


def buy(stage: Stage) -> None:
    """Anna is a member."""
    stage.buy(ANNA)


def reach_debit(stage: Stage) -> None:
    """Her second month is being collected."""
    stage.buy(ANNA)
    stage.advance(days=28)
    assert stage.charges(ANNA)[1].state is ChargeState.COLLECTING


def renew_account(stage: Stage) -> None:
    """A cent by iDEAL from another account."""
    renewing.renew(stage)


def renewed_account(stage: Stage) -> None:
    with stage.database.read() as tx:
        old, new = tx.query(Mandate).order_by(Mandate.id)
    assert stage.subscription(ANNA).mandate_id == new.id
    assert renewing.at_mollie(stage, new) is MandateStatus.VALID
    assert renewing.at_mollie(stage, old) is MandateStatus.REVOKED
    assert old.status is MandateStatus.REVOKED
    assert stage.mail_kinds().count("mandate_renewed") == 1
    assert renewing.renewals(stage) == ["moved"]
    assert stage.has_access(ANNA)


def renew_late(stage: Stage) -> None:
    """The bank delivers the account five hours later."""
    renewing.renew(stage, mandate_after_hours=5)
    stage.advance(hours=7)


def renew_and_collect(stage: Stage) -> None:
    """A debit runs on the old account when the new one is given."""
    renewing.renew(stage)
    stage.bank(stage.mollie_ids(stage.charges(ANNA)[1].id)[-1], "paid")
    stage.work()
    stage.advance(hours=7)


def collected_and_renewed(stage: Stage) -> None:
    renewed_account(stage)
    first, second = stage.charges(ANNA)
    assert (first.state, second.state) == (ChargeState.PAID, ChargeState.PAID)


STORIES = {
    "a new account": Story(buy, renew_account, renewed_account),
    "a new account that is valid hours later": Story(buy, renew_late, renewed_account),
    "a new account while a debit runs": Story(reach_debit, renew_and_collect, collected_and_renewed),
}
