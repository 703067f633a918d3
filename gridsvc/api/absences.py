"""Absences of officers (请假): entered, listed and cancelled by the desk; an officer sees his own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.cancel_absence import cancel_absence
from gridsvc.actions.enter_absence import enter_absence
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.reach import LEADS, check_reach
from gridsvc.api.route import Route
from gridsvc.api.wire import Moment, Page, Told, Wanted, path_id, read_body, reply
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.errors import Unknown
from gridsvc.store import absences
from gridsvc.store.absences import ONE, AbsenceRow


class AbsenceIn(Wanted):
    """From when until when somebody is away, and why in one word. `from` left out: from now on."""

    until: Moment
    reason: Literal["leave", "sick", "training", "seconded", "other"] = "other"
    from_: Moment | None = msgspec.field(default=None, name="from")


class AbsenceOut(Told):
    """One absence. `state` is planned, running, over or cancelled."""

    id: UUID
    officer: UUID
    from_: datetime = msgspec.field(name="from")
    until: datetime
    reason: str
    state: str
    entered_by: str
    entered_at: datetime
    cancelled_by: str | None
    cancelled_at: datetime | None


async def _enter(request: web.Request) -> web.Response:
    officer_id, caller = path_id(request), caller_of(request)
    wanted = await read_body(request, AbsenceIn)

    async def work(conn: Conn, now: datetime) -> Answer:
        await check_reach(conn, caller, LEADS, officer_id, now)
        row = await enter_absence(conn, officer_id, wanted.from_, wanted.until, wanted.reason, caller.id, now)
        return Answer(_out(row, now), status=201)

    return await write(request, work)


async def _cancel(request: web.Request) -> web.Response:
    absence_id, caller = path_id(request), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        row = await ONE.one(conn, absence_id)
        if row is None:
            raise Unknown(f"no absence {absence_id}", absence=str(absence_id))
        await check_reach(conn, caller, LEADS, row.officer_id, now)
        return Answer(_out(await cancel_absence(conn, row, caller.id, now), now))

    return await write(request, work)


async def _list(request: web.Request) -> web.Response:
    officer_id = path_id(request)
    async with scoped(request) as (conn, now):
        await check_reach(conn, caller_of(request), LEADS, officer_id, now)
        rows = await absences.of_officer(conn, officer_id, now)
    return _page(rows, now)


async def _mine(request: web.Request) -> web.Response:
    officer_id = caller_of(request).user_id
    assert officer_id is not None  # noqa: S101 - no API key has this route
    async with scoped(request) as (conn, now):
        rows = await absences.of_officer(conn, officer_id, now)
    return _page(rows, now)


def _page(rows: Sequence[AbsenceRow], now: datetime) -> web.Response:
    return reply(Page[AbsenceOut](items=[_out(row, now) for row in rows]))


def _out(row: AbsenceRow, now: datetime) -> AbsenceOut:
    return AbsenceOut(
        id=row.id, officer=row.officer_id, from_=row.from_at, until=row.until_at, reason=row.reason,
        state=_state(row, now), entered_by=row.entered_by, entered_at=row.entered_at,
        cancelled_by=row.cancelled_by, cancelled_at=row.cancelled_at,
    )  # fmt: skip


def _state(row: AbsenceRow, now: datetime) -> str:
    if row.cancelled_at is not None:
        return "cancelled"
    if row.until_at <= now:
        return "over"
    return "running" if row.from_at <= now else "planned"


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/officers/me/absences", handler=_mine, roles=frozenset({Role.OFFICER}),
        answers=Page[AbsenceOut],
        summary="When I am away: absences that are not over, cancelled ones too.",
    ),
    Route(
        method="GET", path="/api/v1/officers/{id}/absences", handler=_list, roles=LEADS, answers=Page[AbsenceOut],
        summary="When an officer is away: absences that are not over, cancelled ones too.",
    ),
    Route(
        method="POST", path="/api/v1/officers/{id}/absences", handler=_enter, roles=LEADS,
        reads=AbsenceIn, answers=AbsenceOut, statuses=(201, 409, 415), idempotent=True,
        summary="An officer is away for a while: from then on he gets no work, and what he has is handed over.",
    ),
    Route(
        method="POST", path="/api/v1/absences/{id}/cancel", handler=_cancel, roles=LEADS, answers=AbsenceOut,
        statuses=(200, 409), idempotent=True,
        summary="An absence holds no more: a mistake, or the officer is back early.",
    ),
)  # fmt: skip
