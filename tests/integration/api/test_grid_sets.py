"""What publishing a draft would do, over HTTP: counted for the whole city, named where it is in sight."""

from __future__ import annotations

from uuid import UUID

from gridsvc.actions.publish_grid import publish_grid
from gridsvc.domain.access import Grant, Role
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import DISTRICT
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_follow_grid import cell, draft, eastern_officer, route_what_waits
from workers.sweep import follow_round

__all__ = ["desk"]  # the fixture


async def test_a_preview_counts_all_cases_and_names_those_in_sight_alone(desk: Desk) -> None:
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # nothing takes a number
    said = (await desk.officer.post("/api/v1/reports", desk.said())).body["case"]
    await draft(town, "drawn", to_the_other_beat=[1], without=[9], to_the_other_street=[1])
    admin = await desk.api.somebody(Grant(role=Role.ADMIN, division=DISTRICT))
    elsewhere = await desk.api.somebody(Grant(role=Role.ADMIN, division="620105"))
    path = "/api/v1/grid-sets/drawn/preview"

    seen = (await admin.get(path)).body
    assert {each["kind"]: each["cells"] for each in seen["cells"]} == {
        "added": 0, "removed": 1, "redrawn": 0, "moved": 1,
    }  # fmt: skip
    assert seen["cases"] == [
        {
            "id": said["id"], "number": said["number"], "state": "filed", "duty_line": "social",
            "category": said["category"], "cell": [cell(1), cell(1)], "beat": ["B1", "B2"],
            "division": ["620102001001", "620102002001"], "calendar": ["city", "city"],
            "officer": None, "officer_after": None, "keeps": "no_officer",
        }
    ]  # fmt: skip
    assert {each["beat"] for each in seen["beats_without_officer"] if each["duty_line"] == "social"} == {"B2"}
    adrift = [(each["role"], each["division"]) for each in seen["grants_without_division"]]
    assert adrift == [("admin", "620105")], "the set does not know that division"
    hidden = (await elsewhere.get(path)).body
    assert (hidden["cases"], hidden["divisions"]) == ([], seen["divisions"])
    assert (await admin.get("/api/v1/grid-sets/small/preview")).code == "unknown", "it is in force, and no draft"
    supervisor = await desk.api.somebody(Grant(role=Role.SUPERVISOR, division=DISTRICT))
    assert (await supervisor.get(path)).code == "not_allowed"


async def test_the_routing_says_by_which_set_the_case_lay_where_it_did(desk: Desk) -> None:
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # nothing takes a number
    east = await eastern_officer(town)
    said = (await desk.officer.post("/api/v1/reports", desk.said())).body["case"]
    await town.route(UUID(said["id"]))
    await draft(town, "redrawn", to_the_other_beat=[1])
    await publish_grid(desk.api.pool, "redrawn")
    await follow_round(desk.api.pool, 10)
    await route_what_waits(town)
    admin = await desk.api.somebody(Grant(role=Role.ADMIN, division=DISTRICT))
    told = (await admin.get(f"/api/v1/cases/{said['id']}/routing")).body["items"]
    assert [(each["grid_set"], each["ended_why"]) for each in told] == [("small", "regrid"), ("redrawn", None)]
    assert told[1]["officer"] == str(east.user_id)
