"""GET /api/v1/evaluation and /chronic-spots: figures by role and area, as JSON, CSV and XLSX."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from python_calamine import CalamineWorkbook

from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from gridsvc.domain.sheet import read_csv
from gridsvc.ids import new_id
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, Said, a

YEAR = "/api/v1/evaluation?from=2026-01-01&to=2027-01-01"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PLACES = {NORTH: 103.805, SOUTH: 103.815}

# A case of January, handled by its department in time or a day late, and closed on the next day.
_CLOSED_CASE = """
WITH the_case AS (
  INSERT INTO cases (id, number, version, state, source, edition, category, duty_line, severity, description, place,
                     grid_set_id, division_code, divisions, cell_code, cell_method, reported_by, occurred_at,
                     reported_at, filed_at, closed_at, updated_at, seen_by, head, late, department, officer_id)
  SELECT $1, $1::uuid::text, 1, 'closed', 'officer', '2013', '0101', 'sanitation', 'normal', 'x',
         ST_SetSRID(ST_MakePoint($3::float8, 36.055), 4326), grid_set_id, code, path, code || '001', 'covers',
         coalesce('user:' || $6::uuid::text, 'key:x'), at, at, at, at + interval '1 day', at, path,
         decode(repeat('00', 32), 'hex'), $4, $5, $6
    FROM divisions, (SELECT $7::timestamptz AS at) AS moment
   WHERE code = $2::text || '001001'
  RETURNING *
), the_assignment AS (
  INSERT INTO assignments (id, case_id, cycle, department, officer_id, rule, edition, reasons, assigned_by,
                           assigned_at, ended_at, ended_why)
  SELECT $8, id, 1, department, officer_id, 'by_hand', 1, '{}', 'test', reported_at, closed_at, 'closed' FROM the_case
)
INSERT INTO clocks (id, case_id, cycle, kind, ladder, unit, budget_seconds, state, started_at, stopped_at, due_at)
SELECT $9::uuid, id, 1, 'handling', 'handling', 'natural', 3600, 'stopped', reported_at,
       reported_at + CASE WHEN late THEN interval '23 hours' ELSE interval '30 minutes' END,
       reported_at + interval '1 hour'
  FROM the_case
"""


async def closed_case(
    api: Api, where: str, day: str, *, late: bool = False, department: str | None = None, officer: UUID | None = None
) -> UUID:
    case = new_id()
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute(
            _CLOSED_CASE, case, where, PLACES[where], late, department, officer,
            datetime.fromisoformat(f"{day}T04:00:00+00:00"), new_id(), new_id(),
        )  # fmt: skip
    return case


async def items(client: Client, path: str) -> dict[str, dict[str, Any]]:
    said = await client.get(path)
    assert said.status == 200, said.body
    return {item["group"]["code"]: item for item in said.body["items"]}


async def file(client: Client, path: str, **headers: str) -> tuple[bytes, Mapping[str, str]]:
    async with client.http.get(client.url + path, headers={**client.headers, **headers}) as answer:
        assert answer.status == 200
        return await answer.read(), answer.headers.copy()


def rate(item: dict[str, Any], indicator: str) -> float | None:
    found: float | None = next(each["value"] for each in item["values"] if each["indicator"] == indicator)
    return found


async def test_everybody_is_told_the_figures_of_what_he_answers_for_and_no_others(api: Api) -> None:
    officer = await api.user(a(Role.OFFICER, f"{NORTH}001"))
    await closed_case(api, NORTH, "2026-01-05", department="water")
    await closed_case(api, NORTH, "2026-01-06", department="water", late=True)
    await closed_case(api, NORTH, "2026-01-07", department="lamps")
    await closed_case(api, NORTH, "2026-02-07", officer=officer)
    await closed_case(api, SOUTH, "2026-01-07", department="water", late=True)

    whole = await api.somebody(a(Role.ADMIN, CITY))
    districts = await items(whole, f"{YEAR}&group_by=district")
    assert {code: item["counts"]["due"] for code, item in districts.items()} == {NORTH: 4, SOUTH: 1}
    assert rate(districts[NORTH], "closing_in_time_rate") == 75
    assert rate(districts[NORTH], "rework_rate") is None, "nothing was handed in: nothing is said"
    assert (await items(whole, f"{YEAR}&group_by=city"))[CITY]["counts"]["late"] == 2

    north = await api.somebody(a(Role.SUPERVISOR))
    assert set(await items(north, f"{YEAR}&group_by=area")) == {NORTH, f"{NORTH}001", f"{NORTH}001001"}
    water = (await items(north, f"{YEAR}&group_by=department"))["water"]
    assert water["counts"]["due"] == 2, "of two districts' departments only the own district's part"

    head = await api.somebody(a(Role.SUPERVISOR, CITY, department="water"))
    assert {code: item["counts"]["due"] for code, item in
            (await items(head, f"{YEAR}&group_by=department")).items()} == {"water": 3}  # fmt: skip
    assert (await head.get(f"{YEAR}&group_by=department")).body["scope"] == [f"{CITY}/dept:water"]
    assert await items(head, f"{YEAR}&group_by=post") == {}, "the desks are not his"

    south = await api.somebody(a(Role.AUDITOR, SOUTH))
    assert set(await items(south, f"{YEAR}&group_by=district&division={NORTH}")) == set(), "a filter never widens"

    other = await api.somebody(a(Role.OFFICER, f"{NORTH}001"))
    assert await items(other, f"{YEAR}&group_by=officer") == {}
    assert (await other.get(f"{YEAR}&group_by=district")).code == "not_allowed"
    mine = await items(whole, f"{YEAR}&group_by=officer")
    assert (set(mine), mine[str(officer)]["counts"]["due"]) == ({str(officer)}, 1)

    months = (await whole.get(f"{YEAR}&group_by=district&period=month&division={NORTH}")).body["items"]
    assert [(item["from"][:10], item["counts"]["due"]) for item in months] == [("2025-12-31", 3), ("2026-01-31", 1)]


async def test_a_report_opens_in_excel_by_accept_or_by_format(api: Api) -> None:
    await closed_case(api, NORTH, "2026-01-05", department="water")
    auditor = await api.somebody(a(Role.AUDITOR))
    book, headers = await file(auditor, f"{YEAR}&group_by=district", Accept=XLSX)
    assert headers["Content-Type"] == XLSX
    assert "district-2026-01-01-2027-01-01.xlsx" in headers["Content-Disposition"]
    head, row = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert (row[0], row[head.index("按期结案率（%）")]) == (NORTH, 100)

    csv, headers = await file(auditor, f"{YEAR}&group_by=district&format=csv&headings=en")
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert csv.startswith(b"\xef\xbb\xbfcode,"), "with byte-order mark"
    assert f"'{NORTH},district," in csv.decode("utf-8-sig"), "a code is text"
    assert read_csv("x.csv", csv).text(1, 0) == NORTH


async def test_what_cannot_be_asked_is_named(api: Api) -> None:
    auditor = await api.somebody(a(Role.AUDITOR))

    async def field(query: str) -> Any:
        said: Said = await auditor.get(f"/api/v1/evaluation?{query}")
        assert (said.status, said.code) == (400, "bad_request"), said.body
        return said.body["field"]

    assert await field("to=2026-02-01") == "from"
    assert await field("from=2026-02-30&to=2026-03-01") == "from"
    assert await field("from=2026-02-01&to=2026-02-01") == "to"
    assert await field("from=2026-01-01&to=2029-01-01&period=day") == "period"
    assert await field("from=2026-01-01&to=2026-02-01&group_by=cell") == "group_by"
    assert await field("from=2026-01-01&to=2026-02-01&profile=kind") == "profile"


async def test_every_formula_is_told(api: Api) -> None:
    told = (await (await api.somebody(a(Role.HANDLER))).get("/api/v1/evaluation/indicators")).body
    closing = next(each for each in told["items"] if each["code"] == "closing_rate")
    assert (closing["name"], closing["numerator"]["plus"]) == ("结案率", ["due_closed"])
    assert closing["denominator"] == {"plus": ["due"], "minus": ["due_suspended"]}


async def test_a_spot_is_told_to_those_who_see_its_cases(api: Api) -> None:
    one = await closed_case(api, NORTH, "2026-01-05", department="water")
    two = await closed_case(api, NORTH, "2026-01-25", department="water")
    await closed_case(api, NORTH, "2026-04-25", department="water")
    await closed_case(api, SOUTH, "2026-01-26", department="water")
    asked = "/api/v1/chronic-spots?from=2026-01-01&to=2027-01-01"
    said = (await (await api.somebody(a(Role.ACCEPTOR))).get(asked)).body
    [spot] = said["items"]
    assert [member["id"] for member in spot["members"]] == [str(one), str(two)]
    assert (spot["count"], spot["category"], spot["cell"]) == (2, "2013:0101", f"{NORTH}001001001")
    assert spot["geometry"] == {"type": "Point", "coordinates": [103.805, 36.055]}
    assert (spot["first"][:10], spot["last"][:10], said["found"]) == ("2026-01-05", "2026-01-25", 1)
    everywhere = await api.somebody(a(Role.AUDITOR, CITY))
    assert (await everywhere.get(f"{asked}&days=100")).body["items"][0]["count"] == 3
    assert (await everywhere.get(f"{asked}&division={SOUTH}")).body["items"] == []
    assert (await (await api.somebody(a(Role.ACCEPTOR, SOUTH))).get(asked)).body["items"] == []
    assert (await everywhere.get("/api/v1/chronic-spots?from=2026-02-01&to=2026-01-01")).code == "bad_request"


async def test_an_exercise_runs_like_a_case_is_shown_as_one_and_counts_nowhere(api: Api) -> None:
    said = {
        "category": "0101", "description": "演练：爆管", "exercise": True,
        "location": {"lon": PLACES[NORTH], "lat": 36.055, "datum": "wgs84"},
    }  # fmt: skip
    desk = await api.somebody(a(Role.SUPERVISOR))
    taken = await desk.post("/api/v1/reports", said)
    assert (taken.status, taken.body["case"]["state"]) == (201, "filed")
    real = await desk.post("/api/v1/reports", {**said, "exercise": False})
    for each, is_one in ((taken, True), (real, False)):
        shown = await desk.get(f"/api/v1/cases/{each.body['case']['id']}")
        assert shown.body["case"]["exercise"] is is_one
    north = await items(desk, "/api/v1/evaluation?group_by=district&from=2020-01-01&to=2099-01-01")
    assert north[NORTH]["counts"]["reported"] == 1, "the real one alone"
    merging = {"into": taken.body["case"]["id"]}
    refused = await desk.post(f"/api/v1/cases/{real.body['case']['id']}/merge", merging, If_Match='"1"')
    assert (refused.status, refused.body["guard"]) == (422, "goes_on")
    for nobody_of_the_desk in (await api.somebody(a(Role.OFFICER)), await api.program("reports:write")):
        assert (await nobody_of_the_desk.post("/api/v1/reports", said)).code == "not_allowed"
