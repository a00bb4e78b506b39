"""What every answer says to the browser about its own safety."""

from flask import Flask, Response, request

from linkpay.web.edge import Edge

_YEARS_OF_HTTPS = 2 * 365 * 24 * 3600


def install(app: Flask, edge: Edge) -> None:
    """Put the headers on all answers, errors and static files included."""
    fixed = {
        # No script, frame or foreign source at all. `form-action` also governs where the answer to
        # a form may redirect to, so the payment pages stand in it.
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {edge.payment_hosts}"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Addresses of orders and bills are secrets: they must not travel on to other sites.
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if edge.secure:
        fixed["Strict-Transport-Security"] = f"max-age={_YEARS_OF_HTTPS}"

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(fixed)
        if request.endpoint != "static" and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response


def may_come_back(response: Response) -> Response:
    """Let the browser's back button show this page with what was typed, after asking us again."""
    response.headers["Cache-Control"] = "private, no-cache"
    return response
