"""The book of the shift over HTTP: written once, signed for by another, seen at the desk and above."""

from __future__ import annotations

import asyncpg
import pytest

from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.ids import new_id
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import CITY, DISTRICT

__all__ = ["desk"]  # the fixture

BOOK = "/api/v1/shift-log"


async def at(desk: Desk, role: Role, division: str = DISTRICT) -> Client:
    return await desk.api.somebody(Grant(role=role, division=division))


async def test_what_is_handed_over_is_signed_for_once_and_read_at_the_desk_and_above(desk: Desk) -> None:
    day, night, late = [await at(desk, Role.DISPATCHER) for _ in range(3)]
    chief = await at(desk, Role.SUPERVISOR, CITY)
    case = (await desk.acceptor.post("/api/v1/reports", desk.said())).body["case"]
    said = {"words": "水务在张掖路施工到零点", "hand_over": True, "cases": [case["id"]]}
    key = str(new_id())
    written = await day.post(BOOK, said, Idempotency_Key=key)
    assert written.status == 201, written.body
    entry = written.body
    assert (entry["division"], entry["cases"], entry["figures"]["open"]) == (DISTRICT, [case["id"]], 1)
    assert (await day.post(BOOK, said, Idempotency_Key=key)).body == entry, "once"
    take = f"{BOOK}/{entry['id']}/take"

    assert (await day.post(take, {})).body["guard"] == "another_person"
    taken = (await night.post(take, {})).body["taken"]
    assert (await late.post(take, {})).body["taken"] == taken, "who was first has it"
    for reader in (day, late, chief):
        [read] = (await reader.get(BOOK)).body["items"]
        assert (read["taken"], read["words"]) == (taken, said["words"])
    assert (await chief.get(f"{BOOK}?waiting=true")).body["items"] == []


async def test_a_desk_writes_of_its_own_area_and_names_cases_that_it_sees(desk: Desk) -> None:
    dispatcher, chief = await at(desk, Role.DISPATCHER), await at(desk, Role.SUPERVISOR, CITY)
    above = (await chief.post(BOOK, {"words": "全市"})).body
    assert above["division"] == CITY
    assert (await dispatcher.get(BOOK)).body["items"] == [], "what the city's desk writes is the city's"
    assert (await dispatcher.post(f"{BOOK}/{above['id']}/take", {})).status == 404
    assert (await dispatcher.post(BOOK, {"words": "x", "division": CITY})).code == "not_allowed"
    assert (await dispatcher.post(BOOK, {"words": "x", "division": "999999"})).body["field"] == "division"
    assert (await dispatcher.post(BOOK, {"words": "x", "cases": [str(new_id())]})).body["field"] == "cases"
    assert (await dispatcher.post(BOOK, {"words": ""})).status == 400
    auditor = await at(desk, Role.AUDITOR)
    assert (await auditor.post(BOOK, {"words": "x"})).code == "not_allowed"


async def test_what_is_written_stays(desk: Desk) -> None:
    entry = (await (await at(desk, Role.DISPATCHER)).post(BOOK, {"words": "一切正常"})).body
    for statement in ("UPDATE shift_log SET words = 'x'", "DELETE FROM shift_log"):
        async with transaction(desk.api.pool, SERVICE) as (conn, _):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(statement)
    assert (await (await at(desk, Role.DISPATCHER)).get(BOOK)).body["items"] == [entry]
