"""Routing rules over HTTP: read by the desks, changed by the city's administrator, and told with every case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gridsvc.actions.assign_case import assign_cases
from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import CITY, DISTRICT
from tests.integration.stories.conftest import Town

__all__ = ["desk"]  # the fixture

EDITIONS = "/api/v1/routing-rules/editions"
GAS = {"code": "gas", "name": "燃气", "name_en": "Gas", "to": "department", "department": "gas",
       "when": {"keywords": ["燃气"], "duty_lines": ["social"]}}  # fmt: skip
HOLD = {"code": "hold", "name": "夜间", "to": "pool", "reason": "the desk looks first",
        "when": {"keywords": ["存疑"]}}  # fmt: skip
BEAT = {"code": "beat", "name": "责任网格", "name_en": "The beat", "to": "beat_officer"}


async def routing_of(desk: Desk, words: str) -> Any:
    """File a report, route its case, and ask why."""
    said = await desk.officer.post("/api/v1/reports", desk.said() | {"description": words})
    assert said.status == 201, said.body
    case_id = UUID(said.body["case"]["id"])
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # routing takes no numbers
    async with transaction(desk.api.pool) as (conn, now):
        await assign_cases(conn, await town.told(case_id), now)
    supervisor = await desk.api.somebody(Grant(role=Role.SUPERVISOR, division=CITY))
    return (await supervisor.get(f"/api/v1/cases/{case_id}/routing")).body


async def admin_of(desk: Desk, division: str) -> Client:
    return await desk.api.somebody(Grant(role=Role.ADMIN, division=division))


async def test_an_administrator_changes_the_rules_and_every_case_says_by_which_it_was_routed(desk: Desk) -> None:
    admin = await admin_of(desk, CITY)
    now = (await admin.get("/api/v1/routing-rules")).body
    assert (now["edition"]["number"], now["edition"]["state"]) == (3, "published")
    assert [each["code"] for each in now["rules"]][-1] == "officer_of_the_beat"
    [before] = (await routing_of(desk, "井盖缺失"))["items"]
    assert (before["rule"], before["edition"]) == ("officer_of_the_beat", 3)
    assert before["rule_name_en"] == "All else goes to an officer of the beat"

    wrong = {"rules": [GAS | {"department": "nobody"}, BEAT, BEAT | {"code": "never"}]}
    checked = (await admin.post("/api/v1/routing-rules/check", wrong)).body
    assert not checked["good"]
    assert [(each["rule"], each["field"]) for each in checked["faults"] if each["refuses"]] == [
        ("gas", "department"), ("never", "when"),
    ]  # fmt: skip
    refused = await admin.post(EDITIONS, wrong)
    assert (refused.status, refused.code, len(refused.body["faults"])) == (422, "rules_refused", 2)

    drafted = await admin.post(EDITIONS, {"name": "试行", "rules": [GAS, HOLD, BEAT]})
    assert (drafted.status, drafted.body["number"]) == (201, 4)
    assert [each["field"] for each in drafted.body["warnings"]] == ["department"], "gas is of another duty line"
    [before] = (await admin.get(f"{EDITIONS}/3/rehearsal?days=1")).body["matrix"]
    assert (before["before"], before["cases"]) == (before["after"], 1)
    tried = (await admin.get(f"{EDITIONS}/4/rehearsal")).body
    assert (tried["rehearsed"], tried["rules"], tried["differences"]) == (1, {"beat": 1}, [])
    in_force = (await admin.post(f"{EDITIONS}/4/publish")).body
    assert in_force == {"edition": 4, "before": 3}
    again = await admin.post(f"{EDITIONS}/4/publish")
    assert (again.status, again.code) == (422, "rules_refused")

    [told] = (await routing_of(desk, "有燃气味"))["items"]
    assert (told["department"], told["rule"], told["rule_name"], told["edition"]) == ("gas", "gas", "燃气", 4)
    assert told["inputs"]["keywords"] == ["燃气"]
    assert {"category", "divisions", "source", "local", "weekday", "severity", "component"} <= set(told["inputs"])
    assert "words" not in told["inputs"]
    [told] = (await routing_of(desk, "井盖缺失"))["items"]
    assert told["passed"] == [{"rule": "gas", "because": "keywords"}, {"rule": "hold", "because": "keywords"}]
    assert [each["lost_because"] is None for each in told["reasons"]["candidates"]].count(True) == 1
    assert "kept" not in told["reasons"]
    pooled = await routing_of(desk, "情况存疑")
    assert pooled["items"] == []
    [said] = pooled["pooled"]
    assert (said["rule"], said["why"], said["edition"]) == ("hold", "the desk looks first", 4)
    assert said["passed"] == [{"rule": "gas", "because": "keywords"}]

    assert (await admin.post("/api/v1/routing-rules/rollback")).body == {"edition": 3, "before": 4}
    states = {each["number"]: each["state"] for each in (await admin.get(EDITIONS)).body["items"]}
    assert states == {3: "published", 4: "retired"}
    assert (await admin.get(f"{EDITIONS}/4")).body["rules"][0]["when"]["keywords"] == ["燃气"]
    for nowhere in (f"{EDITIONS}/99", f"{EDITIONS}/x"):
        assert (await admin.get(nowhere)).code == "unknown"


async def test_an_administrator_of_a_part_changes_nothing_that_holds_in_the_whole(desk: Desk) -> None:
    clerk = await admin_of(desk, DISTRICT)
    rollback = "/api/v1/routing-rules/rollback"
    for path, body in ((EDITIONS, {"rules": [BEAT]}), (f"{EDITIONS}/3/publish", None), (rollback, None)):
        said = await clerk.post(path, body)
        assert (said.status, said.code) == (403, "not_allowed"), path
    assert (await clerk.get(f"{EDITIONS}/3/rehearsal")).status == 403
    assert (await clerk.get("/api/v1/routing-rules")).status == 200


async def test_a_case_that_was_assigned_before_inputs_were_kept_is_still_shown(desk: Desk) -> None:
    told = await routing_of(desk, "井盖缺失")
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute(
            "UPDATE assignments SET edition = 2, reasons = reasons - 'kept' - 'rule' - 'edition' - 'passed'"
        )
    supervisor = await desk.api.somebody(Grant(role=Role.SUPERVISOR, division=CITY))
    async with transaction(desk.api.pool) as (conn, _):
        case_id = await conn.fetchval("SELECT case_id FROM assignments WHERE id = $1", UUID(told["items"][0]["id"]))
    [old] = (await supervisor.get(f"/api/v1/cases/{case_id}/routing")).body["items"]
    assert (old["edition"], old["rule"], old["rule_name"], old["inputs"], old["passed"]) == (
        2, "officer_of_the_beat", None, None, [],
    )  # fmt: skip
    assert old["reasons"]["candidates"] == told["items"][0]["reasons"]["candidates"]
