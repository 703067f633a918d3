"""Visits and patrols over HTTP: who sees what, what a form shows to whom, and the figures as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from events.catalog import CaseNews
from events.codec import decode
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.open_visits import open_visits
from gridsvc.actions.walk_patrols import begin_patrols
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.domain.access import Role
from gridsvc.store.numbers import NumberBlocks
from tests.integration.api.conftest import CITY, GOVERNANCE, NORTH, SOUTH, Api, a

MANY = """category,subject,lon,lat,every,unit,first_on,days
0201,ELD-1,103.805,36.055,1,day,2026-01-01,any
0201,ELD-2,103.805,36.055,1,day,2026-01-01,any
0201,ELD-3,103.805,36.055,1,day,2026-01-01,any
"""
VISITS = "category,subject,lon,lat,every,unit,first_on,days\n0201,ELD-0417,103.805,36.055,1,day,2026-01-01,any\n"
PATROLS = "code,duty_line,beat,shifts\nP1,sanitation,N1,1-7 00:00-12:00 12:00-24:00\n"


async def test_a_visit_is_made_by_its_officer_and_its_form_opens_for_a_reason(api: Api, database: str) -> None:
    admin = await api.somebody(a(Role.ADMIN, NORTH))
    refused = await admin.post("/api/v1/visit-plans", {"csv": VISITS.replace("ELD-0417", "张桂兰"), "datum": "wgs84"})
    assert (refused.status, refused.code, len(refused.body["faults"])) == (422, "plan_refused", 1)
    assert "张桂兰" not in str(refused.body)
    stranger = await api.somebody(a(Role.ADMIN, SOUTH))
    assert (await stranger.post("/api/v1/visit-plans", {"csv": VISITS, "datum": "wgs84"})).code == "plan_refused"
    done = await admin.post("/api/v1/visit-plans", {"csv": VISITS, "datum": "wgs84"})
    assert (done.status, done.body) == (200, {"rows": 1, "active": 1})

    officer = await api.somebody(a(Role.OFFICER, NORTH, line=GOVERNANCE))
    await api.pool.execute("UPDATE officers SET on_duty = true")
    await opened(api, database)
    desk = await api.somebody(a(Role.DISPATCHER, NORTH))
    [visit] = (await desk.get("/api/v1/visits?open=true")).body["items"]
    assert (visit["subject"], visit["result"], visit["late"]) == ("ELD-0417", None, False)
    if visit["state"] == "filed":
        given = await desk.post(
            f"/api/v1/cases/{visit['case_id']}/assign", {"officer": str(officer.user_id)},
            If_Match=f'"{visit["version"]}"',
        )  # fmt: skip
        assert given.status == 200, given.body
    [mine] = (await officer.get("/api/v1/me/visits")).body["items"]
    wanted = [each["code"] for each in mine["results"] if each["wants_form"]]
    assert (wanted, mine["attributes"]) == (["made", "trouble"], [])
    ms = (await officer.get("/api/v1/time")).body["ms"]
    was_there = datetime.fromtimestamp(ms / 1000, UTC)
    said = {
        "result": "trouble", "note": "降压药已停",
        "location": {"lon": 103.805, "lat": 36.056, "datum": "wgs84"},
    }  # fmt: skip
    path = f"/api/v1/visits/{visit['id']}"
    headers = {"Captured_At": was_there.isoformat(), "Clock_Skew_Ms": "0"}
    ended = await officer.post(f"{path}/result", said, Idempotency_Key="once", **headers)
    assert datetime.fromisoformat(ended.body["visited_at"]) == was_there, "when he was there"
    assert (ended.status, ended.body["state"], ended.body["result"]) == (200, "closed", "trouble")
    assert 100 < ended.body["distance_m"] < 120
    again = await officer.post(f"{path}/result", said, Idempotency_Key="once")
    assert (again.body, again.headers["Idempotent-Replayed"]) == (ended.body, "true")
    assert (await officer.post(f"{path}/result", said)).code == "wrong_moment"
    assert (await officer.get("/api/v1/me/visits")).body["items"] == []

    assert (await officer.post(f"{path}/openings", {"reason": "forgot it"})).status == 403
    far = await api.somebody(a(Role.SUPERVISOR, SOUTH))
    assert (await far.post(f"{path}/openings", {"reason": "curious"})).status == 404
    opening = await desk.post(f"{path}/openings", {"reason": "send a doctor"})
    form = f"/api/v1/visit-openings/{opening.body['id']}"
    assert (await desk.get(form)).body["note"] == "降压药已停"
    assert (await (await api.somebody(a(Role.DISPATCHER, NORTH))).get(form)).status == 404, "it is his alone"
    assert (await far.get("/api/v1/visits")).body["items"] == []
    shown = [await desk.get(f"/api/v1/cases/{visit['case_id']}{rest}") for rest in ("", "/history")]
    shown += [await desk.get("/api/v1/cases.csv"), await desk.get("/api/v1/visits")]
    assert [answer.status for answer in shown] == [200] * 4
    assert all("降压药" not in str(answer.body) for answer in shown)
    [plan] = (await desk.get("/api/v1/visit-plans")).body["items"]
    assert (plan["fault"], plan["next_on"] > "2026-01-01") == (None, True)


async def opened(api: Api, database: str) -> None:
    async with open_pool(database, size=1) as numbers, transaction(api.pool, SERVICE) as (conn, now):
        assert await open_visits(conn, NumberBlocks(numbers), now, 10) == 1
        [body] = await conn.fetch("SELECT body FROM outbox WHERE case_id IS NOT NULL")
        news = decode(body["body"])
        assert isinstance(news, CaseNews)
        await assign_cases(conn, [news], now)


async def test_visits_are_turned_page_by_page_in_either_order(api: Api, database: str) -> None:
    admin, desk = await api.somebody(a(Role.ADMIN, NORTH)), await api.somebody(a(Role.DISPATCHER, NORTH))
    assert (await admin.post("/api/v1/visit-plans", {"csv": MANY, "datum": "wgs84"})).status == 200
    async with open_pool(database, size=1) as numbers, transaction(api.pool, SERVICE) as (conn, now):
        assert await open_visits(conn, NumberBlocks(numbers), now, 10) == 3
    # Two have a limit that runs, the later one first; of the third nobody knows yet when it is due.
    await api.pool.execute(
        "UPDATE cases c SET due_at = now() + interval '1 hour' * (CASE v.subject WHEN 'ELD-1' THEN 2 ELSE 1 END)"
        "  FROM visits v WHERE v.case_id = c.id AND v.subject <> 'ELD-3'"
    )
    by_opening = [each["subject"] for each in (await desk.get("/api/v1/visits")).body["items"]]
    for order, wanted in (("opened", by_opening), ("due", ["ELD-2", "ELD-1", "ELD-3"])):
        seen, cursor = [], ""
        while True:
            page = (await desk.get(f"/api/v1/visits?order={order}&limit=1{cursor}")).body
            seen += [each["subject"] for each in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == wanted, order
    assert (await desk.get(f"/api/v1/visits?order=opened{cursor}")).status == 400, "a page of the other order"


async def test_a_patrol_is_seen_by_its_officers_and_the_centre_and_figures_come_as_a_table(api: Api) -> None:
    admin = await api.somebody(a(Role.ADMIN, CITY))
    done = await admin.post("/api/v1/patrol-plans", {"csv": PATROLS})
    assert (done.status, done.body) == (200, {"rows": 1, "active": 1})
    assert (await admin.get("/api/v1/patrol-plans")).body["items"][0]["code"] == "P1"
    refused = await admin.post("/api/v1/patrol-plans", {"csv": PATROLS.replace("N1", "N9")})
    assert (refused.status, refused.code) == (422, "plan_refused")
    officer = await api.somebody(a(Role.OFFICER))
    await api.pool.execute("INSERT INTO officer_beats VALUES ($1, 'sanitation', 'N1')", officer.user_id)
    async with transaction(api.pool, SERVICE) as (conn, now):
        assert (await begin_patrols(conn, now), await begin_patrols(conn, now)) == (1, 0)
    [mine] = (await officer.get("/api/v1/me/patrols")).body["items"]
    assert mine["cells"] == [{"cell": "620102001001001", "state": "open", "times": 0}]
    desk, far = await api.somebody(a(Role.DISPATCHER, NORTH)), await api.somebody(a(Role.DISPATCHER, SOUTH))
    [seen] = (await desk.get("/api/v1/patrols?running=true&beat=N1")).body["items"]
    assert (seen["id"], seen["counts"]["open"], seen["coverage"], seen["judged"]) == (mine["id"], 1, 0.0, False)
    assert (await desk.get("/api/v1/patrols?running=false")).body["items"] == []
    await on_duty(api, UUID(str(officer.user_id)))
    [manned] = (await desk.get("/api/v1/patrols?running=true")).body["items"]
    assert (seen["officers"], manned["officers"]) == ([], [str(officer.user_id)]), "who is there now, not at its end"
    assert (await far.get("/api/v1/patrols")).body["items"] == []
    assert (await far.get(f"/api/v1/patrols/{mine['id']}")).status == 404
    await judged(api, mine, officer.user_id)

    today = datetime.now(UTC).date()
    days = f"from={today - timedelta(days=2)}&to={today + timedelta(days=2)}"
    [cell] = (await desk.get(f"/api/v1/patrols/walks?{days}")).body["items"]
    assert (cell["key"], cell["walked"], cell["coverage"]) == ("620102001001001", 1, 1.0)
    table = await desk.get(f"/api/v1/patrols/walks?{days}&by=officer&format=csv&headings=en")
    head, row = table.body.lstrip("\ufeff").splitlines()
    assert head == "key,name,patrols,wanted,walked,unknown,missed,walked_by,coverage"
    assert (row.split(",")[0], row.split(",")[2:]) == (str(officer.user_id), ["1", "1", "1", "0", "0", "1", "1.0"])
    assert (await far.get(f"/api/v1/patrols/walks?{days}")).body["items"] == [], "cells are seen with their patrol"
    assert (await desk.get(f"/api/v1/patrols/walks?from={today}&to={today}")).code == "bad_request"

    await api.pool.execute("UPDATE patrols SET settled_at = until_at, until_at = from_at + interval '1 minute'")
    kept = (await desk.get(f"/api/v1/patrols/{mine['id']}")).body
    assert (kept["counts"]["walked"], kept["officers"]) == (1, [str(officer.user_id)]), "its ways need not be there"


async def on_duty(api: Api, officer: UUID | None) -> None:
    await api.pool.execute(
        "INSERT INTO duty_spans (officer_id, from_at) VALUES ($1, now() - interval '1 second')", officer
    )


async def judged(api: Api, patrol: dict[str, Any], officer: UUID | None) -> None:
    """As the sweeper leaves it; how it judges is told in the stories."""
    await api.pool.execute("UPDATE patrols SET judged_at = until_at, officers = ARRAY[$1::uuid]", officer)
    await api.pool.execute(
        "INSERT INTO patrol_cells VALUES ($1, '620102001001001', 'walked', 1, ARRAY[$2::uuid])", UUID(patrol["id"]),
        officer,
    )  # fmt: skip
