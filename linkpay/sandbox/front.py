"""The page at ``/``: what the sandbox is, what it holds, and buttons for its controls."""

from itertools import islice

from linkpay.sandbox.control.overview import summary
from linkpay.sandbox.kajabi import people
from linkpay.sandbox.kajabi.records import Member
from linkpay.sandbox.mollie.fields import money
from linkpay.sandbox.pages import page
from linkpay.sandbox.records import Json, Payment
from linkpay.sandbox.web import Request, Response
from linkpay.sandbox.world import World

SHOWN = 15
STEPS = {"1 hour": 3_600, "1 day": 86_400, "1 week": 604_800, "30 days": 2_592_000}
FAULT_KINDS = (
    "status:429",
    "status:500",
    "status:503",
    "timeout_before",
    "timeout_after",
    "reset_after",
    "accepted_202",
    "html",
    "not_found_once",
    "webhook_lost",
    "webhook_twice",
    "webhook_early",
    "webhook_reordered",
    "slow:2000",
)


def answer(world: World, request: Request) -> Response:
    """The page, with the newest of everything first."""
    if request.method not in ("GET", "HEAD"):
        return page("message.html", 405, title="Not possible", text="This page can only be read.")
    books = world.books
    with books.lock:
        return page(
            "front.html",
            base=request.base,
            state=summary(world),
            steps=STEPS,
            kinds=FAULT_KINDS,
            payments=[_payment(row) for row in islice(reversed(books.payments.rows.values()), SHOWN)],
            members=[_member(world, row) for row in islice(reversed(books.members.rows.values()), SHOWN)],
            mails=list(islice(reversed(books.mails.rows.values()), SHOWN)),
            log=list(islice(reversed(world.log), SHOWN)),
        )


def _payment(payment: Payment) -> Json:
    """A payment and what can be done with it here."""
    moves = {"open": ["paid", "failed", "expired"], "pending": ["paid", "failed"]}.get(payment.status, [])
    back = payment.paid_at is not None and payment.charged_back_cents < payment.amount_cents
    return {
        "id": payment.id,
        "status": payment.status,
        "amount": money(payment.amount_cents, payment.currency),
        "method": payment.method or "not chosen",
        "description": payment.description,
        "page": f"/checkout/{payment.checkout_token}{'' if payment.status == 'open' else '/state'}",
        "moves": moves,
        "can_be_charged_back": back,
    }


def _member(world: World, member: Member) -> Json:
    granted = [
        world.books.offers.rows[offer_id].title
        for offer_id, given in member.grants.items()
        if given["state"] == "granted"
    ]
    return {"email": member.email, "offers": granted, "page": people.library_path(member)}
