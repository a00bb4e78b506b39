"""Every address of Kajabi's public API, below ``/kajabi``."""

from linkpay.sandbox.kajabi import contacts, hooks, shop
from linkpay.sandbox.kajabi.wire import Handler
from linkpay.sandbox.web import Router

_PEOPLE = ("/v1/contacts/{contact}", "/v1/customers/{customer}")

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v1/me", shop.me),
    ("GET", "/v1/sites", shop.list_sites),
    ("GET", "/v1/sites/{site}", shop.get_site),
    ("GET", "/v1/offers", shop.list_offers),
    ("GET", "/v1/offers/{offer}", shop.get_offer),
    ("GET", "/v1/offers/{offer}/relationships/products", shop.list_offer_products),
    ("GET", "/v1/products", shop.list_products),
    ("GET", "/v1/products/{product}", shop.get_product),
    ("GET", "/v1/contact_tags", shop.list_tags),
    ("GET", "/v1/contacts", contacts.list_contacts),
    ("POST", "/v1/contacts", contacts.create_contact),
    ("GET", "/v1/contacts/{contact}", contacts.get_contact),
    ("PATCH", "/v1/contacts/{contact}", contacts.update_contact),
    ("DELETE", "/v1/contacts/{contact}", contacts.delete_contact),
    ("GET", "/v1/contacts/{contact}/relationships/tags", contacts.list_tags),
    ("POST", "/v1/contacts/{contact}/relationships/tags", contacts.add_tags),
    ("DELETE", "/v1/contacts/{contact}/relationships/tags", contacts.remove_tags),
    ("GET", "/v1/customers", contacts.list_customers),
    ("GET", "/v1/customers/{customer}", contacts.get_customer),
    *(("GET", f"{person}/relationships/offers", contacts.list_offers) for person in _PEOPLE),
    *(("POST", f"{person}/relationships/offers", contacts.add_offers) for person in _PEOPLE),
    *(("DELETE", f"{person}/relationships/offers", contacts.remove_offers) for person in _PEOPLE),
    *(("PATCH", f"{person}/relationships/offers", contacts.replace_offers) for person in _PEOPLE),
    ("GET", "/v1/purchases", shop.list_purchases),
    ("GET", "/v1/purchases/{purchase}", shop.get_purchase),
    ("POST", "/v1/purchases/{purchase}/deactivate", shop.deactivate),
    ("POST", "/v1/purchases/{purchase}/reactivate", shop.reactivate),
    ("POST", "/v1/purchases/{purchase}/cancel_subscription", shop.cancel_subscription),
    ("GET", "/v1/transactions", shop.list_transactions),
    ("GET", "/v1/hooks", hooks.listing),
    ("POST", "/v1/hooks", hooks.create),
    ("GET", "/v1/hooks/{hook}", hooks.get),
    ("DELETE", "/v1/hooks/{hook}", hooks.delete),
)


def router() -> Router[Handler]:
    """All routes, ready to find."""
    routes = Router[Handler]()
    for method, pattern, handler in ROUTES:
        routes.add(method, pattern, handler)
    return routes
