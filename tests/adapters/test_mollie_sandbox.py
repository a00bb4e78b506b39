"""The life of payments and mandates at the sandbox, which answers as Mollie does."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from linkpay.adapters.mollie import MollieProvider
from linkpay.domain.money import Money
from linkpay.domain.snapshots import MandateStatus, PaymentSnapshot, PaymentStatus, Sequence
from linkpay.errors import Missing, OutcomeUnknown, Permanent, ProviderError, Retryable
from linkpay.ports import PaymentOrder
from tests.adapters.sandboxes import Place, in_process, on_a_port

HOOK = "https://pay.example.com/webhooks/mollie/x"


class Desk:
    """An owner of its own at one sandbox."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.key = f"test_{uuid.uuid4().hex}"
        self.mollie = MollieProvider(place.mollie_url)

    def customer(self) -> str:
        return self.mollie.create_customer(
            self.key,
            idempotency_key=str(uuid.uuid4()),
            name="Eva Jansen",
            email="eva@example.test",
            locale="nl_NL",
            metadata={"customer": "3"},
        )

    def first(self, **change: object) -> PaymentOrder:
        order = PaymentOrder(
            idempotency_key=str(uuid.uuid4()),
            amount=Money(5000),
            description="First month",
            sequence=Sequence.FIRST,
            webhook_url=HOOK,
            customer_id=self.customer(),
            redirect_url="https://pay.example.com/return",
            locale="nl_NL",
            metadata={"payment": "17"},
        )
        return replace(order, **change)  # type: ignore[arg-type]  # the fields that a test names

    def paid_first(self) -> PaymentSnapshot:
        payment = self.mollie.create_payment(self.key, self.first(method="ideal"))
        self.place.control(f"payments/{payment.id}", status="paid")
        return self.mollie.fetch_payment(self.key, payment.id)

    def renewal(self, first: PaymentSnapshot) -> PaymentOrder:
        return PaymentOrder(
            idempotency_key=str(uuid.uuid4()),
            amount=Money(5000),
            description="Next month",
            sequence=Sequence.RECURRING,
            webhook_url=HOOK,
            customer_id=first.customer_id,
            mandate_id=first.mandate_id,
            metadata={"payment": "18"},
        )

    def disturbed(self, kind: str) -> MollieProvider:
        """Who is to meet this fault: he waits a second only for what never comes."""
        return MollieProvider(
            self.place.mollie_url, read_timeout_s=1.0 if kind.startswith("timeout") else 10.0
        )

    def fault(self, kind: str, match: str = "") -> None:
        self.place.control("faults", target="mollie", kind=kind, match=match, count=1)


@pytest.fixture(scope="module", params=["in process", "on a port"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("sandbox")
    with in_process() if request.param == "in process" else on_a_port(folder) as sandbox:
        yield sandbox


@pytest.fixture
def desk(place: Place) -> Desk:
    return Desk(place)


def test_a_first_payment_makes_a_mandate_that_can_be_charged(desk: Desk) -> None:
    opened = desk.mollie.create_payment(desk.key, desk.first(method="ideal"))
    assert (opened.status, opened.mode, opened.amount) == (PaymentStatus.OPEN, "test", Money(5000))
    assert opened.checkout_url is not None
    assert requests.get(opened.checkout_url, timeout=5).ok
    desk.place.control(f"payments/{opened.id}", status="paid")
    paid = desk.mollie.fetch_payment(desk.key, opened.id)
    assert paid.status is PaymentStatus.PAID
    assert paid.paid_at is not None
    assert paid.metadata == {"payment": "17"}
    assert paid.customer_id is not None
    assert paid.mandate_id is not None
    mandate = desk.mollie.fetch_mandate(desk.key, paid.customer_id, paid.mandate_id)
    assert (mandate.status, mandate.method) == (MandateStatus.VALID, "directdebit")
    assert mandate.account_hint is not None
    assert len(mandate.account_hint) == 4
    assert desk.mollie.list_mandates(desk.key, paid.customer_id) == (mandate,)
    renewal = desk.mollie.create_payment(desk.key, desk.renewal(paid))
    assert (renewal.status, renewal.method) == (PaymentStatus.PENDING, "directdebit")
    assert renewal.due_on is not None
    listed = desk.mollie.list_customer_payments(desk.key, paid.customer_id)
    assert [payment.id for payment in listed] == [renewal.id, paid.id]
    assert [payment.id for payment in desk.mollie.list_payments(desk.key, limit=1)] == [renewal.id]


def test_a_bounced_debit_tells_its_reason(desk: Desk) -> None:
    renewal = desk.mollie.create_payment(desk.key, desk.renewal(desk.paid_first()))
    desk.place.control(f"payments/{renewal.id}", status="failed", reason="AM04")
    failed = desk.mollie.fetch_payment(desk.key, renewal.id)
    assert (failed.status, failed.failure_code) == (PaymentStatus.FAILED, "AM04")


def test_money_that_goes_back_is_seen_on_the_payment_and_in_the_lists(desk: Desk) -> None:
    paid = desk.paid_first()
    sent = desk.mollie.refund(
        desk.key,
        paid.id,
        idempotency_key=str(uuid.uuid4()),
        amount=Money(1000),
        description="Sorry",
        metadata={"refund": "1"},
    )
    desk.place.control(f"payments/{paid.id}/chargebacks", reason="MD06")
    after = desk.mollie.fetch_payment(desk.key, paid.id)
    assert after.status is PaymentStatus.PAID
    assert (after.refunded_cents, [refund.id for refund in after.refunds]) == (1000, [sent.id])
    assert after.charged_back_cents == sum(item.amount.cents for item in after.chargebacks) > 0
    assert sent.metadata == {"refund": "1"}
    assert [item.id for item in desk.mollie.list_payment_refunds(desk.key, paid.id)] == [sent.id]
    ((payment_id, refund),) = desk.mollie.list_refunds(desk.key, limit=5)
    assert (payment_id, refund.amount) == (paid.id, Money(1000))
    ((payment_id, chargeback),) = desk.mollie.list_chargebacks(desk.key, limit=5)
    assert (payment_id, chargeback.id) == (paid.id, after.chargebacks[0].id)


def test_the_same_refund_twice_within_the_hour_is_to_be_resolved_by_listing(desk: Desk) -> None:
    paid = desk.paid_first()

    def refund() -> str:
        return desk.mollie.refund(
            desk.key,
            paid.id,
            idempotency_key=str(uuid.uuid4()),
            amount=Money(1000),
            description="Sorry",
            metadata={},
        ).id

    first = refund()
    with pytest.raises(OutcomeUnknown):
        refund()
    assert [item.id for item in desk.mollie.list_payment_refunds(desk.key, paid.id)] == [first]


def test_a_revoked_mandate_is_gone_and_cannot_be_charged(desk: Desk) -> None:
    paid = desk.paid_first()
    assert paid.customer_id is not None
    assert paid.mandate_id is not None
    for _ in range(2):
        desk.mollie.revoke_mandate(desk.key, paid.customer_id, paid.mandate_id)
    gone = desk.mollie.fetch_mandate(desk.key, paid.customer_id, paid.mandate_id)
    assert (gone.status, gone.created_at) == (MandateStatus.REVOKED, None)
    with pytest.raises(Permanent):
        desk.mollie.create_payment(desk.key, desk.renewal(paid))


def test_a_debit_can_be_stopped_and_a_paid_payment_cannot(desk: Desk) -> None:
    paid = desk.paid_first()
    renewal = desk.mollie.create_payment(desk.key, desk.renewal(paid))
    assert desk.mollie.cancel_payment(desk.key, renewal.id).status is PaymentStatus.CANCELED
    with pytest.raises(Permanent):
        desk.mollie.cancel_payment(desk.key, paid.id)


def test_another_owners_payment_is_missing(desk: Desk, place: Place) -> None:
    with pytest.raises(Missing):
        desk.mollie.fetch_payment(Desk(place).key, desk.paid_first().id)


def test_methods_are_those_that_can_begin_a_mandate(desk: Desk) -> None:
    first = desk.mollie.list_methods(desk.key, sequence=Sequence.FIRST, amount=Money(5000), locale="nl_NL")
    assert {"ideal", "creditcard"} <= {method.id for method in first}
    recurring = desk.mollie.list_methods(desk.key, sequence=Sequence.RECURRING, amount=None, locale=None)
    assert {method.id for method in recurring} >= {"directdebit"}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("status:429", Retryable),
        ("status:500", OutcomeUnknown),
        ("status:503", OutcomeUnknown),
        ("timeout_before", OutcomeUnknown),
        ("timeout_after", OutcomeUnknown),
        ("reset_before", OutcomeUnknown),
        ("reset_after", OutcomeUnknown),
        ("accepted_202", OutcomeUnknown),
        ("html", OutcomeUnknown),
        ("html_after", OutcomeUnknown),
    ],
)
def test_after_any_disturbance_the_same_key_finds_the_one_payment(
    desk: Desk, kind: str, error: type[ProviderError]
) -> None:
    paid = desk.paid_first()
    order = desk.renewal(paid)
    desk.fault(kind, match="/payments")
    with pytest.raises(error):
        desk.disturbed(kind).create_payment(desk.key, order)
    renewal = desk.mollie.create_payment(desk.key, order)
    assert paid.customer_id is not None
    listed = desk.mollie.list_customer_payments(desk.key, paid.customer_id)
    assert [payment.id for payment in listed] == [renewal.id, paid.id]


@pytest.mark.parametrize("kind", ["status:429", "status:502", "timeout_before", "reset_after", "html"])
def test_reading_through_a_disturbance_is_for_another_time(desk: Desk, kind: str) -> None:
    paid = desk.paid_first()
    desk.fault(kind, match=f"/payments/{paid.id}")
    with pytest.raises(Retryable):
        desk.disturbed(kind).fetch_payment(desk.key, paid.id)
    assert desk.mollie.fetch_payment(desk.key, paid.id) == paid


def test_a_key_with_another_order_is_not_booked_as_refused(desk: Desk) -> None:
    order = desk.renewal(desk.paid_first())
    made = desk.mollie.create_payment(desk.key, order)
    assert desk.mollie.create_payment(desk.key, order).id == made.id
    with pytest.raises(OutcomeUnknown):
        desk.mollie.create_payment(desk.key, replace(order, amount=Money(6000)))


def test_a_fresh_mandate_that_is_not_found_once_is_not_revoked(desk: Desk) -> None:
    paid = desk.paid_first()
    assert paid.customer_id is not None
    assert paid.mandate_id is not None
    desk.fault("not_found_once", match=f"/mandates/{paid.mandate_id}")
    mandate = desk.mollie.fetch_mandate(desk.key, paid.customer_id, paid.mandate_id)
    assert mandate.status is MandateStatus.VALID


def test_long_lists_are_read_whole(desk: Desk) -> None:
    customer = desk.customer()
    order = desk.first(customer_id=customer)
    made = [
        desk.mollie.create_payment(desk.key, replace(order, idempotency_key=str(uuid.uuid4()))).id
        for _ in range(255)
    ]
    listed = desk.mollie.list_customer_payments(desk.key, customer)
    assert [payment.id for payment in listed] == made[::-1]
