"""Members of a Kajabi site: found by e-mail or external id, granted offers, and what they can open."""

import re

from linkpay.sandbox import ids
from linkpay.sandbox.kajabi.records import Member, Offer, Site
from linkpay.sandbox.records import Json, Mail
from linkpay.sandbox.world import World

EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")


def by_email(world: World, site_id: str, email: str) -> Member | None:
    """E-mail addresses are compared without regard to case."""
    for member in world.books.members.where("email", email.strip().lower()):
        if member.site_id == site_id:
            return member
    return None


def by_external_id(world: World, site_id: str, external_id: str) -> Member | None:
    """External ids are compared exactly, capitals included."""
    for member in world.books.members.where("external_id", external_id):
        if member.site_id == site_id:
            return member
    return None


def create(world: World, site_id: str, email: str, name: str, external_id: str | None = None) -> Member:
    return world.books.members.add(
        Member(
            id=ids.digits(10),
            created_at=world.now(),
            site_id=site_id,
            email=email.strip().lower(),
            name=name,
            external_id=external_id,
        )
    )


def name_externally(world: World, member: Member, external_id: str | None) -> None:
    """Give the member the id by which another system knows her."""
    world.books.members.reindex(member, "external_id", external_id)


def is_granted(member: Member, offer_id: str) -> bool:
    return bool(member.grants.get(offer_id, {}).get("state") == "granted")


def grant(world: World, member: Member, offer: Offer) -> None:
    """Open the offer to the member, who from now on is a customer of the site."""
    now = world.now().isoformat()
    before: Json = member.grants.get(offer.id, {"times": 0})
    member.grants[offer.id] = {**before, "state": "granted", "granted_at": now, "times": before["times"] + 1}
    member.products = sorted({*member.products, *offer.products})
    if member.customer_id is None:
        member.customer_id = ids.digits(10)
    world.books.members.save(member)


def revoke(world: World, member: Member, offer_id: str) -> None:
    """Close the offer and each of its products, also those that another granted offer holds too: Kajabi
    "deactivates all associated product memberships"."""
    member.grants[offer_id] |= {"state": "revoked", "revoked_at": world.now().isoformat()}
    offer = world.books.offers.get(offer_id)
    if offer is not None:
        member.products = [product for product in member.products if product not in offer.products]
    world.books.members.save(member)


def mail_grant(world: World, site: Site, offer: Offer, member: Member) -> None:
    """Kajabi's mail about a granted offer."""
    text = f"Hi {member.name},\n\nYou now have access to {offer.title}.\n"
    _mail(world, site, member, f"You have access to {offer.title}", text)


def mail_welcome(world: World, site: Site, member: Member) -> None:
    """Kajabi's mail to a new customer about how to sign in."""
    _mail(world, site, member, f"Welcome to {site.name}", f"Hi {member.name},\n\nYou can now sign in.\n")


def _mail(world: World, site: Site, member: Member, subject: str, text: str) -> None:
    world.books.mails.add(
        Mail(
            id=ids.word(16),
            created_at=world.now(),
            recipient=member.email,
            sender=f"{site.name} <no-reply@kajabi.example.com>",
            subject=subject,
            text=f"{text}Your library: {library_url(world, member)}\n",
            html="",
            headers={"X-Sandbox-Source": "kajabi"},
        )
    )


def library_url(world: World, member: Member) -> str:
    """The page that shows what the member can open."""
    return world.kajabi_base + library_path(member)


def library_path(member: Member) -> str:
    return f"/kajabi/library/{member.site_id}/{member.id}"


def view(world: World, member: Member) -> Json:
    """The member as the control addresses show her."""
    offers = []
    for offer_id, given in member.grants.items():
        offer = world.books.offers.get(offer_id)
        title = offer.title if offer is not None else None
        offers.append({"id": offer_id, "title": title, **given})
    return {
        "id": member.id,
        "site_id": member.site_id,
        "customer_id": member.customer_id,
        "email": member.email,
        "name": member.name,
        "external_id": member.external_id,
        "external_user_id": member.external_id,
        "offers": offers,
        "products": list(member.products),
        "tags": list(member.tags),
        "calls": list(member.calls),
        "library_url": library_url(world, member),
    }
