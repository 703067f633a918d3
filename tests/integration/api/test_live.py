"""The live feed: position, snapshot, deltas; nobody hears of what he may not see; nothing is lost without a word."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import (
    ClientResponse,
    ClientSession,
    ClientWebSocketResponse,
    WSCloseCode,
    WSMsgType,
    WSServerHandshakeError,
)

from gridsvc.api.live import FEED, SNAPSHOTS
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Whereabouts, case_keys
from gridsvc.store import live
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, a, running, settings_for
from tests.integration.wire import wire_to

PATIENCE_S = 10.0
PLACES = {NORTH: 103.805, SOUTH: 103.815}


@pytest.fixture
async def api(database: str, pool: ConnPool, city: None, http: ClientSession) -> AsyncIterator[Api]:
    """The service with a quick heart: who hears nothing of his own learns by its beats how far the feed is."""
    async with running(settings_for(database, GRIDSVC_LIVE_HEARTBEAT="0.2")) as (app, url):
        yield Api(app, http, url, pool)


@dataclass
class Watcher:
    """A client of the feed as one should be: position, snapshot, deltas, by the rules of docs/live.md."""

    ws: ClientWebSocketResponse
    client: Client
    cases: dict[str, int] = field(default_factory=dict)
    epoch: str = ""
    seq: int = 0
    heard: list[Any] = field(default_factory=list)

    async def next(self) -> Any:
        message = await self.ws.receive_json(timeout=PATIENCE_S)
        self.heard.append(message)
        self.apply(message)
        return message

    def apply(self, message: Any) -> None:
        self.seq = max(self.seq, message.get("seq", 0))
        if message["type"] == "position":
            self.epoch, self.seq = message["epoch"], message["seq"]
        elif message["type"] == "case":
            if message["case"]["version"] >= self.cases.get(message["case"]["id"], 0):
                self.cases[message["case"]["id"]] = message["case"]["version"]
        elif message["type"] == "gone":
            self.cases.pop(message["id"], None)

    async def until(self, wanted: str, **facts: Any) -> Any:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.next()
                told = message.get(wanted, message)
                if message["type"] == wanted and all(told[name] == value for name, value in facts.items()):
                    return message

    async def up_to(self, seq: int) -> None:
        """Until all up to `seq` has been told."""
        async with asyncio.timeout(PATIENCE_S):
            while self.seq < seq or not self.epoch:
                await self.next()

    async def load(self) -> Any:
        said = await self.client.get("/api/v1/live/snapshot")
        assert said.status == 200, said.body
        self.cases = {case["id"]: case["version"] for case in said.body["cases"]}
        self.epoch, self.seq = said.body["epoch"], said.body["seq"]
        return said.body


@asynccontextmanager
async def watching(api: Api, client: Client, query: str = "", url: str = "") -> AsyncIterator[Watcher]:
    async with api.http.ws_connect(f"{url or api.url}/api/v1/live{query}", headers=client.headers) as ws:
        yield Watcher(ws, client)


async def report(client: Client, division: str = NORTH) -> str:
    said = await client.post(
        "/api/v1/reports",
        {
            "category": "0101", "description": "x", "occurred_at": "2026-01-01T00:00:00Z",
            "location": {"lon": PLACES[division], "lat": 36.055, "datum": "wgs84"},
        },
    )  # fmt: skip
    assert said.status == 201, said.body
    return str(said.body["case"]["id"])


async def test_position_then_snapshot_then_deltas(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    before = await report(ann)
    async with watching(api, ann) as watcher:
        position = await watcher.next()
        assert position["type"] == "position"
        assert position["recovered"] is False
        snapshot = await watcher.load()
        assert snapshot["epoch"] == position["epoch"]
        assert snapshot["seq"] >= position["seq"]
        assert [case["id"] for case in snapshot["cases"]] == [before]
        after = await report(ann)
        delta = await watcher.until("case", id=after)
        assert delta["seq"] > position["seq"]
        assert {"id", "number", "state", "cell", "beats", "officer", "version", "overdue"} <= delta["case"].keys()


async def standing(pool: ConnPool) -> dict[str, int]:
    """What is open, by the database."""
    async with transaction(pool, SERVICE) as (conn, _):
        rows = await conn.fetch(
            "SELECT id, version FROM cases WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged')"
        )
    return {str(row["id"]): row["version"] for row in rows}


async def numbered(pool: ConnPool) -> int:
    """How far the feed is when all that is committed has its number."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with transaction(pool, SERVICE) as (conn, _):
                seq = await conn.fetchval("SELECT seq FROM live_position WHERE NOT EXISTS (SELECT FROM live_changes)")
            if seq is not None:
                return int(seq)


async def execute(pool: ConnPool, sql: str, *args: object) -> None:
    async with transaction(pool, SERVICE) as (conn, _):
        await conn.execute(sql, *args)


async def move_to(pool: ConnPool, case_id: str, division: str) -> None:
    """The case lies in the other district from now on, as when the grid is redrawn."""
    path = [CITY, division, f"{division}001", f"{division}001001"]
    await execute(
        pool,
        "UPDATE cases SET version = version + 1, divisions = $2, division_code = $3, cell_code = $4, seen_by = $5"
        " WHERE id = $1",
        UUID(case_id), path, path[-1], f"{path[-1]}001", case_keys(Whereabouts(divisions=path, duty_line="sanitation")),
    )  # fmt: skip


# -- going on where one was ----------------------------------------------------------------------------


async def test_whoever_comes_back_is_told_what_he_missed_without_the_database(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.next()
        first = await report(ann)
        await watcher.until("case", id=first)
    missed = [await report(ann) for _ in range(3)]
    async with watching(api, ann) as other:  # somebody who was there: this process has heard of them
        await other.next()
        if other.seq < await numbered(api.pool):
            await other.until("case", id=missed[-1])
    async with watching(api, ann, f"?epoch={watcher.epoch}&seq={watcher.seq}") as again:
        position = await again.next()
        assert (position["recovered"], position["seq"]) == (True, watcher.seq)
        told = [(await again.until("case"))["case"]["id"] for _ in range(3)]
        assert told == missed
    assert api.app[SNAPSHOTS].built == 0


@pytest.mark.parametrize("where", ["?epoch=other&seq=1", "?epoch={epoch}&seq=999999", "?epoch={epoch}&seq=0", "?seq=1"])
async def test_what_cannot_be_made_good_wholly_is_not_made_good_at_all(
    database: str, pool: ConnPool, city: None, http: ClientSession, where: str
) -> None:
    """Another epoch, a number that was never given, a gap that is not remembered: load the snapshot."""
    async with running(settings_for(database, GRIDSVC_LIVE_RING="2")) as (app, url):
        api = Api(app, http, url, pool)
        ann = await api.somebody(a("dispatcher"))
        async with watching(api, ann) as watcher:
            await watcher.next()
            for _ in range(4):
                await watcher.until("case", id=await report(ann))
        async with watching(api, ann, where.format(epoch=watcher.epoch)) as again:
            position = await again.next()
            assert (position["recovered"], position["seq"]) == (False, app[FEED].ring.head)


async def test_a_process_that_starts_knows_what_the_one_before_it_told(
    api: Api, database: str, http: ClientSession
) -> None:
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.next()
        await watcher.until("case", id=await report(ann))
        seen = watcher.seq
        missed = await report(ann)
        await watcher.until("case", id=missed)
    async with (
        running(settings_for(database)) as (_, url),
        watching(api, ann, f"?epoch={watcher.epoch}&seq={seen}", url=url) as again,
    ):
        assert (await again.next())["recovered"] is True
        assert (await again.until("case"))["case"]["id"] == missed


async def test_numbers_of_a_restored_database_are_others(api: Api, owner_database: str) -> None:
    """A dump that is restored writes the table's file anew; so does whoever empties it."""
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.next()
        epoch = watcher.epoch
        owner = await asyncpg.connect(owner_database)
        try:
            await owner.execute("TRUNCATE live_log")
        finally:
            await owner.close()
        assert (await watcher.until("resync"))["reason"] == "epoch"
        position = await watcher.next()
        assert (position["type"], position["recovered"]) == ("position", False)
        assert position["epoch"] != epoch
        await watcher.until("case", id=await report(ann))


async def test_whoever_stood_still_for_longer_than_the_log_is_kept_lets_everybody_load_anew(api: Api) -> None:
    """Whether anything of the log is left or not: nobody may believe that he has all."""
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.up_to(await numbered(api.pool))
        before = watcher.seq
        await execute(api.pool, "UPDATE live_position SET seq = seq + 10")  # ten were told elsewhere, and are forgotten
        assert (await watcher.until("resync"))["reason"] == "slow"
        anew = await watcher.next()
        assert (anew["type"], anew["seq"], anew["recovered"]) == ("position", before + 10, False)
        async with transaction(api.pool, SERVICE) as (conn, _):
            await conn.execute("UPDATE live_position SET seq = seq + 10")
            await conn.execute(A_DELTA, anew["seq"] + 10)
        assert (await watcher.until("resync"))["reason"] == "slow"
        case = await report(ann)
        assert (await watcher.until("case", id=case))["seq"] > anew["seq"] + 10


A_DELTA = """
    INSERT INTO live_log (seq, at, kind, ref, keys, areas, was_keys, was_areas)
    VALUES ($1, city_now(), 'camera', 'c1', '{}', '{}', '{}', '{}')
"""


async def test_the_log_keeps_so_many_deltas_and_none_for_longer_than_its_time(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (conn, now):
        for seq in (1, 2, 3, live.LOG_ROWS + 1):
            await conn.execute(A_DELTA, seq)
        await conn.execute("UPDATE live_log SET at = $1 WHERE seq = 2", now - live.LOG_FOR - timedelta(seconds=1))
        await live.prune(conn, live.LOG_ROWS + 1, now)
        kept = await conn.fetch("SELECT seq FROM live_log ORDER BY seq")
    assert [row["seq"] for row in kept] == [3, live.LOG_ROWS + 1]


# -- numbers -------------------------------------------------------------------------------------------


async def test_what_commits_later_is_told_later_whenever_it_began(api: Api) -> None:
    """The transaction that began first and commits last must not fall into a hole that everybody has passed."""
    ann = await api.somebody(a("dispatcher"))
    slow, quick = await report(ann), await report(ann)
    async with watching(api, ann) as watcher:
        await watcher.next()
        async with transaction(api.pool, SERVICE) as (conn, _):
            await conn.execute("UPDATE cases SET version = version + 1 WHERE id = $1", UUID(slow))
            await execute(api.pool, "UPDATE cases SET version = version + 1 WHERE id = $1", UUID(quick))
            first = await watcher.until("case", id=quick, version=2)
        second = await watcher.until("case", id=slow, version=2)
        assert second["seq"] > first["seq"]


async def test_two_web_processes_tell_the_same_numbers_and_end_with_what_the_database_says(
    api: Api, database: str
) -> None:
    ann = await api.somebody(a("dispatcher", CITY))
    async with (
        running(settings_for(database)) as (_, url),
        watching(api, ann) as one,
        watching(api, ann, url=url) as other,
    ):
        for watcher in (one, other):
            await watcher.next()
            await watcher.load()
        cases = await asyncio.gather(*(report(ann, division) for division in (NORTH, SOUTH) for _ in range(10)))
        await asyncio.gather(*(
            execute(api.pool, "UPDATE cases SET version = version + 1 WHERE id = $1", UUID(case))
            for case in cases for _ in range(3)
        ))  # fmt: skip
        wanted = await standing(api.pool)
        for watcher in (one, other):
            async with asyncio.timeout(PATIENCE_S):
                while watcher.cases != wanted:
                    await watcher.next()
        told = [[m for m in watcher.heard if m["type"] == "case"] for watcher in (one, other)]
        last = min(told[0][-1]["seq"], told[1][-1]["seq"])
        assert [m for m in told[0] if m["seq"] <= last] == [m for m in told[1] if m["seq"] <= last]
        assert len({m["seq"] for m in told[0]}) == len(told[0])


# -- who hears -----------------------------------------------------------------------------------------

MATRIX = [
    a("dispatcher"), a("dispatcher", SOUTH), a("dispatcher", CITY), a("supervisor", NORTH, line="sanitation"),
    a("supervisor", NORTH, line="governance"), a("handler", NORTH, department="water"),
    a("handler", NORTH, department="lamps"), a("officer"), a("auditor", "620104"),
]  # fmt: skip


async def test_whoever_gets_404_for_a_case_never_hears_of_it(api: Api) -> None:
    reporter = await api.somebody(a("dispatcher", CITY))
    people = [await api.somebody(grant) for grant in MATRIX]
    async with AsyncExitStack() as stack:
        watchers = [await stack.enter_async_context(watching(api, person)) for person in people]
        for watcher in watchers:
            await watcher.next()
        cases = [await report(reporter, division) for division in (NORTH, SOUTH)]
        end = await numbered(api.pool)
        for watcher, grant in zip(watchers, MATRIX, strict=True):
            may = {case for case in cases if (await watcher.client.get(f"/api/v1/cases/{case}")).status == 200}
            async with asyncio.timeout(2 * PATIENCE_S):
                while watcher.seq < end or not may <= watcher.cases.keys():
                    await watcher.next()
            assert watcher.cases.keys() == may, grant
            assert not [m for m in watcher.heard if m["type"] in {"gone", "resync"}], grant
            snapshot = await watcher.load()
            assert {case["id"] for case in snapshot["cases"]} == may, grant
        heard = {frozenset(watcher.cases) for watcher in watchers}
        assert heard == {frozenset(), frozenset(cases[:1]), frozenset(cases[1:]), frozenset(cases)}


async def test_whose_grant_is_taken_away_hears_nothing_from_that_commit_on(api: Api) -> None:
    ann, bo = await api.somebody(a("dispatcher")), await api.somebody(a("dispatcher", CITY))
    known = await report(bo)
    async with watching(api, ann) as watcher, watching(api, bo) as witness:
        await witness.next()
        await watcher.up_to(await numbered(api.pool))
        assert [case["id"] for case in (await watcher.load())["cases"]] == [known]
        watcher.heard.clear()
        async with transaction(api.pool, SERVICE) as (conn, _):  # one commit: the grant goes, and the case changes
            await conn.execute("DELETE FROM grants WHERE user_id = $1", ann.user_id)
            await conn.execute("UPDATE cases SET version = version + 1 WHERE id = $1", UUID(known))
        unknown = await report(bo)
        await witness.until("case", id=unknown)
        assert (await watcher.until("resync"))["reason"] == "scope"
        assert (await watcher.load())["cases"] == []
        await execute(api.pool, "INSERT INTO grants VALUES ($1, 'dispatcher', $2)", ann.user_id, NORTH)
        assert (await watcher.until("resync"))["reason"] == "scope"
        assert {case["id"] for case in (await watcher.load())["cases"]} == {known, unknown}
        assert [m["type"] for m in watcher.heard if m["type"] in {"case", "gone"}] == []


async def test_a_grant_that_changed_meanwhile_is_no_gap_to_be_made_good(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.next()
    await execute(api.pool, "UPDATE grants SET division_code = $2 WHERE user_id = $1", ann.user_id, SOUTH)
    async with watching(api, await api.somebody(a("dispatcher"))) as other:
        await other.until("heartbeat")
        assert other.seq >= await numbered(api.pool)
    async with watching(api, ann, f"?epoch={watcher.epoch}&seq={watcher.seq}") as again:
        assert (await again.next())["recovered"] is False


async def test_a_case_that_moves_out_of_a_district_is_gone_there_and_new_in_the_other(api: Api) -> None:
    north, south = await api.somebody(a("dispatcher")), await api.somebody(a("dispatcher", SOUTH))
    case = await report(north)
    async with watching(api, north) as one, watching(api, south) as other:
        await one.next()
        await other.next()
        await one.load()
        await move_to(api.pool, case, SOUTH)
        gone = await one.until("gone", id=case)
        assert "case" not in gone
        assert (await other.until("case", id=case))["seq"] == gone["seq"]
        assert case not in one.cases


async def test_whoever_signs_out_is_sent_away(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.next()
        await execute(api.pool, "UPDATE sessions SET ended_at = now(), ended_why = 'x' WHERE id = $1", ann.session_id)
        message = await watcher.ws.receive(timeout=PATIENCE_S)
        while message.type is WSMsgType.TEXT:
            message = await watcher.ws.receive(timeout=PATIENCE_S)
        assert watcher.ws.close_code == WSCloseCode.POLICY_VIOLATION


async def test_a_page_of_another_site_gets_no_socket_and_no_key_does(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    with pytest.raises(WSServerHandshakeError) as refused:
        async with api.http.ws_connect(
            f"{api.url}/api/v1/live", headers={**ann.headers, "Origin": "https://elsewhere.example"}
        ):
            pass
    assert refused.value.status == 403
    program = await api.program("cases:read")
    assert (await program.get("/api/v1/live/snapshot")).code == "not_allowed"
    assert (await ann.get("/api/v1/live")).code == "bad_request"


# -- what is asked for ---------------------------------------------------------------------------------


async def test_whoever_asks_for_a_cell_hears_of_that_cell_and_what_leaves_it_is_gone(api: Api) -> None:
    ann = await api.somebody(a("dispatcher", CITY))
    case = await report(ann)
    async with watching(api, ann) as watcher, watching(api, ann, f"?cells={NORTH}001001002") as next_door:
        await watcher.up_to(await numbered(api.pool))
        watcher.heard.clear()
        await watcher.ws.send_json({"subscribe": {"cells": [f"{NORTH}001001001"]}})
        assert (await watcher.until("position"))["recovered"] is True, "less than before: nothing is missing"
        await report(ann, SOUTH)
        await move_to(api.pool, case, SOUTH)
        await watcher.until("gone", id=case)
        await next_door.up_to(watcher.seq)
        assert {m["type"] for m in next_door.heard} <= {"position", "heartbeat"}, "it was never in that cell"
        await watcher.ws.send_json({"subscribe": {}})
        assert (await watcher.until("position"))["recovered"] is False, "more than before: load it"
        south = await report(ann, SOUTH)
        await watcher.until("case", id=south)
        assert [m["case"]["id"] for m in watcher.heard if m["type"] == "case"] == [south]
        await watcher.ws.send_json({"subscribe": {"districts": []}})
        assert "districts" in (await watcher.until("refused"))["detail"]


# -- people, cameras, alarms -----------------------------------------------------------------------------


async def test_where_an_officer_is_is_told_while_he_is_on_duty(api: Api) -> None:
    ann, wang = await api.somebody(a("dispatcher")), await api.somebody(a("officer"))
    elsewhere = await api.somebody(a("dispatcher", SOUTH))
    async with watching(api, ann) as watcher, watching(api, elsewhere) as other:
        await watcher.next()
        await other.next()
        assert (await wang.post("/api/v1/officers/me/duty", {"on_duty": True})).status == 200
        async with transaction(api.pool, SERVICE) as (_, now):
            fix = {"lon": 103.805, "lat": 36.055, "datum": "wgs84", "accuracy_m": 8, "taken_at": now.isoformat()}
        assert (await wang.post("/api/v1/positions", {"positions": [fix]})).status == 200
        there = await watcher.until("officer", id=str(wang.user_id), lon=103.805)
        assert there["officer"] | {"at": None} == {
            "id": str(wang.user_id), "name": there["officer"]["name"], "duty_line": "sanitation", "beat": None,
            "on_duty": True, "lon": 103.805, "lat": 36.055, "accuracy_m": 8, "at": None, "open_cases": 0,
        }  # fmt: skip
        assert (await watcher.load())["officers"] == [there["officer"]]
        await wang.post("/api/v1/officers/me/duty", {"on_duty": False})
        numbered = await api.pool.fetch(
            "SELECT l.keys, ARRAY(SELECT DISTINCT key"
            "                       FROM grants g, unnest(live_officer_keys(g.division_code, 'sanitation')) AS key"
            "                      WHERE g.user_id = l.ref::uuid AND g.role = 'officer') AS same"
            "  FROM live_log l WHERE l.kind = 'officer'"
        )
        assert all(sorted(row["keys"]) == sorted(row["same"]) != [] for row in numbered), "what the triggers say, too"
        gone_home = await watcher.until("officer", id=str(wang.user_id), on_duty=False)
        assert (gone_home["officer"]["lon"], gone_home["officer"]["at"]) == (None, None)
        await execute(api.pool, "DELETE FROM grants WHERE user_id = $1", wang.user_id)
        await watcher.until("gone", id=str(wang.user_id))
        async with asyncio.timeout(PATIENCE_S):
            while other.seq < watcher.seq:
                await other.next()
        assert {m["type"] for m in other.heard} == {"position", "heartbeat"}
        assert (await wang.get("/api/v1/live/snapshot")).body["officers"] == []


async def test_a_camera_that_falls_silent_is_told_to_whoever_is_above_it(api: Api) -> None:
    ann, south = await api.somebody(a("dispatcher")), await api.somebody(a("dispatcher", SOUTH))
    async with watching(api, ann) as watcher, watching(api, south) as other:
        await watcher.next()
        await other.next()
        await execute(api.pool, CAMERA)
        assert (await watcher.until("camera", code="c1"))["camera"]["state"] == "never"
        await execute(api.pool, "INSERT INTO camera_health VALUES ('c1', now())")
        await watcher.until("camera", code="c1", state="online")
        await execute(api.pool, "UPDATE camera_health SET offline_since = now()")
        off = await watcher.until("camera", code="c1", state="offline")
        assert (await watcher.load())["cameras"] == [off["camera"]]
        await execute(api.pool, "UPDATE cameras SET divisions = '{6201,620103}'")
        await other.until("camera", code="c1")
        await watcher.until("gone", id="c1")
        assert [m["type"] for m in other.heard if m["type"] == "camera"] == ["camera"]


CAMERA = """
    INSERT INTO cameras (code, name, place, height_m, bearing_deg, field_deg, far_m, protocol, given_x, given_y,
                         given_frame, divisions, changed_at)
    VALUES ('c1', '东方红广场', ST_SetSRID(ST_MakePoint(103.8, 36), 4326), 6, 90, 60, 50, 'onvif', 103.8, 36, 'wgs84',
            '{6201,620102}', now())
"""


async def test_an_emergency_rings_until_somebody_has_seen_it_and_all_are_told_who(api: Api) -> None:
    ann, bo = await api.somebody(a("dispatcher")), await api.somebody(a("supervisor"))
    south = await api.somebody(a("dispatcher", SOUTH))
    await execute(api.pool, "UPDATE categories SET severity = 'emergency' WHERE code = '0101'")
    async with watching(api, ann) as one, watching(api, bo) as other, watching(api, south) as stranger:
        for watcher in (one, other, stranger):
            await watcher.next()
        case = await report(ann)
        alarm = (await one.until("alarm", kind="emergency"))["alarm"]
        assert (alarm["case"], alarm["severity"], alarm["acknowledged"]) == (case, "emergency", None)
        assert alarm["says"]["en"].startswith("Emergency: ")
        assert alarm["says"]["zh-CN"].startswith("紧急：")
        await other.until("alarm", id=alarm["id"])
        listed = await bo.get("/api/v1/alarms?acknowledged=false")
        assert [each["id"] for each in listed.body["items"]] == [alarm["id"]]
        path = f"/api/v1/alarms/{alarm['id']}/acknowledge"
        assert (await south.post(path, {})).code == "unknown"
        assert (await south.get("/api/v1/alarms")).body["items"] == []
        assert (await bo.post(path, {})).body["acknowledged"]["id"] == str(bo.user_id)
        seen = await one.until("alarm", id=alarm["id"])
        assert seen["alarm"]["acknowledged"]["id"] == str(bo.user_id)
        assert seen["alarm"]["acknowledged"]["name"]
        assert (await ann.post(path, {})).body["acknowledged"]["id"] == str(bo.user_id), "who was first stays"
        assert (await bo.get("/api/v1/alarms?acknowledged=false")).body["items"] == []
        assert not [m for m in stranger.heard if m["type"] == "alarm"]


# -- other ways to hear, and bad times -------------------------------------------------------------------


async def test_server_sent_events_say_the_same_and_go_on_by_the_last_id(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.next()
        async with events(api, ann) as (headers, stream):
            assert headers["Content-Type"] == "text/event-stream"
            first_id, position = await anext(stream)
            assert (position["type"], first_id) == ("position", f"{position['epoch']}:{position['seq']}")
            case = await report(ann)
            last_id, delta = await anext(stream)
            while delta["type"] != "case":
                last_id, delta = await anext(stream)
            assert delta == await watcher.until("case", id=case)
        missed = await report(ann)
        await watcher.until("case", id=missed)
        async with events(api, ann, last_id) as (_, stream):
            assert (await anext(stream))[1]["recovered"] is True
            assert (await anext(stream))[1]["case"]["id"] == missed


@asynccontextmanager
async def events(
    api: Api, client: Client, last_id: str = ""
) -> AsyncIterator[tuple[Mapping[str, str], AsyncGenerator[tuple[str, Any]]]]:
    sent = {**client.headers, **({"Last-Event-ID": last_id} if last_id else {})}

    async def read(answer: ClientResponse) -> AsyncGenerator[tuple[str, Any]]:
        named = ""
        async for line in answer.content:
            name, _, text = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                named = text
            elif name == "data":
                yield named, json.loads(text)

    async with (
        api.http.get(f"{api.url}/api/v1/live/events", headers=sent) as answer,
        aclosing(read(answer)) as stream,
    ):
        yield answer.headers, stream


async def test_a_snapshot_is_built_once_for_all_who_see_the_same_and_names_its_state(api: Api) -> None:
    ann, bo = await api.somebody(a("dispatcher")), await api.somebody(a("dispatcher", SOUTH))
    await report(ann)
    async with watching(api, ann) as watcher:
        await watcher.until("heartbeat")
        where = f"?epoch={watcher.epoch}&seq={watcher.seq}"
        said = await asyncio.gather(*(ann.get(f"/api/v1/live/snapshot{where}") for _ in range(20)))
        assert {each.status for each in said} == {200}
        assert api.app[SNAPSHOTS].built == 1
        tag = said[0].headers["ETag"]
        assert (await ann.get("/api/v1/live/snapshot", **{"If-None-Match": tag})).status == 304
        assert (await bo.get("/api/v1/live/snapshot", **{"If-None-Match": tag})).body["cases"] == []
        mine = await report(bo)  # in the north: he sees it because he reported it, and nothing else there
        assert [case["id"] for case in (await bo.get("/api/v1/live/snapshot")).body["cases"]] == [mine]
        await watcher.until("case", id=mine)
        assert len((await ann.get("/api/v1/live/snapshot", **{"If-None-Match": tag})).body["cases"]) == 2


async def test_the_age_of_what_is_told_is_known_while_the_database_is_away_and_then_all_is_caught_up(
    database: str, pool: ConnPool, city: None, http: ClientSession
) -> None:
    async with (
        wire_to(database) as wire,
        running(settings_for(wire.url, GRIDSVC_LIVE_HEARTBEAT="0.1")) as (app, url),
    ):
        api = Api(app, http, url, pool)
        ann = await api.somebody(a("dispatcher"))
        case = await report(ann)
        async with watching(api, ann) as watcher:
            await watcher.next()
            await watcher.load()
            await wire.cut()
            async with asyncio.timeout(PATIENCE_S):
                while (old := await watcher.until("heartbeat"))["age_s"] < 0.5:
                    pass
            await execute(pool, "UPDATE cases SET version = version + 1 WHERE id = $1", UUID(case))
            await wire.mend()
            await watcher.until("case", id=case, version=2)
            fresh = await watcher.until("heartbeat")
            assert fresh["age_s"] < old["age_s"]
            assert fresh["at"] > old["at"]


async def test_a_reader_that_is_too_slow_is_told_to_load_anew_and_ends_with_the_same(
    database: str, pool: ConnPool, city: None, http: ClientSession
) -> None:
    async with running(settings_for(database, GRIDSVC_LIVE_BUFFER="200000")) as (app, url):
        api = Api(app, http, url, pool)
        ann = await api.somebody(a("dispatcher", CITY))
        await report(ann)
        await execute(pool, MANY_CASES, case_keys(Whereabouts(divisions=[CITY], duty_line="sanitation")))
        async with watching(api, ann) as slow, watching(api, ann) as quick:
            await quick.next()
            await slow.next()
            await slow.load()
            reading = asyncio.create_task(_read_for_ever(quick))
            async with asyncio.timeout(60):
                while app[FEED].counts.resyncs["slow"] == 0:
                    await execute(pool, "UPDATE cases SET version = version + 1, updated_at = now()")
            wanted = await standing(pool)
            async with asyncio.timeout(60):
                while slow.cases != wanted:
                    if (await slow.next())["type"] == "resync":
                        await slow.load()
            reading.cancel()
            await asyncio.wait([reading])
        assert [m for m in slow.heard if m["type"] == "resync"]
        assert not [m for m in quick.heard if m["type"] == "resync"], "nobody else is slower for it"


async def _read_for_ever(watcher: Watcher) -> None:
    while True:
        await watcher.next()


MANY_CASES = """
    INSERT INTO cases (id, version, state, source, edition, category, duty_line, severity, description, pool,
                       reported_by, occurred_at, reported_at, updated_at, seen_by, head)
    SELECT gen_random_uuid(), 1, 'reported', source, edition, category, duty_line, severity, description, 'locate',
           reported_by, occurred_at, reported_at, updated_at, $1, head
      FROM cases, generate_series(1, 400)
"""


async def test_figures_of_the_feed_are_told(api: Api) -> None:
    ann = await api.somebody(a("dispatcher"))
    async with watching(api, ann) as watcher:
        await watcher.next()
        await watcher.until("case", id=await report(ann))
        figures = (await api.nobody.get("/metrics")).body
    for line in (
        "gridsvc_live_watchers 1.0", "gridsvc_live_joined_total 1.0", "gridsvc_live_deliveries_total 1.0",
        'gridsvc_live_resyncs_total{reason="slow"} 0.0',
    ):  # fmt: skip
        assert line in figures


async def test_a_process_takes_so_many_watchers_and_no_more(
    database: str, pool: ConnPool, city: None, http: ClientSession
) -> None:
    async with running(settings_for(database, GRIDSVC_LIVE_WATCHERS="1")) as (app, url):
        api = Api(app, http, url, pool)
        ann = await api.somebody(a("dispatcher"))
        async with watching(api, ann) as watcher:
            await watcher.next()
            with pytest.raises(WSServerHandshakeError) as refused:
                async with watching(api, ann):
                    pass
            assert refused.value.status == 503
