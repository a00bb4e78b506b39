"""Kajabi's token endpoints: client credentials and refresh, by form."""

import time
from datetime import timedelta

from linkpay.sandbox import ids
from linkpay.sandbox.kajabi.records import Site
from linkpay.sandbox.records import Token
from linkpay.sandbox.web import Request, Response, json_response
from linkpay.sandbox.world import World

ACCESS_LIFE = timedelta(seconds=3600)


def answer(world: World, request: Request, delay: float) -> Response:
    """``/v1/oauth/token`` and ``/v1/oauth/revoke``, after `delay` seconds."""
    time.sleep(delay)
    if request.method != "POST":
        return json_response(404, {"error": "not_found"})
    if request.content_type != "application/x-www-form-urlencoded":
        return json_response(400, {"error": "invalid_request"})
    sent = request.form()
    with world.books.lock:
        if request.path.endswith("/revoke"):
            token = world.books.tokens.get(sent.get("token"))
            if token is not None and token.kind.startswith("kajabi_"):
                world.books.tokens.drop(token)
            return json_response(200, {})
        site = _site(world, sent)
        return json_response(401, {"error": "invalid_client"}) if site is None else _issue(world, site)


def _site(world: World, sent: dict[str, str]) -> Site | None:
    """The site whose credentials or refresh token these are."""
    match sent.get("grant_type"):
        case "client_credentials":
            site = world.books.sites.first("client_id", sent.get("client_id", ""))
            return site if site is not None and site.client_secret == sent.get("client_secret") else None
        case "refresh_token":
            token = world.books.tokens.get(sent.get("refresh_token"))
            if token is not None and token.kind == "kajabi_refresh":
                world.books.tokens.drop(token)
                return world.books.sites.get(token.organization_id)
    return None


def _issue(world: World, site: Site) -> Response:
    now = world.now()
    made = {}
    for kind in ("access", "refresh"):
        made[kind] = world.books.tokens.add(
            Token(
                id=f"kjb_{kind}_{ids.word(40)}",
                created_at=now,
                kind=f"kajabi_{kind}",
                organization_id=site.id,
                client_id=site.client_id,
                scope="",
                expires_at=now + ACCESS_LIFE if kind == "access" else None,
            )
        )
    return json_response(
        200,
        {
            "access_token": made["access"].id,
            "refresh_token": made["refresh"].id,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
        },
    )
