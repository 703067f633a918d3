"""What a category asks to be said, from the report to the correction: who must know it, and who may add it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from gridsvc.db import ConnPool, transaction
from gridsvc.domain.access import Grant, Role
from tests.integration.api.conftest import Api, Client, Said, running, settings_for
from tests.integration.small_city import DISTRICT, INSIDE, STREET, found_small_city

ASKS = "300303"
"""Electric bicycles charged indoors: asks for the place (one of three) and may be told the floor."""

HERE = {"lon": INSIDE.lon, "lat": INSIDE.lat, "datum": "wgs84"}


@dataclass(frozen=True)
class City:
    acceptor: Client
    dispatcher: Client
    officer: Client
    pool: ConnPool

    async def case(self, case_id: str) -> Said:
        return await self.acceptor.get(f"/api/v1/cases/{case_id}")


@pytest.fixture
async def city(database: str, pool: ConnPool, http: ClientSession) -> AsyncIterator[City]:
    async with transaction(pool) as (conn, _):
        await found_small_city(conn)
    async with running(settings_for(database)) as (app, url):
        api = Api(app, http, url, pool)
        yield City(
            acceptor=await api.somebody(Grant(role=Role.ACCEPTOR, division=DISTRICT)),
            dispatcher=await api.somebody(Grant(role=Role.DISPATCHER, division=DISTRICT)),
            officer=await api.somebody(Grant(role=Role.OFFICER, division=STREET, duty_line="social")),
            pool=pool,
        )


async def report(by: Client, **said: object) -> Said:
    return await by.post("/api/v1/reports", {"category": ASKS, "location": HERE, **said})


async def test_an_officer_stands_before_it_and_says_what_is_asked(city: City) -> None:
    refused = await report(city.officer, attributes={"楼层": 3})
    assert (refused.status, refused.code) == (422, "bad_attribute")
    assert (refused.body["name"], refused.body["reason"]) == ("充电位置", "missing")
    async with transaction(city.pool) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM reports") == 0
    taken = await report(city.officer, attributes={"充电位置": "楼道", "楼层": 3})
    assert taken.status == 201
    assert taken.body["case"]["attributes"] == {"充电位置": "楼道", "楼层": "3"}
    assert taken.body["case"]["missing_attributes"] == []
    told = (await city.case(taken.body["case"]["id"])).body
    assert told["case"]["attributes"] == told["reports"][0]["attributes"] == {"充电位置": "楼道", "楼层": "3"}


async def test_who_calls_may_not_know_and_the_desk_sees_what_is_missing(city: City) -> None:
    taken = await report(city.acceptor, source="hotline")
    assert taken.status == 201
    assert taken.body["case"]["missing_attributes"] == ["充电位置"]
    assert (await city.case(taken.body["case"]["id"])).body["missing_attributes"] == ["充电位置"]


async def test_what_is_said_must_be_something_that_the_category_asks(city: City) -> None:
    for said, reason in ({"充电位置": "阳台"}, "not_a_choice"), ({"颜色": "红"}, "unknown"):
        refused = await report(city.acceptor, attributes=said)
        assert (refused.code, refused.body["reason"]) == ("bad_attribute", reason)
        assert refused.body["wanted"]


async def test_the_desk_adds_what_is_missing_when_it_files(city: City) -> None:
    async with transaction(city.pool) as (conn, _):
        await conn.execute("UPDATE categories SET files_itself = false WHERE code = $1", ASKS)
    case = (await report(city.acceptor, attributes={"楼层": 2})).body["case"]
    path = f"/api/v1/cases/{case['id']}/file"
    refused = await city.acceptor.post(path, {"attributes": {"充电位置": "阳台"}}, If_Match='"1"')
    assert (refused.code, refused.body["reason"]) == ("bad_attribute", "not_a_choice")
    assert (await city.acceptor.post(path, {"attributes": {"充电位置": "室内"}}, If_Match='"1"')).status == 200
    told = (await city.case(case["id"])).body
    assert told["case"]["attributes"] == {"充电位置": "室内", "楼层": "2"}
    assert told["missing_attributes"] == []
    assert told["reports"][0]["attributes"] == {"楼层": "2"}, "what somebody said stays what he said"
    rows = (await city.acceptor.get(f"/api/v1/cases/{case['id']}/history")).body["items"]
    assert rows[1]["facts"]["attributes"] == {"充电位置": "室内", "楼层": "2"}


async def test_a_corrected_category_asks_anew_and_what_it_does_not_ask_is_gone(city: City) -> None:
    case = (await report(city.officer, attributes={"充电位置": "楼道"})).body["case"]
    path = f"/api/v1/cases/{case['id']}"
    async with transaction(city.pool) as (conn, _):
        await conn.execute("UPDATE cases SET pool = 'dispatch', route_again_at = NULL WHERE id = $1", case["id"])
    wrong = {"category": "200113", "attributes": {"路面": "沥青", "破损面积平方米": "4"}}
    corrected = await city.dispatcher.post(f"{path}/correct", wrong, If_Match='"1"')
    assert corrected.status == 200, corrected.body
    told = (await city.case(case["id"])).body
    assert told["case"]["attributes"] == {"路面": "沥青", "破损面积平方米": "4"}
    [_, row] = (await city.acceptor.get(f"{path}/history")).body["items"]
    assert row["facts"]["corrected"]["attributes"] == [{"充电位置": "楼道"}, {"路面": "沥青", "破损面积平方米": "4"}]
