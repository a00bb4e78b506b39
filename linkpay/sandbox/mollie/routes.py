"""Every address of the Mollie side."""

from linkpay.sandbox.mollie import (
    captures,
    chargebacks,
    customers,
    hooks,
    mandates,
    methods,
    organizations,
    payments,
    refunds,
    subscriptions,
)
from linkpay.sandbox.mollie.desk import Handler
from linkpay.sandbox.mollie.embedding import with_payment
from linkpay.sandbox.web import Router

_PAYMENT = "/v2/payments/{payment}"
_CUSTOMER = "/v2/customers/{customer}"

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/v2/payments", payments.create),
    ("GET", "/v2/payments", payments.listing),
    ("GET", _PAYMENT, payments.get),
    ("PATCH", _PAYMENT, payments.update),
    ("DELETE", _PAYMENT, payments.cancel),
    ("POST", f"{_PAYMENT}/refunds", refunds.create),
    ("GET", f"{_PAYMENT}/refunds", with_payment(refunds.listing)),
    ("GET", f"{_PAYMENT}/refunds/{{refund}}", with_payment(refunds.get)),
    ("DELETE", f"{_PAYMENT}/refunds/{{refund}}", refunds.delete),
    ("GET", "/v2/refunds", with_payment(refunds.listing_all)),
    ("GET", f"{_PAYMENT}/chargebacks", with_payment(chargebacks.listing)),
    ("GET", f"{_PAYMENT}/chargebacks/{{chargeback}}", with_payment(chargebacks.get)),
    ("GET", "/v2/chargebacks", with_payment(chargebacks.listing_all)),
    ("POST", f"{_PAYMENT}/captures", captures.create),
    ("GET", f"{_PAYMENT}/captures", with_payment(captures.listing)),
    ("GET", f"{_PAYMENT}/captures/{{capture}}", with_payment(captures.get)),
    ("POST", "/v2/customers", customers.create),
    ("GET", "/v2/customers", customers.listing),
    ("GET", _CUSTOMER, customers.get),
    ("PATCH", _CUSTOMER, customers.update),
    ("DELETE", _CUSTOMER, customers.delete),
    ("POST", f"{_CUSTOMER}/payments", payments.create_for_customer),
    ("GET", f"{_CUSTOMER}/payments", payments.listing_of_customer),
    ("POST", f"{_CUSTOMER}/mandates", mandates.create),
    ("GET", f"{_CUSTOMER}/mandates", mandates.listing),
    ("GET", f"{_CUSTOMER}/mandates/{{mandate}}", mandates.get),
    ("DELETE", f"{_CUSTOMER}/mandates/{{mandate}}", mandates.delete),
    ("POST", f"{_CUSTOMER}/subscriptions", subscriptions.create),
    ("GET", f"{_CUSTOMER}/subscriptions", subscriptions.listing),
    ("GET", f"{_CUSTOMER}/subscriptions/{{subscription}}", subscriptions.get),
    ("PATCH", f"{_CUSTOMER}/subscriptions/{{subscription}}", subscriptions.update),
    ("DELETE", f"{_CUSTOMER}/subscriptions/{{subscription}}", subscriptions.cancel),
    ("GET", f"{_CUSTOMER}/subscriptions/{{subscription}}/payments", subscriptions.payments_of),
    ("GET", "/v2/subscriptions", subscriptions.listing_all),
    ("GET", "/v2/organizations/me", organizations.get),
    ("GET", "/v2/organizations/{organization}", organizations.get),
    ("GET", "/v2/profiles", organizations.list_profiles),
    ("POST", "/v2/profiles", organizations.create_profile),
    ("GET", "/v2/profiles/me", organizations.current_profile),
    ("GET", "/v2/profiles/{profile}", organizations.get_profile),
    ("PATCH", "/v2/profiles/{profile}", organizations.update_profile),
    ("DELETE", "/v2/profiles/{profile}", organizations.delete_profile),
    ("POST", "/v2/profiles/{profile}/methods/{method}", methods.enable),
    ("DELETE", "/v2/profiles/{profile}/methods/{method}", methods.disable),
    ("GET", "/v2/permissions", organizations.list_permissions),
    ("GET", "/v2/permissions/{permission}", organizations.get_permission),
    ("GET", "/v2/onboarding/me", organizations.onboarding),
    ("POST", "/v2/webhooks", hooks.create),
    ("GET", "/v2/webhooks", hooks.listing),
    ("GET", "/v2/webhooks/{webhook}", hooks.get),
    ("PATCH", "/v2/webhooks/{webhook}", hooks.update),
    ("DELETE", "/v2/webhooks/{webhook}", hooks.delete),
    ("POST", "/v2/webhooks/{webhook}/ping", hooks.ping),
    ("GET", "/v2/events/{event}", hooks.get_event),
    ("GET", "/v2/methods", methods.listing),
    ("GET", "/v2/methods/all", methods.listing_all),
    ("GET", "/v2/methods/{method}", methods.get),
)


def router() -> Router[Handler]:
    """All routes, ready to find."""
    routes = Router[Handler]()
    for method, pattern, handler in ROUTES:
        routes.add(method, pattern, handler)
    return routes
