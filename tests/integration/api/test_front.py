"""What a browser loads: the page, files that never change, and what it reports of its policy."""

from __future__ import annotations

import gzip
import re

import pytest
from aiohttp import ClientSession

from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import Api, a

MODULE = "vendor/preact.mjs"


async def build_of(api: Api) -> str:
    said = await api.nobody.get("/")
    found = re.search(r"/static/([0-9a-f]+)/centre/main\.js", said.body)
    assert found, said.body
    return found[1]


async def test_the_page_may_load_from_here_alone_and_is_asked_for_again_each_time(api: Api) -> None:
    said = await api.nobody.get("/")
    assert (said.status, said.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = said.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert said.headers["Cache-Control"] == "no-cache"
    again = await api.nobody.get("/", **{"If-None-Match": said.headers["ETag"]})
    assert (again.status, again.body) == (304, "")


async def test_a_file_under_its_build_is_kept_for_ever_and_under_another_it_is_asked_for(api: Api) -> None:
    build = await build_of(api)
    said = await api.nobody.get(f"/static/{build}/{MODULE}")
    assert (said.status, said.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert "immutable" in said.headers["Cache-Control"]
    older = await api.nobody.get(f"/static/0000/{MODULE}")
    assert (older.status, older.body, older.headers["Cache-Control"]) == (200, said.body, "no-cache")
    same = await api.nobody.get(f"/static/0000/{MODULE}", **{"If-None-Match": said.headers["ETag"]})
    assert same.status == 304


async def test_a_file_comes_packed_to_who_takes_it_so(api: Api) -> None:
    build = await build_of(api)
    plain = await api.nobody.get(f"/static/{build}/{MODULE}", **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    async with (
        ClientSession(auto_decompress=False) as http,
        http.get(f"{api.url}/static/{build}/{MODULE}", headers={"Accept-Encoding": "gzip"}) as packed,
    ):
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await packed.read()).decode() == plain.body


@pytest.mark.parametrize("path", ["../api/front.py", "package.json", "centre/index.html", "vendor/none.js", "%2e%2e/x"])
async def test_nothing_else_is_there(api: Api, path: str) -> None:
    said = await api.nobody.get(f"/static/{await build_of(api)}/{path}")
    assert (said.status, said.code) == (404, "unknown")


@pytest.mark.parametrize(
    ("report", "counted"),
    [
        (b'{"csp-report": {"effective-directive": "img-src", "document-uri": "http://x/?q=Zhang"}}', "img-src"),
        (b'{"csp-report": {"violated-directive": "script-src http://x"}}', "script-src"),
        (b'{"csp-report": {"effective-directive": "made-up"}}', "other"),
        (b"no report", "other"),
    ],
)
async def test_what_a_browser_reports_is_counted_by_rule(api: Api, report: bytes, counted: str) -> None:
    said = await api.nobody.ask("POST", "/csp-reports", data=report, headers={"Content-Type": "application/csp-report"})
    assert said.status == 204
    figures = await api.nobody.get("/metrics")
    assert f'gridsvc_csp_reports_total{{directive="{counted}"}} 1.0' in figures.body


async def test_who_is_signed_in_learns_the_citys_zone_its_departments_and_its_lines_of_duty(api: Api) -> None:
    somebody = await api.somebody(a(Role.DISPATCHER))
    session = await somebody.get("/api/v1/auth/session")
    async with transaction(api.pool, SERVICE) as (conn, _):
        zone = await conn.fetchval("SELECT zone FROM instance")
    assert session.body["zone"] == zone
    departments = await somebody.get("/api/v1/departments")
    assert [each["code"] for each in departments.body["items"]] == ["lamps", "water"]
    lines = await somebody.get("/api/v1/duty-lines")
    assert [(each["code"], each["name"], each["profile"]) for each in lines.body["items"]] == [
        ("governance", "综治", "social_governance"),
        ("sanitation", "环卫", "city_management"),
    ]


async def test_the_officers_app_may_use_camera_and_place_and_its_worker_is_another_with_each_build(api: Api) -> None:
    async with ClientSession() as http, http.get(f"{api.url}/officer", allow_redirects=False) as led:
        assert (led.status, led.headers["Location"]) == (308, "/officer/")
    page = await api.nobody.get("/officer/")
    assert page.headers["Permissions-Policy"] == "camera=(self), microphone=(self), geolocation=(self)"
    assert "camera=()" in (await api.nobody.get("/")).headers["Permissions-Policy"]

    build = await build_of(api)
    worker = await api.nobody.get("/officer/sw.js")
    assert (worker.headers["Content-Type"], worker.headers["Cache-Control"]) == (
        "text/javascript; charset=utf-8", "no-cache",
    )  # fmt: skip
    assert worker.headers["Content-Security-Policy"] == page.headers["Content-Security-Policy"]
    assert worker.body.startswith(f'import {{ start }} from "/static/{build}/officer/sw.js";')
    async with ClientSession() as http:
        for name in re.findall(r'"(/static/[^"]+)"', worker.body):
            async with http.get(api.url + name) as file:  # pictures are among them
                assert file.status == 200, name
    again = await api.nobody.get("/officer/sw.js", **{"If-None-Match": worker.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize("path", ["/", "/wall", "/officer/", "/officer", "/officer/sw.js", "/healthz", "/readyz"])
async def test_who_asks_for_the_head_alone_gets_it(api: Api, path: str) -> None:
    """As uptime monitors and proxies do (RFC 9110, 9.3.2): the same status and headers, and no body."""
    whole, head = await api.nobody.get(path), await api.nobody.ask("HEAD", path)
    assert (head.status, head.body) == (whole.status, "")
    assert int(head.headers.get("Content-Length", 0)) == int(whole.headers["Content-Length"])
    same = ("Content-Type", "ETag", "Location", "Cache-Control", "Content-Security-Policy")
    assert {name: head.headers.get(name) for name in same} == {name: whole.headers.get(name) for name in same}


async def test_what_writes_is_not_asked_for_its_head(api: Api) -> None:
    said = await api.nobody.ask("HEAD", "/positions/osmand")
    assert (said.status, said.headers["Allow"]) == (405, "GET,POST")
