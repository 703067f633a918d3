"""Alarms: what asks for a person at once, and who has seen it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.acknowledge_alarm import acknowledge_alarm
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, path_id, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.store import alarms
from gridsvc.store.alarms import AlarmRow

ANSWERS: Final = frozenset({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMIN})
"""Who says that an alarm has been seen."""


class AlarmsQuery(Wanted):
    """Which alarms, the newest first; left out: all."""

    acknowledged: bool | None = None
    kind: Literal["emergency", "escalation", "camera_storm"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class SeenOut(Told):
    """Who acknowledged an alarm, and when."""

    id: UUID
    name: str
    at: datetime


class AlarmOut(Told):
    """One alarm, as the live feed tells it. `case` and `camera` say what it is about; `says` is in both languages."""

    id: UUID
    kind: str
    case: UUID | None
    camera: str | None
    severity: str
    says: dict[str, str]
    at: datetime
    acknowledged: SeenOut | None


async def _alarms(request: web.Request) -> web.Response:
    asked = read_query(request, AlarmsQuery)
    before, last = read_cursor(asked.cursor, tuple[datetime, UUID]) if asked.cursor else (None, None)
    async with scoped(request) as (conn, _):
        found = await alarms.LIST.all(conn, asked.acknowledged, before, last, asked.limit + 1, asked.kind)
    page = found[: asked.limit]
    cursor = write_cursor(page[-1].raised_at, page[-1].id) if len(found) > asked.limit else None
    return reply(Page[AlarmOut](items=[_alarm_out(row) for row in page], next=cursor))


async def _acknowledge(request: web.Request) -> web.Response:
    alarm_id, user_id = path_id(request), caller_of(request).user_id
    await read_body(request, Wanted)
    assert user_id is not None  # noqa: S101 - no API key has this route

    async def work(conn: Conn, now: datetime) -> Answer:
        return Answer(_alarm_out(await acknowledge_alarm(conn, alarm_id, user_id, now)))

    return await write(request, work)


def _alarm_out(row: AlarmRow) -> AlarmOut:
    seen = None
    if row.acknowledged_by is not None and row.acknowledged_at is not None:
        seen = SeenOut(id=row.acknowledged_by, name=row.acknowledged_name or "", at=row.acknowledged_at)
    return AlarmOut(
        id=row.id, kind=row.kind, case=row.case_id, camera=row.camera, severity=row.severity,
        says={"zh-CN": row.says, "en": row.says_en}, at=row.raised_at, acknowledged=seen,
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/alarms", handler=_alarms, roles=DESK, query=AlarmsQuery, answers=Page[AlarmOut],
        summary="Alarms of my area, the newest first: emergencies, limits that have passed, cameras that storm.",
    ),
    Route(
        method="POST", path="/api/v1/alarms/{id}/acknowledge", handler=_acknowledge, roles=ANSWERS, reads=Wanted,
        answers=AlarmOut, statuses=(200, 409, 415, 422), idempotent=True,
        summary="I have seen it: it rings no more, and all who watch are told by whom.",
    ),
)  # fmt: skip
