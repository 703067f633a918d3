"""Officers: who is there, where, with how much in hand; and going on and off duty."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.change_duty import change_duty
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.reach import areas_of
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.domain.person_search import is_meant
from gridsvc.ids import new_id
from gridsvc.store import duty
from gridsvc.store.duty import Standing
from gridsvc.store.roster import OFFICERS, Officer


class OfficersQuery(Wanted):
    """Which officers; what is left out narrows nothing. `on_shift`: by the roster, absent or not.

    `q`: a name by its characters, its pinyin or its initials, or the beginning of a beat.
    """

    q: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    on_duty: bool | None = None
    on_shift: bool | None = None
    skill: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    team: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    beat: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class PositionOut(Told):
    """The latest known position: WGS-84 degrees, accuracy as the device states it, how old it is."""

    lon: float
    lat: float
    accuracy_m: float | None
    taken_at: datetime
    age_s: float


class OfficerOut(Told):
    """One officer. `open_cases`, `load` (their share of `most_open`) and `given_today` count what the asker may see.

    `there`: routing may give him something now. `shift_until` null: off shift, or without shifts. `absent_until`
    null: not absent. `given_today`: since his shift began; off shift, since the city's midnight.
    """

    id: UUID
    display_name: str
    duty_line: str
    on_duty: bool
    duty_changed_at: datetime | None
    there: bool
    shift_until: datetime | None
    absent_until: datetime | None
    beats: list[str]
    skills: list[str]
    teams: list[str]
    open_cases: int
    most_open: int
    load: float
    given_today: int
    position: PositionOut | None


class DutyIn(Wanted):
    """Whether I am on duty from now on."""

    on_duty: bool


class DutyOut(Told):
    """My duty as it stands; `duty_changed_at` null: never changed."""

    on_duty: bool
    duty_changed_at: datetime | None


async def _officers(request: web.Request) -> web.Response:
    asked = read_query(request, OfficersQuery)
    after = None if asked.cursor is None else read_cursor(asked.cursor, tuple[UUID])[0]
    # A role that may not list, held elsewhere, must not widen the list. Departments have no officers.
    areas = areas_of(caller_of(request), DESK)
    page: list[OfficerOut] = []
    more = True
    async with scoped(request) as (conn, now):
        while more and len(page) <= asked.limit:  # who is on shift the city's clock says, not the database
            found = await OFFICERS.all(
                conn, [division for division, _ in areas], [line for _, line in areas], now, asked.on_duty, after,
                asked.limit + 1, asked.skill, asked.team, asked.beat,
            )  # fmt: skip
            standing = await duty.standings(conn, [row.id for row in found], now, counted=True)
            page += [
                _officer_out(row, standing[row.id], now)
                for row in found
                if (asked.on_shift is None or bool(standing[row.id].duty.on_shift) is asked.on_shift)
                and (asked.q is None or is_meant(asked.q, [row.display_name], row.beats))
            ]
            more = len(found) > asked.limit
            after = found[-1].id if found else after
    cursor = write_cursor(page[asked.limit - 1].id) if len(page) > asked.limit else None
    return reply(Page[OfficerOut](items=page[: asked.limit], next=cursor))


def _officer_out(row: Officer, standing: Standing, now: datetime) -> OfficerOut:
    position = None
    if row.lon is not None and row.lat is not None and row.position_taken_at is not None:
        position = PositionOut(
            lon=row.lon, lat=row.lat, accuracy_m=row.accuracy_m, taken_at=row.position_taken_at,
            age_s=round((now - row.position_taken_at).total_seconds(), 1),
        )  # fmt: skip
    his = standing.duty
    return OfficerOut(
        id=row.id, display_name=row.display_name, duty_line=row.duty_line, on_duty=row.on_duty,
        duty_changed_at=row.duty_changed_at, there=his.there, shift_until=his.shift_ends_at,
        absent_until=his.absent_until, beats=row.beats, skills=row.skills, teams=row.teams,
        open_cases=row.open_cases, most_open=row.most_open, load=round(row.open_cases / row.most_open, 3),
        given_today=standing.given_today, position=position,
    )  # fmt: skip


async def _change_my_duty(request: web.Request) -> web.Response:
    wanted = await read_body(request, DutyIn)
    officer_id = caller_of(request).user_id
    assert officer_id is not None  # noqa: S101 - no API key has this route

    async def work(conn: Conn, now: datetime) -> Answer:
        duty = await change_duty(conn, officer_id, wanted.on_duty, new_id(), now)
        return Answer(DutyOut(on_duty=duty.on_duty, duty_changed_at=duty.duty_changed_at))

    return await write(request, work)


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/officers", handler=_officers, roles=DESK, scope="officers:read",
        query=OfficersQuery, answers=Page[OfficerOut],
        summary="Officers of my area: on duty or not, shift and absence, skills, latest position, cases in hand.",
    ),
    Route(
        method="POST", path="/api/v1/officers/me/duty", handler=_change_my_duty, roles=frozenset({Role.OFFICER}),
        reads=DutyIn, answers=DutyOut, statuses=(200, 409, 415, 422), idempotent=True,
        summary="Go on or off duty.",
    ),
)  # fmt: skip
