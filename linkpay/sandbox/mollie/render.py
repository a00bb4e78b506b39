"""Shows an entity without a call: what an event carries."""

from linkpay.sandbox.mollie import captures, chargebacks, payment_view, refunds
from linkpay.sandbox.mollie.call import Call, Credential
from linkpay.sandbox.web import Json, Request
from linkpay.sandbox.world import World


def entity(world: World, scope: str, entity_id: str) -> Json:
    """The payment, refund, chargeback or capture as an access token would read it now."""
    organization_id, mode = scope.split(":")
    who = Credential("", "access", world.books.organizations.rows[organization_id], mode)
    request = Request("GET", "/", "", {}, b"", world.base)
    call = Call(world, request, who, {}, {}, {}, world.now())
    books = world.books
    if (payment := books.payments.get(entity_id)) is not None:
        return payment_view.view(call, payment)
    if (refund := books.refunds.get(entity_id)) is not None:
        return refunds.view(call, refund)
    if (chargeback := books.chargebacks.get(entity_id)) is not None:
        return chargebacks.view(call, chargeback)
    return captures.view(call, books.captures.rows[entity_id])
