"""What every answer says to the browser about its own safety."""

from collections.abc import Sequence

from flask import Flask, Response, g, request

from linkpay.web.edge import Edge, edge

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
        own = {name.lower() for name, _ in response.headers}  # some pages have a policy of their own
        for name, value in fixed.items():
            if name.lower() not in own:
                response.headers.add(name, value)
        if g.get("framed"):
            # Of two rules browsers obey the stricter, and this one knows no list of origins.
            del response.headers["X-Frame-Options"]
        if "cache-control" not in own and request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response


def order_page(response: Response, parents: Sequence[str]) -> Response:
    """The checkout brings a script of ours, and may stand in pages of `parents`, if there are any."""
    holders = " ".join(parents) or "'none'"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; frame-ancestors {holders}; form-action 'self' {edge().payment_hosts}"
    )
    g.framed = bool(parents)
    return may_come_back(response)


def framing(response: Response) -> Response:
    """Let a page of ours hold another page of ours, and be held by one."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-src 'self'; "
        "frame-ancestors 'self'; form-action 'self'"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def only_styled(response: Response) -> Response:
    """A mail shown within a page: styled as mails are, and dead otherwise."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'self'; sandbox"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def may_come_back(response: Response) -> Response:
    """Let the browser's back button show this page with what was typed, after asking us again."""
    response.headers["Cache-Control"] = "private, no-cache"
    return response
