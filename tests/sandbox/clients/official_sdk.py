"""Drives a sandbox with Mollie's own generated SDK, which checks every answer against Mollie's schema.

Runs in an environment of its own: ``python official_sdk.py http://127.0.0.1:8090``. Prints the names of
the steps that worked, one a line, and ends with a traceback at the first that did not.
"""

import importlib
import sys
from typing import Any

# Loaded by name: the package `mollie` of this environment is not the one the rest of the tests know.
mollie: Any = importlib.import_module("mollie")
httpx: Any = importlib.import_module("httpx")

BASE = sys.argv[1]
EURO = {"currency": "EUR", "value": "25.00"}
SHOP = "https://shop.example.com"
HOOK = "http://127.0.0.1:9/hook"


def control(path: str, **body: Any) -> Any:
    answer = httpx.post(f"{BASE}/_sandbox/{path}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def worked(step: str) -> None:
    sys.stdout.write(f"{step}\n")


def first_payment(sdk: Any, **more: Any) -> tuple[str, str, str]:
    customer = sdk.customers.create(entity_customer={"name": "Jane", "email": "jane@example.com"})
    payment = sdk.payments.create(
        payment_request={
            "description": "First",
            "amount": EURO,
            "redirect_url": SHOP,
            "webhook_url": HOOK,
            "customer_id": customer.id,
            "sequence_type": "first",
            "metadata": {"order": "7"},
            **more,
        }
    )
    assert payment.links.checkout is not None
    control(f"payments/{payment.id}", status="paid", method="ideal")
    assert sdk.payments.get(payment_id=payment.id, embed="captures").status == "paid"
    return str(customer.id), str(payment.id), str(payment.mandate_id)


def with_a_key() -> None:
    """What an API key may do."""
    sdk = mollie.ClientSDK(security=mollie.Security(api_key="test_officialsdk"), server_url=BASE)
    customer_id, payment_id, mandate_id = first_payment(sdk)
    worked("first payment")
    assert sdk.customers.get(customer_id=customer_id).mode == "test"
    assert sdk.customers.update(customer_id=customer_id, request_body={"name": "J"}).name == "J"
    assert sdk.customers.list(limit=1).result.count == 1
    worked("customers")
    assert sdk.mandates.get(customer_id=customer_id, mandate_id=mandate_id).status == "valid"
    assert sdk.mandates.list(customer_id=customer_id).result.count == 1
    paper = {"method": "directdebit", "consumer_name": "J", "consumer_account": "NL55INGB0000000000"}
    made = sdk.mandates.create(customer_id=customer_id, mandate_request=paper)
    sdk.mandates.revoke(customer_id=customer_id, mandate_id=made.id)
    worked("mandates")
    recurring = {"description": "Next", "amount": EURO, "sequence_type": "recurring", "webhook_url": HOOK}
    debit = sdk.customers.create_payment(
        customer_id=customer_id, payment_request=recurring | {"mandate_id": mandate_id}
    )
    assert debit.status == "pending"
    assert sdk.payments.list(limit=1).next().result.count == 1
    assert sdk.customers.list_payments(customer_id=customer_id).result.count == 2
    worked("recurring payment")
    control("clock", advance_seconds=7 * 86_400)
    money_back(sdk, str(debit.id))
    assert sdk.methods.list(sequence_type="first", amount=EURO).count > 5
    assert sdk.methods.all().count > 10
    assert sdk.methods.get(method_id="ideal").id == "ideal"
    worked("methods")
    updated = sdk.payments.update(payment_id=payment_id, request_body={"description": "Changed"})
    assert updated.description == "Changed"
    worked("payment update")
    refused(sdk)


def money_back(sdk: Any, payment_id: str) -> None:
    """Refunds and chargebacks of a paid debit."""
    refund = sdk.refunds.create(
        payment_id=payment_id,
        refund_request={"amount": {"currency": "EUR", "value": "5.00"}, "description": "Sorry"},
    )
    assert sdk.refunds.get(payment_id=payment_id, refund_id=refund.id).status == "pending"
    assert sdk.refunds.list(payment_id=payment_id).result.count == 1
    assert sdk.refunds.all().result.count == 1
    sdk.refunds.cancel(payment_id=payment_id, refund_id=refund.id)
    worked("refunds")
    back = control(f"payments/{payment_id}/chargebacks", reason="MD06")
    assert sdk.chargebacks.get(payment_id=payment_id, chargeback_id=back["id"]).reason.code == "MD06"
    assert sdk.chargebacks.list(payment_id=payment_id).result.count == 1
    assert sdk.chargebacks.all().result.count == 1
    shown = sdk.payments.get(payment_id=payment_id)
    assert shown.amount_charged_back.value == "25.00"
    worked("chargebacks")


def refused(sdk: Any) -> None:
    try:
        sdk.payments.get(payment_id="tr_doesnotexist")
    except mollie.models.ErrorResponse as error:
        status = error.data.status
    else:
        status = 200
    if status != 404:
        raise SystemExit("an unknown payment was not refused")
    worked("error body")


def subscriptions() -> None:
    sdk = mollie.ClientSDK(security=mollie.Security(api_key="test_officialsubs"), server_url=BASE)
    customer_id, _, _ = first_payment(sdk)
    made = sdk.subscriptions.create(
        customer_id=customer_id,
        subscription_request={"amount": EURO, "interval": "1 month", "description": "Monthly"},
    )
    # What starts today is charged in the night run of two o'clock, or at once when that is over.
    control("clock", advance_seconds=3 * 3600)
    assert sdk.subscriptions.get(customer_id=customer_id, subscription_id=made.id).status == "active"
    assert sdk.subscriptions.list(customer_id=customer_id).result.count == 1
    assert sdk.subscriptions.all().result.count == 1
    paid = sdk.subscriptions.list_payments(customer_id=customer_id, subscription_id=made.id)
    assert paid.result.count == 1
    changed = sdk.subscriptions.update(
        customer_id=customer_id, subscription_id=made.id, request_body={"description": "Other"}
    )
    assert changed.description == "Other"
    gone = sdk.subscriptions.cancel(customer_id=customer_id, subscription_id=made.id)
    assert gone.status == "canceled"
    worked("subscriptions")


def with_an_access_token() -> None:
    """What an organisation's access token may do."""
    sdk = mollie.ClientSDK(
        security=mollie.Security(advanced_access_token="access_officialsdk"), server_url=BASE, testmode=True
    )
    assert sdk.organizations.get_current().id.startswith("org_")
    worked("organization")
    profile = sdk.profiles.list().result.embedded.profiles[0].id
    assert sdk.profiles.get(profile_id=profile).id == profile
    worked("profiles")
    assert len(sdk.permissions.list().embedded.permissions) > 5
    assert sdk.permissions.get(permission_id="payments.read").granted
    assert sdk.onboarding.get().status == "completed"
    worked("permissions")
    hook = sdk.webhooks.create(
        request_body={
            "name": "Mine",
            "url": "http://127.0.0.1:9/events",
            "event_types": "payment.paid",
        }
    )
    assert hook.webhook_secret
    assert sdk.webhooks.get(webhook_id=hook.id).status == "enabled"
    assert sdk.webhooks.list().result.count == 1
    sdk.webhooks.test(webhook_id=hook.id)
    sdk.webhooks.delete(webhook_id=hook.id)
    worked("webhooks")


with_a_key()
subscriptions()
with_an_access_token()
worked("done")
