"""Sites, offers, products, tags, purchases and transactions of the API."""

from linkpay.sandbox.kajabi import people, resources
from linkpay.sandbox.kajabi.records import Offer, Product, Purchase
from linkpay.sandbox.kajabi.wire import ApiCall, ApiError, page
from linkpay.sandbox.web import Json


def me(call: ApiCall) -> tuple[int, Json]:
    attributes = {"name": f"API user of {call.site.name}", "email": "api@example.com"}
    return 200, {"data": {"id": call.site.id, "type": "users", "attributes": attributes}}


def list_sites(call: ApiCall) -> tuple[int, Json]:
    return 200, page(call, [call.site], resources.site)


def get_site(call: ApiCall) -> tuple[int, Json]:
    if call.params["site"] != call.site.id:
        raise ApiError(404, "The site could not be found")
    return 200, {"data": resources.site(call, call.site)}


def list_offers(call: ApiCall) -> tuple[int, Json]:
    filters = call.filters("site_id", "title_contains")
    call.check_site(filters.get("site_id"))
    part = filters.get("title_contains", "").lower()
    rows = [
        row for row in call.world.books.offers.where("site_id", call.site.id) if part in row.title.lower()
    ]
    return 200, page(call, rows, resources.offer)


def _offer(call: ApiCall) -> Offer:
    offer = call.world.books.offers.get(call.params["offer"])
    if offer is None or offer.site_id != call.site.id:
        raise ApiError(404, "The offer could not be found")
    return offer


def get_offer(call: ApiCall) -> tuple[int, Json]:
    offer = _offer(call)
    answer: Json = {"data": resources.offer(call, offer)}
    if call.query.get("include") == "products":
        products = call.world.books.products
        answer["included"] = [resources.product(call, products.rows[each]) for each in offer.products]
    return 200, answer


def list_offer_products(call: ApiCall) -> tuple[int, Json]:
    return 200, {"data": [{"type": "products", "id": each} for each in _offer(call).products]}


def list_products(call: ApiCall) -> tuple[int, Json]:
    filters = call.filters("site_id")
    call.check_site(filters.get("site_id"))
    return 200, page(call, call.world.books.products.where("site_id", call.site.id), resources.product)


def get_product(call: ApiCall) -> tuple[int, Json]:
    product: Product | None = call.world.books.products.get(call.params["product"])
    if product is None or product.site_id != call.site.id:
        raise ApiError(404, "The product could not be found")
    return 200, {"data": resources.product(call, product)}


def list_tags(call: ApiCall) -> tuple[int, Json]:
    filters = call.filters("site_id", "name_contains")
    call.check_site(filters.get("site_id"))
    part = filters.get("name_contains", "").lower()
    rows = [row for row in call.world.books.tags.where("site_id", call.site.id) if part in row.name.lower()]
    return 200, page(call, rows, resources.tag)


def _purchases(call: ApiCall) -> list[Purchase]:
    filters = call.filters("site_id", "customer_id", "active", "deactivated")
    call.check_site(filters.get("site_id"))
    customer = filters.get("customer_id")
    members = call.world.books.members.rows
    found = []
    for row in call.world.books.purchases.where("site_id", call.site.id):
        ended = row.deactivated_at is not None
        if filters.get("active") == "true" and ended:
            continue
        if filters.get("deactivated") == "true" and not ended:
            continue
        if customer in (None, members[row.member_id].customer_id):
            found.append(row)
    return found


def list_purchases(call: ApiCall) -> tuple[int, Json]:
    return 200, page(call, _purchases(call), resources.purchase)


def list_transactions(call: ApiCall) -> tuple[int, Json]:
    return 200, page(call, _purchases(call), resources.transaction)


def _purchase(call: ApiCall) -> Purchase:
    purchase = call.world.books.purchases.get(call.params["purchase"])
    if purchase is None or purchase.site_id != call.site.id:
        raise ApiError(404, "The purchase could not be found")
    return purchase


def get_purchase(call: ApiCall) -> tuple[int, Json]:
    return 200, {"data": resources.purchase(call, _purchase(call))}


def deactivate(call: ApiCall) -> tuple[int, Json]:
    """End a purchase and close its offer."""
    purchase = _purchase(call)
    member = call.world.books.members.rows[purchase.member_id]
    purchase.deactivated_at, purchase.deactivation_reason = call.world.now(), "deactivated_by_api"
    if people.is_granted(member, purchase.offer_id):
        people.revoke(call.world, member, purchase.offer_id)
    call.world.books.purchases.save(purchase)
    return 200, {"data": resources.purchase(call, purchase)}


def reactivate(call: ApiCall) -> tuple[int, Json]:
    """Open the offer again; a subscription does not start again by this."""
    purchase = _purchase(call)
    purchase.deactivated_at = purchase.deactivation_reason = None
    member = call.world.books.members.rows[purchase.member_id]
    people.grant(call.world, member, call.world.books.offers.rows[purchase.offer_id])
    call.world.books.purchases.save(purchase)
    return 200, {"data": resources.purchase(call, purchase)}


def cancel_subscription(call: ApiCall) -> tuple[int, Json]:
    """Stop the charges of a subscription that was bought in Kajabi."""
    purchase = _purchase(call)
    if purchase.payment_type != "subscription":
        raise ApiError(422, "The purchase is not a subscription")
    return deactivate(call)
