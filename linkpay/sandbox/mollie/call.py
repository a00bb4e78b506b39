"""One authenticated call to Mollie's API, and how it is refused."""

import difflib
from dataclasses import dataclass
from datetime import datetime

from linkpay.sandbox.records import Organization
from linkpay.sandbox.web import REASONS, Json, Request, Response, encode
from linkpay.sandbox.world import World

HAL = "application/hal+json"
DOCS = "https://docs.mollie.com"
TITLES = {**REASONS, 401: "Unauthorized Request", 503: "Service Unavailable"}


class MollieError(Exception):
    """The call is refused with Mollie's error body."""

    def __init__(self, status: int, detail: str, field: str | None = None, docs: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.docs = docs or f"{DOCS}/overview/handling-errors"


def invalid(detail: str, field: str | None = None) -> MollieError:
    """422, the refusal of what was sent."""
    return MollieError(422, detail, field)


def missing(entity: str, token: str) -> MollieError:
    """404, worded as Mollie's recorded answers are."""
    return MollieError(404, f"No {entity} exists with token {token}.")


def refusal(error: MollieError) -> Response:
    """The error as HTTP."""
    body: Json = {"status": error.status, "title": TITLES[error.status], "detail": error.detail}
    if error.field is not None:
        body["field"] = error.field
    body["_links"] = {"documentation": {"href": error.docs, "type": "text/html"}}
    return Response(error.status, encode(body), HAL)


@dataclass(slots=True, frozen=True)
class Credential:
    """Who calls. `kind` is api_key or access; `scope` separates organisations and modes."""

    token: str
    kind: str
    organization: Organization
    mode: str
    scopes: frozenset[str] | None = None

    @property
    def scope(self) -> str:
        return f"{self.organization.id}:{self.mode}"


@dataclass(slots=True)
class Call:
    """A call that passed authentication: its path variables, query and body."""

    world: World
    request: Request
    who: Credential
    params: dict[str, str]
    query: Json
    body: Json
    now: datetime

    @property
    def scope(self) -> str:
        return self.who.scope

    def href(self, path: str) -> str:
        """An address on the sandbox's own host, as the caller named it."""
        if self.who.kind == "access" and self.who.mode == "test":
            joint = "&" if "?" in path else "?"
            path = f"{path}{joint}testmode=true"
        return self.request.base + path

    def link(self, path: str) -> Json:
        return {"href": self.href(path), "type": HAL}

    def page(self, path: str) -> Json:
        """A link to a page for people."""
        return {"href": self.request.base + path, "type": "text/html"}

    def allow_query(self, *keys: str) -> None:
        """Refuse every other query key."""
        for key in self.query:
            if key not in keys:
                raise invalid(f'Non-existent query parameter "{key}" for this API call', key)

    def allow_body(self, *keys: str, access_only: tuple[str, ...] = ()) -> None:
        """Refuse every other body key; `access_only` are for OAuth and organisation tokens."""
        self.allow_query()
        known = (*keys, *access_only) if self.who.kind == "access" else keys
        for key in self.body:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1, 0.5)
                hint = f'. Did you mean: "{near[0]}"?' if near else "."
                raise invalid(f'Non-existent parameter "{key}" for this API call{hint}', key)


def documentation(page: str) -> Json:
    return {"href": f"{DOCS}/reference/{page}", "type": "text/html"}
