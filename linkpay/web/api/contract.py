"""The contract of the API as an OpenAPI document, made from the same fields as the answers."""

from functools import cache
from typing import Any

from linkpay.web.api.resources import RESOURCES, Resource

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "field"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs."},
                "message": {"type": "string", "description": "For people: what to do."},
                "field": {"type": ["string", "null"], "description": "What was wrong, if one thing was."},
            },
        }
    },
}
_ONCE = {
    "name": "Idempotency-Key", "in": "header", "required": True,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "Names this request for 30 days: sent again, it does nothing and gets the first answer.",
}  # fmt: skip
_SITE = {name: {"type": "string"} for name in ("slug", "name", "zone", "locale", "mode")}


@cache
def document(base_url: str) -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, Any] = {"/site": {"get": _read("site", "The site that the key opens.", "Site")}}
    schemas: dict[str, Any] = {"Error": _ERROR, "Site": _object(_SITE)}
    for name, resource in RESOURCES.items():
        schemas[_named(name)] = _object(dict(resource.fields))
        schemas[f"{_named(name)}List"] = _list(name)
        paths[f"/{name}"] = {
            "get": _read(
                f"list_{name}", resource.about, f"{_named(name)}List", _query(resource), _links(name)
            )
        }
        paths[f"/{name}/{{id}}"] = {"get": _read(f"get_{name}", "One of them.", _named(name), [_id()])}
    paths["/subscriptions/{id}/cancel"] = {
        "post": _write("cancel", "Cancel for the end of what is paid.", _reason())
    }
    paths["/subscriptions/{id}/undo-cancel"] = {
        "post": _write("undo_cancel", "Take a cancellation back before its day.", None)
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "LinkPay", "version": "1", "description": "One site, by one of its keys."},
        "servers": [{"url": f"{base_url}/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def _named(name: str) -> str:
    return name[:-1].capitalize()


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "required": list(fields), "properties": fields, "additionalProperties": False,
    }  # fmt: skip


def _list(name: str) -> dict[str, Any]:
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{_named(name)}"}}
    return _object({"data": items, "next": {"type": ["integer", "null"]}})


def _id() -> dict[str, Any]:
    return {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}


def _query(resource: Resource) -> list[dict[str, Any]]:
    paging = {
        "after": {
            "type": "integer", "minimum": 0, "maximum": 2**63 - 1,
            "description": "The `next` of the page before.",
        },
        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
    }  # fmt: skip
    asked = {**paging, **{name: dict(by.schema) for name, by in resource.filters.items()}}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in asked.items()]


def _links(name: str) -> dict[str, Any]:
    """What can be asked about the first thing of a list."""
    first = {"id": "$response.body#/data/0/id"}
    named = [f"get_{name}", *(("cancel", "undo_cancel") if name == "subscriptions" else ())]
    links = {operation: {"operationId": operation, "parameters": first} for operation in named}
    for other, resource in RESOURCES.items():
        if (about := name[:-1]) in resource.filters:
            asked = {about: first["id"]}
            links[f"list_{other}"] = {"operationId": f"list_{other}", "parameters": asked}
    return links


def _read(
    operation: str, about: str, schema: str, parameters: list[dict[str, Any]] | None = None,
    links: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    answer = {**_answer(schema), "links": links} if links else _answer(schema)
    return {
        "operationId": operation, "summary": about, "parameters": parameters or [],
        "responses": {"200": answer, **_refusals("401", "404", "422", "429")},
    }  # fmt: skip


def _write(operation: str, about: str, body: dict[str, Any] | None) -> Any:
    asked = {"requestBody": {"content": {"application/json": {"schema": body}}}} if body else {}
    return {
        "operationId": operation, "summary": about, "parameters": [_id(), _ONCE], **asked,
        "responses": {
            "200": _answer("Subscription"),
            **_refusals("401", "403", "404", "409", "415", "422", "429"),
        },
    }  # fmt: skip


def _reason() -> dict[str, Any]:
    return {
        "type": "object", "properties": {"reason": {"type": "string"}}, "additionalProperties": False,
    }  # fmt: skip


def _answer(schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": "Done.", "content": content}


def _refusals(*statuses: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": "Refused.", "content": content} for status in statuses}
