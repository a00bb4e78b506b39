"""What OAuth tokens may do: the permissions, and which one an address needs."""

from linkpay.sandbox.mollie.call import Credential, MollieError
from linkpay.sandbox.web import Request

FAMILIES = {
    "payments": "payments, chargebacks and payment methods",
    "customers": "customers",
    "mandates": "mandates",
    "subscriptions": "subscriptions",
    "refunds": "refunds",
    "profiles": "website profiles",
    "organizations": "the organization",
    "onboarding": "the onboarding",
    "webhooks": "webhooks",
}
PERMISSIONS = {
    f"{family}.{deed}": f"{'View' if deed == 'read' else 'Create and change'} {what}"
    for family, what in FAMILIES.items()
    for deed in ("read", "write")
} | {"events.read": "View events"}
_COUSINS = {"chargebacks": "payments", "captures": "payments", "methods": "payments", "ping": "webhooks"}


def check_scope(who: Credential, request: Request) -> None:
    """403 when an OAuth token was not granted what this address needs, such as ``payments.write``."""
    if who.scopes is None:
        return
    needed = needed_scope(request.method, request.path)
    if needed is not None and needed not in who.scopes:
        raise MollieError(403, f"Your access token does not have the {needed} permission")


def needed_scope(method: str, path: str) -> str | None:
    """The permission that a call needs; the last collection in the path decides."""
    if path.startswith("/v2/events"):
        return "events.read"
    if path.startswith("/v2/profiles"):
        return f"profiles.{'read' if method == 'GET' else 'write'}"
    for part in reversed(path.split("/")):
        family = _COUSINS.get(part, part)
        if family in FAMILIES:
            return f"{family}.{'read' if method == 'GET' else 'write'}"
    return None
