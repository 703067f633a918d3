"""What the control centre asks beside the queue of reviews: how it stands, whom to trust, who is near."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from gridsvc.ids import new_id
from gridsvc.store.keeping import TRAIL_DAYS, remove_old
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, a
from tests.integration.api.test_live import watching
from tests.integration.stories.camera_town import put_up

SEEN = {"north": NORTH, "south": SOUTH}


async def waiting(api: Api, camera: str, *kinds: str) -> list[UUID]:
    """Reviews of a camera that wait for somebody."""
    made = []
    async with transaction(api.pool, SERVICE) as (conn, now):
        for kind in kinds:
            made.append(new_id())
            await conn.execute(
                "INSERT INTO camera_reviews (id, camera, kind, zone, target, why, category, lon, lat, cell_code,"
                " division_code, seen_by, first_at, last_at, events, opened_at)"
                " VALUES ($1, $2, $3, '', '', 'mode', '0201', 103.805, 36.055, 'c', $4, $5, $6, $6, 1, $6)",
                made[-1], camera, kind, SEEN[camera], [CITY, SEEN[camera]], now,
            )  # fmt: skip
    return made


async def cameras(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, now):
        for code, lon in {"north": 103.805, "south": 103.815}.items():
            await put_up(conn, code, lon, 36.055)
            await conn.execute("UPDATE cameras SET divisions = $2 WHERE code = $1", code, [CITY, SEEN[code]])
            await conn.execute("INSERT INTO camera_health VALUES ($1, $2)", code, now)


async def judge(who: Client, review: UUID, verdict: str) -> None:
    said = await who.post(f"/api/v1/camera-reviews/{review}/verdict", {"verdict": verdict})
    assert said.status == 200, said.body


async def test_a_verdict_takes_the_review_from_everybodys_bench_and_is_counted(api: Api) -> None:
    await cameras(api)
    ann, bo = await api.somebody(a(Role.ACCEPTOR)), await api.somebody(a(Role.DISPATCHER))
    south = await api.somebody(a(Role.ACCEPTOR, SOUTH))
    async with watching(api, ann) as one, watching(api, south) as stranger:
        await one.next()
        await stranger.next()
        first, second, third = await waiting(api, "north", "crowd", "smoke", "crowding")
        new = (await one.until("review", id=str(first)))["review"]
        assert (new["camera"], new["kind"], new["verdict"], new["verdict_by"]) == ("north", "crowd", None, None)
        await judge(bo, first, "false")
        gone = (await one.until("review", id=str(first), verdict="false"))["review"]
        assert gone["verdict_by"]["id"] == f"user:{bo.user_id}"
        assert gone["verdict_by"]["name"]
        await judge(ann, second, "duplicate")
        await one.until("review", id=str(second), verdict="duplicate")
        assert not [m for m in stranger.heard if m["type"] == "review"]
    assert (await ann.get("/api/v1/camera-reviews/tally")).body == {"waiting": 1, "judged": 2, "mine": 1}
    assert (await south.get("/api/v1/camera-reviews/tally")).body == {"waiting": 0, "judged": 0, "mine": 0}
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE camera_reviews SET verdict_at = verdict_at - interval '1 hour' WHERE id = $1", first)
    assert (await ann.get("/api/v1/camera-reviews/tally")).body["judged"] == 1, "an hour later it counts no more"
    assert [each["id"] for each in (await bo.get("/api/v1/camera-reviews")).body["items"]] == [str(third)]


async def test_a_camera_stands_as_people_and_its_silence_have_it(api: Api) -> None:
    await cameras(api)
    ann, south = await api.somebody(a(Role.DISPATCHER, CITY)), await api.somebody(a(Role.DISPATCHER, SOUTH))
    assert (await ann.get("/api/v1/camera-standings")).body["items"] == [], "there is nothing to say of either"
    async with transaction(api.pool, SERVICE) as (conn, now):
        await conn.execute("UPDATE camera_rules SET mute_after = 3, mute_below = 0.5")
        await conn.execute("UPDATE camera_health SET offline_since = $1 WHERE camera = 'south'", now)
    for verdict in ("real", "false", "false"):
        [review] = await waiting(api, "north", "crowd")
        if verdict == "real":
            async with transaction(api.pool, SERVICE) as (conn, now):
                await conn.execute(
                    "UPDATE camera_reviews SET verdict = 'real', verdict_by = 'user:x', verdict_at = $2 WHERE id = $1",
                    review, now,
                )  # fmt: skip
        else:
            await judge(ann, review, verdict)
    first = (await ann.get("/api/v1/camera-standings?limit=1")).body
    [north] = first["items"]
    [crowd] = north["kinds"]
    assert (crowd["seen_real"], crowd["seen_false"], round(crowd["precision"], 2)) == (1, 2, 0.33)
    assert (north["health"], north["over"]) == ("online", None)
    said = await ann.get(f"/api/v1/camera-standings?limit=1&cursor={first['next']}")
    [silent] = said.body["items"]
    assert (silent["camera"], silent["health"], silent["kinds"]) == ("south", "offline", [])
    assert [each["camera"] for each in (await south.get("/api/v1/camera-standings")).body["items"]] == ["south"]

    assert crowd["mute"] is not None, "wrong too often: it is muted"
    assert (await ann.post(f"/api/v1/camera-mutes/{crowd['mute']}/lift")).status == 200
    assert (await ann.get("/api/v1/camera-standings?limit=1")).body["items"][0]["kinds"] == [], "it is judged anew"
    async with transaction(api.pool, SERVICE) as (conn, now):
        await conn.execute("INSERT INTO camera_meters VALUES ('north', 0, $1, 700, $1)", now)
    assert (await ann.get("/api/v1/camera-standings?limit=1")).body["items"][0]["over"] == 700


async def fixes(who: Client, now: Any, *seconds_ago: int, lon: float = 103.805, accuracy_m: float = 8) -> None:
    said = [
        {
            "lon": lon, "lat": 36.055, "datum": "wgs84", "accuracy_m": accuracy_m,
            "taken_at": (now - timedelta(seconds=ago)).isoformat(),
        }
        for ago in seconds_ago
    ]  # fmt: skip
    answer = await who.post("/api/v1/positions", {"positions": said})
    assert answer.status == 200, answer.body


async def test_the_way_of_an_officer_on_duty_is_shown_to_his_desk_and_forgotten_in_time(api: Api) -> None:
    ann, elsewhere = await api.somebody(a(Role.DISPATCHER)), await api.somebody(a(Role.DISPATCHER, SOUTH))
    wang, li = await api.somebody(a(Role.OFFICER)), await api.somebody(a(Role.OFFICER))
    async with transaction(api.pool, SERVICE) as (conn, now):
        await conn.execute("INSERT INTO officer_beats SELECT id, 'sanitation', 'N1' FROM unnest($1::uuid[]) AS u (id)",
                           [wang.user_id, li.user_id])  # fmt: skip
    await fixes(wang, now, 500)  # off duty: nobody's business
    await api.pool.execute("UPDATE officers SET on_duty = true, duty_changed_at = now() - interval '400 s'"
                           " WHERE user_id = $1", wang.user_id)  # fmt: skip
    await fixes(wang, now, 300, 240, 180)
    await fixes(wang, now, 100)
    await fixes(wang, now, 140, lon=103.905)  # came late, and nobody goes nine kilometres in 40 seconds
    await fixes(wang, now, 60, accuracy_m=400)
    path = f"/api/v1/officers/{wang.user_id}/trail"
    trail = (await ann.get(path)).body
    steps = [(now - msgspec.convert(step["at"], type(now))).total_seconds() for step in trail["steps"]]
    assert steps == [300, 240, 180, 140, 100]
    assert [step["jump"] for step in trail["steps"]] == [False, False, False, True, False]
    assert (await elsewhere.get(path)).status == 404

    beside = f"/api/v1/officers/{wang.user_id}/colleagues"
    [colleague] = (await ann.get(beside)).body["items"]
    assert (colleague["id"], colleague["beats"], colleague["there"]) == (str(li.user_id), ["N1"], False)
    async with transaction(api.pool, SERVICE) as (conn, now):
        await remove_old(conn, now + timedelta(days=TRAIL_DAYS, seconds=-210), 100)
    assert len((await ann.get(path)).body["steps"]) == 3


async def test_the_nearest_officers_of_a_case_come_first_with_what_they_have_in_hand(api: Api) -> None:
    ann, stranger = await api.somebody(a(Role.DISPATCHER)), await api.somebody(a(Role.DISPATCHER, SOUTH))
    near, far, home = [await api.somebody(a(Role.OFFICER)) for _ in range(3)]
    for who, lon in ((near, 103.8055), (far, 103.809), (home, 103.805)):
        await who.post("/api/v1/officers/me/duty", {"on_duty": True})
        async with transaction(api.pool, SERVICE) as (_, now):
            pass
        await fixes(who, now, 0, lon=lon)
    await home.post("/api/v1/officers/me/duty", {"on_duty": False})
    said = await ann.post(
        "/api/v1/reports",
        {"category": "0101", "description": "x", "location": {"lon": 103.805, "lat": 36.055, "datum": "wgs84"}},
    )
    path = f"/api/v1/cases/{said.body['case']['id']}/officers-near"
    found = (await ann.get(path)).body["items"]
    assert [each["id"] for each in found] == [str(near.user_id), str(far.user_id)]
    assert 40 < found[0]["distance_m"] < 50
    assert (found[0]["there"], found[0]["load"], found[0]["open_cases"]) == (True, 0.0, 0)
    assert found[0]["age_s"] >= 0
    assert [each["id"] for each in (await ann.get(f"{path}?limit=1")).body["items"]] == [str(near.user_id)]
    assert (await stranger.get(path)).status == 404
