"""Officers over HTTP: what the desk sees of them, their absences, and handing over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridsvc.db import transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import CITY, GOVERNANCE, NORTH, SOUTH, Api, Client, a

ZONE = ZoneInfo("Asia/Shanghai")


async def city_now(api: Api) -> datetime:
    async with transaction(api.pool) as (_, now):
        return now


async def on_duty(client: Client) -> Client:
    said = await client.post("/api/v1/officers/me/duty", {"on_duty": True})
    assert said.status == 200, said.body
    return client


async def assigned(api: Api, owner: Client) -> dict[str, Any]:
    """A case in NORTH that a dispatcher gave to this officer; the answer of the move."""
    desk = await api.somebody(a(Role.DISPATCHER, CITY))
    said = await desk.post(
        "/api/v1/reports",
        {
            "category": "0201", "description": "x", "occurred_at": "2026-01-01T00:00:00Z",
            "location": {"lon": 103.805, "lat": 36.055, "datum": "wgs84", "accuracy_m": 5},
        },
    )  # fmt: skip
    assert said.status == 201, said.body
    case = said.body["case"]
    moved = case
    for move, body in (("file", {}), ("assign", {"officer": str(owner.user_id)})):
        moved = await desk.post(f"/api/v1/cases/{case['id']}/{move}", body, If_Match=f'"{moved["version"]}"')
        if moved.status != 200 and move == "file":  # the category files itself
            moved = case
            continue
        assert moved.status == 200, moved.body
        moved = moved.body
    return {**moved, "id": case["id"]}


async def test_the_list_says_what_officers_can_do_and_until_when_they_are_there(api: Api) -> None:
    desk, ann, bob = [await api.somebody(grant) for grant in (a("dispatcher"), a("officer"), a("officer"))]
    await on_duty(ann)
    now = (await city_now(api)).astimezone(ZONE).replace(second=0, microsecond=0)
    ends = now + timedelta(hours=2)
    async with transaction(api.pool) as (conn, _):
        await conn.execute("INSERT INTO officer_skills VALUES ($1, 'boat')", ann.user_id)
        await conn.execute("INSERT INTO teams VALUES ('night', '夜班队', 'Night crew', 'sanitation')")
        await conn.execute("INSERT INTO team_officers VALUES ('night', $1)", bob.user_id)
        await conn.execute("INSERT INTO officer_beats VALUES ($1, 'sanitation', 'N1')", bob.user_id)
        for who, until in ((ann, ends), (bob, now - timedelta(hours=1))):
            begins = until - timedelta(hours=6)
            await conn.execute(
                "INSERT INTO shifts VALUES ($1, $2, $3, $4)", who.user_id, begins.isoweekday(), begins.time(),
                until.time(),
            )  # fmt: skip
    shown = {item["id"]: item for item in (await desk.get("/api/v1/officers")).body["items"]}
    first, second = shown[str(ann.user_id)], shown[str(bob.user_id)]
    assert (first["there"], first["skills"], first["load"], first["given_today"]) == (True, ["boat"], 0.0, 0)
    assert datetime.fromisoformat(first["shift_until"]) == ends
    assert (second["there"], second["teams"], second["shift_until"]) == (False, ["night"], None)
    for query, who in (
        ("on_duty=true", ann), ("on_shift=true", ann), ("on_shift=false", bob), ("skill=boat", ann),
        ("team=night", bob), ("beat=N1", bob),
    ):  # fmt: skip
        found = (await desk.get(f"/api/v1/officers?{query}")).body["items"]
        assert [item["id"] for item in found] == [str(who.user_id)], query
    [team] = (await desk.get("/api/v1/teams")).body["items"]
    assert (team["code"], team["name"], team["officers"]) == ("night", "夜班队", [str(bob.user_id)])
    assert (await desk.get("/api/v1/teams?duty_line=governance")).body["items"] == []


async def test_pages_of_those_on_shift_leave_nobody_out(api: Api) -> None:
    desk, now = await api.somebody(a("dispatcher")), (await city_now(api)).astimezone(ZONE)
    begins, ends = now - timedelta(hours=2), now + timedelta(hours=2)
    wanted = set()
    for number in range(9):
        who = await api.user(a("officer"))
        if number % 3 == 0:
            wanted.add(str(who))
            async with transaction(api.pool) as (conn, _):
                await conn.execute(
                    "INSERT INTO shifts VALUES ($1, $2, $3, $4)", who, begins.isoweekday(), begins.time(), ends.time()
                )
    found, cursor = [], ""
    for _ in range(4):
        said = (await desk.get(f"/api/v1/officers?on_shift=true&limit=2{cursor}")).body
        found += [item["id"] for item in said["items"]]
        cursor = f"&cursor={said['next']}"
        if said["next"] is None:
            break
    assert sorted(found) == sorted(wanted)


async def test_an_absence_is_entered_listed_and_cancelled_by_the_desk_of_the_area(api: Api) -> None:
    desk, ann, neighbour = [
        await api.somebody(grant) for grant in (a("supervisor"), a("officer"), a("dispatcher", SOUTH))
    ]
    await on_duty(ann)
    now = await city_now(api)
    path = f"/api/v1/officers/{ann.user_id}/absences"
    until = (now + timedelta(days=2)).isoformat()
    said = await desk.ask(
        "POST", path, json={"until": until, "reason": "sick"}, headers={"Idempotency-Key": "one"}
    )  # fmt: skip
    assert (said.status, said.body["state"], said.body["reason"]) == (201, "running", "sick")
    again = await desk.ask("POST", path, json={"until": until, "reason": "sick"}, headers={"Idempotency-Key": "one"})
    assert again.body == said.body, "sent twice, entered once"
    [shown] = (await desk.get("/api/v1/officers")).body["items"]
    assert (shown["on_duty"], shown["there"]) == (False, False)
    assert datetime.fromisoformat(shown["absent_until"]) == datetime.fromisoformat(until)
    refused = await ann.post("/api/v1/officers/me/duty", {"on_duty": True})
    assert (refused.status, refused.body["guard"]) == (422, "not_absent")
    other = await desk.post(path, {"until": until, "reason": "leave"})
    assert (other.status, other.code, other.body["absence"]) == (409, "absence_overlaps", said.body["id"])
    for begins, ends, field in ((-600, 3600, "from"), (3600, 1800, "until"), (0, 400 * 86400, "until")):
        body = {"from": (now + timedelta(seconds=begins)).isoformat(), "reason": "other",
                "until": (now + timedelta(seconds=ends)).isoformat()}  # fmt: skip
        wrong = await desk.post(path, body)
        assert (wrong.status, wrong.body["field"]) == (400, field), wrong.body
    for path_of, who in ((path, desk), ("/api/v1/officers/me/absences", ann)):
        assert [item["id"] for item in (await who.get(path_of)).body["items"]] == [said.body["id"]]
    cancel = f"/api/v1/absences/{said.body['id']}/cancel"
    for who, code in ((neighbour, "unknown"), (ann, "not_allowed")):
        assert (await who.post(cancel)).code == code
    assert (await neighbour.get(path)).code == "unknown"
    cancelled = await desk.post(cancel)
    assert (cancelled.status, cancelled.body["state"]) == (200, "cancelled")
    assert (await desk.post(cancel)).code == "absence_over"
    await on_duty(ann)


async def test_who_dispatches_another_duty_line_enters_no_absence(api: Api) -> None:
    other, ann = await api.somebody(a("dispatcher", NORTH, GOVERNANCE)), await api.somebody(a("officer"))
    until = (await city_now(api) + timedelta(days=1)).isoformat()
    said = await other.post(f"/api/v1/officers/{ann.user_id}/absences", {"until": until, "reason": "leave"})
    assert said.code == "unknown"


async def test_an_officer_sees_what_he_would_hand_over_and_to_whom_and_does(api: Api) -> None:
    line = a("officer", NORTH, GOVERNANCE)
    ann, bob = [await on_duty(await api.somebody(line)) for _ in range(2)]
    async with transaction(api.pool) as (conn, _):
        await conn.execute(
            "INSERT INTO beats (grid_set_id, duty_line, code, division_code)"
            " SELECT id, 'governance', 'G1', '620102001' FROM grid_sets"
        )
        for who in (ann, bob):
            await conn.execute("INSERT INTO officer_beats VALUES ($1, 'governance', 'G1')", who.user_id)
    case = await assigned(api, ann)
    mine = (await ann.get("/api/v1/officers/me/handover")).body
    [item] = mine["items"]
    assert (item["case"], item["state"], item["becomes"]) == (case["id"], "assigned", "route")
    assert [(each["id"], each["beats"]) for each in mine["colleagues"]] == [(str(bob.user_id), ["G1"])]
    said = await ann.post(
        f"/api/v1/cases/{case['id']}/hand_over", {"officer": str(bob.user_id), "note": "key at the gate"},
        If_Match=f'"{item["version"]}"',
    )  # fmt: skip
    assert said.status == 200, said.body
    assert (await ann.get("/api/v1/officers/me/handover")).body["items"] == []
    assert [each["case"] for each in (await bob.get("/api/v1/officers/me/handover")).body["items"]] == [case["id"]]


async def test_a_desk_takes_everything_from_an_officer_with_an_outcome_for_each(api: Api) -> None:
    ann = await on_duty(await api.somebody(a("officer", NORTH, GOVERNANCE)))
    desk, neighbour = await api.somebody(a("dispatcher")), await api.somebody(a("dispatcher", SOUTH))
    case = await assigned(api, ann)
    path = f"/api/v1/officers/{ann.user_id}/hand-over"
    assert (await neighbour.post(path, {"reason": "phone lost"})).code == "unknown"
    said = await desk.post(path, {"reason": "phone lost"})
    assert (said.status, said.body["moved"], said.body["refused"]) == (200, 1, 0)
    [item] = said.body["items"]
    assert (item["case"], item["moved"]["state"], item["refused"]) == (case["id"], "filed", None)
    [shown] = (await desk.get("/api/v1/officers")).body["items"]
    assert (shown["on_duty"], shown["open_cases"]) == (False, 0)


async def test_one_case_is_sent_to_routing_by_the_desk(api: Api) -> None:
    ann = await on_duty(await api.somebody(a("officer", NORTH, GOVERNANCE)))
    desk, case = await api.somebody(a("dispatcher")), await assigned(api, ann)
    said = await desk.post(
        f"/api/v1/cases/{case['id']}/relieve", {"reason": "he is stuck"}, If_Match=f'"{case["version"]}"'
    )  # fmt: skip
    assert (said.status, said.body["state"]) == (200, "filed")
    history = (await desk.get(f"/api/v1/cases/{case['id']}/history")).body["items"]
    assert history[-1]["facts"]["from_officer"] == str(ann.user_id)


async def test_an_officers_phone_is_told_his_duty_and_the_cells_of_his_beats(api: Api) -> None:
    ann, desk = await api.somebody(a("officer")), await api.somebody(a("supervisor"))
    before = (await ann.get("/api/v1/officers/me/duty")).body
    assert (before["on_duty"], before["there"], before["duty_changed_at"]) == (False, False, None)
    await on_duty(ann)
    now = await city_now(api)
    begins, ends = (now + timedelta(hours=hours) for hours in (-1, 1))
    async with transaction(api.pool) as (conn, _):
        await conn.execute("INSERT INTO officer_beats VALUES ($1, 'sanitation', 'N1')", ann.user_id)
        await conn.execute(
            "INSERT INTO shifts VALUES ($1, $2, $3, $4)", ann.user_id, begins.astimezone(ZONE).isoweekday(),
            begins.astimezone(ZONE).time(), ends.astimezone(ZONE).time(),
        )  # fmt: skip
    told = (await ann.get("/api/v1/officers/me/duty")).body
    assert (told["on_duty"], told["there"], told["absent_until"]) == (True, True, None)
    assert abs(datetime.fromisoformat(told["shift_until"]) - ends) < timedelta(seconds=1)
    [beat] = (await ann.get("/api/v1/me/beats")).body["items"]
    assert (beat["code"], beat["duty_line"]) == ("N1", "sanitation")
    assert [cell["code"] for cell in beat["cells"]] == ["620102001001001"]
    assert beat["cells"][0]["outline"]["type"] in {"Polygon", "MultiPolygon"}
    assert (await desk.get("/api/v1/me/beats")).status == 403

    until = (now + timedelta(days=2)).isoformat()
    said = await desk.post(f"/api/v1/officers/{ann.user_id}/absences", {"until": until, "reason": "sick"})
    assert said.status == 201, said.body
    away = (await ann.get("/api/v1/officers/me/duty")).body
    assert (away["on_duty"], away["there"]) == (False, False)
    assert datetime.fromisoformat(away["absent_until"]) == datetime.fromisoformat(until)
