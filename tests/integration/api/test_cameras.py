"""Cameras over HTTP: entered by an administrator, seen by whoever looks after the ground below them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from gridsvc.store import camera_labels
from gridsvc.store.cameras import HEARD
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, a

CODE = "62010200001320000001"
BORDER = 103.81
"""West of it lies the cell of NORTH, east of it that of SOUTH."""

NORTHERN, SOUTHERN = "620102001001001", "620103001001001"
CAMERA: dict[str, Any] = {
    "code": CODE, "name": "路口01号", "location": {"lon": BORDER - 0.0005, "lat": 36.055, "datum": "wgs84"},
    "bearing_deg": 90, "field_deg": 60, "near_m": 5, "far_m": 120, "protocol": "onvif", "ptz": True,
    "serials": ["DS-1"], "streams": ["rtsp://admin:secret@10.0.0.5/live"], "maintaining": "lamps",
    "presets": {"west": {"bearing_deg": 270, "field_deg": 60, "near_m": 5, "far_m": 120}},
    "zones": {"lane": {"datum": "wgs84", "ground": {"type": "Point", "coordinates": [BORDER + 0.0002, 36.055]}}},
}  # fmt: skip
PATH = f"/api/v1/cameras/{CODE}"


@pytest.fixture
async def admin(api: Api) -> Client:
    return await api.somebody(a(Role.ADMIN, CITY))


async def entered(admin: Client, **more: object) -> Any:
    said = await admin.post("/api/v1/cameras", CAMERA | more)
    assert said.status == 201, said.body
    assert said.headers["ETag"] == '"1"'
    return said.body


async def test_a_camera_on_a_border_sees_the_cells_on_both_sides_by_share(api: Api, admin: Client) -> None:
    told = await entered(admin)
    assert told["camera"]["divisions"] == ["6201", NORTH, "620102001", "620102001001"]
    shares = {(each["kind"], each["name"], each["cell"]): each["share"] for each in told["cells"]}
    assert shares["view", "", SOUTHERN] > 0.7
    assert shares["view", "", NORTHERN] + shares["view", "", SOUTHERN] == pytest.approx(1)
    assert shares["preset", "west", NORTHERN] == pytest.approx(1)
    assert shares["zone", "lane", SOUTHERN] == 1
    assert shares["reach", "", NORTHERN] > 0.5
    watching = (await admin.get(f"/api/v1/cells/{SOUTHERN}/cameras")).body["items"]
    assert [(each["camera"], each["kind"], each["part"]) for each in watching] == [
        (CODE, "zone", "lane"), (CODE, "view", ""), (CODE, "reach", ""),
    ]  # fmt: skip
    assert (await admin.get("/api/v1/cells/620199001001001/cameras")).code == "unknown"


async def test_it_is_seen_in_its_own_district_and_nowhere_else(api: Api, admin: Client) -> None:
    """Also by an officer, who is not told the addresses of its streams; the history hides them too."""
    await entered(admin)
    for role, where, seen in (
        (Role.OFFICER, "620102001", True), (Role.AUDITOR, NORTH, True), (Role.ADMIN, SOUTH, False),
    ):  # fmt: skip
        somebody = await api.somebody(a(role, where))
        listed = (await somebody.get("/api/v1/cameras")).body["items"]
        assert [each["code"] for each in listed] == ([CODE] if seen else []), role
        assert (await somebody.get(PATH)).status == (200 if seen else 404), role
    told = (await (await api.somebody(a(Role.OFFICER))).get(PATH)).body
    assert told["streams"] is None
    assert "secret" not in str(told)
    assert (await (await api.somebody(a(Role.DISPATCHER))).get(PATH)).body["streams"] == CAMERA["streams"]


async def test_a_change_needs_the_version_it_was_decided_on_and_leaves_a_trace(api: Api, admin: Client) -> None:
    await entered(admin)
    assert (await admin.ask("PATCH", PATH, json={"name": "北口"})).code == "version_required"
    said = await admin.ask("PATCH", PATH, json={"name": "北口", "bearing_deg": 270}, headers={"If-Match": '"1"'})
    assert (said.status, said.headers["ETag"], said.body["camera"]["name"]) == (200, '"2"', "北口")
    assert {each["cell"] for each in said.body["cells"] if each["kind"] == "view"} == {NORTHERN}
    assert said.body["presets"].keys() == {"west"}, "what is left out stays"
    late = await admin.ask("PATCH", PATH, json={"name": "南口"}, headers={"If-Match": '"1"'})
    assert (late.code, late.body["current_version"]) == ("version_conflict", 2)
    same = await admin.ask("PATCH", PATH, json={"name": "北口"}, headers={"If-Match": '"2"'})
    assert same.headers["ETag"] == '"2"', "nothing new, nothing written"
    whole = {name: CAMERA[name] for name in ("name", "location", "protocol")}
    said = await admin.ask("PUT", PATH, json=whole, headers={"If-Match": '"2"'})
    assert (said.body["camera"]["field_deg"], said.body["presets"], said.body["names"]["serials"]) == (360, {}, [])
    facts = [(each["version"], sorted(each["facts"])) for each in said.body["history"]]
    assert facts[1] == (2, ["bearing_deg", "name"])
    assert [version for version, _ in facts] == [1, 2, 3]


async def test_who_administers_another_district_enters_and_changes_nothing_here(api: Api, admin: Client) -> None:
    south = await api.somebody(a(Role.ADMIN, SOUTH))
    assert (await south.post("/api/v1/cameras", CAMERA)).code == "not_allowed"
    await entered(admin)
    assert (await south.ask("PATCH", PATH, json={"name": "x"}, headers={"If-Match": '"1"'})).code == "unknown"
    north = await api.somebody(a(Role.ADMIN, NORTH))
    away = {"location": {"lon": BORDER + 0.005, "lat": 36.055, "datum": "wgs84"}}
    assert (await north.ask("PATCH", PATH, json=away, headers={"If-Match": '"1"'})).code == "not_allowed"
    assert (await admin.post("/api/v1/cameras", CAMERA | {"name": "another"})).code == "camera_taken"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"location": {"lon": 103.805, "lat": 36.055}}, "bad_location", "location"),
        ({"location": {"lon": 36.055, "lat": 103.805, "datum": "wgs84"}}, "bad_location", "location"),
        ({"location": {"lon": 103.9, "lat": 36.055, "datum": "wgs84"}}, "outside_the_grid", None),
        ({"code": "62010200002000000001"}, "bad_request", "code"),
        ({"field_deg": 400}, "bad_request", "field_deg"),
        ({"colour": "red"}, "bad_request", "colour"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(
    admin: Client, change: dict[str, Any], code: str, field: str | None
) -> None:
    said = await admin.post("/api/v1/cameras", CAMERA | change)
    assert (said.code, said.body.get("field")) == (code, field)


async def test_the_list_is_filtered_and_paged_and_drawn(api: Api, admin: Client) -> None:
    await entered(admin)
    await entered(admin, code="gate-7", name="门 100%", bearing_deg=270, zones={}, ptz=False, protocol="frigate")

    async def codes(query: str) -> list[str]:
        said = await admin.get(f"/api/v1/cameras?{query}")
        assert said.status == 200, said.body
        return [each["code"] for each in said.body["items"]]

    assert await codes("") == [CODE, "gate-7"]
    assert await codes(f"cell={SOUTHERN}") == [CODE]
    assert await codes("protocol=frigate") == ["gate-7"]
    assert await codes("q=0%25") == ["gate-7"]
    assert await codes(f"division={SOUTH}") == []
    assert await codes("health=never&state=active") == [CODE, "gate-7"]
    assert await codes("bbox=103.80,36.05,103.81,36.06") == [CODE, "gate-7"]
    assert await codes("bbox=103.70,36.05,103.71,36.06") == []
    assert (await admin.get("/api/v1/cameras?bbox=1,2,3")).body["field"] == "bbox"
    first = (await admin.get("/api/v1/cameras?limit=1")).body
    assert await codes(f"limit=1&cursor={first['next']}") == ["gate-7"]
    drawn = (await admin.get("/api/v1/cameras.geojson?limit=2")).body
    assert [each["geometry"]["type"] for each in drawn["features"]] == ["Polygon", "Polygon"]
    assert drawn["type"] == "FeatureCollection"


async def test_what_was_heard_is_told_and_counted(api: Api, admin: Client) -> None:
    await entered(admin)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    async with transaction(api.pool, SERVICE) as (conn, _):
        await HEARD.run(conn, [CODE, CODE, "nobody"], [at + timedelta(seconds=5), at, at])
        await HEARD.run(conn, [CODE], [at])
    [told] = (await admin.get("/api/v1/cameras?health=online")).body["items"]
    assert datetime.fromisoformat(told["heard_at"]) == at + timedelta(seconds=5), "the newest counts, in any order"
    figures = (await (await api.program("metrics:read")).get("/metrics")).body
    assert 'gridsvc_cameras{health="online"} 1.0' in figures


async def test_a_word_without_a_meaning_is_a_task_until_somebody_says_what_it_means(api: Api, admin: Client) -> None:
    await entered(admin)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    async with transaction(api.pool, SERVICE) as (conn, _):
        for minutes in (0, 5):
            await camera_labels.record_unmapped(
                conn, Counter({(CODE, "Truck", "lane", ""): 1}), now + timedelta(minutes=minutes)
            )
        await camera_labels.record_unmapped(conn, Counter({(CODE, "bird", "", ""): 1}), now)
    waiting = (await admin.get("/api/v1/unmapped-labels")).body["items"]
    assert [(each["kind"], each["zone"], each["count"]) for each in waiting] == [("bird", "", 1), ("truck", "lane", 2)]
    assert (await (await api.somebody(a(Role.ACCEPTOR, SOUTH))).get("/api/v1/unmapped-labels")).body["items"] == []
    wrong = await admin.post("/api/v1/camera-labels", {"kind": "truck", "category": "0999"})
    assert (wrong.code, wrong.body["field"]) == ("bad_request", "category")
    said = await admin.post("/api/v1/camera-labels", {"kind": "truck", "zone": "lane", "category": "0201"})
    assert (said.status, said.body["settled"], said.body["label"]["category"]) == (201, 1, "2013:0201")
    assert said.body["label"]["mode"] == "review"
    again = await admin.post("/api/v1/camera-labels", {"kind": "truck", "zone": "lane", "mode": "off"})
    assert (again.body["label"]["id"], again.body["label"]["mode"]) == (said.body["label"]["id"], "off")
    assert [each["kind"] for each in (await admin.get("/api/v1/unmapped-labels")).body["items"]] == ["bird"]
    assert [each["mode"] for each in (await admin.get(PATH)).body["labels"]] == ["off"]
    assert len((await admin.get("/api/v1/camera-labels?protocol=*")).body["items"]) == 1
    gone = await admin.post("/api/v1/camera-labels/remove", {"id": said.body["label"]["id"]})
    assert gone.status == 200
    assert (await admin.get("/api/v1/camera-labels")).body["items"] == []
    assert (await admin.post("/api/v1/camera-labels/remove", {"id": said.body["label"]["id"]})).code == "unknown"
