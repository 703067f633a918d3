"""What an administrator changes over HTTP: people, the grid, categories, calendars; and what he is told beforehand."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from uuid import UUID

from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.integration.api.conftest import GOVERNANCE, NORTH, SANITATION, SOUTH, Api, a
from tests.integration.api.test_officers import assigned, city_now, on_duty
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import CITY as SMALL_CITY
from tests.integration.small_city import DISTRICT
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import WEDNESDAY_OFF, notice
from tests.integration.stories.test_follow_grid import cell, draft
from workers.sweep import follow_round

__all__ = ["desk"]  # the fixture


async def walk(api: Api, who: UUID | None, *beats: str) -> None:
    async with transaction(api.pool) as (conn, _):
        for code in beats:
            await conn.execute("INSERT INTO officer_beats VALUES ($1, 'governance', $2)", who, code)


async def test_an_officer_is_replaced_with_work_beats_and_account_as_the_preview_said(api: Api) -> None:
    ann, bob = [await on_duty(await api.somebody(a("officer", NORTH, GOVERNANCE))) for _ in range(2)]
    other_line = await api.somebody(a("officer", NORTH, SANITATION))
    admin, desk = await api.somebody(a("admin")), await api.somebody(a("supervisor"))
    neighbour = await api.somebody(a("admin", SOUTH))
    await walk(api, ann.user_id, "N1", "N2")
    await walk(api, bob.user_id, "N2")
    case, waits = await assigned(api, ann), await assigned(api, ann)
    until = (await city_now(api) + timedelta(days=2)).isoformat()
    version = (await desk.get(f"/api/v1/cases/{waits['id']}")).body["case"]["version"]
    said = await desk.post(
        f"/api/v1/cases/{waits['id']}/suspend", {"reason": "parts", "until": until}, If_Match=f'"{version}"'
    )
    assert said.status == 200, said.body
    suspended = (await desk.get(f"/api/v1/cases/{waits['id']}")).body["case"]

    path = f"/api/v1/officers/{ann.user_id}"
    wanted = f"successor={bob.user_id}&beats=true&leaves=true"
    assert (await desk.get(f"{path}/replacement?{wanted}")).code == "not_allowed", "a desk moves the work alone"
    assert (await neighbour.get(f"{path}/replacement")).code == "unknown"
    assert (await admin.get(f"{path}/replacement?beats=true")).body["field"] == "successor"
    wrong = await admin.get(f"{path}/replacement?successor={other_line.user_id}")
    assert (wrong.status, wrong.body["wanted"]) == (400, GOVERNANCE)
    seen = (await admin.get(f"{path}/replacement?{wanted}")).body
    by_case = {each["case"]: each for each in seen["items"]}
    assert by_case[case["id"]]["becomes"] == "handed_over"
    assert (by_case[waits["id"]]["becomes"], by_case[waits["id"]]["officer"]) == ("handed_over", str(bob.user_id))
    assert (seen["beats"], seen["account_ends"]) == (["N1", "N2"], True)
    shown = {each["id"]: each for each in (await admin.get("/api/v1/users?role=officer")).body["items"]}
    assert shown[str(ann.user_id)]["officer"] == {
        "duty_line": GOVERNANCE, "on_duty": True, "beats": ["N1", "N2"], "open_cases": 2,
    }, "a preview changes nothing"  # fmt: skip

    body = {"successor": str(bob.user_id), "beats": True, "leaves": True, "reason": "retires"}
    done = await admin.post(f"{path}/replace", body)
    assert (done.status, done.body) == (200, seen)
    after = {each["id"]: each for each in (await admin.get("/api/v1/users?role=officer")).body["items"]}
    assert not after[str(ann.user_id)]["active"]
    assert (after[str(ann.user_id)]["officer"]["beats"], after[str(bob.user_id)]["officer"]["beats"]) == (
        [], ["N1", "N2"],
    )  # fmt: skip
    assert [each["id"] for each in (await admin.get("/api/v1/users?q=n1")).body["items"]] == [str(bob.user_id)]
    told = (await desk.get(f"/api/v1/cases/{case['id']}")).body["case"]
    assert (told["state"], told["officer"], told["due_at"]) == ("assigned", str(bob.user_id), case["due_at"])
    stands = (await desk.get(f"/api/v1/cases/{waits['id']}")).body["case"]
    assert (stands["officer"], stands["suspended"], stands["suspended_until"]) == (
        str(bob.user_id), True, suspended["suspended_until"],
    )  # fmt: skip
    [*_, passed] = (await desk.get(f"/api/v1/cases/{waits['id']}/history")).body["items"]
    assert (passed["move"], passed["actor"]) == ("take_over", f"user:{admin.user_id}")
    history = (await desk.get(f"/api/v1/cases/{case['id']}/history")).body["items"]
    assert [each["move"] for each in history[-2:]] == ["relieve", "assign"]
    assert {each["actor"] for each in history[-2:]} == {f"user:{admin.user_id}"}, "by name, and no worker's"


async def test_without_a_successor_the_preview_says_whom_routing_would_choose(desk: Desk) -> None:
    ann, bob, *_ = desk.city.officers
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # nothing takes a number
    said = (await desk.officer.post("/api/v1/reports", desk.said())).body["case"]
    case = await town.route(UUID(said["id"]))
    others = {str(each.user_id) for each in (ann, bob, *_)} - {str(case.officer_id)}
    lead = await desk.api.somebody(Grant(role=Role.SUPERVISOR, division=DISTRICT))
    path = f"/api/v1/officers/{case.officer_id}"
    [item] = (await lead.get(f"{path}/replacement")).body["items"]
    assert item["becomes"] == "routed"
    assert item["officer"] in others
    [done] = (await lead.post(f"{path}/replace", {"reason": "phone lost"})).body["items"]
    assert (done["becomes"], done["officer"]) == ("routed", None)
    assert str((await town.route(case.id)).officer_id) == item["officer"], "and it is what routing does then"
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE officers SET on_duty = false WHERE user_id <> $1::uuid", item["officer"])
    [item] = (await lead.get(f"/api/v1/officers/{item['officer']}/replacement")).body["items"]
    assert (item["becomes"], item["officer"]) == ("routed", None), "the last who is there is not asked again"


async def test_people_are_found_by_name_or_pinyin_and_an_account_ends_without_open_work(api: Api) -> None:
    ann = await on_duty(await api.somebody(a("officer", NORTH, GOVERNANCE)))
    clerk = await api.somebody(a("acceptor"))
    admin = await api.somebody(a("admin"))
    async with transaction(api.pool) as (conn, _):
        await conn.execute("UPDATE users SET display_name = '欧阳小红' WHERE id = $1", clerk.user_id)
    for words in ("ouyang", "oyxh", "小红"):
        assert [each["id"] for each in (await admin.get(f"/api/v1/users?q={words}")).body["items"]] == [
            str(clerk.user_id)
        ], words
    await assigned(api, ann)
    for who, guard in ((ann, "no_open_work"), (admin, "another_person")):
        refused = await admin.post(f"/api/v1/users/{who.user_id}/deactivate")
        assert (refused.status, refused.body["guard"]) == (422, guard)
    short = await admin.post(f"/api/v1/users/{clerk.user_id}/password", {"password": "short"})
    assert (short.status, short.body["field"]) == (400, "password")
    given = await admin.post(f"/api/v1/users/{clerk.user_id}/password", {"password": "a longer one"})
    assert given.status == 200
    name = given.body["username"]
    signed_in = await api.nobody.post("/api/v1/auth/login", {"username": name, "password": "a longer one"})
    assert signed_in.status == 200, "by the new one"
    async with transaction(api.pool) as (conn, _):
        why = await conn.fetch("SELECT ended_why FROM sessions WHERE user_id = $1 ORDER BY id", clerk.user_id)
        assert [each["ended_why"] for each in why] == ["new_password", None], "whoever was in is out"
    ended = await admin.post(f"/api/v1/users/{clerk.user_id}/deactivate")
    assert (ended.status, ended.body["active"], ended.body["posts"][0]["role"]) == (200, False, "acceptor")
    async with transaction(api.pool) as (conn, _):
        why = await conn.fetch("SELECT ended_why FROM sessions WHERE user_id = $1 ORDER BY id", clerk.user_id)
        assert [each["ended_why"] for each in why] == ["new_password", "deactivated"]
    neighbour = await api.somebody(a("admin", SOUTH))
    assert (await neighbour.get("/api/v1/users?q=ouyang")).body == {"items": [], "found": 0, "next": None}


async def test_a_draft_of_the_grid_is_begun_drawn_published_and_withdrawn(desk: Desk) -> None:
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # nothing takes a number
    admin = await desk.api.somebody(Grant(role=Role.ADMIN, division=SMALL_CITY))
    district = await desk.api.somebody(Grant(role=Role.ADMIN, division=DISTRICT))
    begin = {"name": "autumn", "of": "small"}
    assert (await district.post("/api/v1/grid-sets", begin)).code == "not_allowed"
    assert (await admin.post("/api/v1/grid-sets", begin)).status == 201
    taken = await admin.post("/api/v1/grid-sets", begin)
    assert (taken.status, taken.code) == (422, "setup_refused")
    assert (taken.body["reason"], taken.body["name"]) == ("name_taken", "autumn"), "pages say it in their own words"
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute(
            "INSERT INTO beats (grid_set_id, duty_line, code, division_code)"
            " SELECT id, 'social', 'B2', '620102001' FROM grid_sets WHERE name = 'autumn'"
        )
    given = {"duty_line": "social", "beat": "B2", "cells": [cell(1)]}
    assert (await admin.post("/api/v1/grid-sets/autumn/cells", given)).body == {"grid_set": "autumn"}
    wrong = await admin.post("/api/v1/grid-sets/autumn/cells", given | {"beat": "B9"})
    assert "B9" in wrong.body["detail"]

    [feature] = (await admin.get("/api/v1/grid-sets/autumn/changes")).body["features"]
    assert feature["geometry"]["type"] in {"Polygon", "MultiPolygon"}
    told = feature["properties"]
    assert (told["code"], told["kind"]) == (cell(1), "moved")
    assert [each["social"] for each in told["beats"]] == ["B1", "B2"]
    in_force = await admin.post("/api/v1/grid-sets/autumn/publish", {})
    assert (in_force.status, in_force.body["grid_set"], in_force.body["lost"]) == (200, "autumn", 0)
    again = await admin.post("/api/v1/grid-sets/autumn/publish", {})
    assert (again.status, again.code) == (422, "setup_refused"), "what is published is no draft"
    said = (await desk.officer.post("/api/v1/reports", desk.said())).body["case"]
    await draft(town, "holes", without=[1])
    lost = await admin.post("/api/v1/grid-sets/holes/publish", {})
    assert (lost.status, said["number"] in lost.body["detail"]) == (422, True), lost.body
    back = await admin.post("/api/v1/grid-sets/rollback")
    assert (back.body["grid_set"], back.body["withdrawn"]) == ("small", "autumn")
    await follow_round(desk.api.pool, 10)
    states = {each["name"]: each["in_force"] for each in (await admin.get("/api/v1/grid-sets")).body["items"]}
    assert states == {"small": True, "autumn": False, "holes": False}


LIST = """类别代码,大类名称,小类名称,类型,条线,处置时限
200290,街面秩序,夜市噪声,事件,social,3工作日
"""


def file(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "content": b64encode(content).decode()}


async def test_a_list_of_categories_is_looked_at_and_published(desk: Desk) -> None:
    admin = await desk.api.somebody(Grant(role=Role.ADMIN, division=SMALL_CITY))
    body = {"file": file("list.csv", LIST.encode()), "edition": "next", "calendar": "city"}
    seen = await admin.post("/api/v1/category-editions/preview", body)
    assert (seen.status, seen.body["faults"], seen.body["categories"]) == (200, [], 1), seen.body
    assert {each["kind"] for each in seen.body["changes"]} == {"added", "removed"}
    known = [each["code"] for each in (await admin.get("/api/v1/category-editions")).body["items"]]
    assert "next" not in known, "a preview keeps nothing"
    done = await admin.post("/api/v1/category-editions", body | {"beside": True})
    assert (done.status, done.body) == (201, seen.body)
    assert (await admin.get("/api/v1/categories?edition=next")).body["items"][0]["name"] == "夜市噪声"
    again = await admin.post("/api/v1/category-editions", body | {"beside": True, "name": "x"})
    assert (again.status, again.code) == (422, "setup_refused"), "a published edition never changes"
    unreadable = await admin.post("/api/v1/category-editions/preview", body | {"file": file("x.xlsx", b"PK\x03\x04")})
    assert unreadable.body["defects"][0]["code"] == "unreadable"


async def test_a_calendar_is_looked_at_its_sources_may_disagree_and_it_is_published(desk: Desk) -> None:
    admin = await desk.api.somebody(Grant(role=Role.ADMIN, division=SMALL_CITY))
    path = "/api/v1/calendars/city"
    two = [file("one.json", WEDNESDAY_OFF), file("two.json", notice(2026, ("2026-09-17", "抗震日", True)))]
    disputed = await admin.post(f"{path}/preview", {"sources": two})
    assert (disputed.status, disputed.body["defects"][0]["code"]) == (422, "sources_disagree"), disputed.body
    body = {"sources": two, "follow": "one.json"}
    seen = await admin.post(f"{path}/preview", body)
    assert (seen.status, seen.body["same"]) == (200, False), seen.body
    assert [each["day"] for each in seen.body["disputed"]] == ["2026-09-16", "2026-09-17"]
    assert {"2026-09-16"} == {each["day"] for each in seen.body["days"]} & {"2026-09-16", "2026-09-17"}
    done = await admin.post(f"{path}/editions", body)
    assert (done.status, done.body) == (201, seen.body)
    after = (await admin.get(f"{path}?year=2026")).body
    assert (after["calendar"]["edition"], [each["day"] for each in after["disputed"]]) == (
        seen.body["edition"], ["2026-09-16", "2026-09-17"],
    )  # fmt: skip
    district = await desk.api.somebody(Grant(role=Role.ADMIN, division=DISTRICT))
    assert (await district.post(f"{path}/preview", body)).code == "not_allowed"
