"""What everybody may look up: categories, divisions, cells, and who answers for a place."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest

from gridsvc.domain.access import Role
from tests.integration.api.conftest import NORTH, SOUTH, Api, a

CELL = "620102001001001"


async def test_categories_are_those_of_the_default_edition_unless_another_is_named(api: Api) -> None:
    async with api.pool.acquire() as conn:
        await conn.execute("INSERT INTO category_editions VALUES ('2007', 'old', false)")
        await conn.execute(
            "INSERT INTO categories (edition, code, kind, name, duty_line, limit_amount, limit_unit, calendar)"
            " VALUES ('2007', '0101', 'event', '旧', 'sanitation', 1, 'day', 'city')"
        )
    somebody = await api.somebody()
    default = (await somebody.get("/api/v1/categories")).body["items"]
    assert [(item["ref"], item["limit"]) for item in default] == [
        ("0101", {"amount": 4.0, "unit": "urgent_hour"}), ("0201", {"amount": 1.0, "unit": "work_day"}),
    ]  # fmt: skip
    old = (await somebody.get("/api/v1/categories?edition=2007")).body["items"]
    assert [item["ref"] for item in old] == ["2007:0101"]
    assert (await somebody.get("/api/v1/categories?edition=none")).body["items"] == []


async def test_divisions_come_in_pages_and_by_level_and_parent(api: Api) -> None:
    somebody = await api.somebody()
    codes, cursor = [], ""
    while cursor is not None:
        page = (await somebody.get(f"/api/v1/divisions?limit=3{cursor and f'&cursor={cursor}'}")).body
        codes += [item["code"] for item in page["items"]]
        cursor = page["next"]
    assert codes == sorted(codes)
    assert len(codes) == 7
    districts = (await somebody.get("/api/v1/divisions?level=district")).body["items"]
    assert [item["code"] for item in districts] == [NORTH, SOUTH]
    below = (await somebody.get(f"/api/v1/divisions?parent={NORTH}")).body["items"]
    assert [(item["code"], item["path"]) for item in below] == [(f"{NORTH}001", ["6201", NORTH, f"{NORTH}001"])]


async def test_a_place_is_told_its_cell_its_divisions_and_its_beats(api: Api) -> None:
    somebody = await api.somebody()
    said = (await somebody.get("/api/v1/cells?lon=103.805&lat=36.055&datum=wgs84")).body
    assert (said["cell"], said["method"], said["border"], said["beats"]) == (
        CELL,
        "covers",
        False,
        {"sanitation": "N1"},
    )
    assert said["divisions"] == ["6201", NORTH, f"{NORTH}001", f"{NORTH}001001"]
    border = (await somebody.get("/api/v1/cells?lon=103.81&lat=36.055&datum=wgs84")).body
    assert (border["cell"], border["border"], border["neighbours"]) == (CELL, True, ["620103001001001"])


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ("lon=103.805&lat=36.055", "bad_location", "datum_missing"),
        ("lon=36.055&lat=103.805&datum=wgs84", "bad_location", "swapped_axes"),
        ("lon=0&lat=0&datum=wgs84", "bad_location", "null_island"),
        ("lon=116&lat=39&datum=wgs84", "bad_location", "far_away"),
        ("lon=nan&lat=39&datum=wgs84", "bad_location", "not_finite"),
        ("lon=103.7&lat=36.0&datum=wgs84", "outside_the_grid", None),
    ],
)
async def test_a_place_that_has_no_cell_is_told_why(api: Api, query: str, code: str, reason: str | None) -> None:
    said = await (await api.somebody()).get(f"/api/v1/cells?{query}")
    assert (said.status, said.code, said.body.get("reason")) == (422, code, reason)


async def test_a_cell_has_its_outline_and_an_unknown_one_is_unknown(api: Api) -> None:
    somebody = await api.somebody()
    said = (await somebody.get(f"/api/v1/cells/{CELL}")).body
    assert said["outline"]["type"] == "MultiPolygon"
    page = (await somebody.get(f"/api/v1/cell-outlines?codes={CELL},999")).body
    assert page == {"items": [{"code": CELL, "outline": said["outline"]}], "next": None}, "what is no cell is left out"
    for codes, given in ((",", 0), (",".join(map(str, range(201))), 201)):
        refused = await somebody.get(f"/api/v1/cell-outlines?codes={codes}")
        assert (refused.code, refused.body["given"]) == ("bad_request", given)
    assert (await somebody.get("/api/v1/cells/999")).code == "unknown"
    assert (await somebody.get("/api/v1/cells/%00")).code == "unknown"


async def test_going_on_duty_is_told_once_and_shown_in_the_roster(api: Api) -> None:
    officer, desk = await api.somebody(a(Role.OFFICER)), await api.somebody(a(Role.DISPATCHER))
    on = await officer.post("/api/v1/officers/me/duty", {"on_duty": True})
    again = await officer.post("/api/v1/officers/me/duty", {"on_duty": True})
    assert on.body["on_duty"] is True
    assert again.body == on.body, "on duty since the first time"
    (shown,) = (await desk.get("/api/v1/officers?on_duty=true")).body["items"]
    assert (shown["id"], shown["open_cases"], shown["position"]) == (str(officer.user_id), 0, None)
    assert (await desk.get("/api/v1/officers?on_duty=false")).body["items"] == []
    async with api.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM outbox WHERE type = 'officer.duty_changed'") == 1


async def test_a_user_with_the_role_who_is_no_officer_has_no_duty(api: Api) -> None:
    somebody = await api.somebody(a(Role.OFFICER))
    async with api.pool.acquire() as conn:
        await conn.execute("DELETE FROM officers")
    assert (await somebody.post("/api/v1/officers/me/duty", {"on_duty": True})).code == "unknown"


_LATER_SETS = """
WITH sets AS (
  INSERT INTO grid_sets (name, state, cell_scheme, valid_from, published_at)
  VALUES ('newer', 'published', 'free', city_now() - interval '1 day', city_now() - interval '2 days'),
         ('drawn', 'draft', 'free', NULL, NULL) RETURNING id, name
), tree AS (
  INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2)
  SELECT sets.id, d.code, d.name, d.level, d.parent_code, d.path, d.area_m2
    FROM sets, divisions d JOIN grid_sets s ON s.id = d.grid_set_id AND s.name = 'test'
)
INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
SELECT sets.id, sets.name, '620103001001', 20000, ST_Multi(ST_MakeEnvelope(103.80, 36.05, 103.82, 36.06, 4326))
  FROM sets
"""


async def test_who_answered_for_a_place_is_told_of_any_date(api: Api) -> None:
    async with api.pool.acquire() as conn:
        await conn.execute(_LATER_SETS)
        now = await conn.fetchval("SELECT city_now()")
    somebody = await api.somebody()
    asked = "/api/v1/cells?lon=103.805&lat=36.055&datum=wgs84"

    async def then(hours: float) -> tuple[object, ...]:
        said = (await somebody.get(f"{asked}&at={quote((now + timedelta(hours=hours)).isoformat())}")).body
        return said["grid_set"], said["cell"], said["beats"]

    assert (await somebody.get(asked)).body["cell"] == "newer"
    assert await then(-48) == ("test", CELL, {"sanitation": "N1"})
    assert await then(-1) == ("newer", "newer", {})
    async with api.pool.acquire() as conn:
        await conn.execute("UPDATE grid_sets SET state = 'retired', retired_at = city_now() WHERE name = 'newer'")
    assert (await somebody.get(asked)).body["cell"] == CELL, "it was withdrawn"
    assert await then(-1) == ("newer", "newer", {}), "and still was in force then"
    told = (await (await api.somebody(a(Role.AUDITOR))).get("/api/v1/grid-sets")).body["items"]
    sets = {item["name"]: item for item in told}
    assert {name: (item["state"], item["in_force"]) for name, item in sets.items()} == {
        "test": ("published", True), "newer": ("retired", False), "drawn": ("draft", False),
    }  # fmt: skip
    assert (sets["test"]["to_follow"], sets["newer"]["to_follow"]) == (0, None)
