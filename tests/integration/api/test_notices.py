"""Notices over a socket: what waits, then what comes; nothing is lost, nobody is told what is not theirs."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from gridsvc.api import notice_board
from gridsvc.api.notices import BOARD
from gridsvc.db import ConnPool, transaction
from gridsvc.ids import new_id
from gridsvc.store import notices
from tests.conftest import CityClock
from tests.integration.api.conftest import Api, Client, a
from tests.integration.patiently import until

PATIENCE_S = 10.0


async def tell(pool: ConnPool, *users: UUID, kind: str = "case.assigned", **body: Any) -> None:
    """Keep one notice for each of `users`, as the worker does."""
    async with transaction(pool) as (conn, now):
        message = notices.Message(event_id=new_id(), case_id=None, kind=kind, body=body)
        await notices.keep(conn, message, {user: new_id() for user in users}, now)


def me(client: Client) -> UUID:
    assert client.user_id is not None
    return client.user_id


@dataclass
class Socket:
    ws: ClientWebSocketResponse

    async def next(self) -> Any:
        return await self.ws.receive_json(timeout=PATIENCE_S)

    async def acknowledge(self, *seqs: int) -> None:
        await self.ws.send_json({"type": "ack", "seqs": list(seqs)})
        assert await self.next() == {"type": "acked", "seqs": list(seqs)}

    async def closing(self) -> int | None:
        """The code of the closing word, which must be the next thing said."""
        message = await self.ws.receive(timeout=PATIENCE_S)
        assert message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED}, message
        return self.ws.close_code


@asynccontextmanager
async def listening(api: Api, client: Client, **headers: str) -> AsyncIterator[Socket]:
    url = f"{api.url}/api/v1/me/notices"
    async with api.http.ws_connect(url, headers={**client.headers, **headers}) as ws:
        yield Socket(ws)


async def waiting(client: Client) -> list[Any]:
    return [item["body"].get("n") for item in (await client.get("/api/v1/me/notices")).body["items"]]


async def test_what_waits_comes_first_in_order_and_then_what_comes(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    for n in range(3):
        await tell(api.pool, me(ann), n=n)
    async with listening(api, ann) as socket:
        said = [await socket.next() for _ in range(3)]
        assert [(m["type"], m["kind"], m["n"]) for m in said] == [("notice", "case.assigned", n) for n in range(3)]
        assert [m["seq"] for m in said] == sorted(m["seq"] for m in said)
        await tell(api.pool, me(ann), n=3)
        assert (await socket.next())["n"] == 3


async def test_what_is_not_acknowledged_is_told_again_and_what_is_is_not(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    for n in range(3):
        await tell(api.pool, me(ann), n=n)
    async with listening(api, ann) as socket:
        said = [await socket.next() for _ in range(3)]
        await socket.acknowledge(said[1]["seq"])
    async with listening(api, ann) as socket:
        assert [(await socket.next())["n"] for _ in range(2)] == [0, 2]
    assert await waiting(ann) == [0, 2]


async def test_two_sockets_of_one_person_both_hear_and_another_person_does_not(api: Api) -> None:
    ann, bo = await api.somebody(a("officer")), await api.somebody(a("officer"))
    async with listening(api, ann) as first, listening(api, ann) as second, listening(api, bo) as other:
        await tell(api.pool, me(ann), n=1)
        await tell(api.pool, me(bo), n=2)
        assert (await first.next())["n"] == 1
        assert (await second.next())["n"] == 1
        assert (await other.next())["n"] == 2


async def test_nobody_acknowledges_for_another(api: Api) -> None:
    ann, bo = await api.somebody(a("officer")), await api.somebody(a("officer"))
    await tell(api.pool, me(ann), n=1)
    seq = (await ann.get("/api/v1/me/notices")).body["items"][0]["seq"]
    async with listening(api, bo) as socket:
        await socket.acknowledge(seq)
    assert (await bo.post("/api/v1/me/notices/ack", {"seqs": [seq]})).body == {"acknowledged": 0}
    assert await waiting(ann) == [1]
    assert (await ann.post("/api/v1/me/notices/ack", {"seqs": [seq]})).body == {"acknowledged": 1}
    assert await waiting(ann) == []


async def test_the_list_turns_its_pages(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    for n in range(5):
        await tell(api.pool, me(ann), n=n)
    first = (await ann.get("/api/v1/me/notices?limit=3")).body
    rest = (await ann.get(f"/api/v1/me/notices?limit=3&cursor={first['next']}")).body
    assert [item["body"]["n"] for item in first["items"] + rest["items"]] == list(range(5))
    assert rest["next"] is None


async def test_a_notice_whose_hint_is_lost_comes_with_the_next_look(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    async with listening(api, ann) as socket:
        async with transaction(api.pool) as (conn, now):
            await conn.execute(
                """
                INSERT INTO notices (id, user_id, event_id, kind, body, created_at)
                VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'case.assigned', '{"n": 1}', $2)
                """,
                me(ann), now,
            )  # fmt: skip
        assert (await socket.next())["n"] == 1


async def test_a_lower_number_that_is_committed_later_is_told_too(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    async with listening(api, ann) as socket:
        async with transaction(api.pool) as (conn, now):
            slow = notices.Message(event_id=new_id(), case_id=None, kind="slow", body={})
            await notices.keep(conn, slow, {me(ann): new_id()}, now)  # has its number, and is not committed yet
            await tell(api.pool, me(ann), kind="quick")
            quick = await socket.next()
            assert quick["kind"] == "quick"
        late = await socket.next()
        assert late["kind"] == "slow"
        assert late["seq"] < quick["seq"]


async def test_a_long_backlog_is_told_whole(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    many = notice_board.MOST_QUEUED * 3
    async with transaction(api.pool) as (conn, now):
        for n in range(many):
            message = notices.Message(event_id=new_id(), case_id=None, kind="case.assigned", body={"n": n})
            await notices.keep(conn, message, {me(ann): new_id()}, now)
    async with listening(api, ann) as socket:
        assert [(await socket.next())["n"] for _ in range(many)] == list(range(many))


async def test_what_is_no_acknowledgement_is_refused_and_the_socket_goes_on(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    async with listening(api, ann) as socket:
        for words in ("hello", '{"type": "ack"}', '{"type": "ack", "seqs": ["1"]}', '{"type": "nack", "seqs": []}'):
            await socket.ws.send_str(words)
            assert (await socket.next())["type"] == "refused"
        await socket.ws.send_bytes(b"\x00")
        assert (await socket.next())["type"] == "refused"
        await socket.acknowledge()


async def test_a_message_beyond_the_limit_ends_the_socket(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    async with listening(api, ann) as socket:
        await socket.ws.send_str("x" * 70_000)
        assert await socket.closing() == 1009


async def test_a_page_of_another_origin_gets_no_socket(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    with pytest.raises(WSServerHandshakeError) as refused:
        async with listening(api, ann, Origin="https://evil.example"):
            pass
    assert refused.value.status == 403
    with pytest.raises(WSServerHandshakeError) as stranger:
        async with listening(api, api.nobody):
            pass
    assert stranger.value.status == 401


@pytest.mark.parametrize("end", ["deactivated", "session ended", "token run out"])
async def test_a_socket_ends_with_the_right_to_it(api: Api, city_clock: CityClock, end: str) -> None:
    ann = await api.somebody(a("officer"))
    async with listening(api, ann) as socket:
        await tell(api.pool, me(ann), n=1)
        await socket.next()
        if end == "deactivated":
            await api.pool.execute("UPDATE users SET active = false WHERE id = $1", me(ann))
        elif end == "session ended":
            await api.pool.execute("UPDATE sessions SET ended_at = now(), ended_why = 'test'")
        else:
            await city_clock.forward(timedelta(minutes=11))
        await api.app[BOARD].look_at_sessions()
        assert await socket.closing() == 1008


async def test_a_socket_that_opens_while_sessions_are_looked_at_stays_open(api: Api, owner_database: str) -> None:
    ann, bob = await api.somebody(a("officer")), await api.somebody(a("officer"))
    assert ann.session_id is not None
    assert bob.session_id is not None
    board = api.app[BOARD]
    early = notice_board.Seat(me(ann), ann.session_id, None)
    late = notice_board.Seat(me(bob), bob.session_id, None)
    owner = await asyncpg.connect(owner_database, timeout=10)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(board.taken(early))
        async with owner.transaction():
            await owner.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
            look = asyncio.create_task(board.look_at_sessions())

            async def waits() -> bool:
                return bool(await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

            await until(waits, what="the look to wait for the table")
            await stack.enter_async_context(board.taken(late))
        await look
        assert (early.over, late.over) == (None, None)
    await owner.close()


async def test_a_client_that_takes_nothing_is_sent_away_and_its_notices_wait(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    assert ann.session_id is not None
    seat = notice_board.Seat(me(ann), ann.session_id, None)  # of a socket whose writer hangs
    async with api.app[BOARD].taken(seat):
        async with transaction(api.pool) as (conn, now):
            for n in range(notice_board.MOST_QUEUED + 1):
                message = notices.Message(event_id=new_id(), case_id=None, kind="case.assigned", body={"n": n})
                await notices.keep(conn, message, {me(ann): new_id()}, now)

        async def over() -> str | None:
            return seat.over

        await until(over, what="the seat to end")
    assert seat.over == "slow"
    assert len(await waiting(ann)) == 100


async def test_the_process_says_goodbye_when_it_stops(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    async with listening(api, ann) as socket:
        await tell(api.pool, me(ann), n=1)
        await socket.next()
        api.app[BOARD].dismiss()
        assert await socket.closing() == 1001


async def test_a_lost_listening_connection_is_made_again(api: Api, owner_database: str) -> None:
    ann = await api.somebody(a("officer"))
    async with listening(api, ann) as socket:
        owner = await asyncpg.connect(owner_database, timeout=10)
        ended = await owner.fetchval(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'gridsvc web notices'
            """
        )
        await owner.close()
        assert ended == 1
        await tell(api.pool, me(ann), n=1)
        assert (await socket.next())["n"] == 1


async def test_hint_to_socket_is_a_matter_of_milliseconds(api: Api) -> None:
    ann = await api.somebody(a("officer"))
    took = []
    async with listening(api, ann) as socket:
        for n in range(20):
            await tell(api.pool, me(ann), n=n)
            began = time.perf_counter()
            assert (await socket.next())["n"] == n
            took.append(time.perf_counter() - began)
    print(f"commit to socket: median {statistics.median(took) * 1000:.1f} ms, worst {max(took) * 1000:.1f} ms")
    assert statistics.median(took) < 0.5  # the poll alone would give a second
