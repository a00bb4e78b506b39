"""Random lives of one customer: whatever banks, merchant and time do, the books stay sound."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from mollie.api.client import Client

from linkpay.clock import ManualClock
from linkpay.sandbox.app import create_sandbox
from linkpay.sandbox.inprocess import mounted
from tests.sandbox.conftest import START
from tests.sandbox.desk import KEY, MOLLIE, Inbox, api, charge, control, euro, mandated

FINAL = {"canceled", "expired", "failed"}
REASONS = st.sampled_from(["AM04", "MS03", "MD06", "AC04", "MD01"])


def cents(amount: Any) -> int:
    return int(amount["value"].replace(".", "")) if amount else 0


class Bank(RuleBasedStateMachine):
    """Debits, fates, refunds, chargebacks and time in any order."""

    @initialize()
    def begin(self) -> None:
        self.inbox = Inbox()
        self.sandbox = create_sandbox(clock=ManualClock(START), deliver=self.inbox)
        self.mount = mounted(self.sandbox)
        self.mount.__enter__()
        self.mollie = Client(api_endpoint=MOLLIE)
        self.mollie.set_api_key(KEY)
        self.first = mandated(self.mollie)
        self.ended: dict[str, str] = {}
        self.seen_at: datetime = START
        self.told = 0

    def teardown(self) -> None:
        self.mount.__exit__(None, None, None)

    def _debits(self, *statuses: str) -> list[Any]:
        rows = self.mollie.payments.list(limit=250)
        return [row for row in rows if row["sequenceType"] == "recurring" and row["status"] in statuses]

    def _post(self, path: str, body: dict[str, Any]) -> int:
        return api("POST", path, json=body).status_code

    @rule(value=st.sampled_from(["1.00", "50.00", "999.99"]))
    def debit(self, value: str) -> None:
        mandate = self.sandbox.world.books.mandates.rows[self.first["mandateId"]]
        if mandate.status == "valid":
            assert charge(self.mollie, self.first, value)["status"] == "pending"
        else:
            body = {"amount": euro(value), "description": "x", "sequenceType": "recurring"}
            assert self._post(f"/v2/customers/{self.first['customerId']}/payments", body) == 422

    @rule(status=st.sampled_from(["failed", "paid", "charged_back", "pending"]), reason=REASONS)
    def decide(self, status: str, reason: str) -> None:
        fate = {"status": status, "reason": reason, "after_days": 3}
        control(self.sandbox, f"customers/{self.first['customerId']}", next_debit=fate)

    @rule(hours=st.integers(1, 24 * 10))
    def wait(self, hours: int) -> None:
        self.sandbox.advance(timedelta(hours=hours))

    @rule(value=st.sampled_from(["0.50", "1.00", "50.00"]))
    def refund(self, value: str) -> None:
        for payment in self._debits("paid")[:1]:
            left = cents(payment["amountRemaining"])
            answer = self._post(f"/v2/payments/{payment['id']}/refunds", {"amount": euro(value)})
            assert answer in ((201, 409) if cents(euro(value)) <= left else (409, 422))

    @rule()
    def cancel_refunds(self) -> None:
        for refund in self.mollie.refunds.list():
            path = f"/v2/payments/{refund['paymentId']}/refunds/{refund['id']}"
            expected = 204 if refund["status"] in ("pending", "queued") else 422
            assert api("DELETE", path).status_code == expected

    @rule(reason=REASONS)
    def reverse(self, reason: str) -> None:
        for payment in self._debits("paid")[:1]:
            if cents(payment.get("amountChargedBack")) < cents(payment["amount"]):
                control(self.sandbox, f"payments/{payment['id']}/chargebacks", reason=reason)

    @rule(reason=REASONS)
    def fail_late(self, reason: str) -> None:
        for payment in self._debits("paid")[:1]:
            control(self.sandbox, f"payments/{payment['id']}", status="failed", reason=reason)

    @rule()
    def cancel(self) -> None:
        for payment in self._debits("pending"):
            expected = 200 if payment["isCancelable"] else 422
            assert api("DELETE", f"/v2/payments/{payment['id']}").status_code == expected

    @invariant()
    def amounts_add_up(self) -> None:
        if not hasattr(self, "mollie"):
            return
        for row in self.mollie.payments.list(limit=250):
            payment = self.mollie.payments.get(row["id"], embed="refunds,chargebacks")
            inside = payment["_embedded"]
            refunded = sum(
                cents(each["amount"])
                for each in inside["refunds"]
                if each["status"] not in ("failed", "canceled")
            )
            back = sum(cents(each["amount"]) for each in inside["chargebacks"])
            if "amountRemaining" in payment:
                assert cents(payment["amountRefunded"]) == refunded
                assert cents(payment.get("amountChargedBack")) == back
                left = cents(payment["amount"]) - refunded - back
                assert cents(payment["amountRemaining"]) == max(0, left)
            assert back <= cents(payment["amount"])

    @invariant()
    def what_ended_stays_ended(self) -> None:
        if not hasattr(self, "mollie"):
            return
        for payment in self.mollie.payments.list(limit=250):
            before = self.ended.setdefault(payment["id"], payment["status"])
            if before in FINAL:
                assert payment["status"] == before
            self.ended[payment["id"]] = payment["status"]

    @invariant()
    def time_and_news_only_grow(self) -> None:
        if not hasattr(self, "mollie"):
            return
        assert self.sandbox.world.now() >= self.seen_at
        self.seen_at = self.sandbox.world.now()
        self.sandbox.pump()
        assert len(self.inbox.calls) >= self.told
        assert set(self.inbox.ids) <= set(self.sandbox.world.books.payments.rows)
        self.told = len(self.inbox.calls)
        timer = self.sandbox.world.books.next_timer()
        assert timer is None or timer.due_at > self.seen_at


TestBank = Bank.TestCase
TestBank.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
