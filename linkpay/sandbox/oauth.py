"""Mollie Connect: the page on which a merchant allows an app, and the tokens it then gets.

A code lives 30 seconds, an access token 3600; a refresh token does not end and is given back unchanged
(Mollie docs, Connect).
"""

import base64
import binascii
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

from linkpay.sandbox import ids
from linkpay.sandbox.mollie.call import MollieError
from linkpay.sandbox.mollie.desk import read_body
from linkpay.sandbox.mollie.scopes import PERMISSIONS
from linkpay.sandbox.pages import page, redirect
from linkpay.sandbox.records import Client, Organization, Token
from linkpay.sandbox.web import Json, Request, Response, json_response
from linkpay.sandbox.world import World

CODE_LIFE = timedelta(seconds=30)
ACCESS_LIFE = timedelta(seconds=3600)


class Refused(Exception):
    """The token endpoint refuses with OAuth's error body."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def answer(world: World, request: Request) -> Response:
    """Any address below ``/oauth2``."""
    with world.books.lock:
        match request.method, request.path.rstrip("/"):
            case (("GET" | "POST"), "/oauth2/authorize"):
                return _authorize(world, request)
            case "POST", "/oauth2/tokens":
                return _refusable(_issue, world, request)
            case "DELETE", "/oauth2/tokens":
                return _refusable(_revoke, world, request)
    return page("message.html", 404, title="Not found", text="There is nothing at this address.")


def _authorize(world: World, request: Request) -> Response:
    """The consent page and what the merchant chose on it."""
    asked = dict(request.pairs())
    client = world.books.clients.get(asked.get("client_id", ""))
    if client is None:
        return page("message.html", 400, title="Unknown app", text="No app has this client_id.")
    back = asked.get("redirect_uri", client.redirect_url)
    if back != client.redirect_url:
        return page(
            "message.html", 400, title="Wrong address", text="The redirect_uri is not that of the app."
        )
    if asked.get("response_type") != "code" or not asked.get("state"):
        return _back(back, asked, {"error": "invalid_request"})
    scopes = asked.get("scope", "").replace("+", " ").split()
    if not scopes or any(scope not in PERMISSIONS for scope in scopes):
        return _back(back, asked, {"error": "invalid_scope"})
    if request.method == "GET":
        return page(
            "authorize.html",
            client=client,
            permissions=[PERMISSIONS[scope] for scope in scopes],
            organizations=list(world.books.organizations),
        )
    return _decide(world, request.form(), client, asked | {"redirect_uri": back, "scope": " ".join(scopes)})


def _decide(world: World, posted: dict[str, str], client: Client, asked: dict[str, str]) -> Response:
    back = asked["redirect_uri"]
    if posted.get("decision") != "allow":
        return _back(back, asked, {"error": "access_denied"})
    code = Token(
        id=f"auth_{ids.word(30)}",
        created_at=world.now(),
        kind="code",
        organization_id=_chosen(world, posted).id,
        client_id=client.id,
        scope=asked["scope"],
        expires_at=world.now() + CODE_LIFE,
        redirect_url=back,
    )
    world.books.tokens.add(code)
    return _back(back, asked, {"code": code.id})


def _chosen(world: World, posted: dict[str, str]) -> Organization:
    """The organisation that was picked, or a new one under the name that was typed."""
    found = world.books.organizations.get(posted.get("organization", ""))
    if found is not None:
        return found
    name = posted.get("name", "").strip() or "New organisation"
    organization = world.organization(f"connected{ids.word(12)}")
    organization.name = name
    return organization


def _back(address: str, asked: dict[str, str], answer: dict[str, str]) -> Response:
    joint = "&" if "?" in address else "?"
    return redirect(f"{address}{joint}{urlencode(answer | {'state': asked.get('state', '')})}")


def _refusable(handle: Callable[[World, Request], Response], world: World, request: Request) -> Response:
    try:
        return handle(world, request)
    except MollieError as error:
        return json_response(400, {"error": "invalid_request", "error_description": error.detail})
    except Refused as refused:
        body = {"error": refused.error, "error_description": refused.description}
        return json_response(refused.status, body)


def _client(world: World, request: Request, sent: Json) -> Client:
    """The app, by basic authentication or by body."""
    client_id, secret = str(sent.get("client_id", "")), str(sent.get("client_secret", ""))
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refused("invalid_client", "The client credentials are not readable", 401) from None
    client = world.books.clients.get(client_id)
    if client is None or client.secret != secret:
        raise Refused("invalid_client", "The client credentials are invalid", 401)
    return client


def _issue(world: World, request: Request) -> Response:
    sent = read_body(request)
    client = _client(world, request, sent)
    match sent.get("grant_type"):
        case "authorization_code":
            grant = _redeem(world, client, sent)
            refresh = _new(world, grant, "refresh", f"refresh_{ids.word(30)}")
        case "refresh_token":
            refresh = _known(world, client, str(sent.get("refresh_token", "")), "refresh")
        case _:
            raise Refused("unsupported_grant_type", "The grant type is authorization_code or refresh_token")
    access = _new(world, refresh, "access", f"access_oauth{ids.word(30)}")
    access.expires_at = world.now() + ACCESS_LIFE
    return json_response(
        200,
        {
            "access_token": access.id,
            "refresh_token": refresh.id,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "token_type": "bearer",
            "scope": refresh.scope,
        },
    )


def _redeem(world: World, client: Client, sent: Json) -> Token:
    """The code, once and in time."""
    code = _known(world, client, str(sent.get("code", "")), "code")
    world.books.tokens.drop(code)
    if code.expires_at is not None and code.expires_at <= world.now():
        raise Refused("invalid_grant", "The authorization code has expired")
    if sent.get("redirect_uri", code.redirect_url) != code.redirect_url:
        raise Refused("invalid_grant", "The redirect URI does not match")
    return code


def _known(world: World, client: Client, text: str, kind: str) -> Token:
    token = world.books.tokens.get(text)
    if token is None or token.kind != kind or token.client_id != client.id:
        raise Refused("invalid_grant", f"The {kind} does not exist or is invalid for the client")
    return token


def _new(world: World, origin: Token, kind: str, text: str) -> Token:
    return world.books.tokens.add(
        Token(
            id=text,
            created_at=world.now(),
            kind=kind,
            organization_id=origin.organization_id,
            client_id=origin.client_id,
            scope=origin.scope,
        )
    )


def _revoke(world: World, request: Request) -> Response:
    """Revoking a refresh token ends every access token that came from this app for the organisation."""
    sent = read_body(request)
    client = _client(world, request, sent)
    token = world.books.tokens.get(str(sent.get("token", "")))
    if token is not None and token.client_id == client.id:
        world.books.tokens.drop(token)
        if token.kind == "refresh":
            for other in world.books.tokens.where("organization_id", token.organization_id):
                if other.client_id == client.id:
                    world.books.tokens.drop(other)
    return Response(204)
