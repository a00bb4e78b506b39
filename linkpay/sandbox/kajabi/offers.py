"""Kajabi's offer addresses: whoever knows the address may grant and revoke.

Answers follow Kajabi's help pages and what callers report; where those are silent the stricter reading
is taken (422, a missing external id is refused, and so is a repeated activation).
"""

import json
import time

from linkpay.sandbox.faults import through
from linkpay.sandbox.kajabi import people
from linkpay.sandbox.kajabi.records import Member, Offer, Site
from linkpay.sandbox.web import Json, Request, Response, json_response
from linkpay.sandbox.world import World

LOGGED = 500
GRANTED_ALREADY = "The offer has already been granted to this member"


class Refused(Exception):
    """The call is refused with this text; `member` is whom it was about, if known."""

    def __init__(self, text: str, member: Member | None = None, status: int = 422) -> None:
        super().__init__(text)
        self.text = text
        self.member = member
        self.status = status


def answer(world: World, request: Request) -> Response:
    """Any address below ``/webhooks/offers``."""
    return through(world.books, "kajabi", request, lambda delay: _answer(world, request, delay), _problem)


def _problem(status: int) -> Response:
    texts = {404: "Not found", 429: "Too many requests", 202: "Accepted"}
    response = json_response(status, {"status": "error", "errors": [texts.get(status, "Server error")]})
    if status == 429:
        response.headers["Retry-After"] = "1"
    return response


def _answer(world: World, request: Request, delay: float) -> Response:
    if delay:
        time.sleep(delay)
    parts = request.path.strip("/").split("/")
    if request.method != "POST" or len(parts) != 5 or parts[4] not in ("activate", "deactivate"):
        return _problem(404)
    with world.books.lock:
        offer = world.books.offers.first("token", parts[2])
        if offer is None or offer.id != parts[3]:
            return _problem(404)
        return _handle(world, request, offer, parts[4])


def _handle(world: World, request: Request, offer: Offer, action: str) -> Response:
    site = world.books.sites.rows[offer.site_id]
    sent = _read(request)
    mailed = dict(request.pairs()).get("send_offer_grant_email", "").lower() == "true"
    member: Member | None
    try:
        if action == "activate":
            member = _activate(world, site, offer, sent)
            if mailed:
                people.mail_grant(world, site, offer, member)
        else:
            member = _deactivate(world, offer, sent)
        body: Json
        status, text, body = 200, "ok", {"status": "ok"}
    except Refused as refused:
        status, text, member = refused.status, refused.text, refused.member
        body = {"status": "error", "errors": [text]}
    _note(world, offer, member, sent | {"action": action, "status": status, "answer": text, "mail": mailed})
    return json_response(status, body)


def _read(request: Request) -> dict[str, str]:
    """The three parameters, from JSON or a form; everything else is ignored."""
    found: Json = {}
    if request.content_type == "application/x-www-form-urlencoded":
        found = dict(request.form())
    else:
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            body = {}
        found = body if isinstance(body, dict) else {}
    names = ("name", "email", "external_user_id")
    return {name: str(found[name]).strip() for name in names if found.get(name) is not None}


def _activate(world: World, site: Site, offer: Offer, sent: dict[str, str]) -> Member:
    for name in ("name", "email", "external_user_id"):
        if not sent.get(name):
            raise Refused(f"{name} can't be blank")
    if not people.EMAIL.match(sent["email"]):
        raise Refused("email is invalid")
    member = _identify(world, offer.site_id, sent)
    before = member.grants.get(offer.id)
    if before is not None and (before["state"] == "granted" or site.regrant_refused):
        raise Refused(GRANTED_ALREADY, member)
    people.grant(world, member, offer)
    return member


def _identify(world: World, site_id: str, sent: dict[str, str]) -> Member:
    """The member with this e-mail and external id; the two must belong together."""
    external_id = sent["external_user_id"]
    by_id = people.by_external_id(world, site_id, external_id)
    by_email = people.by_email(world, site_id, sent["email"])
    if by_email is None and by_id is None:
        return people.create(world, site_id, sent["email"], sent["name"], external_id)
    if by_email is None:
        raise Refused("Email: is invalid", by_id)
    if by_email is by_id:
        return by_email
    if by_email.external_id is None and by_id is None:
        people.name_externally(world, by_email, external_id)
        return by_email
    raise Refused("Email: is already taken", by_email)


def _deactivate(world: World, offer: Offer, sent: dict[str, str]) -> Member:
    """Only the external id counts, and it must be the one of the activation."""
    external_id = sent.get("external_user_id")
    if not external_id:
        raise Refused("external_user_id can't be blank")
    member = people.by_external_id(world, offer.site_id, external_id)
    if member is None:
        raise Refused("Base: not found", people.by_email(world, offer.site_id, sent.get("email", "")))
    if not people.is_granted(member, offer.id):
        raise Refused("Offer grant not found for offer on member", member)
    people.revoke(world, member, offer.id)
    return member


def _note(world: World, offer: Offer, member: Member | None, line: Json) -> None:
    """Kajabi keeps a log per offer; the sandbox one per member as well."""
    line = {"at": world.now().isoformat(), "offer_id": offer.id, **line}
    line["send_offer_grant_email"] = line.pop("mail")
    offer.log = [*offer.log[1 - LOGGED :], line]
    world.books.offers.save(offer)
    if member is not None:
        member.calls = [*member.calls[1 - LOGGED :], line]
        world.books.members.save(member)
