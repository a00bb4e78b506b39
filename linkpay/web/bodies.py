"""What kind of body a page's form may have."""

from flask import request

from linkpay.errors import InputError

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class UnsupportedType(InputError):
    """A content type we do not read."""

    status = 415


def require_form() -> None:
    """Raises UnsupportedType unless the request's body is a form."""
    if request.mimetype not in _FORMS:
        raise UnsupportedType("content_type", "Send a form.", "Content-Type")
