"""Who reported: masked to all who see the case, opened to one person with a reason that stays."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from gridsvc.db import transaction
from gridsvc.ids import new_id
from tests.integration.api.conftest import NORTH, SOUTH, Api, Client, Said, a


async def a_report(api: Api) -> tuple[UUID, UUID]:
    """A case of the north with one report by a resident; (case, report)."""
    case_id, report_id = new_id(), new_id()
    async with transaction(api.pool) as (conn, now):
        await conn.execute(
            """
            INSERT INTO cases (id, version, state, source, edition, category, duty_line, severity, description, pool,
                               reported_by, occurred_at, reported_at, updated_at, seen_by, head)
            VALUES ($1, 1, 'reported', 'test', '2013', '0101', 'sanitation', 'normal', '', 'locate',
                    'user:nobody', $2, $2, $2, ARRAY[$3], $4)
            """,
            case_id, now, NORTH, bytes(32),
        )  # fmt: skip
        await conn.execute(
            """
            INSERT INTO reports (id, acceptance_number, case_id, source, reported_by, edition, category, description,
                                 occurred_at, received_at)
            VALUES ($1, $1::uuid::text, $2, 'test', 'user:nobody', '2013', '0101', '', $3, $3)
            """,
            report_id, case_id, now,
        )  # fmt: skip
        await conn.execute("INSERT INTO reporters VALUES ($1, '张三丰', '13812341234')", report_id)
    return case_id, report_id


async def opening(client: Client, report_id: UUID, reason: str = "the place is unclear, I call back") -> Said:
    return await client.post(f"/api/v1/reports/{report_id}/reporter-openings", {"reason": reason})


async def test_a_reporter_is_shown_masked_with_the_case(api: Api) -> None:
    case_id, report_id = await a_report(api)
    bo = await api.somebody(a("auditor"))
    said = await bo.get(f"/api/v1/cases/{case_id}/reporters")
    assert said.body["items"] == [{"report_id": str(report_id), "name": "张**", "phone": "138****1234"}]


async def test_the_reporters_of_merged_cases_are_shown_too_as_far_as_they_are_in_sight(api: Api) -> None:
    (main, first), (second, two), (third, three) = [await a_report(api) for _ in range(3)]
    async with transaction(api.pool) as (conn, _):
        for case_id, into in ((second, main), (third, second)):
            await conn.execute(
                "UPDATE cases SET state = 'merged', pool = NULL, merged_into = $2 WHERE id = $1", case_id, into
            )
    bo = await api.somebody(a("auditor"))
    told = (await bo.get(f"/api/v1/cases/{main}/reporters")).body["items"]
    assert {item["report_id"] for item in told} == {str(first), str(two), str(three)}
    async with transaction(api.pool) as (conn, _):
        await conn.execute("UPDATE cases SET seen_by = ARRAY[$2] WHERE id = $1", third, SOUTH)
    told = (await bo.get(f"/api/v1/cases/{main}/reporters")).body["items"]
    assert {item["report_id"] for item in told} == {str(first), str(two)}


async def test_who_gives_a_reason_reads_the_data_and_the_reason_stays(api: Api) -> None:
    _, report_id = await a_report(api)
    bo = await api.somebody(a("acceptor"))
    made = await opening(bo, report_id)
    assert made.status == 201
    assert "张三丰" not in str(made.body)
    said = await bo.get(f"/api/v1/reporter-openings/{made.body['id']}")
    assert (said.body["name"], said.body["phone"]) == ("张三丰", "13812341234")
    row = await api.pool.fetchrow("SELECT opened_by, report_id, reason FROM reporter_openings")
    assert row is not None
    assert tuple(row) == (bo.user_id, report_id, "the place is unclear, I call back")


async def test_no_name_is_kept_with_the_idempotency_key(api: Api) -> None:
    _, report_id = await a_report(api)
    await opening(await api.somebody(a("acceptor")), report_id)
    kept = await api.pool.fetchval("SELECT string_agg(answer::text, '') FROM idempotency_keys")
    assert kept
    assert "张三丰" not in kept
    assert "13812341234" not in kept


async def test_an_opening_is_one_person_s(api: Api) -> None:
    _, report_id = await a_report(api)
    bo, cy = await api.somebody(a("acceptor")), await api.somebody(a("acceptor"))
    path = f"/api/v1/reporter-openings/{(await opening(bo, report_id)).body['id']}"
    assert (await cy.get(path)).status == 404
    assert (await bo.get(path)).status == 200


async def test_an_opening_shows_nothing_after_a_quarter_of_an_hour(api: Api) -> None:
    _, report_id = await a_report(api)
    bo = await api.somebody(a("acceptor"))
    old = new_id()
    async with transaction(api.pool) as (conn, now):
        await conn.execute(
            "INSERT INTO reporter_openings VALUES ($1, $2, $3, 'call back', $4)",
            old, report_id, bo.user_id, now - timedelta(minutes=15),
        )  # fmt: skip
    assert (await bo.get(f"/api/v1/reporter-openings/{old}")).status == 404


@pytest.mark.parametrize("reason", ["", "abc", "    "])
async def test_a_reason_that_says_nothing_is_refused(api: Api, reason: str) -> None:
    _, report_id = await a_report(api)
    assert (await opening(await api.somebody(a("acceptor")), report_id, reason)).code == "bad_request"
    assert await api.pool.fetchval("SELECT count(*) FROM reporter_openings") == 0


async def test_only_the_desk_of_the_case_s_own_area_opens(api: Api) -> None:
    case_id, report_id = await a_report(api)
    foreign = await api.somebody(a("acceptor", SOUTH))
    assert (await opening(foreign, report_id)).status == 404
    assert (await foreign.get(f"/api/v1/cases/{case_id}/reporters")).status == 404
    officer = await api.somebody(a("officer"))
    assert (await opening(officer, report_id)).status == 403
    # An acceptor of the south who is only auditor in the north sees masks there.
    both = await api.somebody(a("acceptor", SOUTH), a("auditor"))
    assert (await both.get(f"/api/v1/cases/{case_id}/reporters")).status == 200
    assert (await opening(both, report_id)).status == 404
    assert await api.pool.fetchval("SELECT count(*) FROM reporter_openings") == 0
