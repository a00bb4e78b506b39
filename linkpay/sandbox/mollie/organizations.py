"""Organisations, profiles, permissions and onboarding: for access tokens."""

from linkpay.sandbox import ids
from linkpay.sandbox.mollie import fields, hal
from linkpay.sandbox.mollie.call import Call, MollieError, documentation, invalid, missing
from linkpay.sandbox.mollie.scopes import PERMISSIONS
from linkpay.sandbox.moments import stamp
from linkpay.sandbox.records import Organization, Profile
from linkpay.sandbox.web import Json

_PROFILE_KEYS = (
    "name",
    "website",
    "email",
    "phone",
    "businessCategory",
    "description",
    "countriesOfActivity",
)


def _needs_access(call: Call) -> None:
    """API keys belong to one profile and may not look around."""
    if call.who.kind != "access":
        raise MollieError(403, "This endpoint needs an organization access token or an OAuth access token")


def view(call: Call, organization: Organization) -> Json:
    return {
        "resource": "organization",
        "id": organization.id,
        "name": organization.name,
        "email": f"owner@{organization.credential.lower()}.example.com",
        "locale": "nl_NL",
        "address": {
            "streetAndNumber": "Keizersgracht 126",
            "postalCode": "1015 CW",
            "city": "Amsterdam",
            "country": "NL",
        },
        "registrationNumber": str(ids.derived_number(organization.credential, 8)),
        "vatNumber": f"NL{ids.derived_number(organization.credential, 9)}B01",
        "_links": {
            "self": call.link(f"/v2/organizations/{organization.id}"),
            "dashboard": call.page(f"/dashboard/{organization.id}"),
            "documentation": documentation("get-organization"),
        },
    }


def get(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_query()
    named = call.params.get("organization", call.who.organization.id)
    if named != call.who.organization.id:
        raise missing("organization", named)
    return 200, view(call, call.who.organization)


def profile_view(call: Call, profile: Profile) -> Json:
    path = f"/v2/profiles/{profile.id}"
    return {
        "resource": "profile",
        "id": profile.id,
        "mode": call.who.mode,
        "name": profile.name,
        "website": profile.website,
        "email": profile.email,
        "phone": profile.phone,
        "businessCategory": profile.business_category,
        "status": profile.status,
        "createdAt": stamp(profile.created_at),
        "_links": {
            "self": call.link(path),
            "dashboard": call.page(f"/dashboard/{profile.organization_id}/profiles/{profile.id}"),
            "methods": call.link(f"/v2/methods?profileId={profile.id}"),
            "payments": call.link(f"/v2/payments?profileId={profile.id}"),
            "documentation": documentation("get-profile"),
        },
    }


def _profile(call: Call) -> Profile:
    profile = call.world.books.profiles.get(call.params["profile"])
    if profile is None or profile.organization_id != call.who.organization.id:
        raise missing("website profile", call.params["profile"])
    return profile


def list_profiles(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_query(*hal.PAGING)
    rows = call.world.books.profiles.where("organization_id", call.who.organization.id)
    return 200, hal.page(call, rows, "profiles", profile_view)


def current_profile(call: Call) -> tuple[int, Json]:
    """The profile of an API key."""
    call.allow_query()
    if call.who.kind != "api_key":
        raise MollieError(403, "This endpoint needs an API key")
    rows = call.world.books.profiles.where("organization_id", call.who.organization.id)
    return 200, profile_view(call, rows[0])


def get_profile(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_query()
    return 200, profile_view(call, _profile(call))


def create_profile(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_body(*_PROFILE_KEYS)
    profile = Profile(
        id=ids.fresh("pfl"),
        created_at=call.now,
        organization_id=call.who.organization.id,
        name=fields.required_text(call.body, "name", 255),
        website=fields.address(call.body, "website", required=True) or "",
        email=fields.required_text(call.body, "email", 255),
        phone=fields.required_text(call.body, "phone", 32),
        status="unverified",
    )
    profile.business_category = fields.text(call.body, "businessCategory") or profile.business_category
    call.world.books.profiles.add(profile)
    return 201, profile_view(call, profile)


def update_profile(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_body(*_PROFILE_KEYS)
    profile, body = _profile(call), call.body
    profile.name = fields.text(body, "name", limit=255) or profile.name
    profile.website = fields.address(body, "website") or profile.website
    profile.email = fields.text(body, "email", limit=255) or profile.email
    profile.phone = fields.text(body, "phone", limit=32) or profile.phone
    profile.business_category = fields.text(body, "businessCategory") or profile.business_category
    call.world.books.profiles.save(profile)
    return 200, profile_view(call, profile)


def delete_profile(call: Call) -> tuple[int, None]:
    """All but the last one, which the organisation's API keys stand on."""
    _needs_access(call)
    call.allow_body()
    profile = _profile(call)
    if len(call.world.books.profiles.where("organization_id", call.who.organization.id)) == 1:
        raise invalid("The last profile of an organization cannot be deleted")
    call.world.books.profiles.drop(profile)
    return 204, None


def _permission_view(call: Call, name: str) -> Json:
    return {
        "resource": "permission",
        "id": name,
        "description": PERMISSIONS[name],
        "granted": call.who.scopes is None or name in call.who.scopes,
        "_links": {
            "self": call.link(f"/v2/permissions/{name}"),
            "documentation": documentation("get-permission"),
        },
    }


def list_permissions(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_query()
    shown = [_permission_view(call, name) for name in PERMISSIONS]
    return 200, hal.whole(call, "permissions", shown, "list-permissions")


def get_permission(call: Call) -> tuple[int, Json]:
    _needs_access(call)
    call.allow_query()
    if call.params["permission"] not in PERMISSIONS:
        raise missing("permission", call.params["permission"])
    return 200, _permission_view(call, call.params["permission"])


def onboarding(call: Call) -> tuple[int, Json]:
    """Every sandbox organisation has finished its onboarding, unless it is suspended."""
    _needs_access(call)
    call.allow_query()
    open_for_business = not call.who.organization.suspended
    return 200, {
        "resource": "onboarding",
        "name": call.who.organization.name,
        "status": "completed" if open_for_business else "in-review",
        "canReceivePayments": open_for_business,
        "canReceiveSettlements": open_for_business,
        "signedUpAt": stamp(call.who.organization.created_at),
        "_links": {
            "self": call.link("/v2/onboarding/me"),
            "dashboard": call.page("/dashboard/onboarding"),
            "organization": call.link(f"/v2/organizations/{call.who.organization.id}"),
            "documentation": documentation("get-onboarding-status"),
        },
    }
