"""What an officer's phone begins with: whether he is on duty and until when, and the beats that he walks."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Page, Told, reply
from gridsvc.db import act_as_service
from gridsvc.domain.access import Role
from gridsvc.errors import Unknown
from gridsvc.store import duty, users
from gridsvc.store.own_beats import CELLS_OF


class OwnDutyOut(Told):
    """My duty as it stands. `there`: routing may give me something now.

    `shift_until` null: off shift, or without shifts. `absent_until` null: not absent. `duty_changed_at` null: never
    changed.
    """

    on_duty: bool
    duty_changed_at: datetime | None
    there: bool
    shift_until: datetime | None
    absent_until: datetime | None


class OwnCellOut(Told):
    """One cell of my beat; `outline` is a GeoJSON geometry in WGS-84."""

    code: str
    name: str
    outline: dict[str, Any]


class OwnBeatOut(Told):
    """A beat that I walk, with its cells in the grid set in force."""

    duty_line: str
    code: str
    name: str
    division: str
    cells: list[OwnCellOut]


async def _duty(request: web.Request) -> web.Response:
    me = _me(request)
    async with scoped(request) as (conn, now):
        kept = await users.DUTY_OF.one(conn, me)
        await act_as_service(conn)
        standing = (await duty.standings(conn, [me], now)).get(me)
    if kept is None or standing is None:
        raise Unknown("you are no officer: there is no duty to tell")
    mine = standing.duty
    return reply(
        OwnDutyOut(on_duty=kept.on_duty, duty_changed_at=kept.duty_changed_at, there=mine.there,
                   shift_until=mine.shift_ends_at, absent_until=mine.absent_until)
    )  # fmt: skip


async def _beats(request: web.Request) -> web.Response:
    async with scoped(request) as (conn, now):
        found = await CELLS_OF.all(conn, _me(request), now)
    items = [
        OwnBeatOut(duty_line=line, code=code, name=name, division=division,
                   cells=[OwnCellOut(code=each.code, name=each.name, outline=each.outline) for each in cells])
        for (line, code, name, division), cells in groupby(
            found, lambda each: (each.duty_line, each.beat, each.beat_name, each.division)
        )
    ]  # fmt: skip
    return reply(Page[OwnBeatOut](items=items))


def _me(request: web.Request) -> UUID:
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has these routes
    return user_id


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/officers/me/duty", handler=_duty, roles=frozenset({Role.OFFICER}),
        answers=OwnDutyOut,
        summary="My duty as it stands: the switch, my shift, whether I am away.",
    ),
    Route(
        method="GET", path="/api/v1/me/beats", handler=_beats, roles=frozenset({Role.OFFICER}),
        answers=Page[OwnBeatOut],
        summary="The beats that I walk, with the outlines of their cells.",
    ),
)  # fmt: skip
