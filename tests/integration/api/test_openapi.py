"""The contract as it is told is the contract as it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from gridsvc.api.identity import DECLARED
from gridsvc.api.route import Open
from gridsvc.api.routes import ROUTES
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import NORTH, Api, a

CELL = "620102001001001"

COMPONENT = "6201020101000001"

EXAMPLES = {
    "/api/v1/cases/at": "?t=2026-01-01T00:00:00Z",
    "/api/v1/cells": "?lon=103.805&lat=36.055&datum=wgs84",
    "/api/v1/cells/{code}": CELL,
    "/api/v1/cell-outlines": f"?codes={CELL}",
    "/api/v1/cells/{code}/cameras": CELL,
    "/api/v1/cameras/{code}": "gate-7",
    "/api/v1/cameras/{code}/looks": "gate-7",
    "/api/v1/cameras/{code}/picture": "gate-7",
    "/api/v1/components/{code}": COMPONENT,
    "/api/v1/calendars/{code}": "city",
    "/api/v1/calendars/{code}/editions": "city",
    "/api/v1/deadlines": "?category=0101&at=2026-11-23T08:00:00%2B08:00",
    "/api/v1/places": "?q=Cover",
    "/api/v1/evaluation": "?from=2026-01-01&to=2027-01-01",
    "/api/v1/patrols/walks": "?from=2026-01-01&to=2026-12-01",
}

ONE_COMPONENT = """
INSERT INTO components (code, name, state, owning, owner_unknown, note, place, surveyed_x, surveyed_y,
                        surveyed_frame, version, changed_at)
VALUES ('6201020101000001', 'Cover', 'intact', 'water', false, '', ST_SetSRID(ST_MakePoint(103.805, 36.055), 4326),
        103.805, 36.055, 'wgs84', 1, city_now());
"""

ONE_CAMERA = """
INSERT INTO cameras (code, name, place, height_m, bearing_deg, field_deg, far_m, protocol, given_x, given_y,
                     given_frame, divisions, changed_at)
VALUES ('gate-7', 'Gate', ST_SetSRID(ST_MakePoint(103.805, 36.055), 4326), 6, 0, 60, 50, 'onvif', 103.805, 36.055,
        'wgs84', '{6201,620102}', city_now())
"""


async def contract(api: Api) -> dict[str, Any]:
    said = await api.nobody.get("/openapi.json")
    assert said.status == 200
    body: dict[str, Any] = said.body
    return body


async def test_every_route_of_the_router_is_declared_and_told(api: Api) -> None:
    said = await contract(api)
    told = {(method.upper(), path) for path, operations in said["paths"].items() for method in operations}
    assert told == {(route.method, re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", route.path)) for route in ROUTES}
    undeclared = [route for route in api.app.router.routes() if route not in api.app[DECLARED]]
    assert undeclared == [], "a route beside the table would be open to nobody, and known to nobody"


async def test_the_document_is_whole(api: Api) -> None:
    said = await contract(api)
    assert said["openapi"] == "3.1.0"
    names = [op["operationId"] for path in said["paths"].values() for op in path.values()]
    assert len(set(names)) == len(names)
    known = {f"#/components/schemas/{name}" for name in said["components"]["schemas"]}
    assert set(_references(said)) <= known
    for path, operations in said["paths"].items():
        for method, operation in operations.items():
            placeholders = set(re.findall(r"\{(\w+)\}", path))
            assert placeholders == {p["name"] for p in operation["parameters"] if p["in"] == "path"}, (method, path)
            assert operation["summary"], (method, path)


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


async def test_each_reading_answers_with_what_it_declares(api: Api) -> None:
    everywhere = await api.somebody(*(a(role, NORTH) for role in Role))
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute(ONE_COMPONENT + ONE_CAMERA)
    looked = 0
    for route in ROUTES:
        if route.method != "GET" or route.answers is None or isinstance(route.roles, Open):
            continue
        example = EXAMPLES.get(route.path, "")
        path = route.path.replace("{code}", example) if "{code}" in route.path else route.path + example
        if "{" in path:
            continue  # a case's own routes are followed by the test of the matrix
        said = await everywhere.get(path)
        assert said.status == route.statuses[0], (route.name, said.body)
        told = msgspec.convert(said.body, route.answers)
        assert msgspec.to_builtins(told) == msgspec.to_builtins(
            msgspec.convert(told, route.answers, from_attributes=True)
        )
        assert set(said.body) == set(msgspec.to_builtins(told)), f"{route.name} answers fields that it does not declare"
        looked += 1
    assert looked >= 6


async def test_every_refusal_a_route_gives_is_declared(api: Api) -> None:
    said = await contract(api)
    for route in ROUTES:
        if isinstance(route.roles, Open):
            continue
        path = re.sub(r"\{(\w+)(?::[^{}]*)?\}", "x", route.path)
        answer = await api.nobody.ask(route.method, path)
        assert answer.status == 401, route.name
        assert "401" in said["paths"][route.path][route.method.lower()]["responses"], route.name


async def test_everything_that_the_page_at_the_address_names_is_there(api: Api) -> None:
    said = await api.nobody.get("/")
    assert (said.status, said.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    named = re.findall(r'(?:href|src)="(/[^"]*)"', said.body)
    assert len(named) > 3
    for path in named:
        assert (await api.nobody.get(path)).status == 200, path
