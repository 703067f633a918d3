"""Who is told what, once, and for as long as it takes until the device has it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import pytest

from events.catalog import (
    CaseAssigned,
    CaseDeskAsked,
    CaseEscalated,
    CaseNews,
    CasePooled,
    CaseReminded,
    CaseReported,
    CaseReturned,
    CaseReworked,
    CaseSupervised,
)
from geo.place import Place
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import Conn, city_now, transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Move
from gridsvc.errors import Unknown
from gridsvc.ids import new_id
from gridsvc.store import notices
from gridsvc.store.notices import CHANNEL, IDS_PER_HINT, Message, Notice
from tests.integration.patiently import until
from tests.integration.small_city import CITY, DISTRICT, INSIDE, STREET, category, person, report
from tests.integration.stories.conftest import Town


async def filed(town: Town, *, handled_by: str = "officer", place: Place | None = INSIDE) -> CaseNews:
    """The first news of a new case."""
    async with transaction(town.pool) as (conn, _):
        code = await category(conn, handled_by=handled_by)
    case = await town.filed(report(town.city.dispatcher, code, place))
    return (await town.told(case.id))[0]


async def assigned(town: Town, *, handled_by: str = "officer") -> CaseAssigned:
    """The news that a new case has its owner."""
    news = await filed(town, handled_by=handled_by)
    await town.route(news.case_id)
    last = (await town.told(news.case_id))[-1]
    assert isinstance(last, CaseAssigned)
    return last


def same_case(news: CaseNews) -> dict[str, Any]:
    """What other news of the same case carries."""
    return {field.name: getattr(news, field.name) for field in fields(CaseNews)} | {"event_id": new_id()}


def rung(news: CaseNews, role: str, division: str | None = None) -> CaseEscalated:
    return CaseEscalated(
        **same_case(news),
        clock_id=new_id(), clock="handling", level=2, effect="climb", role=role, division=division, late_by_s=1.5,
    )  # fmt: skip


async def tell(town: Town, news: CaseNews) -> None:
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)


async def heard(town: Town, news: CaseNews) -> dict[UUID, dict[str, Any]]:
    """Who has a notice of exactly this news, and what it says."""
    rows = await town.rows("SELECT user_id, kind, body FROM notices WHERE event_id = $1", news.event_id)
    assert {row["kind"] for row in rows} <= {news.TYPE}
    return {row["user_id"]: row["body"] for row in rows}


async def told(town: Town, news: CaseNews) -> set[UUID]:
    await tell(town, news)
    return set(await heard(town, news))


def ids(*people: Caller) -> set[UUID]:
    return {caller.user_id for caller in people if caller.user_id is not None}


# --- who hears ---------------------------------------------------------------------------------------


async def test_the_officer_hears_of_his_case_and_nobody_else_does(town: Town) -> None:
    news = await assigned(town)

    assert await told(town, news) == {news.officer_id}


async def test_the_handlers_of_a_department_hear_of_its_case(town: Town) -> None:
    news = await assigned(town, handled_by="department")
    async with transaction(town.pool) as (conn, _):
        await person(conn, "elsewhere", Grant(role=Role.HANDLER, division="620199", department=news.department))

    assert await told(town, news) == ids(town.city.handler)


async def test_an_assignment_that_has_ended_is_told_to_nobody(town: Town) -> None:
    news = await assigned(town)
    late = CaseAssigned(
        **same_case(news), assignment_id=new_id(), officer_id=town.city.officers[0].user_id, department=None
    )

    assert await told(town, late) == set()


@pytest.mark.parametrize("kind", [CaseReworked, CaseReminded, CaseSupervised])
async def test_the_owner_hears_what_the_desk_wants_of_him(town: Town, kind: type[CaseNews]) -> None:
    news = await assigned(town)

    assert await told(town, kind(**same_case(news))) == {news.officer_id}


async def test_the_dispatcher_hears_what_an_owner_asks_for(town: Town) -> None:
    news = await assigned(town)

    assert await told(town, CaseDeskAsked(**same_case(news))) == ids(town.city.dispatcher)


async def test_a_case_without_an_owner_is_told_to_the_dispatchers(town: Town) -> None:
    news = await filed(town)

    assert await told(town, CasePooled(**same_case(news), why="nobody_on_duty")) == ids(town.city.dispatcher)
    assert await told(town, CaseReturned(**same_case(news))) == ids(town.city.dispatcher)
    assert await told(town, rung(news, "owner")) == ids(town.city.dispatcher), "there is no owner to warn"


async def test_a_report_without_a_place_is_told_to_the_acceptors_of_its_desk(town: Town) -> None:
    news = await filed(town, place=None)
    assert isinstance(news, CaseReported)

    assert await told(town, news) == ids(town.city.acceptor)


async def test_the_nearest_desk_hears_alone(town: Town) -> None:
    async with transaction(town.pool) as (conn, _):
        near = await person(conn, "near", Grant(role=Role.DISPATCHER, division=STREET))
    news = await filed(town)

    assert await told(town, CasePooled(**same_case(news), why="nobody_on_duty")) == ids(near)


async def test_a_rung_is_heard_in_the_division_it_names(town: Town) -> None:
    async with transaction(town.pool) as (conn, _):
        city_chief = await person(conn, "city.chief", Grant(role=Role.SUPERVISOR, division=CITY))
        street_chief = await person(conn, "street.chief", Grant(role=Role.SUPERVISOR, division=STREET))
    news = await assigned(town)

    assert await told(town, rung(news, "supervisor", STREET)) == ids(street_chief)
    assert await told(town, rung(news, "supervisor", DISTRICT)) == ids(town.city.supervisor)
    assert await told(town, rung(news, "supervisor", CITY)) == ids(city_chief)
    assert await told(town, rung(news, "owner")) == {news.officer_id}


async def test_a_rung_that_finds_nobody_climbs(town: Town) -> None:
    news = await assigned(town)

    assert await told(town, rung(news, "supervisor", STREET)) == ids(town.city.supervisor)


async def test_a_role_for_another_duty_line_or_department_does_not_hear(town: Town) -> None:
    news = await assigned(town)
    async with transaction(town.pool) as (conn, _):
        await person(conn, "line.chief", Grant(role=Role.SUPERVISOR, division=STREET, duty_line="city"))
        await person(conn, "water.chief", Grant(role=Role.SUPERVISOR, division=STREET, department="water"))
        own = await person(conn, "own.chief", Grant(role=Role.SUPERVISOR, division=STREET, duty_line=news.duty_line))

    assert await told(town, rung(news, "supervisor", STREET)) == ids(own)


async def test_who_has_left_does_not_hear(town: Town) -> None:
    news = await assigned(town)
    async with transaction(town.pool) as (conn, _):
        gone = await person(conn, "gone", Grant(role=Role.SUPERVISOR, division=STREET))
        await conn.execute("UPDATE users SET active = false WHERE id = $1", gone.user_id)

    assert await told(town, rung(news, "supervisor", STREET)) == ids(town.city.supervisor)


async def test_what_nobody_is_there_to_hear_the_administrators_hear(town: Town) -> None:
    news = await assigned(town)
    async with transaction(town.pool) as (conn, _):
        await conn.execute("DELETE FROM grants WHERE role IN ('supervisor', 'dispatcher', 'acceptor')")
        admin = await person(conn, "admin", Grant(role=Role.ADMIN, division=CITY))

    assert await told(town, rung(news, "supervisor", DISTRICT)) == ids(admin)
    assert await told(town, CasePooled(**same_case(news), why="nobody_on_duty")) == ids(admin)


async def test_a_city_without_anybody_says_so(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    news = await assigned(town)
    async with transaction(town.pool) as (conn, _):
        await conn.execute("DELETE FROM grants WHERE role IN ('supervisor', 'admin')")

    assert await told(town, rung(news, "supervisor", DISTRICT)) == set()
    assert [getattr(record, "action", "") for record in caplog.records] == ["nobody_to_tell"]


async def test_news_of_a_case_that_does_not_exist_is_a_failure(town: Town) -> None:
    news = await filed(town)

    with pytest.raises(Unknown):
        await tell(town, CaseReminded(**same_case(news) | {"case_id": new_id()}))


# --- what is said ------------------------------------------------------------------------------------


async def test_a_person_is_told_once_whatever_comes_twice(town: Town) -> None:
    news = await assigned(town)

    await tell(town, news)
    await tell(town, news)

    assert len(await town.rows("SELECT id FROM notices WHERE event_id = $1", news.event_id)) == 1


async def test_a_notice_says_enough_to_act_and_no_word_of_a_resident(town: Town) -> None:
    news = await assigned(town)
    climbed = rung(news, "owner")
    await tell(town, climbed)

    ((_, body),) = (await heard(town, climbed)).items()
    assert {"case_id", "number", "state", "category", "severity", "due_at", "cell"} <= set(body)
    assert (body["clock"], body["level"], body["effect"], body["late_by_s"]) == ("handling", 2, "climb", 1.5)
    assert "井盖" not in json.dumps(body, ensure_ascii=False)


# --- until the device has it -------------------------------------------------------------------------


async def keep(conn: Conn, count: int, *people: Caller) -> None:
    now = await city_now(conn)
    for _ in range(count):
        message = Message(event_id=new_id(), case_id=None, kind="case.assigned", body={})
        hearers = {user: uuid5(message.event_id, str(user)) for user in ids(*people)}
        await notices.keep(conn, message, hearers, now)


async def waiting(town: Town, user: Caller, after_seq: int = 0, limit: int = 100) -> list[Notice]:
    assert user.user_id is not None
    async with transaction(town.pool) as (conn, _):
        return await notices.waiting(conn, user.user_id, after_seq, limit)


async def test_notices_wait_in_their_order_until_they_are_acknowledged(town: Town) -> None:
    ann, bob, _ = town.city.officers
    async with transaction(town.pool) as (conn, _):
        await keep(conn, 5, ann, bob)
    everything = [notice.seq for notice in await waiting(town, ann)]
    assert ann.user_id is not None

    async with transaction(town.pool) as (conn, now):
        assert await notices.acknowledge(conn, [(ann.user_id, seq) for seq in everything[:2]], now) == 2
        assert await notices.acknowledge(conn, [(ann.user_id, seq) for seq in everything[:2]], now) == 0
        bobs = [notice.seq for notice in await notices.waiting(conn, ids(bob).pop(), 0, 9)]
        assert await notices.acknowledge(conn, [(ann.user_id, seq) for seq in bobs], now) == 0

    assert everything == sorted(everything)
    assert [notice.seq for notice in await waiting(town, ann)] == everything[2:]
    assert len(await waiting(town, bob)) == 5


async def test_a_reading_is_turned_page_by_page(town: Town) -> None:
    ann = town.city.officers[0]
    async with transaction(town.pool) as (conn, _):
        await keep(conn, 5, ann)
    first = await waiting(town, ann, 0, 3)
    second = await waiting(town, ann, first[-1].seq, 3)

    assert [len(first), len(second)] == [3, 2]
    assert len({notice.id for notice in first + second}) == 5


async def test_an_open_socket_gets_a_hint_when_it_is_true_and_not_before(town: Town, database: str) -> None:
    ann, bob, _ = town.city.officers
    hints: list[str] = []
    socket: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(database)
    try:
        await socket.add_listener(CHANNEL, lambda *said: hints.append(str(said[-1])))
        async with transaction(town.pool) as (conn, _):
            await keep(conn, 1, ann, bob)
            await socket.fetchval("SELECT 1")
            assert hints == [], "not committed yet"

        async def hinted() -> bool:
            await socket.fetchval("SELECT 1")
            return bool(hints)

        await until(hinted, what="the hint")
    finally:
        await socket.close()

    assert set(hints[0].split(",")) == {str(user) for user in ids(ann, bob)}


async def test_a_hint_to_a_thousand_people_fits(town: Town) -> None:
    async with transaction(town.pool) as (conn, now):
        users = [new_id() for _ in range(5 * IDS_PER_HINT)]
        await conn.execute(
            "INSERT INTO users (id, username, display_name) SELECT id, id::text, '' FROM unnest($1::uuid[]) AS u (id)",
            users,
        )
        message = Message(event_id=new_id(), case_id=None, kind="case.reported", body={})

        told_now = await notices.keep(conn, message, {user: user for user in users}, now)

    assert len(told_now) == len(users)


async def test_who_loses_a_case_to_a_merge_hears_it_and_where_nobody_had_it_nobody_does(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    owned, main = await assigned(town), await filed(town)
    pooled = await filed(town)
    for lost in (owned, pooled):
        case = await town.case(lost.case_id)
        await town.move(town.city.acceptor, case, Move.MERGE, into=main.case_id)
    told = []
    for lost in (owned, pooled):
        [news] = [each for each in await town.told(lost.case_id) if each.TYPE == "case.merged"]
        await tell(town, news)
        told.append(await heard(town, news))
    [(owner, body)] = told[0].items()
    assert (owner, body["into"]) == (owned.officer_id, str(main.case_id))
    assert told[1] == {}
    assert [getattr(record, "action", "") for record in caplog.records] == [], "and that is no fault"


async def test_telling_of_two_cases_holds_neither_while_it_waits_for_the_lower_one(town: Town) -> None:
    """Others lock cases in the order of their ids; news comes in any order, and the two must not wait in a ring."""
    lower, higher = sorted([await assigned(town), await assigned(town)], key=lambda news: news.case_id)

    async def tell() -> None:
        async with transaction(town.pool) as (conn, now):
            await tell_people(conn, [higher, lower], now)

    async with town.pool.acquire() as busy, town.pool.acquire() as looker:
        async with busy.transaction():
            await busy.execute("SELECT FROM cases WHERE id = $1 FOR UPDATE", lower.case_id)
            telling = asyncio.create_task(tell())

            async def waits() -> bool:
                return bool(await looker.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

            await until(waits, what="the telling to wait for the lower case")
            free = await looker.fetchval("SELECT id FROM cases WHERE id = $1 FOR UPDATE SKIP LOCKED", higher.case_id)
        await telling
    assert free == higher.case_id
