"""GET /openapi.json: the contract, made from the route table and the types that the handlers use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec
from aiohttp import web

from gridsvc.api.captured_wire import CAPTURED_AT, CLOCK_SKEW, LAST_CONTACT
from gridsvc.api.route import LOOPBACK, PUBLIC, Open, Route

_PLACEHOLDER: Final = re.compile(r"\{(\w+)(?::[^{}]*)?\}")

REASONS: Final = {
    200: "As asked.",
    201: "Made.",
    202: "Taken in; each part has its own outcome.",
    204: "Done; there is no more to say.",
    400: "Not well-formed; the problem names the field.",
    401: "Not signed in, or not any more.",
    403: "This role or key may not do this.",
    404: "Unknown, or not for this caller.",
    409: "Somebody was faster, the state does not allow it, or the Idempotency-Key stands for another request.",
    412: "Another version of the upload protocol than 1.0.0.",
    413: "Too large.",
    415: "Not a kind of content that is accepted here.",
    422: "Understood, and not possible: the code says why.",
    423: "Another request writes to this upload; ask again for its offset.",
    428: "If-Match is missing.",
    429: "Too many tries; Retry-After says when.",
    460: "The bytes do not give the checksum they came with.",
    503: "A part is away; send the same again after Retry-After.",
}


class Problem(msgspec.Struct):
    """An error (RFC 9457). `code` is stable; further members depend on it (docs/errors.md)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole contract as OpenAPI 3.1, paths in the order of the table."""
    table = list(routes)
    types = [kind for route in table for kind in (route.reads, route.answers, route.query) if kind is not None]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template="#/components/schemas/{name}")
    shape = dict(zip([id(kind) for kind in types], schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        path = _PLACEHOLDER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, shape, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "gridsvc", "version": version("gridsvc"), "description": "Cases of a city's grid."},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "gridsvc"},
}


def _name(route: Route) -> str:
    """A name of its own for each; a page and the path that leads to it differ by their last stroke alone."""
    path = f"{route.path}index" if route.path.endswith("/") and route.path != "/" else route.path
    return re.sub(r"\W+", "_", f"{route.method.lower()}{path}").strip("_")


def _operation(route: Route, shape: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _name(route),
        "parameters": _parameters(route, shape, components),
        "responses": {str(status): _response(route, status, shape) for status in _statuses(route)},
        "security": _security(route),
        "x-roles": route.roles.value if isinstance(route.roles, Open) else sorted(route.roles) or "any signed-in user",
    }
    if route.reads is not None:
        operation["requestBody"] = {
            "required": True, "content": {"application/json": {"schema": shape[id(route.reads)]}},
        }  # fmt: skip
    return operation


def _statuses(route: Route) -> Sequence[int]:
    """The declared ones and those that every route of its kind may give."""
    usual = {400, 503}
    if not isinstance(route.roles, Open) or route.roles is LOOPBACK:
        usual |= {401, 403}
    if "{" in route.path:
        usual |= {404}
    if route.idempotent:
        usual |= {409}
    if route.if_match:
        usual |= {409, 428}
    if route.reads is not None:
        usual |= {413, 415}
    return [*route.statuses, *sorted(usual - set(route.statuses))]


def _response(route: Route, status: int, shape: dict[int, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"description": REASONS.get(status) or HTTPStatus(status).phrase + "."}
    if status == route.statuses[0] and route.answers is not None:
        said["content"] = {"application/json": {"schema": shape[id(route.answers)]}}
    elif status >= 400:
        said["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return said


def _security(route: Route) -> list[dict[str, list[str]]]:
    key: list[dict[str, list[str]]] = [{"key": []}] if route.scope else []
    if isinstance(route.roles, Open):
        return [{}, *key]
    return [{"bearer": []}, {"cookie": []}, *key]


def _parameters(route: Route, shape: dict[int, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACEHOLDER.findall(route.path)
    ]
    if route.query is not None:
        struct = components[shape[id(route.query)]["$ref"].rsplit("/", 1)[-1]]
        for name, schema in struct["properties"].items():
            needed = name in struct.get("required", [])
            said.append({"name": name, "in": "query", "required": needed, "schema": schema})
    if route.idempotent:
        said.append(_header("Idempotency-Key", "The client's own; the same key and body get the same answer."))
    if route.if_match:
        said.append(_header("If-Match", '"<version>" of the case, "a:<assignment id>" or "c:<call id>".'))
    if route.captured:
        said += [_header(name, says, required=False) for name, says in _CAPTURED.items()]
    return said


_CAPTURED: Final = {
    CAPTURED_AT: "When it was done, by the phone's clock, where it is sent later.",
    CLOCK_SKEW: "How far that clock was off: server minus phone, in milliseconds, as last measured.",
    LAST_CONTACT: "When the phone had last heard the server before it did this, by its own clock.",
}


def _header(name: str, says: str, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": says, "schema": {"type": "string"}}


CONTRACT: Final = web.AppKey("contract", bytes)
"""The document, spelled once at start."""


@cache
def spell(routes: tuple[Route, ...]) -> bytes:
    """describe() as JSON text. Made once for one table: it takes 70 ms, and tests start many applications."""
    return msgspec.json.encode(describe(routes))


async def _openapi(request: web.Request) -> web.Response:
    return web.Response(body=request.app[CONTRACT], content_type="application/json")


ROUTES: Final = (
    Route(
        method="GET", path="/openapi.json", handler=_openapi, roles=PUBLIC,
        summary="This document.",
    ),
)  # fmt: skip
