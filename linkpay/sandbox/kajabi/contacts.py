"""Contacts and customers of the API, and the offers and tags they have."""

from collections.abc import Sequence

from linkpay.sandbox.kajabi import hooks, people, resources
from linkpay.sandbox.kajabi.records import Member
from linkpay.sandbox.kajabi.wire import ApiCall, ApiError, data_of, page
from linkpay.sandbox.web import Json

_FILTERS = (
    "site_id",
    "email_contains",
    "name_contains",
    "search",
    "has_offer_id",
    "has_tag_id",
    "has_active_product_id",
)


def _narrowed(call: ApiCall) -> list[Member]:
    """The site's people that the filters keep; there is no filter for an exact e-mail."""
    filters = call.filters(*_FILTERS)
    call.check_site(filters.get("site_id"))
    email = filters.get("email_contains", "").lower()
    name, search = filters.get("name_contains", "").lower(), filters.get("search", "").lower()
    offer_id, tag_id = filters.get("has_offer_id"), filters.get("has_tag_id")
    product_id = filters.get("has_active_product_id")
    return [
        row
        for row in call.world.books.members.where("site_id", call.site.id)
        if email in row.email
        and name in row.name.lower()
        and (search in row.email or search in row.name.lower())
        and (offer_id is None or people.is_granted(row, offer_id))
        and (tag_id is None or tag_id in row.tags)
        and (product_id is None or product_id in row.products)
    ]


def list_contacts(call: ApiCall) -> tuple[int, Json]:
    return 200, page(call, _narrowed(call), resources.contact)


def list_customers(call: ApiCall) -> tuple[int, Json]:
    rows = [row for row in _narrowed(call) if row.customer_id is not None]
    return 200, page(call, rows, resources.customer)


def _contact(call: ApiCall) -> Member:
    member = call.world.books.members.get(call.params["contact"])
    if member is None or member.site_id != call.site.id:
        raise ApiError(404, "The contact could not be found")
    return member


def _customer(call: ApiCall) -> Member:
    for member in call.world.books.members.where("site_id", call.site.id):
        if member.customer_id == call.params["customer"]:
            return member
    raise ApiError(404, "The customer could not be found")


def _either(call: ApiCall) -> Member:
    return _contact(call) if "contact" in call.params else _customer(call)


def get_contact(call: ApiCall) -> tuple[int, Json]:
    return 200, {"data": resources.contact(call, _contact(call))}


def get_customer(call: ApiCall) -> tuple[int, Json]:
    return 200, {"data": resources.customer(call, _customer(call))}


def create_contact(call: ApiCall) -> tuple[int, Json]:
    data = data_of(call, "contacts")
    attributes = data.get("attributes", {})
    site = data.get("relationships", {}).get("site", {}).get("data", {}).get("id")
    if site is None:
        raise ApiError(400, "A contact belongs to a site", "/data/relationships/site")
    call.check_site(str(site))
    if "external_user_id" in attributes:
        raise ApiError(
            422, "external_user_id is supported once a customer exists", "/data/attributes/external_user_id"
        )
    email = _email(call, attributes.get("email"))
    name = attributes.get("name") or email
    member = people.create(call.world, call.site.id, email, str(name))
    return 201, {"data": resources.contact(call, member)}


def _email(call: ApiCall, value: object, own: Member | None = None) -> str:
    if not isinstance(value, str) or not people.EMAIL.match(value.strip()):
        raise ApiError(422, "email is invalid", "/data/attributes/email")
    other = people.by_email(call.world, call.site.id, value)
    if other is not None and other is not own:
        raise ApiError(422, "email has already been taken", "/data/attributes/email")
    return value.strip().lower()


def update_contact(call: ApiCall) -> tuple[int, Json]:
    """Name, e-mail, and the external id once she is a customer."""
    member, attributes = _contact(call), data_of(call, "contacts").get("attributes", {})
    books = call.world.books
    if "external_user_id" in attributes:
        external_id = attributes["external_user_id"]
        pointer = "/data/attributes/external_user_id"
        if member.customer_id is None:
            raise ApiError(422, "external_user_id is supported once a customer exists", pointer)
        other = people.by_external_id(call.world, call.site.id, str(external_id))
        if external_id is not None and other is not None and other is not member:
            raise ApiError(422, "external_user_id has already been taken", pointer)
        people.name_externally(call.world, member, None if external_id is None else str(external_id))
    if "email" in attributes:
        books.members.reindex(member, "email", _email(call, attributes["email"], member))
    member.name = str(attributes.get("name") or member.name)
    books.members.save(member)
    return 200, {"data": resources.contact(call, member)}


def delete_contact(call: ApiCall) -> tuple[int, None]:
    member = _contact(call)
    for purchase in call.world.books.purchases.where("member_id", member.id):
        if purchase.payment_type == "subscription" and purchase.deactivated_at is None:
            raise ApiError(422, "The contact has active subscriptions")
    call.world.books.members.drop(member)
    return 204, None


def _identifiers(call: ApiCall, kind: str) -> list[str]:
    """The ids in a relationship body."""
    data = call.body.get("data")
    if not isinstance(data, list) or not data:
        raise ApiError(400, "The body should have a list of data", "/data")
    found = []
    for item in data:
        if not isinstance(item, dict) or item.get("type") != kind or "id" not in item:
            raise ApiError(422, f"Each item should be of type {kind}", "/data")
        found.append(str(item["id"]))
    return found


def _offers(call: ApiCall) -> list[str]:
    wanted = _identifiers(call, "offers")
    for offer_id in wanted:
        offer = call.world.books.offers.get(offer_id)
        if offer is None or offer.site_id != call.site.id:
            raise ApiError(404, "The offer could not be found", "/data")
    return wanted


def _offer_identifiers(member: Member) -> Json:
    return {"data": resources.granted(member)}


def list_offers(call: ApiCall) -> tuple[int, Json]:
    return 200, _offer_identifiers(_either(call))


def add_offers(call: ApiCall) -> tuple[int, Json]:
    """Grant; what is granted already stays as it is. Sends a welcome mail unless told not to."""
    member, wanted = _either(call), _offers(call)
    welcome = call.body.get("meta", {}).get("send_customer_welcome_email", True) is True
    _grant(call, member, wanted, welcome and member.customer_id is None)
    return 200, _offer_identifiers(member)


def _grant(call: ApiCall, member: Member, wanted: Sequence[str], welcome: bool) -> None:
    for offer_id in wanted:
        if not people.is_granted(member, offer_id):
            people.grant(call.world, member, call.world.books.offers.rows[offer_id])
    if welcome:
        people.mail_welcome(call.world, call.site, member)


def remove_offers(call: ApiCall) -> tuple[int, None]:
    """Revoke those that are granted; others are no error."""
    member, wanted = _either(call), _offers(call)
    for offer_id in wanted:
        if people.is_granted(member, offer_id):
            people.revoke(call.world, member, offer_id)
    return 204, None


def replace_offers(call: ApiCall) -> tuple[int, Json]:
    """Exactly these from now on: all others are revoked, also those that were bought."""
    member, wanted = _either(call), _offers(call) if call.body.get("data") != [] else []
    for offer_id in list(member.grants):
        if offer_id not in wanted and people.is_granted(member, offer_id):
            people.revoke(call.world, member, offer_id)
    _grant(call, member, wanted, welcome=False)
    return 200, _offer_identifiers(member)


def list_tags(call: ApiCall) -> tuple[int, Json]:
    return 200, {"data": [{"type": "contact_tags", "id": each} for each in _contact(call).tags]}


def _tags(call: ApiCall) -> list[str]:
    wanted = _identifiers(call, "contact_tags")
    for tag_id in wanted:
        tag = call.world.books.tags.get(tag_id)
        if tag is None or tag.site_id != call.site.id:
            raise ApiError(404, "The tag could not be found", "/data")
    return wanted


def add_tags(call: ApiCall) -> tuple[int, Json]:
    member = _contact(call)
    for tag_id in _tags(call):
        if tag_id not in member.tags:
            member.tags = [*member.tags, tag_id]
            hooks.tagged(call.world, member, tag_id, "tag_added")
    call.world.books.members.save(member)
    return list_tags(call)


def remove_tags(call: ApiCall) -> tuple[int, None]:
    member = _contact(call)
    for tag_id in _tags(call):
        if tag_id in member.tags:
            member.tags = [each for each in member.tags if each != tag_id]
            hooks.tagged(call.world, member, tag_id, "tag_removed")
    call.world.books.members.save(member)
    return 204, None
