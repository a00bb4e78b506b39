"""Which payment methods there are, for which kind of payment and amount."""

from linkpay.sandbox.mollie import fields, hal
from linkpay.sandbox.mollie.call import Call, MollieError, documentation, invalid, missing
from linkpay.sandbox.mollie.catalogue import ALL_IDS, ISSUERS, METHODS, Method, fits
from linkpay.sandbox.web import Json

_QUERY = ("sequenceType", "locale", "amount", "resource", "billingCountry", "includeWallets", "include")
SEQUENCES = ("oneoff", "first", "recurring")
_INCLUDES = ("issuers", "pricing")


def view(call: Call, method: Method) -> Json:
    image = f"https://www.mollie.com/external/icons/payment-methods/{method.id}"
    highest = method.maximum_cents
    shown: Json = {
        "resource": "method",
        "id": method.id,
        "description": method.description,
        "minimumAmount": fields.money(method.minimum_cents, "EUR"),
        "maximumAmount": fields.money(highest, "EUR") if highest is not None else None,
        "image": {"size1x": f"{image}.png", "size2x": f"{image}%402x.png", "svg": f"{image}.svg"},
        "status": "activated",
    }
    if method.id == "ideal" and "issuers" in _includes(call):
        shown["issuers"] = [
            {"resource": "issuer", "id": issuer, "name": name, "image": shown["image"]}
            for issuer, name in ISSUERS.items()
        ]
    shown["_links"] = {
        "self": call.link(f"/v2/methods/{method.id}"),
        "documentation": documentation("get-method"),
    }
    return shown


def _includes(call: Call) -> list[str]:
    wanted = [each for each in str(call.query.get("include", "")).split(",") if each]
    for each in wanted:
        if each not in _INCLUDES:
            raise invalid("The include parameter is invalid", "include")
    return wanted


def _allow(call: Call) -> None:
    access = ("profileId",) if call.who.kind == "access" else ()
    call.allow_query(*_QUERY, *access)
    if call.who.kind == "access" and "profileId" not in call.query:
        raise invalid("The 'profileId' field is missing", "profileId")
    fields.locale(call.query)


def listing(call: Call) -> tuple[int, Json]:
    """The methods that are active and fit the sequence type (default oneoff) and amount."""
    _allow(call)
    sequence = (
        fields.choice(call.query, "sequenceType", ("oneoff", "first", "recurring"), "oneoff") or "oneoff"
    )
    cents, currency = fields.amount(call.query) if "amount" in call.query else (None, None)
    disabled = call.who.organization.disabled_methods
    shown = [
        view(call, method)
        for method in METHODS.values()
        if method.id not in disabled and fits(method, sequence, cents, currency)
    ]
    return 200, hal.whole(call, "methods", shown, "list-methods")


def listing_all(call: Call) -> tuple[int, Json]:
    """All methods, active or not."""
    _allow(call)
    shown = [view(call, method) for method in METHODS.values()]
    for method in shown:
        if method["id"] in call.who.organization.disabled_methods:
            method["status"] = None
    return 200, hal.whole(call, "methods", shown, "list-all-methods")


def get(call: Call) -> tuple[int, Json]:
    access = ("profileId",) if call.who.kind == "access" else ()
    call.allow_query("locale", "currency", "include", "sequenceType", *access)
    method = METHODS.get(call.params["method"])
    if method is None and call.params["method"] not in ALL_IDS:
        raise MollieError(404, f"No payment method exists with token {call.params['method']}.")
    if method is None or method.id in call.who.organization.disabled_methods:
        raise MollieError(404, "The method is not activated on this profile")
    return 200, view(call, method)


def enable(call: Call) -> tuple[int, Json]:
    """Switch a method on. The sandbox keeps one set of methods per organisation."""
    call.allow_body()
    method = _switchable(call)
    organization = call.who.organization
    organization.disabled_methods = [each for each in organization.disabled_methods if each != method.id]
    call.world.books.organizations.save(organization)
    return 201, view(call, method)


def disable(call: Call) -> tuple[int, None]:
    """Switch a method off."""
    call.allow_body()
    method = _switchable(call)
    organization = call.who.organization
    organization.disabled_methods = [*organization.disabled_methods, method.id]
    call.world.books.organizations.save(organization)
    return 204, None


def _switchable(call: Call) -> Method:
    """The method of one of the caller's own profiles; ``me`` is that of an API key."""
    profiles = call.world.books.profiles.where("organization_id", call.who.organization.id)
    named = call.params["profile"]
    if named != "me" and all(profile.id != named for profile in profiles):
        raise missing("website profile", named)
    method = METHODS.get(call.params["method"])
    if method is None:
        raise missing("payment method", call.params["method"])
    return method
