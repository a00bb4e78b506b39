"""The books as the control addresses show them: the sandbox's own truth, for tests to compare with."""

from linkpay.sandbox.mollie.fields import money
from linkpay.sandbox.records import Chargeback, Customer, Delivery, Mandate, Payment, Refund
from linkpay.sandbox.web import Json
from linkpay.sandbox.world import World


def payment_view(payment: Payment) -> Json:
    return {
        "id": payment.id,
        "organization_id": payment.scope.split(":")[0],
        "mode": payment.scope.split(":")[1],
        "status": payment.status,
        "amount": money(payment.amount_cents, payment.currency),
        "amount_cents": payment.amount_cents,
        "refunded_cents": payment.refunded_cents,
        "charged_back_cents": payment.charged_back_cents,
        "method": payment.method,
        "sequence_type": payment.sequence_type,
        "description": payment.description,
        "customer_id": payment.customer_id,
        "mandate_id": payment.mandate_id,
        "subscription_id": payment.subscription_id,
        "metadata": payment.metadata,
        "webhook_url": payment.webhook_url,
        "checkout_path": f"/checkout/{payment.checkout_token}",
        "created_at": payment.created_at.isoformat(),
        "paid_at": payment.paid_at.isoformat() if payment.paid_at is not None else None,
        "due_on": payment.due_on.isoformat() if payment.due_on is not None else None,
        "details": payment.details,
    }


def refund_view(refund: Refund) -> Json:
    return {
        "id": refund.id,
        "payment_id": refund.payment_id,
        "amount": money(refund.amount_cents, refund.currency),
        "status": refund.status,
        "created_at": refund.created_at.isoformat(),
    }


def chargeback_view(chargeback: Chargeback) -> Json:
    reversed_at = chargeback.reversed_at
    return {
        "id": chargeback.id,
        "payment_id": chargeback.payment_id,
        "amount": money(chargeback.amount_cents, chargeback.currency),
        "reason": chargeback.reason,
        "created_at": chargeback.created_at.isoformat(),
        "reversed_at": reversed_at.isoformat() if reversed_at is not None else None,
    }


def customer_view(customer: Customer) -> Json:
    return {
        "id": customer.id,
        "name": customer.name,
        "email": customer.email,
        "metadata": customer.metadata,
        "deleted": customer.deleted_at is not None,
    }


def mandate_view(mandate: Mandate) -> Json:
    return {
        "id": mandate.id,
        "customer_id": mandate.customer_id,
        "status": "revoked" if mandate.revoked_at is not None else mandate.status,
        "method": mandate.method,
        "details": mandate.details,
    }


def delivery_view(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "url": delivery.url,
        "subject": delivery.subject,
        "source": delivery.source,
        "state": delivery.state,
        "created_at": delivery.created_at.isoformat(),
        "attempts": delivery.attempts,
    }


def log_view(world: World, *, path: str = "", method: str = "", status: str = "") -> list[Json]:
    """The request log, oldest first, narrowed to a part of the path, a method or a status."""
    return [
        {
            "at": line.at.isoformat(),
            "method": line.method,
            "path": line.path,
            "status": line.status,
            "ms": line.millis,
            "key": line.key,
            "idempotency_key": line.idempotency_key,
            "lost": line.lost,
        }
        for line in list(world.log)
        if path in line.path and method in ("", line.method) and status in ("", str(line.status))
    ]
