"""Who calls: API keys, and organisation or OAuth access tokens."""

import re

from linkpay.sandbox.mollie.call import Credential, MollieError, invalid
from linkpay.sandbox.web import Json, Request
from linkpay.sandbox.world import World

_KEY = re.compile(r"^(test|live)_(\w{1,128})$")
_ACCESS = re.compile(r"^access_(\w{1,128})$")


def authenticate(world: World, request: Request, query: Json, body: Json) -> Credential:
    """The caller. `testmode` is taken out of query and body when the credential may send it.

    Raises MollieError 401 for a missing, odd, expired or revoked credential and 422 for `testmode`
    with an API key.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer":
        if match := _KEY.match(token):
            return _by_key(world, token, match)
        if match := _ACCESS.match(token):
            return _by_access(world, token, match[1], _testmode(query, body))
    raise _unauthorized()


def _unauthorized() -> MollieError:
    return MollieError(401, "Missing authentication, or failed to authenticate")


def _by_key(world: World, token: str, match: re.Match[str]) -> Credential:
    return Credential(token, "api_key", world.organization(match[2]), match[1])


def _by_access(world: World, token: str, credential: str, testmode: bool) -> Credential:
    mode = "test" if testmode else "live"
    granted = world.books.tokens.get(token)
    if granted is None:
        if credential.startswith("oauth"):
            raise _unauthorized()
        return Credential(token, "access", world.organization(credential), mode)
    organization = world.books.organizations.get(granted.organization_id)
    expired = granted.expires_at is not None and granted.expires_at <= world.now()
    if organization is None or granted.kind != "access" or expired:
        raise _unauthorized()
    return Credential(token, "access", organization, mode, frozenset(granted.scope.split()))


def _testmode(query: Json, body: Json) -> bool:
    """Reads and removes `testmode`; true when either place says so."""
    asked = False
    for place in (query, body):
        if "testmode" in place:
            value = place.pop("testmode")
            if value not in (True, False, "true", "false"):
                raise invalid("The testmode parameter should be true or false", "testmode")
            asked = asked or value in (True, "true")
    return asked
