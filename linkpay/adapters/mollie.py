"""Mollie: `PaymentProvider` in our words. How calls are made is `mollie_calls`, how answers are read
`mollie_reading`, what failures mean `mollie_outcomes`."""

from collections.abc import Mapping
from collections.abc import Sequence as ListOf
from dataclasses import replace
from datetime import datetime
from typing import Any

from linkpay.adapters.mollie_calls import Call, MollieCalls, filled
from linkpay.adapters.mollie_fields import checked_id
from linkpay.adapters.mollie_reading import (
    misses_chargebacks,
    misses_refunds,
    of_payment,
    read_chargeback,
    read_customer_id,
    read_mandate,
    read_method,
    read_page,
    read_payment,
    read_refund,
)
from linkpay.adapters.mollie_subscriptions import MollieSubscriptions
from linkpay.domain.money import Money, amount_string
from linkpay.domain.snapshots import (
    ChargebackSnapshot,
    MandateSnapshot,
    MandateStatus,
    PaymentSnapshot,
    RefundSnapshot,
    Sequence,
)
from linkpay.errors import Missing, Permanent, Retryable
from linkpay.ports import Method, PaymentOrder

_MAX_DESCRIPTION = 255  # Mollie cuts a payment's description here (specification)
_MAX_REFUND_DESCRIPTION = 140


class MollieProvider(MollieSubscriptions):
    """Mollie for any number of sites and threads; `key` is a site's secret API key.

    `api_url` is ``https://api.mollie.com`` or a sandbox. Times are in seconds: to connect, between two
    bytes of an answer, and for a whole call. All methods raise as `linkpay.errors` says, and no message
    shows a key.
    """

    def __init__(
        self,
        api_url: str,
        *,
        connect_timeout_s: float = 2.0,
        read_timeout_s: float = 10.0,
        total_s: float = 15.0,
    ) -> None:
        self._calls = MollieCalls(api_url, (connect_timeout_s, read_timeout_s), total_s=total_s)

    def create_customer(
        self,
        key: str,
        *,
        idempotency_key: str,
        name: str,
        email: str,
        locale: str | None,
        metadata: Mapping[str, str],
    ) -> str:
        """Make a customer and return its id."""
        data = filled({"name": name, "email": email, "locale": locale, "metadata": dict(metadata)})
        call = Call("POST", "customers", data=data, idempotency_key=idempotency_key)
        return self._calls.ask(key, call, read_customer_id)

    def create_payment(self, key: str, order: PaymentOrder) -> PaymentSnapshot:
        """Ask for money. A recurring debit that the bank declines is an answer, not an error."""
        call = Call("POST", "payments", data=_payment_data(order), idempotency_key=order.idempotency_key)
        return self._calls.ask(key, call, read_payment)

    def fetch_payment(self, key: str, payment_id: str) -> PaymentSnapshot:
        """The payment with all its refunds and chargebacks, read in full when the embedded lists are cut."""
        path = f"payments/{checked_id('tr', payment_id)}"
        call = Call("GET", path, params={"embed": "refunds,chargebacks"}, repeatable=True)
        payment = self._calls.ask(key, call, read_payment)
        try:
            if misses_refunds(payment):
                payment = replace(payment, refunds=self._calls.list_all(key, f"{path}/refunds", read_refund))
            if misses_chargebacks(payment):
                listed = self._calls.list_all(key, f"{path}/chargebacks", read_chargeback)
                payment = replace(payment, chargebacks=listed)
        except Missing as error:
            raise Retryable("Mollie knows the payment but not yet its lists", status=error.status) from None
        return payment

    def cancel_payment(self, key: str, payment_id: str) -> PaymentSnapshot:
        """Stop a payment; `Permanent` when Mollie no longer can (422), unknown when no answer came."""
        call = Call("DELETE", f"payments/{checked_id('tr', payment_id)}")
        return self._calls.ask(key, call, read_payment)

    def list_customer_payments(self, key: str, customer_id: str) -> ListOf[PaymentSnapshot]:
        """All payments of one customer, newest first, complete or an error."""
        return self._calls.list_all(key, f"customers/{checked_id('cst', customer_id)}/payments", read_payment)

    def list_payments(self, key: str, *, limit: int) -> ListOf[PaymentSnapshot]:
        """The account's newest payments, newest first, at most `limit`."""
        return self._calls.list_all(key, "payments", read_payment, limit)

    def list_payments_since(self, key: str, since: datetime) -> ListOf[PaymentSnapshot]:
        """Every payment made at or after an instant, newest first; reads no further than it must."""
        listed = self._calls.list_all(
            key, "payments", read_payment, until=lambda payment: payment.created_at < since
        )
        return tuple(payment for payment in listed if payment.created_at >= since)

    def list_chargebacks(self, key: str, *, limit: int) -> ListOf[tuple[str, ChargebackSnapshot]]:
        """The account's newest chargebacks as (payment id, chargeback), newest first."""
        return self._calls.list_all(key, "chargebacks", of_payment(read_chargeback), limit)

    def list_refunds(self, key: str, *, limit: int) -> ListOf[tuple[str, RefundSnapshot]]:
        """The account's newest refunds as (payment id, refund), newest first."""
        return self._calls.list_all(key, "refunds", of_payment(read_refund), limit)

    def fetch_mandate(self, key: str, customer_id: str, mandate_id: str) -> MandateSnapshot:
        """The mandate; `revoked` when it is gone.

        A revoked mandate answers 410 (seen in the field). A 404 can also be a fresh mandate that Mollie
        does not find yet (read-after-write is not promised), so the customer's list has the last word.
        """
        path = _mandate_path(customer_id, mandate_id)
        try:
            return self._calls.ask(key, Call("GET", path, repeatable=True), read_mandate)
        except Missing as error:
            if error.status == 404:
                return self._listed_mandate(key, customer_id, mandate_id)
            return _gone(mandate_id)

    def _listed_mandate(self, key: str, customer_id: str, mandate_id: str) -> MandateSnapshot:
        try:
            listed = self.list_mandates(key, customer_id)
        except Missing:
            return _gone(mandate_id)
        return next((mandate for mandate in listed if mandate.id == mandate_id), _gone(mandate_id))

    def list_mandates(self, key: str, customer_id: str) -> ListOf[MandateSnapshot]:
        """All mandates of one customer, newest first."""
        return self._calls.list_all(key, f"customers/{checked_id('cst', customer_id)}/mandates", read_mandate)

    def revoke_mandate(self, key: str, customer_id: str, mandate_id: str) -> None:
        """Revoke; one that is gone already is success, so this may be repeated at will."""
        call = Call("DELETE", _mandate_path(customer_id, mandate_id), repeatable=True)
        try:
            self._calls.exchange(key, call)
        except Missing:
            return

    def refund(
        self,
        key: str,
        payment_id: str,
        *,
        idempotency_key: str,
        amount: Money,
        description: str,
        metadata: Mapping[str, str],
    ) -> RefundSnapshot:
        """Send money back. A second refund of the same amount within the hour is 409: unknown, list first."""
        data = {
            "amount": _amount_data(amount),
            "description": description[:_MAX_REFUND_DESCRIPTION],
            "metadata": dict(metadata),
        }
        path = f"payments/{checked_id('tr', payment_id)}/refunds"
        call = Call("POST", path, data=data, idempotency_key=idempotency_key)
        return self._calls.ask(key, call, read_refund)

    def list_payment_refunds(self, key: str, payment_id: str) -> ListOf[RefundSnapshot]:
        """All refunds of one payment, newest first."""
        return self._calls.list_all(key, f"payments/{checked_id('tr', payment_id)}/refunds", read_refund)

    def list_methods(
        self, key: str, *, sequence: Sequence, amount: Money | None, locale: str | None
    ) -> ListOf[Method]:
        """Methods the account really offers for such a payment."""
        params = {
            "sequenceType": sequence.value,
            "amount": _amount_data(amount) if amount is not None else None,
            "locale": locale,
        }
        call = Call("GET", "methods", params=filled(params), repeatable=True)
        return self._calls.ask(key, call, lambda body: read_page(body, "methods", read_method)).items


def _payment_data(order: PaymentOrder) -> dict[str, Any]:
    if order.sequence is Sequence.RECURRING and order.mandate_id is None:
        # Mollie would pick a mandate by itself, perhaps one the member has replaced.
        raise Permanent("a recurring payment names its mandate", field="mandateId")
    return filled(
        {
            "amount": _amount_data(order.amount),
            "description": order.description[:_MAX_DESCRIPTION],
            "sequenceType": order.sequence.value,
            "webhookUrl": order.webhook_url,
            "customerId": order.customer_id and checked_id("cst", order.customer_id),
            "mandateId": order.mandate_id and checked_id("mdt", order.mandate_id),
            "method": order.method,
            "redirectUrl": order.redirect_url,
            "locale": order.locale,
            "metadata": dict(order.metadata),
        }
    )


def _amount_data(amount: Money) -> dict[str, str]:
    return {"currency": amount.currency, "value": amount_string(amount)}


def _mandate_path(customer_id: str, mandate_id: str) -> str:
    return f"customers/{checked_id('cst', customer_id)}/mandates/{checked_id('mdt', mandate_id)}"


def _gone(mandate_id: str) -> MandateSnapshot:
    return MandateSnapshot(
        id=mandate_id,
        status=MandateStatus.REVOKED,
        method="",
        account_hint=None,
        reference=None,
        signed_on=None,
        created_at=None,
    )
