"""POST /api/v1/self-handled: found, put right, kept as a closed case in one act, with both photographs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.ids import new_id
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import DISTRICT

__all__ = ["desk"]  # the fixture

SMALL, GRAVE = "300301", "300201"
"""A stairway blocked by belongings; a visit to an old person living alone, of high severity."""


async def photograph(desk: Desk, by: Client) -> str:
    picture = new_id()
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute(
            "INSERT INTO attachments (id, sha256, original, media_type, size_bytes, uploaded_by, uploaded_at)"
            " VALUES ($1, sha256('a'), sha256('b'), 'image/jpeg', 1, $2, now())",
            picture, f"user:{by.user_id}",
        )  # fmt: skip
    return str(picture)


async def said(desk: Desk, **changes: Any) -> dict[str, Any]:
    both = {"before": [await photograph(desk, desk.officer)], "evidence": [await photograph(desk, desk.officer)]}
    return {**desk.said(category=SMALL, description="杂物已清走"), **both, **changes}


async def test_one_act_makes_a_report_and_a_case_that_is_filed_and_closed(desk: Desk) -> None:
    answer = await desk.officer.post("/api/v1/self-handled", body := await said(desk))
    assert answer.status == 201, answer.body
    told = answer.body["case"]
    assert (told["state"], told["version"], told["pool"]) == ("closed", 1, None)
    assert told["number"].startswith("620102001001-")
    case = (await desk.officer.get(f"/api/v1/cases/{told['id']}")).body["case"]
    assert (case["self_handled"], case["officer"]) == (True, str(desk.officer.user_id))
    [entry] = (await desk.officer.get(f"/api/v1/cases/{told['id']}/history")).body["items"]
    assert (entry["move"], entry["from_state"], entry["to_state"]) == ("self_handle", None, "closed")
    assert (entry["facts"]["before"], entry["facts"]["evidence"]) == (body["before"], body["evidence"])
    async with transaction(desk.api.pool) as (conn, _):
        kept = await conn.fetch("SELECT purpose FROM attachments WHERE case_id = $1 ORDER BY 1", UUID(told["id"]))
    assert [row["purpose"] for row in kept] == ["after", "before"]


async def test_a_voice_note_is_no_photograph_of_before_or_after(desk: Desk) -> None:
    spoken = await photograph(desk, desk.officer)
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE attachments SET kind = 'sound' WHERE id = $1", UUID(spoken))
    for part in ("before", "evidence"):
        answer = await desk.officer.post("/api/v1/self-handled", await said(desk, **{part: [spoken]}))
        assert (answer.status, answer.code, answer.body["guard"]) == (422, "guard_failed", "before_and_after")


async def test_it_is_counted_apart(desk: Desk) -> None:
    await desk.officer.post("/api/v1/self-handled", await said(desk))
    await desk.officer.post("/api/v1/reports", desk.said())
    for asked, found in (("true", ["closed"]), ("false", ["filed"])):
        told = (await desk.officer.get(f"/api/v1/cases?self_handled={asked}")).body["items"]
        assert [case["state"] for case in told] == found


async def test_one_in_ten_is_listed_for_a_re_check(desk: Desk) -> None:
    for _ in range(60):
        assert (await desk.officer.post("/api/v1/self-handled", await said(desk))).status == 201
    listed = (await desk.acceptor.get("/api/v1/cases?sampled=true&limit=500")).body["items"]
    assert 1 <= len(listed) <= 20


async def test_what_was_not_right_after_all_is_reopened_like_any_closed_case(desk: Desk) -> None:
    told = (await desk.officer.post("/api/v1/self-handled", await said(desk))).body["case"]
    reopened = await desk.acceptor.post(
        f"/api/v1/cases/{told['id']}/reopen", {"reason_code": "came_back"}, If_Match='"1"'
    )
    assert (reopened.body["state"], reopened.body["cycle"]) == ("filed", 2)


async def test_one_photograph_is_not_enough(desk: Desk) -> None:
    body = await said(desk)
    missing = await desk.officer.post("/api/v1/self-handled", {**body, "before": []})
    assert (missing.status, missing.body["field"]) == (400, "before")
    same = await desk.officer.post("/api/v1/self-handled", {**body, "before": body["evidence"]})
    assert (same.status, same.body["guard"]) == (422, "before_and_after")


async def test_what_may_hurt_somebody_is_reported_not_settled(desk: Desk) -> None:
    answer = await desk.officer.post("/api/v1/self-handled", await said(desk, category=GRAVE))
    assert (answer.status, answer.body["guard"]) == (422, "not_grave")
    assert await desk.count("cases") == 0


async def test_a_photograph_of_somebody_else_proves_nothing(desk: Desk) -> None:
    answer = await desk.officer.post(
        "/api/v1/self-handled", await said(desk, before=[await photograph(desk, desk.acceptor)])
    )
    assert (answer.status, answer.code) == (404, "unknown")
    assert await desk.count("cases") == 0


async def test_an_officer_of_another_duty_line_or_area_reports_it_instead(desk: Desk) -> None:
    for grant in (
        Grant(role=Role.OFFICER, division=DISTRICT, duty_line="city"),
        Grant(role=Role.OFFICER, division="620103", duty_line="social"),
    ):
        other = await desk.api.somebody(grant)
        both = {"before": [await photograph(desk, other)], "evidence": [await photograph(desk, other)]}
        body = {**desk.said(category=SMALL), **both}
        assert (await other.post("/api/v1/self-handled", body)).code == "not_allowed"


async def test_said_twice_with_one_key_it_is_one_case(desk: Desk) -> None:
    body = await said(desk)
    first = await desk.officer.post("/api/v1/self-handled", body, Idempotency_Key="one")
    again = await desk.officer.post("/api/v1/self-handled", body, Idempotency_Key="one")
    assert (again.status, again.body) == (201, first.body)
    assert await desk.count("cases") == 1


async def test_the_table_of_moves_is_served_with_its_reasons(desk: Desk) -> None:
    told = {each["move"]: each for each in (await desk.officer.get("/api/v1/moves")).body["items"]}
    assert told["return"]["reasons"][0] == {
        "code": "not_ours", "name": "非本单位职责", "name_en": "Not our duty", "wants_words": False,
        "active": True,
    }  # fmt: skip
    assert (told["self_handle"]["before"], told["self_handle"]["after"]) == ([], "closed")
    assert told["suspend"]["conditions"] == ["running", "never_suspended", "not_late", "ends_within_a_year"]
