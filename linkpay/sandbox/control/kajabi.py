"""Controls over Kajabi: sites, offers and members."""

import re

from linkpay.errors import InputError, NotFound
from linkpay.sandbox import ids
from linkpay.sandbox.control.desk import Order
from linkpay.sandbox.kajabi import hooks, people
from linkpay.sandbox.kajabi.payloads import Sale, trial_a
from linkpay.sandbox.kajabi.records import Member, Offer, Product, Purchase, Site, Tag
from linkpay.sandbox.web import Json


def add_site(order: Order) -> tuple[int, object]:
    order.allow("name", "regrant_refused", "rate_limit")
    with order.world.books.lock:
        site = Site(
            id=ids.digits(10),
            created_at=order.world.now(),
            name=order.text("name"),
            client_id=ids.word(24),
            client_secret=ids.word(40),
            regrant_refused=order.flag("regrant_refused", False),
        )
        _set_rate(order, site)
        return 201, site_view(order.world.books.sites.add(site))


def _set_rate(order: Order, site: Site) -> None:
    """`rate_limit`: calls a minute that the API allows, null for no limit."""
    if order.body.get("rate_limit") is not None:
        site.rate_limit = order.whole("rate_limit", least=1)


def site_view(site: Site) -> Json:
    return {
        "id": site.id,
        "name": site.name,
        "client_id": site.client_id,
        "client_secret": site.client_secret,
        "regrant_refused": site.regrant_refused,
        "rate_limit": site.rate_limit,
    }


def find_site(order: Order, site_id: str) -> Site:
    site = order.world.books.sites.get(site_id)
    if site is None:
        raise NotFound("not_found", f"There is no site {site_id}", "site_id")
    return site


def list_sites(order: Order) -> tuple[int, object]:
    with order.world.books.lock:
        return 200, [site_view(site) for site in order.world.books.sites]


def change_site(order: Order) -> tuple[int, object]:
    """Switches of a site: whether a grant after a revoke is refused, and the API's rate limit."""
    order.allow("regrant_refused", "rate_limit")
    with order.world.books.lock:
        site = find_site(order, order.params["site"])
        site.regrant_refused = order.flag("regrant_refused", site.regrant_refused)
        site.rate_limit = None if "rate_limit" in order.body else site.rate_limit
        _set_rate(order, site)
        order.world.books.sites.save(site)
        return 200, site_view(site)


def add_offer(order: Order) -> tuple[int, object]:
    order.allow("site_id", "title", "products", "price_cents", "currency")
    with order.world.books.lock:
        site = find_site(order, _id(order, "site_id"))
        title = order.text("title")
        titles = order.body.get("products", [title])
        if not isinstance(titles, list) or not all(isinstance(each, str) and each for each in titles):
            raise InputError("invalid", "products is a list of titles", "products")
        offer = Offer(
            id=str(2_147_000_000 + len(order.world.books.offers)) + ids.digits(3),
            created_at=order.world.now(),
            site_id=site.id,
            title=title,
            products=[_product(order, site.id, each) for each in titles],
            token=ids.word(16),
            public_token=ids.word(8),
            price_cents=order.whole("price_cents", 0, most=100_000_000),
            currency=_currency(order),
        )
        return 201, offer_view(order, order.world.books.offers.add(offer))


def _currency(order: Order) -> str:
    currency = order.text("currency", "EUR")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise InputError("invalid", "currency is three capital letters", "currency")
    return currency


def _id(order: Order, key: str) -> str:
    """An id that may come as a text or as a number."""
    value = order.body.get(key)
    return str(value) if isinstance(value, int) else order.text(key)


def _product(order: Order, site_id: str, title: str) -> str:
    """The id of the site's product with this title, made when it is new."""
    products = order.world.books.products
    for product in products.where("site_id", site_id):
        if product.title == title:
            return product.id
    now = order.world.now()
    return products.add(Product(id=ids.digits(10), created_at=now, site_id=site_id, title=title)).id


def offer_view(order: Order, offer: Offer) -> Json:
    address = f"{order.request.base}/webhooks/offers/{offer.token}/{offer.id}"
    titles = [order.world.books.products.rows[each].title for each in offer.products]
    return {
        "id": offer.id,
        "site_id": offer.site_id,
        "title": offer.title,
        "products": titles,
        "token": offer.token,
        "number": offer.id,
        "course_url": f"{order.request.base}/kajabi/library/{offer.site_id}",
        "activation_url": f"{address}/activate",
        "deactivation_url": f"{address}/deactivate",
        "calls": len(offer.log),
    }


def list_offers(order: Order) -> tuple[int, object]:
    with order.world.books.lock:
        return 200, [offer_view(order, offer) for offer in order.world.books.offers]


def buy(order: Order) -> tuple[int, object]:
    """A purchase in Kajabi's own shop: opens the offer and tells the hooks."""
    order.allow("offer_id", "email", "name", "amount_cents", "payment_type")
    books = order.world.books
    with books.lock:
        offer = books.offers.get(_id(order, "offer_id"))
        if offer is None:
            raise NotFound("not_found", "There is no such offer", "offer_id")
        payment_type = order.text("payment_type", "single")
        if payment_type not in ("single", "subscription", "multipay", "free"):
            raise InputError(
                "invalid", "payment_type is single, subscription, multipay or free", "payment_type"
            )
        member = _person(order, offer.site_id)
        people.grant(order.world, member, offer)
        purchase = Purchase(
            id=ids.digits(9),
            created_at=order.world.now(),
            site_id=offer.site_id,
            member_id=member.id,
            offer_id=offer.id,
            amount_cents=order.whole("amount_cents", offer.price_cents, most=100_000_000),
            currency=offer.currency,
            payment_type=payment_type,
        )
        books.purchases.add(purchase)
        told = hooks.sold(order.world, Sale(purchase, offer, member, order.request.base))
        return 201, {"id": purchase.id, "member_id": member.id, "hooks_told": told}


def _person(order: Order, site_id: str) -> Member:
    """The member with this e-mail, made when she is new."""
    email = order.text("email")
    name = order.text("name", email)
    if not people.EMAIL.match(email):
        raise InputError("invalid", "email is an e-mail address", "email")
    found = people.by_email(order.world, site_id, email)
    return found or people.create(order.world, site_id, email, name)


def add_hook(order: Order) -> tuple[int, object]:
    """A webhook of Kajabi's dashboard (`shape` A or B) or of its API (C)."""
    order.allow("site_id", "target_url", "shape", "event")
    with order.world.books.lock:
        site, shape = find_site(order, _id(order, "site_id")), order.text("shape")
        if shape not in hooks.EVENTS:
            raise InputError("invalid", "shape is A, B or C", "shape")
        event = order.text("event", hooks.EVENTS[shape][0])
        if event not in hooks.EVENTS[shape]:
            raise InputError("invalid", f"event is one of {', '.join(hooks.EVENTS[shape])}", "event")
        hook = hooks.register(order.world, site.id, order.address("target_url"), event, shape)
        return 201, {"id": hook.id, "site_id": site.id, "shape": shape, "event": event}


def test_hook(order: Order) -> tuple[int, object]:
    """The dashboard's test button: a payload about offer 0 and member 0."""
    order.allow()
    with order.world.books.lock:
        hook = order.world.books.kajabi_hooks.get(order.params["hook"])
        if hook is None or hook.shape != "A":
            raise NotFound("not_found", "There is no such hook of shape A")
        document = trial_a(order.world.now())
        hooks.send(order.world, hook, document)
        return 202, document


def add_tag(order: Order) -> tuple[int, object]:
    order.allow("site_id", "name")
    with order.world.books.lock:
        site, now = find_site(order, _id(order, "site_id")), order.world.now()
        tag = Tag(id=ids.digits(9), created_at=now, site_id=site.id, name=order.text("name"))
        order.world.books.tags.add(tag)
        return 201, {"id": tag.id, "site_id": site.id, "name": tag.name}


def submit_form(order: Order) -> tuple[int, object]:
    """Somebody fills in a form of the site."""
    order.allow("site_id", "form_id", "email", "name")
    with order.world.books.lock:
        site = find_site(order, _id(order, "site_id"))
        member = _person(order, site.id)
        hooks.submitted(order.world, member, order.text("form_id", "1"))
        return 201, people.view(order.world, member)


def list_members(order: Order) -> tuple[int, object]:
    """Members; ``?email=`` and ``?site_id=`` narrow them."""
    order.narrow("email", "site_id")
    email, site_id = order.query.get("email", "").strip().lower(), order.query.get("site_id")
    books = order.world.books
    with books.lock:
        rows = books.members.where("email", email) if email else list(books.members)
        return 200, [people.view(order.world, row) for row in rows if site_id in (None, row.site_id)]
