"""Components over HTTP: offered near by, looked up, named in a report; seen by everybody, their cases by few."""

from __future__ import annotations

from typing import Any

import pytest

from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from gridsvc.store import components
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, a

# Ten covers 10 m apart eastward, a lamp beside the first; all in the cell of NORTH. The first is 不明.
REGISTER = """
INSERT INTO components (code, name, state, owning, owner_unknown, maintaining, note, place, surveyed_x, surveyed_y,
                        surveyed_frame, version, changed_at)
SELECT '6201020101' || lpad(n::text, 6, '0'), 'Cover ' || n, 'intact', CASE WHEN n > 1 THEN 'water' END, n = 1,
       NULL, '', ST_SetSRID(ST_MakePoint(103.802 + n * 0.0001, 36.055), 4326), 103.802 + n * 0.0001, 36.055,
       'cgcs2000', 1, '2026-01-01'::timestamptz
  FROM generate_series(1, 10) AS n
UNION ALL
SELECT '6201020137000001', 'Lamp 100%', 'damaged', 'lamps', false, NULL, '',
       ST_SetSRID(ST_MakePoint(103.8021, 36.05501), 4326), 103.8021, 36.05501, 'cgcs2000', 1, '2026-01-01'::timestamptz
"""
HISTORY = """
INSERT INTO component_changes
SELECT code, 1, '2026-01-01', 'command:components', 'register.csv', '{"state": "intact"}' FROM components
"""
FIRST, LAMP = "6201020101000001", "6201020137000001"
HERE = "near=103.802,36.055&datum=wgs84"


@pytest.fixture
async def register(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute(REGISTER)
        await conn.execute(HISTORY)


async def codes(api: Api, query: str) -> list[str]:
    said = await (await api.somebody(a(Role.OFFICER))).get(f"/api/v1/components?{query}")
    assert said.status == 200, said.body
    return [item["code"][6:] for item in said.body["items"]]


async def test_what_stands_near_by_is_offered_the_nearest_first(api: Api, register: None) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    said = await officer.get(f"/api/v1/components?{HERE}&radius_m=20")
    assert [(item["code"][6:], item["class"]) for item in said.body["items"]] == [
        ("0101000001", "0101"), ("0137000001", "0137"), ("0101000002", "0101"),
    ]  # fmt: skip
    first = said.body["items"][0]
    assert first["distance_m"] == pytest.approx(9.011, abs=0.001)  # on the ellipsoid
    assert (first["cell"], first["owning"], first["owner_unknown"]) == ("620102001001001", None, True)


async def test_the_datum_decides_what_is_near(api: Api, register: None) -> None:
    """The same numbers taken for GCJ-02 are a place 220 m off."""
    assert await codes(api, "near=103.802,36.055&datum=gcj02&radius_m=100") == []
    said = await (await api.somebody(a(Role.OFFICER))).get("/api/v1/components?near=103.802,36.055")
    assert (said.code, said.body["reason"]) == ("bad_location", "datum_missing")
    assert (await (await api.somebody(a(Role.OFFICER))).get("/api/v1/components?near=here")).code == "bad_request"


async def test_pages_near_a_place_hold_every_component_once(api: Api, register: None) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    seen: list[str] = []
    path = f"/api/v1/components?{HERE}&radius_m=200&limit=3"
    cursor: str | None = ""
    while cursor is not None:
        said = await officer.get(path + (f"&cursor={cursor}" if cursor else ""))
        seen += [item["code"] for item in said.body["items"]]
        cursor = said.body["next"]
    assert len(seen) == len(set(seen)) == 11


async def test_all_of_them_by_code_in_pages(api: Api, register: None) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    first = await officer.get("/api/v1/components?limit=10")
    rest = await officer.get(f"/api/v1/components?limit=10&cursor={first.body['next']}")
    assert [item["code"] for item in rest.body["items"]] == [LAMP]
    assert rest.body["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("class=0137", ["0137000001"]),
        ("q=cover 1", ["0101000001", "0101000010"]),
        ("q=620102013", ["0137000001"]),
        ("q=100%25", ["0137000001"]),
        ("q=1_0", []),
        (f"{HERE}&radius_m=200&class=0137", ["0137000001"]),
        (f"{HERE}&radius_m=200&q=Cover 10", ["0101000010"]),
    ],
)
async def test_a_search_by_class_name_and_code(api: Api, register: None, query: str, found: list[str]) -> None:
    assert await codes(api, query) == found


async def file(api: Api, **said: Any) -> Any:
    reporter = await api.somebody(a(Role.OFFICER, f"{NORTH}001"))
    return await reporter.post("/api/v1/reports", {"category": "0101", "description": "loose", **said})


async def test_a_report_needs_no_location_when_it_names_a_component(api: Api, register: None) -> None:
    said = await file(api, component=FIRST)
    assert said.status == 201, said.body
    assert (said.body["case"]["component"], said.body["case"]["cell"]) == (FIRST, "620102001001001")
    dispatcher = await api.somebody(a(Role.DISPATCHER))
    case = await dispatcher.get(f"/api/v1/cases/{said.body['case']['id']}")
    assert (case.body["case"]["component"], case.body["case"]["lon"]) == (FIRST, 103.8021)


async def test_a_wrong_component_is_refused_with_its_reason(api: Api, register: None) -> None:
    assert (await file(api, component="6201020101999999")).code == "unknown_component"
    far = await file(api, component=FIRST, location={"lon": 103.808, "lat": 36.055, "datum": "wgs84"})
    assert (far.status, far.code, far.body["most_m"]) == (422, "far_from_component", 100.0)
    assert (await file(api, component="lamp 7")).code == "bad_request"


async def test_everybody_signed_in_reads_the_component_and_each_sees_only_his_own_cases(
    api: Api, register: None
) -> None:
    case = (await file(api, component=FIRST)).body["case"]
    for who, sees in (
        (a(Role.DISPATCHER), [case["id"]]), (a(Role.AUDITOR, CITY), [case["id"]]), (a(Role.DISPATCHER, SOUTH), []),
        (a(Role.HANDLER, department="lamps"), []),
    ):  # fmt: skip
        said = await (await api.somebody(who)).get(f"/api/v1/components/{FIRST}")
        assert said.status == 200
        assert [each["id"] for each in said.body["cases"]] == sees, who
    assert said.body["component"]["owner_unknown"] is True
    assert said.body["surveyed"] == {"x": 103.8021, "y": 36.055, "frame": "cgcs2000"}
    assert [(change["version"], change["source"]) for change in said.body["history"]] == [(1, "register.csv")]
    assert (await api.nobody.get(f"/api/v1/components/{FIRST}")).code == "not_signed_in"


async def test_the_query_for_cases_asks_for_the_callers_keys_beside_row_level_security(
    api: Api, register: None
) -> None:
    case = (await file(api, component=FIRST)).body["case"]
    async with transaction(api.pool, SERVICE) as (conn, _):
        assert [str(row.id) for row in await components.CASES.all(conn, FIRST, [NORTH], 10)] == [case["id"]]
        assert await components.CASES.all(conn, FIRST, [SOUTH], 10) == []


async def test_what_is_not_in_the_register_is_not_there(api: Api, register: None) -> None:
    somebody = await api.somebody(a(Role.OFFICER))
    assert (await somebody.get("/api/v1/components/6201020101999999")).code == "unknown"
    assert (await somebody.get("/api/v1/components/x")).code == "unknown"
