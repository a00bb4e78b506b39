"""Kajabi's outgoing webhooks: registered by the API or the dashboard, sent once, never signed."""

from linkpay.sandbox import ids
from linkpay.sandbox.kajabi import resources
from linkpay.sandbox.kajabi.payloads import Sale, shape_a, shape_b, shape_c
from linkpay.sandbox.kajabi.records import KajabiHook, Member, Offer, Purchase
from linkpay.sandbox.kajabi.wire import ApiCall, ApiError, data_of, page
from linkpay.sandbox.records import Delivery
from linkpay.sandbox.web import Json, encode
from linkpay.sandbox.world import World

EVENTS = {
    "A": ("purchase.created",),
    "B": ("payment.succeeded", "order.created"),
    "C": ("purchase", "payment_succeeded", "order_created", "form_submission", "tag_added", "tag_removed"),
}


def create(call: ApiCall) -> tuple[int, Json]:
    """``POST /v1/hooks``: shape C."""
    data = data_of(call, "hooks")
    attributes = data.get("attributes", {})
    site = data.get("relationships", {}).get("site", {}).get("data", {}).get("id")
    if site is None:
        raise ApiError(422, "A hook belongs to a site", "/data/relationships/site")
    call.check_site(str(site))
    target, event = attributes.get("target_url"), attributes.get("event")
    if not isinstance(target, str) or not target.startswith(("http://", "https://")):
        raise ApiError(422, "target_url is invalid", "/data/attributes/target_url")
    if event not in EVENTS["C"]:
        raise ApiError(422, "event is not included in the list", "/data/attributes/event")
    resource = attributes.get("resource_id")
    hook = register(call.world, call.site.id, target, event, "C")
    hook.resource_id = None if resource is None else str(resource)
    return 201, {"data": resources.hook(call, hook)}


def register(world: World, site_id: str, target: str, event: str, shape: str) -> KajabiHook:
    return world.books.kajabi_hooks.add(
        KajabiHook(
            id=ids.digits(10),
            created_at=world.now(),
            site_id=site_id,
            target_url=target,
            event=event,
            shape=shape,
        )
    )


def _find(call: ApiCall) -> KajabiHook:
    hook = call.world.books.kajabi_hooks.get(call.params["hook"])
    if hook is None or hook.site_id != call.site.id or hook.shape != "C":
        raise ApiError(404, "The hook could not be found")
    return hook


def get(call: ApiCall) -> tuple[int, Json]:
    """A hook, or the sample of an event when the address ends in ``_sample``."""
    named = call.params["hook"].removesuffix("_sample")
    if named != call.params["hook"]:
        if named not in EVENTS["C"]:
            raise ApiError(404, "There is no such sample")
        return 200, _sample(call, named)
    return 200, {"data": resources.hook(call, _find(call))}


def _sample(call: ApiCall, event: str) -> Json:
    """An event about a made-up person and offer with id 0."""
    now = call.world.now()
    member = Member(
        id="0",
        created_at=now,
        site_id=call.site.id,
        email="john.doe@example.com",
        name="John Doe",
        customer_id="0",
    )
    if event in ("tag_added", "tag_removed"):
        return _tag_document(call.world, member, "0", event)
    if event == "form_submission":
        return _form_document(member, "0")
    offer = Offer(
        id="0",
        created_at=now,
        site_id=call.site.id,
        title="Kajabi Test Offer",
        products=[],
        token="",
        public_token=ids.word(8),
        price_cents=1000,
        currency="USD",
    )
    purchase = Purchase(
        id="0",
        created_at=now,
        site_id=call.site.id,
        member_id="0",
        offer_id="0",
        amount_cents=1000,
        currency="USD",
    )
    return shape_c(Sale(purchase, offer, member, call.request.base), event)


def listing(call: ApiCall) -> tuple[int, Json]:
    filters = call.filters("site_id")
    call.check_site(filters.get("site_id"))
    rows = [row for row in call.world.books.kajabi_hooks.where("site_id", call.site.id) if row.shape == "C"]
    return 200, page(call, rows, resources.hook)


def delete(call: ApiCall) -> tuple[int, None]:
    call.world.books.kajabi_hooks.drop(_find(call))
    return 204, None


def send(world: World, hook: KajabiHook, document: Json) -> None:
    """Send one document to one hook."""
    world.courier.send(
        Delivery(
            id=ids.fresh("dlv", 12),
            created_at=world.now(),
            kind="kajabi",
            url=hook.target_url,
            subject=str(document["id"]),
            body=encode(document).decode(),
            content_type="application/json",
            headers={"User-Agent": "Kajabi Webhooks"},
            source=hook.id,
        )
    )


def sold(world: World, sale: Sale) -> int:
    """Tell every hook of the site that listens; returns how many were told."""
    told = 0
    for hook in world.books.kajabi_hooks.where("site_id", sale.offer.site_id):
        if hook.resource_id not in (None, sale.offer.id):
            continue
        if hook.shape == "A":
            send(world, hook, shape_a(sale))
        elif hook.shape == "B":
            send(world, hook, shape_b(sale, hook.event))
        elif hook.event in ("purchase", "payment_succeeded", "order_created"):
            send(world, hook, shape_c(sale, hook.event))
        else:
            continue
        told += 1
    return told


def tagged(world: World, member: Member, tag_id: str, event: str) -> None:
    """A contact got or lost a tag."""
    document = _tag_document(world, member, tag_id, event)
    for hook in world.books.kajabi_hooks.where("site_id", member.site_id):
        if hook.event == event and hook.resource_id in (None, tag_id):
            send(world, hook, document)


def submitted(world: World, member: Member, form_id: str) -> None:
    """A form was filled in."""
    for hook in world.books.kajabi_hooks.where("site_id", member.site_id):
        if hook.event == "form_submission" and hook.resource_id in (None, form_id):
            send(world, hook, _form_document(member, form_id))


def _tag_document(world: World, member: Member, tag_id: str, event: str) -> Json:
    tag = world.books.tags.get(tag_id)
    name = tag.name if tag is not None else "Test tag"
    contact: Json = {
        "id": member.id,
        "type": "contacts",
        "attributes": {
            "name": member.name,
            "email": member.email,
            "subscribed": True,
            "external_user_id": member.external_id,
            "created_at": resources.stamp(member.created_at),
            "updated_at": resources.stamp(member.created_at),
        },
    }
    label = {"id": tag_id, "type": "contact_tags", "attributes": {"name": name}}
    return {"id": member.id, "event": event, "payload": [contact, label]}


def _form_document(member: Member, form_id: str) -> Json:
    submission = {
        "id": member.id,
        "type": "form_submissions",
        "attributes": {"name": member.name, "email": member.email, "phone_number": None},
    }
    form = {"id": form_id, "type": "forms", "attributes": {"title": "Form"}}
    return {"id": member.id, "event": "form_submission", "payload": [submission, form]}
