"""Where Mollie and Kajabi post. The edge only receives: one row, one commit, 200.

Neither sender signs its message, so the address carries a secret per site and the message is only a
hint; what really happened is read from the provider by a job.
"""

import hashlib
import re

from flask import Blueprint, Response, current_app, request

from linkpay.errors import InputError, NotFound
from linkpay.services.parts import Parts
from linkpay.store.inbox import Message
from linkpay.store.intake import Intake

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

_PAYMENT_ID = re.compile(r"tr_[A-Za-z0-9]{1,64}", re.ASCII)
_FORM = "application/x-www-form-urlencoded"
_JSON = ("application/json", "application/vnd.api+json")


class UnsupportedType(InputError):
    """A content type we do not read."""

    status = 415


@bp.post("/mollie/<token>")
def mollie(token: str) -> Response:
    """Mollie's classic webhook: ``id=tr_...``, form encoded. Anything but 200 makes it come again.

    An id that cannot be Mollie's is answered like any other and dropped, so that the answer tells a
    stranger nothing (Mollie's documentation asks for 200 on unknown ids).
    """
    if request.mimetype != _FORM:
        raise UnsupportedType("content_type", f"Send the payment id as {_FORM}.", "Content-Type")
    ids = request.form.getlist("id")
    if not ids:
        if "testByMollie" in request.args:
            return _taken()
        raise InputError("id_missing", "The field id is missing.", "id")
    if len(ids) == 1 and _PAYMENT_ID.fullmatch(ids[0]):
        _keep(token, "mollie", ids[0], ids[0].encode())
    return _taken()


@bp.post("/kajabi/<token>")
def kajabi(token: str) -> Response:
    """Kajabi's outgoing webhook in any of its three shapes, kept as it came."""
    if request.mimetype not in (*_JSON, _FORM):
        raise UnsupportedType("content_type", "Send JSON or a form.", "Content-Type")
    body = request.get_data(cache=False)
    if not body.strip():
        raise InputError("body_missing", "The body is empty.")
    _keep(token, "kajabi", hashlib.sha256(body).hexdigest(), body)
    return _taken()


def _keep(token: str, source: str, ref: str, body: bytes) -> None:
    parts: Parts = current_app.extensions["linkpay"]
    intake: Intake = current_app.extensions["linkpay.intake"]
    # A NUL sign cannot even be looked for: the database would refuse it as if it were away.
    if "\0" in token or not intake.keep(
        Message(token, source, ref, request.mimetype, body, parts.clock.now())
    ):
        raise NotFound("site_unknown", "No site has this address.")


def _taken() -> Response:
    return Response(status=200)
