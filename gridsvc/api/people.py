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
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.ids import new_id
from gridsvc.store.roster import OFFICERS, Officer


class OfficersQuery(Wanted):
    """Which officers. `on_duty` left out: all."""

    on_duty: bool | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class PositionOut(Told):
    """The latest known position: WGS-84 degrees, accuracy as the device states it."""

    lon: float
    lat: float
    accuracy_m: float | None
    taken_at: datetime


class OfficerOut(Told):
    """One officer. `open_cases` counts those that the asker may see."""

    id: UUID
    display_name: str
    duty_line: str
    on_duty: bool
    duty_changed_at: datetime | None
    beats: list[str]
    open_cases: int
    most_open: int
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
    areas = [g for g in caller_of(request).grants if g.role in DESK and g.department is None]
    async with scoped(request) as (conn, now):
        found = await OFFICERS.all(
            conn, [g.division for g in areas], [g.duty_line for g in areas], now, asked.on_duty, after, asked.limit + 1
        )
    page = found[: asked.limit]
    more = write_cursor(page[-1].id) if len(found) > asked.limit else None
    return reply(Page[OfficerOut](items=[_officer_out(row) for row in page], next=more))


def _officer_out(row: Officer) -> OfficerOut:
    position = None
    if row.lon is not None and row.lat is not None and row.position_taken_at is not None:
        position = PositionOut(lon=row.lon, lat=row.lat, accuracy_m=row.accuracy_m, taken_at=row.position_taken_at)
    return OfficerOut(
        id=row.id, display_name=row.display_name, duty_line=row.duty_line, on_duty=row.on_duty,
        duty_changed_at=row.duty_changed_at, beats=row.beats, open_cases=row.open_cases,
        most_open=row.most_open, position=position,
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
        summary="Officers of my area: on duty or not, latest position, cases in hand.",
    ),
    Route(
        method="POST", path="/api/v1/officers/me/duty", handler=_change_my_duty, roles=frozenset({Role.OFFICER}),
        reads=DutyIn, answers=DutyOut, statuses=(200, 409, 415), idempotent=True,
        summary="Go on or off duty.",
    ),
)  # fmt: skip
