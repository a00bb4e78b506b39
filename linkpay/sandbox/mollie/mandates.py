"""Mandates: made by first payments or by hand, revoked, and then gone (410)."""

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import consent, customers, fields, hal
from linkpay.sandbox.mollie.call import Call, MollieError, documentation, invalid, missing
from linkpay.sandbox.moments import local_day, stamp
from linkpay.sandbox.records import Mandate
from linkpay.sandbox.web import Json


def view(call: Call, mandate: Mandate) -> Json:
    path = f"/v2/customers/{mandate.customer_id}"
    return {
        "resource": "mandate",
        "id": mandate.id,
        "mode": mandate.scope.split(":")[1],
        "status": mandate.status,
        "method": mandate.method,
        "details": mandate.details,
        "customerId": mandate.customer_id,
        "mandateReference": mandate.reference,
        "signatureDate": mandate.signature_on.isoformat(),
        "scopes": ["customer-not-present"],
        "createdAt": stamp(mandate.created_at),
        "_links": {
            "self": call.link(f"{path}/mandates/{mandate.id}"),
            "customer": call.link(path),
            "documentation": documentation("get-mandate"),
        },
    }


def find(call: Call, customer_id: str, mandate_id: str) -> Mandate:
    """The customer's mandate. 404 when there is none, 410 when it was revoked."""
    customer = customers.find(call, customer_id)
    mandate = call.world.books.mandates.get(mandate_id)
    if mandate is None or mandate.customer_id != customer.id:
        raise missing("mandate", mandate_id)
    if mandate.revoked_at is not None:
        raise MollieError(410, "The mandate is no longer available")
    return mandate


def get(call: Call) -> tuple[int, Json]:
    call.allow_query()
    return 200, view(call, find(call, call.params["customer"], call.params["mandate"]))


def listing(call: Call) -> tuple[int, Json]:
    call.allow_query(*hal.PAGING, "scopes")
    customer = customers.find(call, call.params["customer"])
    rows = [
        each for each in call.world.books.mandates.where("customer_id", customer.id) if not each.revoked_at
    ]
    return 200, hal.page(call, rows, "mandates", view)


def create(call: Call) -> tuple[int, Json]:
    """A mandate that the merchant holds on paper: SEPA or PayPal, never a card."""
    call.allow_body(
        "method",
        "consumerName",
        "consumerAccount",
        "consumerBic",
        "consumerEmail",
        "signatureDate",
        "mandateReference",
        "paypalBillingAgreementId",
        "payPalVaultId",
    )
    customer = customers.find(call, call.params["customer"])
    method = fields.required_text(call.body, "method")
    if method not in ("directdebit", "paypal"):
        raise invalid("The method should be directdebit or paypal", "method")
    today = local_day(call.now)
    signed_on = fields.day(call.body, "signatureDate") or today
    if signed_on > today:
        raise invalid("The signature date cannot be in the future", "signatureDate")
    mandate = Mandate(
        id=ids.fresh("mdt"),
        created_at=call.now,
        scope=call.scope,
        customer_id=customer.id,
        status="valid",
        method=method,
        details=_bank_details(call.body) if method == "directdebit" else _paypal_details(call.body),
        reference=_reference(call),
        signature_on=signed_on,
    )
    call.world.books.mandates.add(mandate)
    return 201, view(call, mandate)


def _bank_details(body: Json) -> Json:
    name = fields.required_text(body, "consumerName", 255)
    account = fields.required_text(body, "consumerAccount").replace(" ", "").upper()
    if not ids.is_iban(account):
        raise invalid("The bank account is invalid", "consumerAccount")
    bic = fields.text(body, "consumerBic", limit=11) or ids.bic_of(account)
    return {"consumerName": name, "consumerAccount": account, "consumerBic": bic}


def _paypal_details(body: Json) -> Json:
    if not body.get("paypalBillingAgreementId") and not body.get("payPalVaultId"):
        raise invalid("The 'paypalBillingAgreementId' field is missing", "paypalBillingAgreementId")
    return {
        "consumerName": fields.required_text(body, "consumerName", 255),
        "consumerAccount": fields.required_text(body, "consumerEmail", 255),
    }


def _reference(call: Call) -> str:
    reference = fields.text(call.body, "mandateReference", limit=35)
    if reference is None:
        return f"SANDBOX-MD{ids.digits(8)}"
    if any(each.reference == reference and each.scope == call.scope for each in call.world.books.mandates):
        raise invalid("The mandate reference is already in use", "mandateReference")
    return reference


def delete(call: Call) -> tuple[int, None]:
    call.allow_body()
    consent.revoke(call.world, find(call, call.params["customer"], call.params["mandate"]), call.now)
    return 204, None
