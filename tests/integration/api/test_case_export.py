"""GET /api/v1/cases.csv and .geojson: what the filters give and the scope allows, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest

from gridsvc.domain.access import Grant, Role
from gridsvc.domain.sheet import read_csv
from gridsvc.store import case_export
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import INSIDE

__all__ = ["desk"]  # the fixture


async def table(who: Client, query: str = "") -> list[dict[str, str]]:
    async with who.http.get(f"{who.url}/api/v1/cases.csv?headings=en{query}", headers=who.headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/csv")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="cases.csv"'
        raw = await answer.read()
    assert raw.startswith(b"\xef\xbb\xbf")
    head, *rows = read_csv("cases.csv", raw).rows
    return [dict(zip(head, row, strict=True)) for row in rows]


async def points(who: Client, query: str = "") -> list[dict[str, Any]]:
    said = await who.get(f"/api/v1/cases.geojson?{query}")
    assert said.status == 200, said.body
    assert said.body["type"] == "FeatureCollection"
    return list(said.body["features"])


async def test_a_file_holds_what_the_filters_give_in_pages_and_nothing_outside_the_scope(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_export, "PAGE", 2)
    reporter = {"name": "张三丰", "phone": "13800001234"}
    for n in range(5):
        words = desk.said(description=f"=cmd{n}", reporter=reporter, source="hotline")
        said = await desk.acceptor.post("/api/v1/reports", words)
        assert said.status == 201, said.body
    placeless = desk.said(location=None, address="老百货后面", source="hotline")
    assert (await desk.acceptor.post("/api/v1/reports", placeless)).status == 201

    rows = await table(desk.acceptor)
    assert len(rows) == 6
    assert {row["description"] for row in rows} == {*(f"=cmd{n}" for n in range(5)), "井盖缺失"}
    assert "张三丰" not in str(rows)
    assert [row["pool"] for row in rows if row["lon"] == ""] == ["locate"]
    listed = (await desk.acceptor.get("/api/v1/cases")).body["items"]
    features = await points(desk.acceptor)
    assert [each["id"] for each in features] == [each["id"] for each in listed]
    assert features[-1]["geometry"]["coordinates"] == pytest.approx([INSIDE.lon, INSIDE.lat])

    assert len(await points(desk.acceptor, "pool=locate")) == 1
    assert len(await points(desk.acceptor, "state=filed&state=reported&source=hotline")) == 6
    assert await points(desk.acceptor, "state=closed") == []
    assert await points(desk.acceptor, "late=true") == []
    number = rows[-1]["number"]
    assert [row["number"] for row in await table(desk.acceptor, f"&q={number}")] == [number]
    assert await table(desk.acceptor, "&q=%25") == []  # what people type is text, not a pattern

    elsewhere = await desk.api.somebody(Grant(role=Role.ACCEPTOR, division="620103"))
    assert await table(elsewhere) == []
    assert await points(elsewhere) == []


async def test_a_state_that_does_not_exist_is_refused_before_any_file_begins(desk: Desk) -> None:
    said = await desk.acceptor.get("/api/v1/cases.csv?state=gone")
    assert (said.status, said.code, said.body["field"]) == (400, "bad_request", "state")


async def test_a_file_is_narrowed_to_what_was_drawn_edge_and_all(desk: Desk) -> None:
    said = await desk.acceptor.post("/api/v1/reports", desk.said())
    assert said.status == 201, said.body
    placeless = desk.said(location=None, address="老百货后面", source="hotline")
    assert (await desk.acceptor.post("/api/v1/reports", placeless)).status == 201
    lon, lat, cell = INSIDE.lon, INSIDE.lat, said.body["case"]["cell"]

    async def found(query: str) -> int:
        return len(await points(desk.acceptor, query))

    assert await found("") == 2
    assert await found(f"area=box,{lon - 0.001},{lat - 0.001},{lon},{lat}") == 1  # its corner is the place
    assert await found(f"area=box,{lon + 0.0001},{lat},{lon + 0.01},{lat + 0.01}") == 0
    triangle = f"{lon},{lat + 0.001},{lon - 0.001},{lat - 0.001},{lon + 0.001},{lat - 0.001}"
    assert await found(f"area=ring,{triangle}") == 1
    # A ten-thousandth of a degree to the north is 11.1 m of ground.
    assert await found(f"area=circle,{lon},{lat + 0.0001},11.2") == 1
    assert await found(f"area=circle,{lon},{lat + 0.0001},11.0") == 0
    assert await found(f"cell={cell[:9]}") == await found(f"cell={cell}") == 1
    assert await found(f"cell={cell[1:]}") == 0

    for bad in ("ring,0,0,4,4,4,0,0,4", "box,1,2,3", "circle,1,2,0"):
        said = await desk.acceptor.get(f"/api/v1/cases.csv?area={bad}")
        assert (said.status, said.code, said.body["field"]) == (400, "bad_request", "area")
        assert said.body["given"] == bad
