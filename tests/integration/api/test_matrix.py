"""Role × route × area, as docs/api.md has it: every combination is called and must answer as the table says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from aiohttp import ClientSession, web

from gridsvc.api.route import Open, Route
from gridsvc.api.routes import ROUTES
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, Said, a, running, settings_for, shared_api
from tests.servers import FreshDatabase

DOC = Path(__file__).parents[3] / "docs/api.md"

AT_ONCE = {"POST /api/v1/auth/logout"}
"""Calls that end the caller's session: each gets a caller of its own."""

EXAMPLES: dict[str, object] = {
    "reason": "no such place",
    "officer": str(UUID(int=1)),
    "department": "water",
    "evidence": [str(UUID(int=1))],
    "until": "2030-01-01T00:00:00+08:00",
    "from": "2026-01-01T00:00:00+08:00",
    "into": str(UUID(int=1)),
    "cause": str(UUID(int=1)),
    "wanted": "a closed road",
    "division": NORTH,
    "location": {"lon": 103.805, "lat": 36.055, "datum": "wgs84"},
    "note": "a note",
    "words": "a word",
    "endpoint": "https://push.example/1",
    "keys": {"p256dh": "x", "auth": "x"},
    "category": "0101",
    "result": "confirmed",
    "reply": "a reply",
    "matchers": {"kind": ["crowd"]},
    "verdict": "false",
    "call_back": str(UUID(int=3)),
    "before": [str(UUID(int=2))],
    "rules": [{"code": "all", "name": "all", "to": "beat_officer"}],
    "items": [{"case": str(UUID(int=1)), "version": 1}],
    "on_duty": True,
    "seqs": [1],
    "positions": [],
    "username": "x",
    "password": "a long one",
    "refresh_token": "x",
    "code": "gate-7",
    "device": "62010200001190000001",
    "cameras": ["gate-7"],
    "name": "x",
    "protocol": "onvif",
    "kind": "car",
    "id": 1,
    "csv": "category,subject",
    "datum": "wgs84",
    "document": {"rules": {"kind": "k"}},
    "sample": {"k": "smoke"},
    "file": {"name": "list.csv", "content": ""},
    "edition": "next",
    "of": "x",
    "duty_line": "sanitation",
    "beat": "N1",
    "cells": ["620102001001001"],
}
"""A value for every field that some body cannot be without."""


# ---- the table in the document ------------------------------------------------------------------


def who(route: Route) -> str:
    """The cell of the table that says who may call."""
    if isinstance(route.roles, Open):
        return route.roles.value
    return ", ".join(str(role) for role in Role if role in route.roles) or "any signed-in user"


def row(route: Route) -> str:
    """The row of the table."""
    return f"| `{route.name}` | {who(route)} | {f'`{route.scope}`' if route.scope else '—'} | {route.summary} |"


def documented() -> list[str]:
    return [line for line in DOC.read_text(encoding="utf-8").splitlines() if re.match(r"^\| `[A-Z]+ /", line)]


def test_the_document_has_the_matrix_row_by_row() -> None:
    wanted = [row(route) for route in ROUTES]
    assert documented() == wanted, "docs/api.md should say:\n" + "\n".join(wanted)


def may(role: Role, route: Route) -> bool:
    """By the document, not by the code: who is named in the row."""
    (line,) = [line for line in documented() if line.startswith(f"| `{route.name}` |")]
    said = line.split("|")[2].strip()
    return said in {"anyone", "any signed-in user"} or str(role) in said.split(", ")


# ---- calling ------------------------------------------------------------------------------------


def body_of(route: Route) -> dict[str, object] | None:
    """A body that is well-formed, so that nothing but the caller decides."""
    if route.reads is None:
        return None
    return {
        field.encode_name: EXAMPLES[field.encode_name]
        for field in msgspec.structs.fields(route.reads)
        if field.required
    }


async def call(client: Client, route: Route, case: Said) -> Said:
    path = route.path.replace("{id}", case.body["case"]["id"]).replace("{code}", case.body["case"]["cell"])
    path = path.replace("{ref}", case.body["case"]["category"]).replace("{number}", "3").replace("{name}", "drawn")
    if "/reports/{id}" in route.path:
        path = route.path.replace("{id}", case.body["id"])
    path = path.replace("{version}", "1")
    path = path.replace("{layer}/{z}/{x}/{y}", "components/15/25833/12861")
    if path == "/api/v1/cells":
        path += "?lon=103.805&lat=36.055&datum=wgs84"
    if path == "/api/v1/attachments" and route.method == "POST":
        return await client.ask(
            "POST", path, data=b"--x--\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
    if route.path == "/api/v1/live/events":
        return await begin(client, path)
    if route.path == "/api/v1/attachments/{id}" and route.method in {"HEAD", "PATCH", "DELETE"}:
        return await go_on(client, route.method, path)
    headers = {"If-Match": f'"{case.body["case"]["version"]}"'} if route.if_match else {}
    return await client.ask(route.method, path, json=body_of(route), headers=headers)


async def begin(client: Client, path: str) -> Said:
    """How a stream that does not end begins."""
    async with client.http.get(client.url + path, headers=client.headers) as answer:
        body = msgspec.json.decode(await answer.read()) if answer.status != 200 else None
        return Said(answer.status, body, answer.headers.copy(), {})


async def go_on(client: Client, method: str, path: str) -> Said:
    """A request of the upload protocol. An answer to HEAD has no body: its status stands for it."""
    headers = {
        "Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream",
    }  # fmt: skip
    said = await client.ask(method, path, headers=headers)
    if method != "HEAD":
        return said
    spoken = {404: {"code": "unknown", "detail": ""}, 403: {"code": "not_allowed", "detail": "this key may not call"}}
    return replace(said, body=spoken.get(said.status, {}))


def refused_by_role(said: Said) -> bool:
    return said.status == 403 and said.body["detail"].startswith("none of your roles may call")


@pytest.fixture(scope="module")
async def api(module_database: FreshDatabase) -> AsyncIterator[Api]:
    async with shared_api(module_database) as service:
        yield service


@pytest.fixture(scope="module")
async def case(api: Api) -> Said:
    """A case in NORTH that somebody else reported."""
    reporter = await api.somebody(a(Role.DISPATCHER, CITY))
    said = await reporter.post(
        "/api/v1/reports",
        {
            "category": "0101",
            "description": "x",
            "location": EXAMPLES["location"],
            "occurred_at": "2026-01-01T00:00:00Z",
        },
    )
    assert said.status == 201, said.body
    assert said.body["case"]["cell"] == "620102001001001"
    return said


PROTECTED = [route for route in ROUTES if not isinstance(route.roles, Open)]


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_call_what_the_table_says_and_nothing_else(api: Api, case: Said, role: Role) -> None:
    somebody = await api.somebody(a(role))
    wrong = []
    for route in PROTECTED:
        said = await call(await api.somebody(a(role)) if route.name in AT_ONCE else somebody, route, case)
        if refused_by_role(said) == may(role, route) or said.status in {401, 500}:
            wrong.append((route.name, said.status, said.body))
    assert wrong == []


@pytest.mark.parametrize("role", list(Role))
async def test_what_lies_in_a_foreign_division_is_not_there(api: Api, case: Said, role: Role) -> None:
    """Every route with an id in it, as every role that may call it, from the neighbouring district: 404, never 403."""
    neighbour = await api.somebody(a(role, SOUTH))
    wrong = []
    for route in (route for route in PROTECTED if "{id}" in route.path and may(role, route)):
        said = await call(neighbour, route, case)
        told_nothing = said.status == 200 and said.body == {"items": [], "next": None}
        if (said.status, said.body.get("code")) != (404, "unknown") and not told_nothing:
            wrong.append((route.name, said.status, said.body))
    assert wrong == []


async def test_the_same_calls_at_home_find_the_case(api: Api, case: Said) -> None:
    """So that the test above cannot pass because nothing is ever found."""
    for role in (Role.DISPATCHER, Role.AUDITOR, Role.ADMIN):
        at_home = await api.somebody(a(role))
        found = [
            route.name
            for route in PROTECTED
            if route.path.startswith("/api/v1/cases/{id}")
            and may(role, route)
            and (await call(at_home, route, case)).status != 404
        ]
        assert len(found) >= 4, (role, found)


async def test_a_foreign_departments_handler_at_home_sees_nothing_either(api: Api, case: Said) -> None:
    assert case.body["case"]["state"] == "filed"
    path = f"/api/v1/cases/{case.body['case']['id']}"
    assert (await (await api.somebody(a(Role.HANDLER, department="lamps"))).get(path)).code == "unknown"
    assert (await (await api.somebody(a(Role.SUPERVISOR, line="governance"))).get(path)).code == "unknown"
    assert (await (await api.somebody(a(Role.SUPERVISOR, line="sanitation"))).get(path)).status == 200


async def test_lists_hold_what_lies_in_the_area_and_nothing_else(api: Api, case: Said) -> None:
    for role in (Role.DISPATCHER, Role.ACCEPTOR, Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR):
        home, neighbour = await api.somebody(a(role)), await api.somebody(a(role, SOUTH))
        assert [item["id"] for item in await items(home, "/api/v1/cases")] == [case.body["case"]["id"]], role
        assert await items(neighbour, "/api/v1/cases") == [], role
        assert await items(neighbour, f"/api/v1/cases?division={NORTH}") == [], "a filter never widens"


async def items(client: Client, path: str) -> list[dict[str, Any]]:
    said = await client.get(path)
    assert said.status == 200, said.body
    found: list[dict[str, Any]] = said.body["items"]
    return found


async def test_the_roster_holds_the_officers_of_ones_own_divisions_and_lines(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE users SET active = false")  # those of the tests before
    north = await api.user(a(Role.OFFICER, f"{NORTH}001"))
    south = await api.user(a(Role.OFFICER, f"{SOUTH}001"))
    other_line = await api.user(a(Role.OFFICER, f"{NORTH}001", line="governance"))

    async def seen_by(*grants: Any) -> set[UUID]:
        return {UUID(item["id"]) for item in await items(await api.somebody(*grants), "/api/v1/officers")}

    assert await seen_by(a(Role.DISPATCHER, CITY)) == {north, south, other_line}
    assert await seen_by(a(Role.DISPATCHER, NORTH)) == {north, other_line}
    assert await seen_by(a(Role.DISPATCHER, NORTH, line="sanitation")) == {north}
    assert await seen_by(a(Role.DISPATCHER, f"{NORTH}001001")) == set(), "a part does not see its whole"
    assert await seen_by(a(Role.DISPATCHER, SOUTH), a(Role.HANDLER, NORTH)) == {south}, "another role does not widen"


async def test_each_key_may_call_what_its_scope_says_and_nothing_else(api: Api, case: Said) -> None:
    wrong = []
    for scope in sorted({route.scope for route in ROUTES if route.scope}):
        program = await api.program(scope)
        for route in PROTECTED:
            said = await call(program, route, case)
            refused = said.status == 403 and said.body["detail"].startswith("this key may not call")
            if refused == (route.scope == scope) or said.status in {401, 500}:
                wrong.append((scope, route.name, said.status, said.body))
    assert wrong == []


async def test_a_key_of_the_neighbouring_district_finds_nothing_either(api: Api, case: Said) -> None:
    program = await api.program("cases:read", division=SOUTH)
    assert await items(program, "/api/v1/cases") == []
    assert (await program.get(f"/api/v1/cases/{case.body['case']['id']}")).code == "unknown"
    at_home = await api.program("cases:read")
    assert len(await items(at_home, "/api/v1/cases")) == 1


async def test_somebody_without_any_role_sees_no_case(api: Api, case: Said) -> None:
    nobody_in_particular = await api.somebody()
    assert (await nobody_in_particular.get("/api/v1/cases")).code == "not_allowed"
    assert (await nobody_in_particular.get("/api/v1/auth/session")).status == 200


async def test_a_route_that_nobody_declared_is_closed_to_everybody(
    database: str, pool: ConnPool, city: None, http: ClientSession
) -> None:
    async def wide_open(_: web.Request) -> web.Response:
        return web.Response(text="everything")

    def add_beside_the_table(app: web.Application) -> None:
        app.router.add_get("/hidden", wide_open)

    async with running(settings_for(database), extend=add_beside_the_table) as (app, url):
        api = Api(app, http, url, pool)
        admin = await api.somebody(a(Role.ADMIN, CITY))
        for client in (admin, api.nobody):
            assert (await client.get("/hidden")).code == "not_allowed"
